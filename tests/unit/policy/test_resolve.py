# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.policy import cases

State, Reason, Source = decision.State, decision.Reason, request.Source


@ddt.ddt
class ProfileTestCase(cases.ResolveTestCase):
    """A profile alone, on a host that offers everything."""

    @ddt.unpack
    @ddt.data(
        ('none', set()),
        ('minimal', cases.MINIMAL),
        ('baseline', cases.BASELINE),
        ('performance', cases.PERFORMANCE),
        ('nested', cases.NESTED),
    )
    def test_resolve_profile(self, name, names):
        decided = cases.decide(profile=name)
        self.check_on(names, decided)
        self.assertTrue(decided.acts)
        self.assertEqual(name, decided.profile)
        self.assertIs(profiles.Mode.CUSTOM, decided.selection.mode)
        self.assertEqual(frozenset(), decided.selection.off)
        self.assertEqual((), decided.left_out)

    def test_resolve_on_by_the_profile(self):
        self.check_outcome(
            cases.decide(),
            'synic',
            'on',
            'profile',
            'profile',
            "'synic' is on: profile 'baseline' asks for it.",
        )

    def test_resolve_not_in_the_profile(self):
        decided = cases.decide()
        self.check_outcome(
            decided,
            'evmcs',
            'off',
            'not-in-profile',
            'profile',
            "'evmcs' is off: profile 'baseline' does not ask for it.",
        )
        self.assertFalse(self.outcome(decided, 'evmcs').wanted)

    def test_resolve_image_before_the_default(self):
        decided = cases.decide(image={'profile': 'minimal'})
        self.check_on(cases.MINIMAL, decided)

    def test_resolve_flavor_before_the_image(self):
        decided = cases.decide(
            flavor={'profile': 'none'}, image={'profile': 'minimal'}
        )
        self.check_on((), decided)

    def test_resolve_profile_of_the_site(self):
        site = profiles.Profile(
            name='site',
            features=frozenset(('relaxed', 'spinlocks')),
            values=(('spinlocks.retries', '5000'),),
            summary='Of this site.',
        )
        decided = cases.decide(
            profile='site', known_profiles={**profiles.PROFILES, 'site': site}
        )
        self.check_on(('relaxed', 'spinlocks'), decided)
        self.assertEqual(
            {('spinlocks.retries', '5000')}, decided.selection.values
        )


@ddt.ddt
class StockTestCase(cases.ResolveTestCase):
    """What is left to Nova."""

    @ddt.data({'flavor': {'profile': 'stock'}}, {'profile': 'stock'})
    def test_resolve_stock(self, kwargs):
        decided = cases.decide(**kwargs)
        self.assertFalse(decided.acts)
        self.assertEqual('stock', decided.profile)
        self.assertEqual(selections.Selection(), decided.selection)
        self.assertEqual((), decided.left_out)

    @ddt.data(*cases.NAMES)
    def test_resolve_stock_verdict(self, name):
        self.check_outcome(
            cases.decide(profile='stock'),
            name,
            'unset',
            'left',
            'nova',
            f"{name!r} is left to Nova by profile 'stock'.",
        )


@ddt.ddt
class NotConcernedTestCase(cases.ResolveTestCase):
    """Guests that are none of the plugin's business."""

    def check_left(self, decided, source, text):
        self.assertFalse(decided.acts)
        self.assertIsNone(decided.profile)
        self.assertEqual(selections.Selection(), decided.selection)
        self.assertEqual(
            cases.NAMES, tuple(outcome.name for outcome in decided.outcomes)
        )
        for outcome in decided.outcomes:
            self.assertEqual(
                decision.Outcome(
                    name=outcome.name,
                    state=State.UNSET,
                    reason=Reason.NOT_CONCERNED,
                    source=source,
                    text=f'{outcome.name!r} {text}',
                    wanted=False,
                ),
                outcome,
            )

    @ddt.unpack
    @ddt.data((None, 'not set'), ('', 'not set'), ('linux', 'linux'))
    def test_resolve_other_os(self, os_type, said):
        decided = resolve.resolve(
            settings.Settings(force_on=('synic',)),
            cases.make_request(os_type=os_type),
            cases.HOST,
        )
        self.check_left(
            decided,
            Source.IMAGE,
            f"is left to Nova: the image's os_type is {said}, not windows.",
        )

    def test_resolve_not_enabled(self):
        self.check_left(
            cases.decide(flavor={'synic': 'on'}, enabled=False),
            Source.OPERATOR,
            'is left to Nova: [hyperv_enlight] enabled is false.',
        )


@ddt.ddt
class PrecedenceTestCase(cases.ResolveTestCase):
    """Who goes before whom: design.md, section 4."""

    # A state of each source, and what comes of them; the profile last.
    ORDER = (
        # force_off, force_on, flavor, image, in the profile -> on, by whom
        (True, True, 'on', 'on', True, False, 'operator'),
        (False, True, 'off', 'off', False, True, 'operator'),
        (True, False, 'on', 'on', True, False, 'operator'),
        (False, False, 'on', 'off', False, True, 'flavor'),
        (False, False, 'off', 'on', True, False, 'flavor'),
        (False, False, None, 'on', False, True, 'image'),
        (False, False, None, 'off', True, False, 'image'),
        (False, False, None, None, True, True, 'profile'),
        (False, False, None, None, False, False, 'profile'),
    )

    @ddt.unpack
    @ddt.data(*ORDER)
    def test_resolve_order(
        self, force_off, force_on, flavor, image, in_profile, on, source
    ):
        decided = cases.decide(
            {'reset': flavor} if flavor else {},
            {'reset': image} if image else {},
            force_off=('reset',) if force_off else (),
            force_on=('reset',) if force_on else (),
            profile='baseline' if in_profile else 'none',
        )
        outcome = self.outcome(decided, 'reset')
        self.assertEqual(
            (on, source), (outcome.state is State.ON, outcome.source.value)
        )

    @ddt.unpack
    @ddt.data(
        (
            {'force_on': ('reset',)},
            "'reset' is on: the operator asks for it ([hyperv_enlight] "
            'force_on).',
        ),
        (
            {'flavor': {'reset': 'on'}},
            "'reset' is on: the flavor asks for it (hyperv_enlight:reset=on).",
        ),
        (
            {'image': {'reset': 'on'}},
            "'reset' is on: the image asks for it (hyperv_enlight_reset=on).",
        ),
        (
            {'force_off': ('reset',)},
            "'reset' is off: the operator turned it off ([hyperv_enlight] "
            'force_off).',
        ),
        (
            {'flavor': {'reset': 'off'}},
            "'reset' is off: the flavor turned it off "
            '(hyperv_enlight:reset=off).',
        ),
        (
            {'image': {'reset': 'off'}},
            "'reset' is off: the image turned it off "
            '(hyperv_enlight_reset=off).',
        ),
        (
            {'flavor': {'reset': 'off'}, 'image': {'reset': 'on'}},
            "'reset' is off: the flavor turned it off "
            '(hyperv_enlight:reset=off), over the image '
            '(hyperv_enlight_reset=on).',
        ),
        (
            {
                'force_off': ('reset',),
                'flavor': {'reset': 'on'},
                'image': {'reset': 'on'},
            },
            "'reset' is off: the operator turned it off ([hyperv_enlight] "
            'force_off), over the flavor (hyperv_enlight:reset=on), over the '
            'image (hyperv_enlight_reset=on).',
        ),
    )
    def test_resolve_says_who(self, kwargs, text):
        outcome = self.outcome(cases.decide(**kwargs), 'reset')
        self.assertEqual(text, outcome.text)

    @ddt.unpack
    @ddt.data(
        ({'flavor': {'evmcs': 'off'}}, False),
        ({'flavor': {'evmcs': 'off'}, 'image': {'evmcs': 'on'}}, True),
        ({'force_off': ('evmcs',), 'flavor': {'evmcs': 'on'}}, True),
        ({'flavor': {'reset': 'off'}}, False),
        ({'flavor': {'reset': 'off'}, 'profile': 'baseline'}, True),
    )
    def test_resolve_wanted(self, kwargs, wanted):
        # What somebody asked for in vain is left out, not just off.
        decided = cases.decide(**{'profile': 'none', **kwargs})
        left_out = {outcome.name for outcome in decided.left_out}
        self.assertEqual(wanted, bool(left_out & {'evmcs', 'reset'}))


@ddt.ddt
class EveryNameTestCase(cases.ResolveTestCase):
    """Walks the catalogue."""

    @ddt.data(*cases.NAMES)
    def test_resolve_every_name_by_the_operator(self, name):
        decided = cases.decide(profile='none', force_on=(name,))
        outcome = self.outcome(decided, name)
        self.assertEqual(
            (State.ON, Reason.ASKED), (outcome.state, outcome.reason)
        )

    @ddt.data(*cases.NAMES)
    def test_resolve_every_name_off(self, name):
        # Whatever requires it goes with it, and says why.
        decided = cases.decide(profile='nested', force_off=(name,))
        self.assertNotIn(name, decided.selection.features)
        gone = cases.NESTED - decided.selection.features - {name}
        for each in gone:
            self.assertIs(Reason.REQUIRES, self.outcome(decided, each).reason)
