# SPDX-License-Identifier: Apache-2.0

"""The wheel beside Nova: found and loaded by Nova's own code."""

import pathlib

import testtools

from tests.install import environment

# As nova-compute does it: nova/cmd/compute.py. Where libvirt-python is not
# installed Nova's own stand-in for it serves.
LOAD = """
import importlib.util
import json
import os
import sys

os.environ.setdefault('OS_NOVA_DISABLE_EVENTLET_PATCHING', '1')
from nova import monkey_patch
if hasattr(monkey_patch, 'patch'):
    monkey_patch.patch()

if not importlib.util.find_spec('libvirt'):
    from nova.tests.fixtures import libvirt
    sys.modules['libvirt'] = libvirt

import os_vif
from nova import config
from nova.virt import driver
from nova.virt import fake
import nova.conf

config.parse_args(['nova-compute'], default_config_files=[])
seen = importlib.util.find_spec('nova.virt.hyperv_enlight') is not None
os_vif.initialize()
loaded = driver.load_compute_driver(
    fake.FakeVirtAPI(), 'hyperv_enlight.LibvirtDriver'
)
from nova.virt import hyperv_enlight
import nova.virt
import nova_hyperv_enlight
print(json.dumps({
    'class': f'{type(loaded).__module__}.{type(loaded).__qualname__}',
    'hooks': loaded._enlightener.load()[1].names,
    'nova': os.path.dirname(nova.virt.__file__),
    'one class': hyperv_enlight.LibvirtDriver is type(loaded),
    'plugin': os.path.dirname(nova_hyperv_enlight.__file__),
    'seen before': seen,
}))
"""


class BesideNovaTestCase(testtools.TestCase):
    def load(self, fixture, **variables):
        """Load the driver and return what there is to say about it."""
        loaded = fixture.run_script(LOAD, HOME=str(fixture.path), **variables)
        self.assertEqual(
            {
                'class': 'nova_hyperv_enlight.virt.driver.LibvirtDriver',
                'hooks': ['hyperv', 'hypervclock', 'pit'],
                'one class': True,
                'seen before': False,
            },
            {k: v for k, v in loaded.items() if k not in ('nova', 'plugin')},
        )
        return {
            name: pathlib.Path(loaded[name]) for name in ('nova', 'plugin')
        }

    def install(self, fixture, *arguments):
        fixture.pip('--no-deps', '--no-index', *arguments, environment.wheel())

    def test_nova_as_a_wheel(self):
        fixture = self.useFixture(environment.NovaEnvironment())
        self.install(fixture)

        found = self.load(fixture)

        self.assertEqual(fixture.site / 'nova/virt', found['nova'])
        self.assertEqual(fixture.site / 'nova_hyperv_enlight', found['plugin'])

    def test_nova_editable(self):
        fixture = self.useFixture(environment.NovaEnvironment(editable=True))
        self.install(fixture)

        found = self.load(fixture)

        self.assertEqual(fixture.path / 'checkout/nova/virt', found['nova'])
        self.assertEqual(fixture.site / 'nova_hyperv_enlight', found['plugin'])

    def test_in_another_site_directory_than_nova(self):
        fixture = self.useFixture(environment.NovaEnvironment())
        target = fixture.path / 'elsewhere'
        self.install(fixture, '--target', target)

        found = self.load(fixture, PYTHONPATH=str(target))

        self.assertEqual(fixture.site / 'nova/virt', found['nova'])
        self.assertEqual(target / 'nova_hyperv_enlight', found['plugin'])

    def test_no_file_is_laid_into_nova(self):
        fixture = self.useFixture(environment.Environment())
        self.install(fixture)

        self.assertEqual(
            {
                'nova_hyperv_enlight',
                f'nova_hyperv_enlight-{environment.VERSION}.dist-info',
            },
            {path.name for path in fixture.site.iterdir()},
        )
