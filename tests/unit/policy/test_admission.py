# SPDX-License-Identifier: Apache-2.0

"""Guests that are started again under another policy than before."""

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import admission
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.catalogue import facts
from tests.unit.policy import cases
from tests.unit.policy import recorded

NOTHING = frozenset()


@ddt.ddt
class AdmissionTestCase(recorded.RecordedTestCase):
    def check_passed_over(self, names, decided, *words):
        self.check_on(names, decided)
        self.assertEqual(len(words), len(decided.passed_over), decided)
        for word, sentence in zip(words, decided.passed_over, strict=True):
            self.assertIn(word, sentence)

    @ddt.data(
        # What the image switched is what was recorded.
        ({'runtime': 'on'}, cases.MINIMAL | {'runtime'}),
        ({'vapic': 'off'}, cases.MINIMAL - {'vapic'}),
    )
    @ddt.unpack
    def test_resolve_a_name_is_not_overridable_any_more(self, image, names):
        before = recorded.started_with(names, profile='minimal')

        self.assertRaises(
            exception.InvalidRequest,
            recorded.decide,
            None,
            image=image,
            image_overridable=NOTHING,
        )
        decided = recorded.decide(
            before, image=image, image_overridable=NOTHING
        )

        self.check_passed_over(
            names, decided, f'hyperv_enlight_{min(image)} is not allowed'
        )

    def test_resolve_names_that_are_overridable_still(self):
        before = recorded.started_with(cases.MINIMAL)

        decided = recorded.decide(
            before,
            image={'runtime': 'on', 'vapic': 'off'},
            keep_recorded=False,
            image_overridable=frozenset(['vapic']),
            profile='minimal',
        )

        self.check_passed_over(
            cases.MINIMAL - {'vapic'},
            decided,
            'hyperv_enlight_runtime is not allowed',
        )

    def test_resolve_what_a_name_reaches_is_not_overridable_any_more(self):
        names = cases.MINIMAL | {'vpindex', 'synic'}
        before = recorded.started_with(names, profile='minimal')

        decided = recorded.decide(
            before,
            image={'synic': 'on'},
            keep_recorded=False,
            image_overridable=frozenset(['synic']),
            profile='minimal',
        )

        self.check_passed_over(cases.MINIMAL, decided, 'it would switch')

    @ddt.data('flavor', 'image')
    def test_resolve_a_profile_that_is_gone(self, source):
        before = recorded.started_with(cases.MINIMAL, profile='gold')

        decided = recorded.decide(before, **{source: {'profile': 'gold'}})

        self.assertEqual('gold', decided.profile)
        self.check_passed_over(
            cases.MINIMAL, decided, 'profile=gold is not valid'
        )

    def test_resolve_a_profile_that_must_be_listed_now(self):
        before = recorded.started_with(cases.NESTED, profile='nested')

        decided = recorded.decide(
            before, image={'profile': 'nested'}, image_overridable=NOTHING
        )

        self.check_passed_over(cases.NESTED, decided)

    def test_resolve_a_profile_that_another_one_was_recorded_by(self):
        # Adopted, for one.
        before = recorded.started_with(cases.MINIMAL, profile='adopted')

        decided = recorded.decide(
            before, image={'profile': 'nested'}, image_overridable=NOTHING
        )

        self.check_passed_over(
            cases.MINIMAL, decided, 'profile=nested is not allowed'
        )

    @ddt.data('refresh', 'gone')
    def test_resolve_a_profile_without_its_record(self, how):
        decided = recorded.decide(
            recorded.started_with(cases.MINIMAL, profile='gold'),
            {'profile': 'gold'},
            keep_recorded=how == 'gone',
        )

        self.check_passed_over(
            cases.BASELINE if how == 'refresh' else cases.MINIMAL,
            decided,
            'profile=gold is not valid',
        )

    def test_resolve_what_another_release_knew(self):
        asked = request.from_properties(
            os_type='windows',
            extra_specs={
                'hyperv_enlight:warp': 'on',
                'hyperv_enlight:runtime': 'off',
                'hyperv_enlight:relaxed': 'maybe',
            },
            image_properties={
                'hyperv_enlight_spinlocks_retries': '17',
                'hyperv_enlight_vapic': 'off',
                'hyperv_enlight_vendor_id': 'off',
                'hyperv_enlight_vendor_id_value': 'both',
            },
            started=True,
        )

        decided = resolve.resolve(
            settings.Settings(image_overridable=cases.ANYTHING),
            asked,
            cases.HOST,
            recorded.started_with(cases.BASELINE),
        )

        self.check_passed_over(
            cases.BASELINE - {'runtime', 'vapic'},
            decided,
            'hyperv_enlight:relaxed=maybe is not valid',
            'hyperv_enlight:warp=on is not valid',
            'hyperv_enlight_spinlocks_retries=17 is not valid',
            'hyperv_enlight_vendor_id_value gives a value',
        )

    def test_resolve_nothing_of_what_is_allowed(self):
        decided = recorded.decide(
            recorded.started_with(cases.BASELINE),
            {'profile': 'baseline'},
            {'xmm_input': 'on'},
        )

        self.check_passed_over(cases.BASELINE | {'xmm_input'}, decided)

    def test_resolve_force_off_goes_before_all(self):
        decided = recorded.decide(
            recorded.started_with(cases.BASELINE),
            {'stimer': 'on'},
            force_off=('synic',),
        )

        self.check_on(
            cases.BASELINE - {'synic', 'stimer', 'stimer.direct'}, decided
        )

    def test_passed_over_of_a_new_guest_is_refused(self):
        for source in ('flavor', 'image'):
            self.assertRaises(
                exception.InvalidRequest,
                recorded.decide,
                None,
                **{source: {'profile': 'gold'}},
            )
        self.assertNotIn('gold', profiles.PROFILES)


class ReachTestCase(cases.ResolveTestCase):
    def test_reach_of_two_overrides(self):
        # What one turns off does not end the walk of the other.
        image = request.from_properties(
            os_type='windows',
            extra_specs={},
            image_properties={
                'hyperv_enlight_synic': 'off',
                'hyperv_enlight_stimer_direct': 'on',
            },
        ).image

        self.assertEqual(
            {'stimer.direct', 'stimer', 'synic', 'hypervclock', 'vpindex'}
            | facts.dependents('synic'),
            admission.reach(image, None),
        )


@ddt.ddt
class WithoutRecordTestCase(recorded.RecordedTestCase):
    """Guests that were started before, and have no record.

    The plugin was off at their last start, or a rebuild was refused.
    """

    def decide(self, *args, **kwargs):
        return recorded.decide(None, *args, started=True, **kwargs)

    def check(self, names, decided, *words):
        self.check_on(names, decided)
        told = ' '.join(decided.passed_over)
        for word in words:
            self.assertIn(word, told)

    def test_resolve_an_image_that_asks_too_much(self):
        decided = self.decide(
            image={'xmm_input': 'on', 'profile': 'nested'},
            image_overridable=NOTHING,
        )

        self.check(
            cases.BASELINE,
            decided,
            'hyperv_enlight_xmm_input is not allowed',
            'profile=nested is not allowed',
        )

    def test_resolve_what_an_image_reaches(self):
        decided = self.decide(
            image={'stimer': 'on'},
            profile='none',
            image_overridable=frozenset(['stimer']),
        )

        self.check((), decided, 'it would switch ')

    def test_resolve_a_profile_that_is_gone(self):
        decided = self.decide({'profile': 'gold'})

        self.check(cases.BASELINE, decided, 'profile=gold is not valid')

    @ddt.data({'flavor': {'evmcs': 'on'}}, {'force_on': ('evmcs',)})
    def test_resolve_what_the_host_lacks(self, asked):
        decided = self.decide(
            host=cases.make_host(cases.ALL - {'evmcs'}), **asked
        )

        self.check(cases.BASELINE, decided)
        self.assertIn('evmcs', {v.name for v in decided.left_out})

    def test_resolve_a_value_that_libvirt_does_not_take(self):
        decided = self.decide(
            {'spinlocks.retries': '4294967295'},
            host=cases.make_host(libvirt=(11, 0, 0)),
        )

        self.assertIn(
            ('spinlocks.retries', '2147483647'), decided.selection.values
        )

    def test_resolve_stock_that_cannot_be_left(self):
        decided = self.decide({'profile': 'stock'}, force_off=('reset',))

        self.check(cases.BASELINE - {'reset'}, decided, "Profile 'stock'")

    def test_resolve_fails_for_no_loss(self):
        # Nobody knows of one.
        decided = self.decide(
            host=cases.make_host(cases.MINIMAL), fail_on_host_change=True
        )

        self.check(cases.MINIMAL, decided)
