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
        self.assertEqual({'hypervclock'}, decided.selection.features)

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
        names = cases.BASELINE - {'ipi'}
        before = recorded.started_with(
            names, profile='host-model', mode=profiles.Mode.HOST_MODEL
        )

        decided = recorded.decide(
            before, host=cases.make_host(libvirt=(9, 0, 0))
        )

        self.assertEqual('host-model', decided.profile)
        self.assertIs(profiles.Mode.CUSTOM, decided.selection.mode)
        self.check_on(names, decided)
        (sentence,) = decided.passed_over
        self.assertIn('needs libvirt 11.9.0', sentence)

    @ddt.data('host-model', 'stock')
    def test_resolve_a_mode_that_cannot_be_had_with_a_policy(self, name):
        # A new guest is refused: test_resolve_modes.
        before = recorded.started_with(
            cases.BASELINE, profile=name, mode=profiles.Mode(name)
        )

        decided = recorded.decide(
            before,
            host=cases.make_host(libvirt=(11, 9, 0)),
            force_off=('ipi',),
        )

        self.check_on(cases.BASELINE - {'ipi'}, decided)
        self.assertEqual(1, len(decided.passed_over))

    def test_resolve_a_mode_whose_names_nobody_recorded(self):
        before = recorded.started_with(
            ['hypervclock'],
            profile='host-model',
            mode=profiles.Mode.HOST_MODEL,
        )

        decided = recorded.decide(
            before, host=cases.make_host(libvirt=(9, 0, 0))
        )

        self.check_on(cases.BASELINE, decided)

    @ddt.data('host-model', 'passthrough')
    def test_resolve_a_mode_after_a_host_without_hyperv(self, name):
        # As a release before this one recorded it, too.
        before = recorded.started_with((), profile=name)

        decided = recorded.decide(before)

        self.assertIs(profiles.Mode(name), decided.selection.mode)

    def test_resolve_fail_by_what_libvirt_chose(self):
        before = recorded.started_with(
            cases.BASELINE, profile='host-model', mode=profiles.Mode.HOST_MODEL
        )
        host = cases.make_host(cases.ALL - {'ipi'})

        self.check_lost(['ipi'], recorded.decide(before, host=host), before)
        error = self.assertRaises(
            NotHere,
            recorded.decide,
            before,
            host=host,
            fail_on_host_change=True,
        )
        self.assertIn(f"'ipi' is off: {cases.LACKED}.", str(error))

    @ddt.data('host-model', 'passthrough')
    def test_resolve_fail_where_there_is_nothing(self, name):
        before = recorded.started_with(
            ['hypervclock'], profile=name, mode=profiles.Mode(name)
        )

        self.assertRaises(
            NotHere,
            recorded.decide,
            before,
            host=cases.make_host(()),
            fail_on_host_change=True,
        )


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
