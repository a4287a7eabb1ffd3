# SPDX-License-Identifier: Apache-2.0

"""A database that does not take the record, and records that are none."""

import ddt
import fixtures
from nova import context
from nova.db.main import api as db
from nova import objects
from oslo_db import exception as db_exception

from nova_hyperv_enlight.virt import recorder
from tests.functional import base
from tests.functional import guest

WINDOWS = {'os_type': 'windows'}
OFFERED = (*sorted(guest.BASELINE - {'stimer.direct'}), 'vendor_id')
#: What an administrator may have left in the place of a record.
EDITED = ('', '1', '1;baseline', '1;baseline;;stimer', '{}', '9;x', '\x1b;;;')


class FullTable(fixtures.Fixture):
    """No new row fits into instance_system_metadata.

    :ivar refused: how often one of ours was refused.
    """

    METHOD = 'nova.db.main.api.instance_update_and_get_original'

    def __init__(self):
        super().__init__()
        self.refused = 0

    def _setUp(self):
        real = db.instance_update_and_get_original

        def update(context, uuid, values, *args, **kwargs):
            if recorder.KEY in values.get('system_metadata', {}):
                self.refused += 1
                raise db_exception.DBError('The table is full')
            return real(context, uuid, values, *args, **kwargs)

        self.useFixture(fixtures.MonkeyPatch(self.METHOD, update))


@ddt.ddt
class DatabaseTestCase(guest.PluginTestCase):
    def setUp(self):
        super().setUp()
        self.start_host(base.hyperv_document(*OFFERED))

    def system_metadata(self, server):
        return dict(
            objects.Instance.get_by_uuid(
                context.get_admin_context(),
                server['id'],
                expected_attrs=['system_metadata'],
            ).system_metadata
        )

    def set_record(self, server, text):
        instance = objects.Instance.get_by_uuid(
            context.get_admin_context(),
            server['id'],
            expected_attrs=['system_metadata'],
        )
        instance.system_metadata[recorder.KEY] = text
        instance.save()

    def reboot(self, server):
        self.api.post_server_action(server['id'], {'reboot': {'type': 'HARD'}})
        return self._wait_for_state_change(server, 'ACTIVE')

    def test_a_full_table(self):
        table = self.useFixture(FullTable())

        server = self.boot(WINDOWS)

        # Nova's own savings after it went on.
        self.assertEqual(1, table.refused)
        self.assertSwitchedOn(guest.BASELINE, server)
        self.assertIsNone(server['OS-EXT-STS:task_state'])
        found = self.system_metadata(server)
        self.assertNotIn(recorder.KEY, found)
        self.assertEqual('windows', found['image_os_type'])
        self.assertIn(
            'cannot be recorded: The table is full',
            '\n'.join(self.plugin_lines(server)),
        )

    def test_a_full_table_under_a_record(self):
        server = self.boot(WINDOWS)
        before = self.system_metadata(server)
        self.set_record(server, '1;minimal;;relaxed')
        self.useFixture(FullTable())

        self.reboot(server)

        # What it is started with now could not be told.
        self.assertEqual(
            before | {recorder.KEY: '1;minimal;;relaxed'},
            self.system_metadata(server),
        )

    def test_edited(self):
        server = self.boot(WINDOWS)
        linux = self.boot({'os_type': 'linux'})
        others = self.system_metadata(server)
        whole = others.pop(recorder.KEY)
        for text in (*EDITED, None, whole[:40]):
            for each in (server, linux):
                self.set_record(each, text)
                self.reboot(each)

            found = self.system_metadata(server)
            self.assertIn(recorder.KEY, found)
            found.pop(recorder.KEY)
            self.assertEqual(others, found)
            # It is nothing to a guest that is not Windows.
            self.assertStockXML(linux)
            self.assertEqual(text, self.system_metadata(linux)[recorder.KEY])
            self.assertEqual([], self.plugin_lines(linux))
