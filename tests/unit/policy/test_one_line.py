# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.policy import decision
from tests.unit import base
from tests.unit.policy import cases

MINIMAL_ON = 'on: relaxed, vapic, spinlocks=8191, hypervclock'


class OneLineTestCase(base.TestCase):
    """The line that nova-compute logs for each guest."""

    def check_line(self, line, **kwargs):
        self.assertEqual(line, decision.one_line(cases.decide(**kwargs)))

    def test_one_line(self):
        self.check_line(f'profile minimal; {MINIMAL_ON}', profile='minimal')

    def test_one_line_nothing(self):
        self.check_line('profile none; on: nothing', profile='none')

    def test_one_line_stock(self):
        self.check_line(
            "profile stock, Nova's own list is left as it is", profile='stock'
        )

    def test_one_line_value(self):
        self.check_line(
            'profile none; on: vendor_id=KVM Hv',
            flavor={'vendor_id.value': 'KVM Hv'},
            profile='none',
        )

    def test_one_line_left_out(self):
        self.check_line(
            'profile minimal; on: relaxed, spinlocks=8191, hypervclock; '
            'left out: vapic (libvirt does not list it)',
            profile='minimal',
            host=cases.make_host(cases.ALL - {'vapic'}),
        )

    def test_one_line_left_out_for_the_same_reason(self):
        self.check_line(
            'profile minimal; on: spinlocks=8191; left out: relaxed, vapic '
            '(libvirt does not list it); hypervclock (no source says '
            'whether the host has it)',
            profile='minimal',
            host=cases.make_host(['spinlocks'], unknown=['hypervclock']),
        )

    def test_one_line_left_out_by_requirement(self):
        self.check_line(
            'profile none; on: nothing; left out: reset (the flavor turned '
            'it off (hyperv_enlight:reset=off), over the image '
            '(hyperv_enlight_reset=on))',
            profile='none',
            flavor={'reset': 'off'},
            image={'reset': 'on'},
        )

    def test_one_line_is_one_line(self):
        decided = cases.decide(host=cases.make_host(()), profile='nested')
        self.assertNotIn('\n', decision.one_line(decided))

    def test_one_line_not_migratable(self):
        line = decision.one_line(cases.decide(profile='passthrough'))
        self.assertTrue(line.endswith('; not migratable'), line)


@ddt.ddt
class DifferenceTestCase(base.TestCase):
    """What shadow mode logs."""

    NONE = "no difference to Nova's own list"

    def check_difference(self, text, own, **kwargs):
        decided = cases.decide(**kwargs)
        self.assertEqual(text, decision.difference(decided, own))

    def test_difference_none(self):
        own = cases.decide(profile='minimal').selection
        self.check_difference(self.NONE, own, profile='minimal')

    def test_difference_stock(self):
        own = cases.decide(profile='minimal').selection
        self.check_difference(self.NONE, own, profile='stock')

    def test_difference_names(self):
        own = selections.Selection(features=frozenset(('relaxed', 'evmcs')))
        self.check_difference(
            "against Nova's own list: +vapic, +spinlocks, -evmcs, "
            '+hypervclock',
            own,
            profile='minimal',
        )

    def test_difference_values(self):
        own = cases.decide(profile='minimal').selection
        self.check_difference(
            "against Nova's own list: spinlocks.retries 8191 -> 4096",
            own,
            profile='minimal',
            spinlock_retries='4096',
        )

    @ddt.data('host-model', 'passthrough')
    def test_difference_mode(self, mode):
        own = cases.decide(profile=mode).selection
        own = selections.Selection(features=own.features, values=own.values)
        self.check_difference(
            f"against Nova's own list: mode {mode}", own, profile=mode
        )
