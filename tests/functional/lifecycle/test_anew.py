# SPDX-License-Identifier: Apache-2.0

"""What makes the plugin decide anew, and what it records then."""

import fixtures
from nova.compute import task_states

from tests.functional import guest
from tests.functional.lifecycle import base

WINDOWS = base.WINDOWS
MINIMAL = '1;minimal;;relaxed,vapic,spinlocks=8191,hypervclock'
BASELINE = (
    '1;baseline;;relaxed,vapic,spinlocks=8191,vpindex,runtime,synic,'
    'stimer+direct,reset,frequencies,tlbflush,ipi,hypervclock'
)


def snapshot(driver, context, instance, image_id, update_task_state):
    """Take the steps that Nova's manager expects, and no picture."""
    update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
    update_task_state(
        task_state=task_states.IMAGE_UPLOADING,
        expected_state=task_states.IMAGE_PENDING_UPLOAD,
    )


class AnewTestCase(base.LifeTestCase):
    """Guests of an operator who had another profile as default."""

    def setUp(self):
        super().setUp()
        self.plugin_flags(profile='minimal')
        self.start()
        self._server = self.boot(WINDOWS)
        self.assertEqual(MINIMAL, self.record(self._server))

    def check_baseline(self, record=BASELINE):
        self.assertSwitchedOn(guest.BASELINE, self._server)
        self.assertEqual(record, self.record(self._server))
        self.assertEqual([], self.warnings())

    def test_rebuild_and_resize(self):
        self.restart(profile='baseline')
        self._rebuild_server(self._server, self.image(WINDOWS))
        self.check_baseline()
        self.restart(profile='minimal')
        self.flags(allow_resize_to_same_host=True)

        # The default of now there, and what it left with back here.
        self._resize_server(self._server, self._flavor())
        self.assertSwitchedOn(base.MINIMAL, self._server)
        self.assertEqual(MINIMAL, self.record(self._server))
        self.restart(profile='baseline')
        self._revert_resize(self._server)
        self.check_baseline()
        # Built, rebuilt, resized; the revert needs no new record.
        self.assertEqual(3, self._saves.count[self._server['id']])

    def _flavor(self, extra_specs=None):
        return self._create_flavor(
            **{**self.FLAVOR, 'memory_mb': 128}, extra_spec=extra_specs
        )

    def test_a_flavor_and_an_image_that_ask(self):
        self.flags(allow_resize_to_same_host=True)

        self._resize_server(
            self._server, self._flavor({'hyperv_enlight:ipi': 'on'})
        )
        on = base.MINIMAL | {'vpindex', 'ipi'}
        self.assertSwitchedOn(on, self._server)
        self._confirm_resize(self._server)
        self.hard_reboot(self._server)
        self.assertSwitchedOn(on, self._server)

        self._rebuild_server(
            self._server,
            self.image({**WINDOWS, 'hyperv_enlight_vapic': 'off'}),
        )
        self.assertSwitchedOn(on - {'vapic'}, self._server)

    def test_refresh(self):
        self.restart(profile='baseline', recorded_set='refresh')
        self.assertEqual(MINIMAL, self.record(self._server))

        self.hard_reboot(self._server)

        self.check_baseline()
        self.hard_reboot(self._server)
        self.assertEqual(2, self._saves.count[self._server['id']])

    def test_what_the_operator_switches_goes_before_the_record(self):
        self.restart(force_on=['runtime'], force_off=['vapic'])

        self.hard_reboot(self._server)

        self.assertSwitchedOn(
            base.MINIMAL - {'vapic'} | {'runtime'}, self._server
        )
        self.assertEqual(
            '1;minimal;;relaxed,spinlocks=8191,runtime,hypervclock',
            self.record(self._server),
        )
        self.assertEqual([], self.warnings())


class RecordTestCase(base.LifeTestCase):
    """The record that others wrote, or lost."""

    def setUp(self):
        super().setUp()
        self.start()

    def test_others_have_none(self):
        linux = self.boot({'os_type': 'linux'})

        self.hard_reboot(linux)

        self.assertIsNone(self.record(linux))
        self.assertEqual(0, self._saves.count[linux['id']])

    def test_a_newer_version_and_no_record_at_all(self):
        server = self.boot(WINDOWS)
        for text in ('2;fast;{"names": "all"}', 'not a record', None):
            self.set_record(server, text)
            self._plugin_log.records.clear()
            with self.subTest(text=text):
                self.hard_reboot(server)
                self.assertSwitchedOn(guest.BASELINE, server)
                self.check_written(server, text)

    def check_written(self, server, text):
        """Check that no newer record is destroyed, and it is said so."""
        warnings = self.warnings(server)
        if text is None:
            self.assertEqual([], warnings)
            self.assertEqual(BASELINE, self.record(server))
            return
        (warning,) = warnings
        self.assertIn('it is passed over', warning)
        if text.startswith('2;'):
            self.assertIn('is of version 2, which is not known', warning)
            self.assertEqual(text, self.record(server))
            self._rebuild_server(server, self.image(WINDOWS))
            self.assertEqual(text, self.record(server))
        else:
            self.assertIn("'not a record' is not a record", warning)
            self.assertEqual(BASELINE, self.record(server))

    def test_a_snapshot_is_no_request(self):
        server = self.boot(WINDOWS, {'hyperv_enlight:profile': 'minimal'})
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.virt.libvirt.driver.LibvirtDriver.snapshot', snapshot
            )
        )

        self._snapshot_server(server, 'snapshot')
        (image,) = (
            image
            for image in self.glance.images.values()
            if image['name'] == 'snapshot'
        )
        # Nova copies all that it does not know.
        self.assertEqual(MINIMAL, image['properties']['hyperv_enlight'])
        copied = {
            key: value
            for key, value in image['properties'].items()
            if key in ('os_type', 'hyperv_enlight')
        }
        again = self.boot(copied)

        self.assertSwitchedOn(guest.BASELINE, again)
        self.assertEqual(BASELINE, self.record(again))
        self.assertEqual([], self.warnings())
