# SPDX-License-Identifier: Apache-2.0

"""What the tests of live migration share."""

import os
import time
import urllib.parse

import fixtures
from nova import conf
from nova.tests.fixtures import libvirt as fakelibvirt

from tests.fixtures import server as server_fixtures
from tests.functional.lifecycle import base

_CONNECTION = 'nova.tests.fixtures.libvirt.Connection'


class TSC(fixtures.Fixture):
    """Let the fake libvirt tell the host's TSC frequency.

    :param hostname: the only host that tells it, None for all
    :param scaling: ``yes`` or ``no``, None where libvirt does not say
    """

    FREQUENCY = 2794748000

    def __init__(self, hostname=None, frequency=FREQUENCY, scaling=None):
        super().__init__()
        self._hostname = hostname
        self._counter = f"<counter name='tsc' frequency='{frequency}'/>"
        if scaling is not None:
            self._counter = self._counter.replace(
                '/>', f" scaling='{scaling}'/>"
            )

    def _setUp(self):
        real = fakelibvirt.Connection.getCapabilities

        def tell(connection):
            found = real(connection)
            if self._hostname not in (None, connection.hostname):
                return found
            return found.replace('</cpu>', f'{self._counter}</cpu>', 1)

        self.useFixture(
            fixtures.MonkeyPatch(f'{_CONNECTION}.getCapabilities', tell)
        )


class LiveMigrationTestCase(base.LifeTestCase):
    """Guests that can be live migrated: the fake libvirt's cannot."""

    CAST_AS_CALL = False

    def setUp(self):
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.tests.fixtures.libvirt.Domain.migrateToURI3',
                self._migrate,
            )
        )

    def _migrate(self, domain, uri, params, flags):
        hostname = urllib.parse.urlsplit(uri).hostname
        arrived = self.connection(hostname).defineXML(
            params['destination_xml']
        )
        arrived.create()
        domain.complete_job()
        # Nova asks for VIR_MIGRATE_PERSIST_DEST and UNDEFINE_SOURCE.
        domain.destroy()
        domain.undefine()

    def live_migrate(self, server, hostname=None):
        """Live migrate a server to a host, None for any.

        :returns: the migration as the API shows it, and its instance action
        """
        before = self._newest_migration(server)
        self.api.post_server_action(
            server['id'],
            {'os-migrateLive': {'host': hostname, 'block_migration': 'auto'}},
        )
        (action, *_) = self.api.get_instance_actions(server['id'])
        migration = self._wait_for_migration(server, before)
        self._wait_for_server_parameter(
            server, {'OS-EXT-STS:task_state': None, 'status': 'ACTIVE'}
        )
        return migration, self.api.api_get(
            f'/servers/{server["id"]}/os-instance-actions/'
            f'{action["request_id"]}'
        ).body['instanceAction']

    def _wait_for_migration(self, server, before):
        deadline = time.monotonic() + server_fixtures.WAIT_SECONDS
        while time.monotonic() < deadline:
            found = self._newest_migration(server)
            # The API answers before there is a new one.
            if found['id'] != before['id'] and found['status'] in (
                'completed',
                'error',
                'failed',
            ):
                return found
            time.sleep(0.1)
        self.fail(f'The migration is {found["status"]}')

    def _newest_migration(self, server):
        migrations = self.api.api_get(
            f'/os-migrations?instance_uuid={server["id"]}'
        ).body['migrations']
        none = {'id': 0, 'status': 'none'}
        return max(migrations, key=lambda m: m['id'], default=none)

    def left_behind(self, migration):
        """Return what a migration may leave: files and allocations."""
        allocations = self.placement.get(
            f'/allocations/{migration["uuid"]}'
        ).body['allocations']
        return os.listdir(conf.CONF.instances_path), allocations
