# SPDX-License-Identifier: Apache-2.0

"""How Nova comes to find a driver that is not below nova/virt."""

import importlib
import importlib.util
import json
import subprocess
import sys

from nova.virt import driver as virt_driver
from nova.virt import fake
import os_vif
import testtools

from nova_hyperv_enlight.virt import bootstrap
from nova_hyperv_enlight.virt import driver
from tests.fixtures import nova
from tests.functional import guest

# os_vif itself imports a lot, eventlet among it where nothing forbids it.
IMPORTS = """
import json, sys
import os_vif.plugin
from os_vif.objects import host_info
before = set(sys.modules)
import nova_hyperv_enlight.virt.bootstrap
added = set(sys.modules) - before
print(json.dumps(sorted({name.partition('.')[0] for name in added})))
"""
SEQUENCE = """
import importlib.util, json, sys
import os_vif

def seen():
    return importlib.util.find_spec('nova.virt.hyperv_enlight') is not None

before = seen()
os_vif.initialize(True)
after = seen()
activated = 'nova_hyperv_enlight.virt.driver' in sys.modules
print(json.dumps([before, after, activated]))
"""


def run(script):
    """Run a script in a process of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, '-c', script],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


class FreshProcessTestCase(testtools.TestCase):
    def test_bootstrap_needs_nothing_imported_before(self):
        self.assertEqual(
            True,
            run(
                'import nova_hyperv_enlight.virt.bootstrap as bootstrap\n'
                "print(str(hasattr(bootstrap, 'Bootstrap')).lower())"
            ),
        )

    def test_bootstrap_imports_little(self):
        self.assertEqual(['nova_hyperv_enlight'], run(IMPORTS))

    def test_os_vif_makes_the_driver_importable_and_no_more(self):
        self.assertEqual([False, True, False], run(SEQUENCE))


class BootstrapTestCase(guest.GuestTestCase):
    def setUp(self):
        super().setUp()
        self.start_host()
        os_vif.initialize(True)

    def finders(self):
        return [
            finder
            for finder in sys.meta_path
            if type(finder).__module__ == bootstrap.__name__
        ]

    def test_one_module_under_two_names(self):
        self.assertIs(driver, importlib.import_module(bootstrap.ALIAS))

    def test_the_driver_keeps_its_own_name(self):
        importlib.import_module(bootstrap.ALIAS)

        self.assertEqual(bootstrap.DRIVER, driver.__name__)
        self.assertEqual(bootstrap.DRIVER, driver.__spec__.name)

    def test_nova_loads_it(self):
        loaded = virt_driver.load_compute_driver(
            fake.FakeVirtAPI(), nova.PLUGIN_DRIVER
        )

        self.assertIs(driver.LibvirtDriver, type(loaded))

    def test_nova_loads_its_own_as_before(self):
        loaded = virt_driver.load_compute_driver(
            fake.FakeVirtAPI(), nova.STOCK_DRIVER
        )

        self.assertEqual('nova.virt.libvirt.driver', type(loaded).__module__)

    def test_a_second_time_adds_no_second_finder(self):
        os_vif.initialize(True)

        self.assertEqual(1, len(self.finders()))

    def test_only_the_one_name_is_found(self):
        for name in (
            'nova.virt.hyperv_enlight.driver',
            'nova.virt.hyperv_enlight_too',
            'hyperv_enlight',
        ):
            self.assertIsNone(self.finders()[0].find_spec(name, None))

    def test_no_interface_is_plugged(self):
        plugin = bootstrap.Bootstrap.load('hyperv_enlight')

        self.assertEqual([], plugin.describe().vif_info)
        self.assertRaises(NotImplementedError, plugin.plug, None, None)
        self.assertRaises(NotImplementedError, plugin.unplug, None, None)

    def test_os_vif_knows_the_plugin(self):
        info = os_vif.host_info()

        self.assertIn(
            'hyperv_enlight',
            [plugin.plugin_name for plugin in info.plugin_info],
        )

    def test_a_driver_that_cannot_be_imported_says_why(self):
        # The module of another name, because the real one is imported.
        self.useFixture(
            guest.fixtures.MonkeyPatch(
                'nova_hyperv_enlight.virt.bootstrap.DRIVER', 'absent_module'
            )
        )
        self.useFixture(ForgottenModule(bootstrap.ALIAS))

        error = self.assertRaises(
            ImportError, importlib.import_module, bootstrap.ALIAS
        )

        self.assertIn('absent_module', str(error))


class ForgottenModule(guest.fixtures.Fixture):
    """Take a module from sys.modules for the time of a test."""

    def __init__(self, name):
        super().__init__()
        self._name = name

    def _setUp(self):
        module = sys.modules.pop(self._name, None)
        if module is not None:
            self.addCleanup(sys.modules.__setitem__, self._name, module)
