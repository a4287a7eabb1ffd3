# SPDX-License-Identifier: Apache-2.0

"""What holds for any toggles, any image, any host and any versions."""

import dataclasses
import re

from lxml import etree

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.catalogue import facts
from tests.unit.domxml import domains
from tests.unit.policy import cases
from tests.unit.policy import strategies

SENTENCE = re.compile(r"'[a-z_.]+' [^\n]*[^.\s]\.")
REFUSALS = (exception.InvalidRequest, exception.HostCannotDeliver)


def decide(case):
    """Return the decision, or None where the build is refused."""
    try:
        return case.resolve()
    except REFUSALS:
        return None


def outcome(case):
    """Return the decision, or the refusal's class and message."""
    try:
        return case.resolve()
    except REFUSALS as err:
        return type(err), str(err)


class PropertiesTestCase(base.TestCase):
    """Enlightenments that are decided name by name."""

    @strategies.for_any(strategies.CUSTOM)
    def test_closed(self, case):
        decided = decide(case)
        if decided is None:
            return
        names = decided.selection.features
        for name in names:
            # By the tests' own copy of QEMU's table.
            needed = set(facts.REQUIRES.get(name, ()))
            if (
                case.host.sources.vendor is cases.INTEL
                and name in facts.NEEDS_EVMCS_ON_INTEL
            ):
                needed.add('evmcs')
            self.assertEqual(set(), needed - names, name)

    @strategies.for_any(strategies.CUSTOM)
    def test_offered(self, case):
        decided = decide(case)
        if decided is None:
            return
        offered = {
            name
            for name, capability in case.host.features.items()
            if capability.offered
        }
        self.assertEqual(set(), decided.selection.features - offered)

    @strategies.for_any(strategies.CUSTOM)
    def test_explicitly_off_is_off(self, case):
        decided = decide(case)
        if decided is None:
            return
        off = {name for name, on in case.explicit.items() if not on}
        self.assertEqual(set(), off & decided.selection.features)

    @strategies.for_any(strategies.CUSTOM)
    def test_explicitly_on_is_on_or_refused(self, case):
        asked = {name for name, on in case.explicit.items() if on}
        try:
            decided = case.resolve()
        except REFUSALS as err:
            message = str(err)
            # Values are asked for as well.
            named = [repr(name) for name in asked]
            named += ['spinlocks.retries', 'spinlocks_retries', 'vendor_id.']
            self.assertTrue(any(n in message for n in named), message)
            self.assertTrue(message.endswith('.'), message)
            return
        self.assertEqual(set(), asked - decided.selection.features)

    @strategies.for_any(strategies.CUSTOM)
    def test_refused_only_for_what_is_asked(self, case):
        # Without an explicit demand any host starts any guest.
        quiet = dataclasses.replace(
            case,
            force_on=(),
            flavor={n: s for n, s in case.flavor.items() if s == 'off'},
            image={n: s for n, s in case.image.items() if s == 'off'},
            specs={},
            properties={
                key: text
                for key, text in case.properties.items()
                if not key.startswith('hyperv_enlight_spinlocks')
            },
        )
        self.assertIsNotNone(decide(quiet))

    @strategies.for_any(strategies.ANY)
    def test_same_twice(self, case):
        self.assertEqual(outcome(case), outcome(dataclasses.replace(case)))

    @strategies.for_any(strategies.CUSTOM)
    def test_written_and_read(self, case):
        decided = decide(case)
        if decided is None:
            return
        domain = domains.parse(domains.WHOLE)
        hyperv.apply(domain, decided.selection)
        again = domains.parse(etree.tostring(domain))
        self.assertEqual(decided.selection, hyperv.read(again))

    @strategies.for_any(strategies.ANY)
    def test_one_verdict_each(self, case):
        decided = decide(case)
        if decided is None:
            return
        self.assertEqual(
            cases.NAMES, tuple(outcome.name for outcome in decided.outcomes)
        )
        odd = [
            outcome.text
            for outcome in decided.outcomes
            if not SENTENCE.fullmatch(outcome.text)
            or not outcome.text.startswith(f'{outcome.name!r} ')
        ]
        self.assertEqual([], odd)
        self.assertNotIn('\n', decision.one_line(decided))

    @strategies.for_any(strategies.ANY)
    def test_verdicts_tell_the_selection(self, case):
        decided = decide(case)
        if decided is None or not decided.acts:
            return
        on = {outcome.name: outcome for outcome in decided.on}
        self.assertEqual(decided.selection.features, set(on))
        self.assertEqual(
            decided.selection.values,
            {
                (enlightenments.ENLIGHTENMENTS[name].value_name, v.value)
                for name, v in on.items()
                if v.value is not None
            },
        )
        self.assertEqual(set(), decided.selection.off & set(on))

    @strategies.for_any(strategies.CUSTOM, strategies.NAMES)
    def test_more_on_turns_nothing_off(self, case, name):
        # Nothing at all: what is on neither hinders nor replaces another.
        before = decide(case)
        after = decide(
            dataclasses.replace(case, force_on=(*case.force_on, name))
        )
        if before is None or after is None or name in case.force_off:
            return
        self.assertEqual(
            set(), before.selection.features - after.selection.features
        )
        self.assertLessEqual(before.selection.values, after.selection.values)

    @strategies.for_any(strategies.CUSTOM, strategies.NAMES)
    def test_more_off_turns_nothing_on(self, case, name):
        before = decide(case)
        after = decide(
            dataclasses.replace(case, force_off=(*case.force_off, name))
        )
        if before is None or after is None:
            return
        gone = before.selection.features - after.selection.features
        self.assertEqual(
            set(), after.selection.features - before.selection.features
        )
        # Only it, what stands on it, and what these alone had required.
        vendor = case.host.sources.vendor
        standing = [n for n in gone if name in domains.close([n], vendor)]
        self.assertEqual(set(), gone - domains.close(standing, vendor))

    @strategies.for_any(strategies.ANY)
    def test_not_windows_is_left_alone(self, case):
        decided = resolve.resolve(
            settings.Settings(
                profile=case.profile,
                force_on=case.force_on,
                force_off=case.force_off,
            ),
            cases.make_request(case.flavor, case.image, os_type='linux'),
            case.host,
        )
        self.assertFalse(decided.acts)
        self.assertEqual(selections.Selection(), decided.selection)
        self.assertEqual(
            {decision.State.UNSET}, {v.state for v in decided.outcomes}
        )
