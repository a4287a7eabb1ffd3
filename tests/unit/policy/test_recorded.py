# SPDX-License-Identifier: Apache-2.0

"""A guest that is started again with what it was started with."""

import ddt

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.policy import cases
from tests.unit.policy import recorded
from tests.unit.policy import strategies

Invalid, NotHere = exception.InvalidRequest, exception.HostCannotDeliver


@ddt.ddt
class KeepTestCase(recorded.RecordedTestCase):
    @ddt.data('none', 'minimal', 'performance', 'nested', 'baseline')
    def test_resolve_another_default_changes_nothing(self, profile):
        before = recorded.started_with(cases.BASELINE)

        decided = recorded.decide(before, profile=profile)

        self.check_on(cases.BASELINE, decided)
        self.assertEqual('baseline', decided.profile)

    @ddt.data('stock', 'host-model', 'passthrough')
    def test_resolve_another_default_mode_changes_nothing(self, profile):
        before = recorded.started_with(cases.BASELINE)

        decided = recorded.decide(before, profile=profile)

        self.assertEqual(before.selection, decided.selection)
        self.assertTrue(decided.acts)

    def test_resolve_a_richer_profile_of_the_same_name(self):
        # A newer release's baseline, or a host that has come to offer more.
        before = recorded.started_with(cases.MINIMAL)

        self.check_on(cases.MINIMAL, recorded.decide(before))

    def test_resolve_nothing_was_recorded(self):
        before = recorded.started_with((), profile='none')

        self.check_on((), recorded.decide(before))

    def test_resolve_a_profile_that_is_not_there_any_more(self):
        before = recorded.started_with(cases.MINIMAL, profile='gone')

        decided = recorded.decide(before)

        self.check_on(cases.MINIMAL, decided)
        self.assertEqual('gone', decided.profile)

    def test_resolve_says_so(self):
        decided = recorded.decide(recorded.started_with(['relaxed']))

        self.check_outcome(
            decided,
            'relaxed',
            'on',
            'recorded',
            'record',
            "'relaxed' is on: the recorded set asks for it.",
        )
        self.check_outcome(
            decided,
            'vapic',
            'off',
            'not-in-profile',
            'record',
            "'vapic' is off: the recorded set does not ask for it.",
        )
        self.assertEqual(
            'profile baseline; on: relaxed', decision.one_line(decided)
        )

    def test_resolve_values_are_kept(self):
        before = recorded.started_with(
            ['spinlocks', 'vendor_id'],
            values=[('spinlocks.retries', '5000'), ('vendor_id.value', 'Hv')],
        )

        decided = recorded.decide(
            before, spinlock_retries='65535', vendor_id='Contoso'
        )

        self.assertEqual(before.selection.values, decided.selection.values)

    def test_resolve_a_value_that_the_flavor_gives(self):
        decided = recorded.decide(
            recorded.started_with(['spinlocks']), {'spinlocks.retries': '5000'}
        )

        self.assertEqual(
            {('spinlocks.retries', '5000')}, decided.selection.values
        )

    def test_resolve_a_value_that_was_not_recorded(self):
        before = recorded.started_with(['spinlocks'], values=())

        decided = recorded.decide(before, spinlock_retries='65535')

        self.assertEqual(
            {('spinlocks.retries', '65535')}, decided.selection.values
        )

    def test_resolve_windows_rules_do_not_touch_it(self):
        # It ran with them.
        decided = resolve.resolve(
            settings.Settings(),
            request.from_properties(
                os_type='windows',
                extra_specs={},
                image_properties={'os_distro': 'winxp'},
                started=True,
            ),
            cases.HOST,
            recorded.started_with(cases.BASELINE),
        )

        self.check_on(cases.BASELINE, decided)

    @ddt.data('host-model', 'performance', 'none')
    def test_resolve_another_default_under_a_windows_rule(self, profile):
        decided = resolve.resolve(
            settings.Settings(profile=profile),
            request.from_properties(
                os_type='windows',
                extra_specs={},
                image_properties={'os_distro': 'winxp'},
                started=True,
            ),
            cases.HOST,
            recorded.started_with(cases.PERFORMANCE, profile='performance'),
        )

        self.check_on(cases.PERFORMANCE, decided)

    @strategies.for_any(strategies.CUSTOM)
    def test_resolve_twice(self, case):
        """What is decided is decided again, whatever the host offers."""
        try:
            first = case.resolve()
        except (Invalid, NotHere):
            return
        before = record.decode(
            record.encode(
                record.Record(profile=first.profile, selection=first.selection)
            )
        )
        again = resolve.resolve(
            settings.Settings(profile='none'),
            request.Request(
                os_type='windows', nested=case.nested, started=True
            ),
            case.host,
            before,
        )
        self.assertEqual(first.selection, again.selection)
        self.check_lost((), again, before)


@ddt.ddt
class AnewTestCase(recorded.RecordedTestCase):
    """What a record does not stand against."""

    def test_resolve_refresh(self):
        before = recorded.started_with(cases.MINIMAL)

        decided = recorded.decide(before, keep_recorded=False)

        self.check_on(cases.BASELINE, decided)
        self.check_lost((), decided, before, keep_recorded=False)

    def test_resolve_refresh_where_less_is_left(self):
        before = recorded.started_with(cases.NESTED)

        decided = recorded.decide(
            before, keep_recorded=False, fail_on_host_change=True
        )

        self.check_on(cases.BASELINE, decided)

    @ddt.data('flavor', 'image')
    def test_resolve_another_profile_is_named(self, source):
        decided = recorded.decide(
            recorded.started_with(cases.BASELINE),
            **{source: {'profile': 'minimal'}},
        )

        self.check_on(cases.MINIMAL, decided)
        self.assertEqual('minimal', decided.profile)

    @ddt.data('flavor', 'image')
    def test_resolve_the_same_profile_is_named(self, source):
        decided = recorded.decide(
            recorded.started_with(['relaxed'], profile='performance'),
            **{source: {'profile': 'performance'}},
        )

        self.check_on(['relaxed'], decided)

    def test_resolve_a_profile_is_named_not_any_more(self):
        # The flavor did when it was started.
        decided = recorded.decide(
            recorded.started_with(cases.MINIMAL, profile='minimal')
        )

        self.check_on(cases.MINIMAL, decided)

    @ddt.data('flavor', 'image')
    def test_resolve_on_over_the_record(self, source):
        decided = recorded.decide(
            recorded.started_with(['relaxed']), **{source: {'synic': 'on'}}
        )

        self.check_on(['relaxed', 'synic', 'vpindex'], decided)

    @ddt.data('flavor', 'image')
    def test_resolve_off_over_the_record(self, source):
        decided = recorded.decide(
            recorded.started_with(['relaxed', 'vapic']),
            **{source: {'vapic': 'off'}},
        )

        self.check_on(['relaxed'], decided)
        self.check_lost(
            (), decided, recorded.started_with(['relaxed', 'vapic'])
        )

    def test_resolve_forced_over_the_record(self):
        decided = recorded.decide(
            recorded.started_with(['relaxed', 'vapic']),
            force_on=('runtime',),
            force_off=('relaxed',),
        )

        self.check_on(['vapic', 'runtime'], decided)

    def test_resolve_off_takes_what_stands_on_it(self):
        decided = recorded.decide(
            recorded.started_with(cases.BASELINE), force_off=('hypervclock',)
        )

        self.check_on(
            cases.BASELINE - {'hypervclock', 'stimer', 'stimer.direct'},
            decided,
        )
        self.check_outcome(
            decided,
            'stimer',
            'off',
            'requires',
            'operator',
            "'stimer' requires 'hypervclock', which the operator turned off.",
        )

    def test_resolve_a_conflict_keeps_nobody_from_starting(self):
        # It is refused when the guest is built: test_resolve_closure.
        decided = recorded.decide(
            recorded.started_with(cases.BASELINE),
            {'stimer': 'on'},
            {'synic': 'off'},
        )

        self.check_on(
            cases.BASELINE - {'synic', 'stimer', 'stimer.direct'}, decided
        )
        self.check_outcome(
            decided,
            'stimer',
            'off',
            'requires',
            'image',
            "'stimer' requires 'synic', which the image turned off.",
        )

    def test_resolve_disabled(self):
        decided = recorded.decide(
            recorded.started_with(cases.BASELINE), enabled=False
        )

        self.assertFalse(decided.acts)

    def test_resolve_not_windows(self):
        decided = resolve.resolve(
            settings.Settings(),
            cases.make_request(os_type='linux', started=True),
            cases.HOST,
            recorded.started_with(cases.BASELINE),
        )

        self.assertFalse(decided.acts)
