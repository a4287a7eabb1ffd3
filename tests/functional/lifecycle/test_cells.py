# SPDX-License-Identifier: Apache-2.0

"""Resizes and cold migrations that leave their cell, which call spawn()."""

import fixtures
from nova import context
from nova import objects
from nova.policies import base as base_policies
from nova.policies import servers as servers_policies

from tests.functional import guest
from tests.functional.lifecycle import base
from tests.functional.lifecycle import test_anew


class CellsTestCase(base.LifeTestCase):
    """Host 'two' is in another cell, and the default has changed since."""

    NUMBER_OF_CELLS = 2
    CAST_AS_CALL = False

    def setUp(self):
        super().setUp()
        self.policy.set_rules(
            {servers_policies.CROSS_CELL_RESIZE: base_policies.RULE_ADMIN_API},
            overwrite=False,
        )
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.virt.libvirt.driver.LibvirtDriver.snapshot',
                test_anew.snapshot,
            )
        )
        self.plugin_flags(profile='minimal')
        self.start('one')
        self._server = self.boot(base.WINDOWS)
        self.plugin_flags(profile='baseline')
        self.start('two')
        self.restart('one')

    def start_service(self, name, host=None, **kwargs):
        if host == 'two':
            kwargs['cell_name'] = 'cell2'
        return super().start_service(name, host=host, **kwargs)

    def instance(self, server):
        """Return a server's instance, from the database of its cell."""
        admin = context.get_admin_context()
        mapping = objects.InstanceMapping.get_by_instance_uuid(
            admin, server['id']
        )
        with context.target_cell(admin, mapping.cell_mapping) as targeted:
            return objects.Instance.get_by_uuid(
                targeted,
                server['id'],
                expected_attrs=['system_metadata', 'flavor'],
            )

    def check(self, hostname, names, record):
        self.assertEqual(hostname, self.host_of(self._server))
        self.assertSwitchedOn(names, self._server)
        self.assertEqual(record, self.record(self._server))
        self.assertEqual([], self.warnings())

    def test_a_resize_there_and_back(self):
        flavor = self._create_flavor(**{**self.FLAVOR, 'memory_mb': 128})

        self._resize_server(self._server, flavor)
        self.check('two', guest.BASELINE, test_anew.BASELINE)

        self._revert_resize(self._server)
        self._wait_for_server_parameter(self._server, {'status': 'ACTIVE'})
        self.check('one', base.MINIMAL, test_anew.MINIMAL)

    def test_a_cold_migration(self):
        self._migrate_server(self._server)

        self.check('two', base.MINIMAL, test_anew.MINIMAL)
