# SPDX-License-Identifier: Apache-2.0

"""A guest that is started again with a mode, or a pinned frequency."""

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from tests.unit.policy import cases
from tests.unit.policy import recorded

NotHere = exception.HostCannotDeliver


@ddt.ddt
class ModesTestCase(recorded.RecordedTestCase):
    @ddt.data('host-model', 'passthrough')
    def test_resolve_a_mode_is_kept(self, name):
        mode = profiles.Mode(name)
        before = recorded.started_with(
            ['hypervclock'], profile=name, mode=mode
        )

        decided = recorded.decide(before, profile='baseline')

        self.assertEqual(name, decided.profile)
        self.assertIs(mode, decided.selection.mode)
        self.assertEqual({'hypervclock'}, decided.selection.names)

    def test_resolve_stock_is_kept(self):
        before = recorded.started_with(
            cases.MINIMAL, profile='stock', mode=profiles.Mode.STOCK
        )

        decided = recorded.decide(before, profile='performance')

        self.assertFalse(decided.acts)
        self.assertEqual('stock', decided.profile)

    def test_resolve_stock_on_a_poorer_host(self):
        # Nova asks no host, and nothing of its list is the plugin's.
        before = recorded.started_with(
            cases.MINIMAL, profile='stock', mode=profiles.Mode.STOCK
        )

        decided = recorded.decide(
            before, host=cases.make_host(()), fail_on_host_change=True
        )

        self.assertFalse(decided.acts)
        self.check_lost((), decided, before)

    def test_resolve_a_mode_whose_profile_is_gone(self):
        before = recorded.started_with(
            ['hypervclock'], profile='gone', mode=profiles.Mode.HOST_MODEL
        )

        self.check_on(cases.BASELINE, recorded.decide(before))

    def test_resolve_a_profile_that_has_another_mode_now(self):
        before = recorded.started_with(
            ['hypervclock'], profile='baseline', mode=profiles.Mode.PASSTHROUGH
        )

        decided = recorded.decide(before)

        self.assertIs(profiles.Mode.CUSTOM, decided.selection.mode)

    def test_resolve_a_mode_that_the_host_is_too_old_for(self):
        before = recorded.started_with(
            ['hypervclock'],
            profile='host-model',
            mode=profiles.Mode.HOST_MODEL,
        )

        error = self.assertRaises(
            NotHere,
            recorded.decide,
            before,
            host=cases.make_host(libvirt=(9, 0, 0)),
        )

        self.assertIn('needs libvirt 11.9.0', str(error))


class FrequencyTestCase(recorded.RecordedTestCase):
    """The pinned TSC frequency, which reenlightenment needs."""

    def frequency(self, before, **kwargs):
        return recorded.decide(before, **kwargs).selection.tsc_frequency

    def test_resolve_kept(self):
        # Not that of the host, which differs.
        before = recorded.started_with(
            ['reenlightenment'], tsc_frequency=1000000000
        )

        self.assertEqual(1000000000, self.frequency(before))

    def test_resolve_kept_beside_what_is_asked_for(self):
        before = recorded.started_with(
            ['reenlightenment'], tsc_frequency=1000000000
        )

        self.assertEqual(
            1000000000,
            self.frequency(before, flavor={'reenlightenment': 'on'}),
        )

    def test_resolve_not_recorded(self):
        # As Nova 26 to 28 started them: it migrates from now on.
        before = recorded.started_with(['reenlightenment'])

        self.assertEqual(2794748000, self.frequency(before))

    def test_resolve_not_needed_any_more(self):
        before = recorded.started_with(
            ['relaxed', 'reenlightenment'], tsc_frequency=1000000000
        )

        self.assertIsNone(
            self.frequency(before, flavor={'reenlightenment': 'off'})
        )

    def test_resolve_refresh(self):
        before = recorded.started_with(
            ['reenlightenment'], tsc_frequency=1000000000
        )

        self.assertEqual(
            2794748000,
            self.frequency(
                before, force_on=('reenlightenment',), keep_recorded=False
            ),
        )
