# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.domains import findings
from tests.unit import base
from tests.unit.policy import cases

#: Programs hold them: none is ever renamed or removed.
CODES = (
    'unreadable',
    'vanished',
    'unknown-type',
    'refused',
    'untyped',
    'passthrough',
    'tsc-not-pinned',
    'evmcs-left',
    'unmet-dependency',
    'not-delivered',
    'no-nesting',
    'windows-release',
    'avic-inhibited',
    'clock-exits',
    'missing',
    'hpet',
    'clock-utc',
)
Fix = findings.Fix


MEANS = findings.FixContext(features=cases.ALL, vendor=cases.INTEL)


@ddt.ddt
class KindTestCase(base.TestCase):
    def test_the_codes(self):
        self.assertEqual(CODES, tuple(findings.KINDS))

    @ddt.data(*CODES)
    def test_its_words(self, code):
        kind = findings.KINDS[code]

        self.assertRegex(kind.code, '^[a-z]+(-[a-z]+)*$')
        self.assertFalse(kind.title.endswith('.'))
        for sentences in (kind.cause, kind.cure):
            self.assertTrue(sentences.endswith('.'), sentences)

    @ddt.unpack
    @ddt.data(
        (findings.PASSTHROUGH, Fix(profile=True)),
        (findings.HPET, Fix(hpet=False)),
        (findings.AVIC_INHIBITED, Fix(pit_discards=True)),
        (findings.CLOCK_UTC, Fix(clock_offset='localtime')),
    )
    def test_fix_of_the_guest(self, kind, fix):
        self.assertEqual(fix, kind.fix('', MEANS))

    @ddt.data(
        findings.UNTYPED,
        findings.REFUSED,
        findings.CLOCK_EXITS,
        findings.UNREADABLE,
        findings.VANISHED,
    )
    def test_what_no_edit_cures(self, kind):
        self.assertIsNone(kind.fix)

    @ddt.data(
        findings.TSC,
        findings.EVMCS_LEFT,
        findings.NOT_DELIVERED,
        findings.NO_NESTING,
        findings.WINDOWS_RELEASE,
    )
    def test_fix_that_switches_off(self, kind):
        """What stands on it goes with it."""
        self.assertEqual(
            Fix(off=frozenset(('evmcs', 'emsr_bitmap', 'tlbflush.direct'))),
            kind.fix('evmcs', MEANS),
        )

    def test_fix_that_switches_off_by_vendor(self):
        fix_context = findings.FixContext(features=cases.ALL, vendor=cases.AMD)

        self.assertEqual(
            Fix(off=frozenset(('evmcs',))),
            findings.NOT_DELIVERED.fix('evmcs', fix_context),
        )

    @ddt.data(findings.MISSING, findings.UNMET)
    def test_fix_that_switches_on(self, kind):
        """What it stands on comes with it."""
        self.assertEqual(
            Fix(on=frozenset(('stimer', 'synic', 'vpindex', 'hypervclock'))),
            kind.fix('stimer', MEANS),
        )

    def test_fix_that_cannot_switch_on(self):
        """What it stands on cannot be had: then it goes too."""
        fix_context = findings.FixContext(
            features=cases.ALL - {'vpindex'}, vendor=cases.INTEL
        )

        self.assertEqual(
            Fix(off=frozenset(('stimer', 'stimer.direct'))),
            findings.UNMET.fix('stimer', fix_context),
        )


@ddt.ddt
class SeverityTestCase(base.TestCase):
    def finding(self, kind, name=''):
        return findings.Finding(domain='win', kind=kind, name=name, text='')

    @ddt.unpack
    @ddt.data(
        ('unknown', {'unreadable', 'unknown-type'}),
        (
            'breaks-guest',
            {
                'refused',
                'unmet-dependency',
                'not-delivered',
                'windows-release',
                'clock-utc',
            },
        ),
        (
            'breaks-migration',
            {'passthrough', 'tsc-not-pinned', 'evmcs-left', 'no-nesting'},
        ),
        ('costs-cpu', {'untyped', 'hpet', 'avic-inhibited', 'clock-exits'}),
        ('no-effect', {'vanished'}),
    )
    def test_of_a_kind(self, word, codes):
        self.assertEqual(
            codes,
            {
                code
                for code, kind in findings.KINDS.items()
                if kind is not findings.MISSING
                and self.finding(kind).severity.word == word
            },
        )

    @ddt.unpack
    @ddt.data(
        ('relaxed', model.Severity.BREAKS_GUEST),
        ('stimer', model.Severity.COSTS_CPU),
        ('reset', model.Severity.NO_EFFECT),
    )
    def test_of_what_is_missing(self, name, severity):
        found = self.finding(findings.MISSING, name)

        self.assertIs(severity, found.severity)

    def test_order(self):
        cpu = model.Severity.COSTS_CPU
        self.assertEqual(
            [True, True, True, True, False],
            [level.reaches(cpu) for level in model.Severity],
        )


class JoinTestCase(base.TestCase):
    def test_nothing(self):
        self.assertEqual(Fix(), findings.join(()))

    def test_everything(self):
        self.assertEqual(
            Fix(
                on=frozenset(('relaxed', 'vapic')),
                off=frozenset(('evmcs',)),
                profile=True,
                clock_offset='localtime',
                hpet=False,
            ),
            findings.join(
                (
                    Fix(on=frozenset(('relaxed',))),
                    Fix(hpet=False),
                    Fix(off=frozenset(('evmcs',))),
                    Fix(clock_offset='localtime'),
                    Fix(on=frozenset(('vapic',))),
                    Fix(profile=True),
                )
            ),
        )

    def test_off_goes_before_on(self):
        on = Fix(on=frozenset(('evmcs', 'vapic')))
        off = Fix(off=frozenset(('evmcs',)))

        wanted = Fix(on=frozenset(('vapic',)), off=frozenset(('evmcs',)))
        self.assertEqual(wanted, findings.join((on, off)))
        self.assertEqual(wanted, findings.join((off, on)))
