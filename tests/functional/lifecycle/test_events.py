# SPDX-License-Identifier: Apache-2.0

"""What nova-compute leaves of a decision, as Nova's API shows it."""

import fixtures

from nova_hyperv_enlight.policy import event
from tests.functional import guest
from tests.functional.lifecycle import base

MINIMAL = {'hyperv_enlight:profile': 'minimal'}


class EventTestCase(base.LifeTestCase):
    def events(self, server, api=None):
        """Return the plugin's events of the last action, as the API does."""
        api = api or self.admin_api
        actions = api.get_instance_actions(server['id'])
        found = api.api_get(
            f'/servers/{server["id"]}/os-instance-actions/'
            f'{actions[0]["request_id"]}'
        ).body['instanceAction']
        return [
            each for each in found['events'] if each['event'] in event.NAMES
        ]

    def test_a_start(self):
        self.start()
        server = self.boot(base.WINDOWS, MINIMAL)

        (left,) = self.events(server)

        self.assertEqual(
            ('hyperv_enlight', 'Success', 'one'),
            (left['event'], left['result'], left['host']),
        )
        self.assertEqual(
            'profile minimal; on: relaxed, vapic, spinlocks=8191, '
            f'hypervclock; record: {self.record(server)}',
            left['details'],
        )
        self.assertIsNotNone(left['finish_time'])

    def test_each_action_has_its_own(self):
        self.start()
        server = self.boot(base.WINDOWS, MINIMAL)
        self.hard_reboot(server)

        self.assertEqual(1, len(self.events(server)))
        self.assertEqual([], self.warnings(server))

    def test_started_with_less(self):
        self.start()
        server = self.boot(base.WINDOWS)
        self.replace(names=base.POOR, kernel=guest.AMD)
        self.hard_reboot(server)

        (left,) = self.events(server)

        self.assertEqual('hyperv_enlight_degraded', left['event'])
        self.assertIn('left out: ', left['details'])
        self.assertIn('stimer', left['details'])

    def test_tenants_see_no_details(self):
        self.start()
        server = self.boot(base.WINDOWS)
        self.api_fixture.api.microversion = 'latest'

        (left,) = self.events(server, self.api_fixture.api)

        self.assertEqual('hyperv_enlight', left['event'])
        self.assertNotIn('details', left)
        self.assertNotIn('host', left)

    def test_others_have_none(self):
        self.start()

        self.assertEqual([], self.events(self.boot({'os_type': 'linux'})))

    def test_shadow_leaves_none(self):
        self.plugin_flags(mode='shadow')
        self.start()

        self.assertEqual([], self.events(self.boot(base.WINDOWS)))

    def test_it_cannot_be_left(self):
        def create(*args):
            raise RuntimeError('no database')

        self.start()
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.objects.InstanceActionEvent.create', create
            )
        )
        server = self.boot(base.WINDOWS)

        self.assertIn(
            "cannot be left in Nova's API: no database",
            ' '.join(self.warnings(server)),
        )
