# SPDX-License-Identifier: Apache-2.0

"""Runs nova-hyperv-enlight-status in this process, beside a Nova."""

import importlib.metadata
import io
import json
import types

import fixtures
from oslo_config import cfg

from nova_hyperv_enlight.cmd import status
from nova_hyperv_enlight.host import kvm
from tests.unit.cmd import base

# The other hooks need Nova.
FINE = """
[DEFAULT]
compute_driver = hyperv_enlight.LibvirtDriver
non_inheritable_image_properties = cache_in_nova,hyperv_enlight
[hyperv_enlight]
hooks = noop
"""
CHECKS = [
    'Compute driver',
    'Options',
    'Hooks',
    'Nova',
    'libvirt',
    'KVM',
    'Snapshots',
    'Guests',
    'Policy',
]
SUCCESS, WARNING, FAILURE, ERROR = 0, 1, 2, 255
DOMAIN = """
<domain type='{virt_type}'>
  <name>{name}</name>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <features><acpi/>{features}</features>
</domain>
"""


class Domain:
    """A guest, by the names that are on, or by the error it raises."""

    def __init__(self, name, names=(), error=None, virt_type='kvm', mode=''):
        self._name = name
        self._error = error
        on = ''.join(f"<{n} state='on'/>" for n in names)
        hyperv = f'<hyperv{mode}>{on}</hyperv>' if on or mode else ''
        self._xml = DOMAIN.format(
            name=name, virt_type=virt_type, features=hyperv
        )

    def name(self):
        return self._name

    def XMLDesc(self, flags=0):
        if self._error:
            raise self._error
        return self._xml


class Connection(base.FakeConnection):
    """A connection to a host with guests."""

    def __init__(self, *domains, answer=None, **kwargs):
        super().__init__(answer or base.document(), **kwargs)
        self._domains = domains

    def listAllDomains(self, flags=0):
        return list(self._domains)


class StatusTestCase(base.CommandTestCase):
    def setUp(self):
        super().setUp()
        self.use_libvirt(Connection())
        self.use_nova('33.0.2')
        self.use_kernel(kvm.KernelFacts(hyperv=True))

    def use_libvirt(self, connection):
        self.libvirt = self.useFixture(base.FakeLibvirt(connection))
        return connection

    def use_nova(self, version):
        """Install a Nova with the options that the checks read."""
        conf = cfg.ConfigOpts()
        conf.register_opts(
            [
                cfg.StrOpt('compute_driver'),
                cfg.ListOpt('non_inheritable_image_properties', default=[]),
            ]
        )
        conf.register_opts(
            [
                cfg.StrOpt('connection_uri'),
                cfg.StrOpt('virt_type', default='kvm'),
            ],
            group='libvirt',
        )
        module = types.ModuleType('nova')
        module.conf = types.SimpleNamespace(CONF=conf)
        self.useFixture(base.InstalledModule('nova', module))
        self.useFixture(base.InstalledModule('nova.conf', module.conf))
        # Libraries ask for their own, and some when they are used first.
        real = importlib.metadata.version
        self.useFixture(
            fixtures.MonkeyPatch(
                'importlib.metadata.version',
                lambda name: version if name == 'nova' else real(name),
            )
        )

    def call_status(self, *argv, text=FINE):
        """Run the program with this nova.conf."""
        path = self.write('nova.conf', text)
        out, err = io.StringIO(), io.StringIO()
        with base.streams(out, err):
            code = status.main(['--config-file', path, *argv])
        return base.Result(
            code=int(code), out=out.getvalue(), err=err.getvalue()
        )

    def check(self, expected, text=FINE):
        """Run all checks; return the results by their names.

        :param expected: the exit code
        """
        result = self.call_status('upgrade', 'check', '--json', text=text)
        self.assertEqual(expected, result.code, result.out)
        found = json.loads(result.out)
        self.assertEqual('Upgrade Check Results', found['name'])
        self.assertEqual(CHECKS, [check['check'] for check in found['checks']])
        return {
            check['check']: (check['result'], check['details'])
            for check in found['checks']
        }

    def check_one(self, name, result, details, text=FINE):
        """Check that one check says so, and that all others succeed."""
        found = self.check(result, text)
        self.assertEqual((result, details), found.pop(name))
        self.assertEqual({(SUCCESS, None)}, set(found.values()))
