# SPDX-License-Identifier: Apache-2.0

"""A guest that is started again on another host, or by another plugin."""

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import record
from tests.unit.policy import cases
from tests.unit.policy import recorded

NotHere = exception.HostCannotDeliver
#: What Nova 26 to 28 gave to every Windows guest.
NOVA_26 = cases.BASELINE - {'stimer', 'stimer.direct'} | {
    'evmcs',
    'reenlightenment',
}


@ddt.ddt
class HostChangeTestCase(recorded.RecordedTestCase):
    """Hosts that cannot keep a record whole."""

    POORER = cases.make_host(cases.ALL - {'synic', 'ipi'})

    def test_resolve_degrade(self):
        before = recorded.started_with(cases.BASELINE)

        decided = recorded.decide(before, host=self.POORER)

        self.check_on(
            cases.BASELINE - {'synic', 'ipi', 'stimer', 'stimer.direct'},
            decided,
        )
        self.check_lost(
            ['synic', 'stimer', 'ipi', 'stimer.direct'], decided, before
        )
        self.check_outcome(
            decided,
            'synic',
            'off',
            'not-offered',
            'host',
            f"'synic' is off: {cases.LACKED}.",
        )

    def test_resolve_fail(self):
        error = self.assertRaises(
            NotHere,
            recorded.decide,
            recorded.started_with(cases.BASELINE),
            host=self.POORER,
            fail_on_host_change=True,
        )

        self.assertEqual(
            'This host cannot keep synic, stimer, ipi, stimer.direct of the '
            "guest's recorded set, and "
            '[hyperv_enlight] on_host_change is fail: '
            f"'synic' is off: {cases.LACKED}. "
            "'stimer' requires 'synic', which this host does not offer. "
            f"'ipi' is off: {cases.LACKED}. "
            "'stimer.direct' requires 'stimer', which requires 'synic', "
            'which this host does not offer.',
            str(error),
        )

    def test_resolve_fail_only_where_something_is_lost(self):
        decided = recorded.decide(
            recorded.started_with(cases.MINIMAL),
            host=self.POORER,
            fail_on_host_change=True,
        )

        self.check_on(cases.MINIMAL, decided)

    def test_resolve_fail_only_with_a_record(self):
        decided = recorded.decide(
            None, host=self.POORER, fail_on_host_change=True
        )

        self.assertNotIn('synic', decided.selection.features)
        self.check_lost((), decided, None)

    def test_resolve_fail_not_by_what_the_operator_turned_off(self):
        decided = recorded.decide(
            recorded.started_with(cases.BASELINE),
            host=cases.HOST,
            force_off=('ipi',),
            fail_on_host_change=True,
        )

        self.check_on(cases.BASELINE - {'ipi'}, decided)

    def test_resolve_fail_not_by_what_the_image_turned_off(self):
        # Without its property the guest could not be started here at all.
        decided = recorded.decide(
            recorded.started_with(cases.BASELINE),
            image={'runtime': 'off'},
            host=cases.make_host(cases.ALL - {'runtime'}),
            fail_on_host_change=True,
            image_overridable=frozenset(('runtime',)),
        )

        self.check_on(cases.BASELINE - {'runtime'}, decided)

    def test_resolve_fail_not_by_what_stood_on_that(self):
        before = recorded.started_with(cases.BASELINE)

        decided = recorded.decide(
            before, force_off=('hypervclock',), fail_on_host_change=True
        )

        self.check_on(
            cases.BASELINE - {'hypervclock', 'stimer', 'stimer.direct'},
            decided,
        )
        self.check_lost((), decided, before)

    def test_resolve_what_nobody_knows_is_lost(self):
        before = recorded.started_with(['relaxed', 'runtime'])
        host = cases.make_host(unknown=['runtime'])

        decided = recorded.decide(before, host=host)

        self.check_on(['relaxed'], decided)
        self.check_lost(['runtime'], decided, before)

    def test_resolve_evmcs_of_a_cpu_without_vmx_is_lost(self):
        before = recorded.started_with(['vapic', 'evmcs'])

        decided = recorded.decide(before, nested=False)

        self.check_on(['vapic'], decided)
        self.check_lost(['evmcs'], decided, before)

    @ddt.data(
        ((9, 0, 0), '2147483647'),
        ((11, 8, 0), '2147483647'),
        ((11, 9, 0), '4294967295'),
    )
    @ddt.unpack
    def test_resolve_a_value_that_the_host_does_not_take(self, libvirt, had):
        before = recorded.started_with(
            ['spinlocks'], values=[('spinlocks.retries', '4294967295')]
        )
        host = cases.make_host(libvirt=libvirt)

        decided = recorded.decide(before, host=host)

        self.assertEqual(
            {('spinlocks.retries', had)}, decided.selection.values
        )
        self.check_lost(
            ['spinlocks'] if had == '2147483647' else [], decided, before
        )

    def test_resolve_fail_by_a_value(self):
        error = self.assertRaises(
            NotHere,
            recorded.decide,
            recorded.started_with(
                ['spinlocks'], values=[('spinlocks.retries', '4294967295')]
            ),
            host=cases.make_host(libvirt=(11, 0, 0)),
            fail_on_host_change=True,
        )

        self.assertIn(
            "'spinlocks' is on with 2147483647 instead: "
            'spinlocks.retries=4294967295, which the recorded set gives, '
            'needs libvirt 11.9.0: this host has 11.0.0.',
            str(error),
        )

    @ddt.data('flavor', 'image')
    def test_resolve_a_value_that_is_asked_for(self, source):
        key = {'flavor': 'spinlocks.retries', 'image': 'spinlocks_retries'}
        before = recorded.started_with(
            ['spinlocks'], values=[('spinlocks.retries', '4294967295')]
        )

        decided = recorded.decide(
            before,
            host=cases.make_host(libvirt=(11, 0, 0)),
            **{source: {key[source]: '4294967295'}},
        )

        self.assertEqual(
            {('spinlocks.retries', '2147483647')}, decided.selection.values
        )
        self.check_lost(['spinlocks'], decided, before)


@ddt.ddt
class AskedForTestCase(recorded.RecordedTestCase):
    """What is asked for by name is no more than what was recorded.

    A guest that is there has to run: on_host_change alone may keep it from
    that.
    """

    POORER = cases.make_host(cases.ALL - {'xmm_input', 'synic'})

    @ddt.data(
        {'image': {'xmm_input': 'on'}},
        {'flavor': {'xmm_input': 'on'}},
        {'force_on': ('xmm_input',)},
    )
    def test_resolve_degrade(self, asked):
        before = recorded.started_with(['relaxed', 'xmm_input'])

        decided = recorded.decide(before, host=self.POORER, **asked)

        self.check_on(['relaxed'], decided)
        self.check_lost(['xmm_input'], decided, before)
        self.check_outcome(
            decided,
            'xmm_input',
            'off',
            'not-offered',
            'host',
            f"'xmm_input' is off: {cases.LACKED}.",
        )

    @ddt.data(
        {'image': {'xmm_input': 'on'}},
        {'flavor': {'xmm_input': 'on'}},
        {'force_on': ('xmm_input',)},
    )
    def test_resolve_fail(self, asked):
        error = self.assertRaises(
            NotHere,
            recorded.decide,
            recorded.started_with(['relaxed', 'xmm_input']),
            host=self.POORER,
            fail_on_host_change=True,
            **asked,
        )

        self.assertIn('on_host_change is fail', str(error))

    @ddt.data(
        {'image': {'xmm_input': 'on'}},
        {'flavor': {'xmm_input': 'on'}},
        {'force_on': ('xmm_input',)},
    )
    def test_resolve_a_new_guest_is_refused(self, asked):
        self.assertRaises(
            NotHere, recorded.decide, None, host=self.POORER, **asked
        )

    @ddt.data(
        {'keep_recorded': False},
        # Another profile than the recorded one.
        {'flavor': {'profile': 'minimal'}},
    )
    def test_resolve_where_the_record_does_not_stand(self, changes):
        decided = recorded.decide(
            recorded.started_with(cases.BASELINE),
            image={'xmm_input': 'on'},
            host=self.POORER,
            **changes,
        )

        self.assertNotIn('xmm_input', decided.selection.features)

    def test_resolve_what_it_requires_is_missing(self):
        before = recorded.started_with(cases.BASELINE)

        decided = recorded.decide(
            before, image={'stimer': 'on'}, host=self.POORER
        )

        self.check_lost(['synic', 'stimer', 'stimer.direct'], decided, before)


@ddt.ddt
class AdoptedTestCase(recorded.RecordedTestCase):
    """Guests that were started before the plugin was there."""

    def adopted(self, names, **selection):
        return recorded.started_with(
            names, profile=record.ADOPTED, **selection
        )

    def test_resolve_what_nova_26_gave(self):
        before = self.adopted(NOVA_26, tsc_frequency=1000000000)

        decided = recorded.decide(before, nested=True)

        self.check_on(NOVA_26, decided)
        self.assertEqual('adopted', decided.profile)

    def test_resolve_what_nova_26_gave_elsewhere(self):
        before = self.adopted(NOVA_26)
        host = cases.make_host(cases.ALL - {'evmcs'}, vendor=cases.AMD)

        decided = recorded.decide(before, host=host)

        self.check_on(NOVA_26 - {'evmcs'}, decided)
        self.check_lost(['evmcs'], decided, before)

    def test_resolve_a_set_that_is_not_closed(self):
        # By hand, or by a hook of the site.
        decided = recorded.decide(self.adopted(['relaxed', 'synic']))

        self.check_on(['relaxed'], decided)
        self.check_outcome(
            decided,
            'synic',
            'off',
            'requires',
            'record',
            "'synic' requires 'vpindex', which the recorded set does not ask "
            'for.',
        )

    @ddt.data('flavor', 'image')
    def test_resolve_a_profile_is_named(self, source):
        decided = recorded.decide(
            self.adopted(NOVA_26), **{source: {'profile': 'baseline'}}
        )

        self.check_on(cases.BASELINE, decided)

    @ddt.data(profiles.Mode.HOST_MODEL, profiles.Mode.PASSTHROUGH)
    def test_resolve_a_mode_without_a_profile(self, mode):
        decided = recorded.decide(self.adopted(['hypervclock'], mode=mode))

        self.check_on(cases.BASELINE, decided)
        self.assertIs(profiles.Mode.CUSTOM, decided.selection.mode)
