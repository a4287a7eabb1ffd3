# SPDX-License-Identifier: Apache-2.0

from nova_hyperv_enlight.policy import event
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.policy import cases

HOST = cases.make_host(('relaxed', 'vapic', 'spinlocks', 'hypervclock'))


class EventTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.decided = resolve.resolve(
            settings.Settings(), cases.make_request(), HOST
        )

    def made(self, **kwargs):
        return record.Record(selection=self.decided.selection, **kwargs)

    def test_it_reads_back(self):
        made = self.made(profile='baseline')

        found = event.read(event.STARTED, event.details(self.decided, made))

        self.assertEqual(made, found.recorded)
        self.assertTrue(found.text.startswith('profile baseline; on: relaxed'))
        self.assertNotIn('record', found.text)

    def test_too_long_for_a_record(self):
        text = event.details(self.decided, self.made(profile='x' * 255))

        self.assertNotIn('; record: ', text)
        self.assertIsNone(event.read(event.STARTED, text).recorded)

    def test_of_another_release(self):
        text = 'profile baseline; on: nothing; record: 9;baseline'

        found = event.read(event.DEGRADED, text)

        self.assertEqual((text, None), (found.text, found.recorded))

    def test_names(self):
        self.assertEqual('hyperv_enlight', event.name_of(False))
        self.assertEqual('hyperv_enlight_degraded', event.name_of(True))
        self.assertEqual(
            {event.name_of(False), event.name_of(True)}, set(event.NAMES)
        )
