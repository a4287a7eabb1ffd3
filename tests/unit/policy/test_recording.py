# SPDX-License-Identifier: Apache-2.0

"""What is recorded, from host to host."""

import ddt
import hypothesis
from hypothesis import strategies as st

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import recording
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.policy import cases
from tests.unit.policy import recorded
from tests.unit.policy import strategies

POOR = cases.make_host(('relaxed', 'vapic', 'spinlocks', 'hypervclock'))
WITHOUT = cases.make_host(())
UNKNOWN = cases.make_host((), unknown=cases.NAMES)
#: Nova's own list, of which the plugin may leave a guest as it is.
OWN = selections.Selection(features=frozenset(['relaxed']))


def start(host, before=None, **options):
    """Start a guest and return its record, as it is kept."""
    decided = resolve.resolve(
        settings.Settings(**options),
        cases.make_request(started=before is not None),
        host,
        before,
    )
    made = recording.made(decided, OWN, host, before)
    return record.decode(record.encode(made))


@ddt.ddt
class RecordingTestCase(recorded.RecordedTestCase):
    def test_there_and_back(self):
        first = start(cases.HOST)

        there = start(POOR, first)
        back = start(cases.HOST, there)

        self.assertEqual(cases.MINIMAL, there.selection.features)
        self.assertEqual(first.selection, back.selection)
        self.assertEqual(selections.Selection(), back.lost)

    @ddt.data(UNKNOWN, WITHOUT)
    def test_built_where_nothing_is_had(self, host):
        first = start(host)

        self.assertEqual(frozenset(), first.selection.features)
        self.assertEqual(cases.BASELINE, first.wanted.features)
        self.assertEqual(
            cases.BASELINE, start(cases.HOST, first).selection.features
        )

    def test_built_on_virt_type_qemu(self):
        host = evaluation.evaluate(
            capabilities.Sources(virt_type='qemu', arch='x86_64')
        )

        self.assertEqual(
            cases.BASELINE, start(cases.HOST, start(host)).selection.features
        )

    def test_built_where_one_is_unknown(self):
        first = start(cases.make_host(unknown=['synic']))

        self.assertEqual(
            {'synic', 'stimer', 'stimer.direct'}, first.lost.features
        )
        self.assertEqual(
            cases.BASELINE, start(cases.HOST, first).selection.features
        )

    def test_a_better_host_changes_nothing(self):
        first = start(POOR)

        self.assertEqual(selections.Selection(), first.lost)
        self.assertEqual(first, start(cases.HOST, first))

    def test_what_is_turned_off_does_not_come_back(self):
        first = start(cases.HOST)

        off = start(cases.HOST, first, force_off=('ipi',))

        self.assertEqual(selections.Selection(), off.lost)
        self.assertNotIn('ipi', start(cases.HOST, off).selection.features)

    def test_what_is_turned_off_while_it_is_lost(self):
        there = start(POOR, start(cases.HOST))
        self.assertIn('ipi', there.lost.features)

        off = start(POOR, there, force_off=('ipi',))

        self.assertNotIn('ipi', start(cases.HOST, off).selection.features)

    def test_a_value_comes_back(self):
        never = ('spinlocks.retries', '4294967295')
        first = start(cases.HOST, spinlock_retries=never[1])

        there = start(cases.make_host(libvirt=(9, 0, 0)), first)

        self.assertEqual(
            {('spinlocks.retries', '2147483647')}, there.selection.values
        )
        self.assertEqual({never}, start(cases.HOST, there).selection.values)

    def test_a_value_of_a_lost_name_comes_back(self):
        first = start(cases.HOST, spinlock_retries='5000')

        back = start(cases.HOST, start(WITHOUT, first))

        self.assertEqual(first.selection, back.selection)

    def test_a_pinned_frequency_comes_back(self):
        first = recorded.started_with(
            ['relaxed', 'reenlightenment'], tsc_frequency=1000000000
        )

        there = start(POOR, first)
        self.assertIsNone(there.selection.tsc_frequency)

        self.assertEqual(
            1000000000, start(cases.HOST, there).selection.tsc_frequency
        )

    @ddt.data('host-model', 'passthrough')
    def test_a_mode_after_a_host_without_hyperv(self, name):
        first = start(WITHOUT, profile=name)
        self.assertIs(profiles.Mode.CUSTOM, first.selection.mode)

        # Whatever the default has become.
        back = start(cases.HOST, first)

        self.assertIs(profiles.Mode(name), back.selection.mode)
        self.assertEqual(name, back.profile)

    def test_host_model_is_recorded_by_its_names(self):
        made = start(cases.HOST, profile='host-model')

        self.assertEqual(
            cases.ALL - {'reenlightenment'}, made.selection.features
        )
        self.assertIs(profiles.Mode.HOST_MODEL, made.selection.mode)

    def test_passthrough_is_not(self):
        made = start(cases.HOST, profile='passthrough')

        self.assertEqual({'hypervclock'}, made.selection.features)

    def test_stock(self):
        made = start(cases.HOST, profile='stock')

        self.assertEqual(OWN.features, made.selection.features)
        self.assertIs(profiles.Mode.STOCK, made.selection.mode)
        self.assertEqual(selections.Selection(), made.lost)

    @strategies.for_any(
        strategies.CUSTOM, st.lists(strategies.HOSTS, max_size=3)
    )
    def test_any_way_there_and_back(self, case, hosts):
        """Whatever hosts a guest comes by: at home it has what it had."""
        try:
            decided = case.resolve()
        except exception.EnlightException:
            hypothesis.reject()
        first = recording.made(decided, OWN, case.host, None)
        at = first
        for host in (*hosts, case.host):
            at = start(host, at)
        self.assertEqual(first.selection.features, at.selection.features)
        self.assertEqual(first.selection.values, at.selection.values)

    @strategies.for_any(
        strategies.CUSTOM, st.lists(strategies.HOSTS, min_size=1, max_size=3)
    )
    def test_nothing_wanted_is_forgotten(self, case, hosts):
        try:
            decided = case.resolve()
        except exception.EnlightException:
            hypothesis.reject()
        at = recording.made(decided, OWN, case.host, None)
        for host in hosts:
            former, at = at, start(host, at)
            self.assertLessEqual(former.wanted.features, at.wanted.features)
