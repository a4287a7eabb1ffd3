# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import recording
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.policy import cases

AMD = cases.make_host(vendor=cases.AMD)
INTEL = cases.make_host(vendor=cases.INTEL)
WHY = (
    "it has no effect while KVM makes up for lost ticks of the guest's PIT: "
    '[hyperv_enlight] '
)
#: Each way to keep the PIT as Nova makes it.
KEPT = (
    ({'pit_discard': False}, 'pit_tickpolicy is delay'),
    ({'hooks': ('hyperv', 'hypervclock')}, 'hooks has no pit'),
)


@ddt.ddt
class PitTestCase(cases.ResolveTestCase):
    """What becomes of the PIT where avic is on."""

    def test_discards_on_amd(self):
        decided = cases.decide(host=AMD, profile='performance')

        self.assertTrue(decided.selection.pit_discards)
        self.check_outcome(
            decided,
            'avic',
            'on',
            'profile',
            'profile',
            "'avic' is on: profile 'performance' asks for it; the guest's "
            'PIT discards lost ticks for it.',
        )

    @ddt.unpack
    @ddt.data(
        (INTEL, 'performance'),
        (AMD, 'baseline'),
        (cases.make_host(cases.BASELINE, vendor=cases.AMD), 'performance'),
        (AMD, 'passthrough'),
        (AMD, 'stock'),
        (AMD, 'none'),
    )
    def test_stays_as_nova_makes_it(self, host, profile):
        decided = cases.decide(host=host, profile=profile)

        self.assertFalse(decided.selection.pit_discards)

    @ddt.data('host-model', 'baseline')
    def test_avic_beside_a_profile(self, profile):
        decided = cases.decide({'avic': 'on'}, host=AMD, profile=profile)

        self.assertTrue(decided.selection.pit_discards)

    @ddt.unpack
    @ddt.data(*KEPT)
    def test_avic_is_left_out(self, options, why):
        decided = cases.decide(host=AMD, profile='performance', **options)

        self.check_on(cases.PERFORMANCE - {'avic'}, decided)
        self.assertFalse(decided.selection.pit_discards)
        self.check_outcome(
            decided,
            'avic',
            'off',
            'inhibited',
            'operator',
            f"'avic' is off: {WHY}{why}.",
        )
        self.assertIn(f'avic ({WHY}{why})', decision.one_line(decided))

    @ddt.unpack
    @ddt.data(*KEPT)
    def test_avic_stays_on_intel(self, options, why):
        decided = cases.decide(host=INTEL, profile='performance', **options)

        self.check_on(cases.PERFORMANCE, decided)

    @ddt.unpack
    @ddt.data(*KEPT)
    def test_avic_asked_for(self, options, why):
        self.check_refused(
            exception.HostCannotDeliver,
            "'avic', which the flavor asks for (hyperv_enlight:avic=on), is "
            f'not available on this host: {WHY}{why}.',
            {'avic': 'on'},
            host=AMD,
            **options,
        )


@ddt.ddt
class RecordedPitTestCase(cases.ResolveTestCase):
    """A guest keeps the PIT that it was started with."""

    def again(self, discards, names=cases.PERFORMANCE, host=AMD, **options):
        recorded = record.Record(
            profile='performance',
            selection=selections.Selection(
                features=frozenset(names), pit_discards=discards
            ),
        )
        conf = settings.Settings(profile='performance', **options)
        req = cases.make_request(started=True)
        return recorded, resolve.resolve(conf, req, host, recorded)

    @ddt.data(True, False)
    def test_keeps_it(self, discards):
        _, decided = self.again(discards)

        self.check_on(cases.PERFORMANCE, decided)
        self.assertIs(discards, decided.selection.pit_discards)

    def test_the_operator_goes_first(self):
        for options, _ in KEPT:
            recorded, decided = self.again(
                True, fail_on_host_change=True, **options
            )

            # To take avic away would show the guest another processor.
            self.check_on(cases.PERFORMANCE, decided)
            self.assertFalse(decided.selection.pit_discards)
            self.assertEqual(
                [],
                resolve.lost(decided, recorded, settings.Settings(**options)),
            )

    def test_decided_anew(self):
        _, decided = self.again(False, keep_recorded=False)

        self.assertTrue(decided.selection.pit_discards)

    def test_is_recorded(self):
        decided = cases.decide(host=AMD, profile='performance')

        made = recording.made(decided, selections.Selection(), AMD, None)

        text = record.encode(made)
        self.assertTrue(text.endswith(',pit'), text)
        self.assertEqual(made, record.decode(text))
