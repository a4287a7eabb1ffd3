# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.guest import cpuid
from nova_hyperv_enlight.guest import verify
from tests.unit import base
from tests.unit.guest import machine

NEVER = '4294967295'
ALL = frozenset(enlightenments.ENLIGHTENMENTS)
BASELINE = profiles.PROFILES['baseline'].features


def selection(*names, retries='8191', vendor='1234567890ab', **kwargs):
    values = {'spinlocks': ('spinlocks.retries', retries)}
    values['vendor_id'] = ('vendor_id.value', vendor)
    return selections.Selection(
        features=frozenset(names),
        values=frozenset(values[name] for name in names if name in values),
        **kwargs,
    )


def read_by(given, shown=ALL):
    """Return what a guest reads that was started with a selection."""
    return cpuid.parse(machine.text_of(machine.leaves_of(given, shown)))


@ddt.ddt
class CompareTestCase(base.TestCase):
    def compare(self, asked, leaves, **kwargs):
        found = verify.compare(asked, leaves, **kwargs)
        return {each.name: each for each in found}

    def missing(self, asked, leaves):
        found = verify.compare(asked, leaves)
        return {each.name for each in found if each.is_missing}

    def test_every_name_in_order(self):
        found = verify.compare(selection(), read_by(selection()))

        self.assertEqual(
            list(enlightenments.ENLIGHTENMENTS), [each.name for each in found]
        )

    @ddt.data(BASELINE, ALL, frozenset(('relaxed',)))
    def test_all_is_shown(self, names):
        asked = selection(*names)

        found = self.compare(asked, read_by(asked))

        for name in ALL:
            wanted = name in names
            self.assertIs(
                verify.Asked.YES if wanted else verify.Asked.NO,
                found[name].asked,
                name,
            )
            self.assertIs(
                verify.Shown.YES if wanted else verify.Shown.NO,
                found[name].shown,
                name,
            )
            self.assertFalse(found[name].is_missing)

    @ddt.data(*sorted(ALL))
    def test_one_is_not_shown(self, name):
        asked = selection(*ALL)

        missing = self.missing(asked, read_by(asked, ALL - {name}))

        self.assertEqual({name}, missing)

    def test_no_hyperv_at_all(self):
        asked = selection(*ALL)

        missing = self.missing(asked, read_by(asked, frozenset()))

        self.assertEqual(set(ALL), missing)

    def test_what_was_not_asked_for_is_not_missing(self):
        self.assertEqual(
            set(), self.missing(selection(), read_by(selection()))
        )

    def test_what_was_not_asked_for_can_be_shown(self):
        found = self.compare(selection('relaxed'), read_by(selection(*ALL)))

        self.assertIs(verify.Asked.NO, found['synic'].asked)
        self.assertIs(verify.Shown.YES, found['synic'].shown)
        self.assertIs(verify.Shown.YES, found['spinlocks'].shown)
        self.assertIs(verify.Shown.YES, found['vendor_id'].shown)

    @ddt.data(
        ('spinlocks', {'retries': '4096'}),
        ('vendor_id', {'vendor': 'another one'}),
    )
    @ddt.unpack
    def test_another_value_is_not_it(self, name, other):
        asked = selection('relaxed', name)

        leaves = read_by(selection('relaxed', name, **other))

        self.assertEqual({name}, self.missing(asked, leaves))

    @ddt.data(
        ('spinlocks', {'retries': NEVER}),
        ('vendor_id', {'vendor': 'Microsoft Hv'}),
    )
    @ddt.unpack
    def test_a_value_that_everybody_reads_tells_nothing(self, name, usual):
        asked = selection('relaxed', name, **usual)

        with_it = self.compare(asked, read_by(asked))[name]
        without_it = self.compare(asked, read_by(selection('relaxed')))[name]

        self.assertIs(verify.Shown.UNTOLD, with_it.shown)
        self.assertIs(verify.Shown.UNTOLD, without_it.shown)
        self.assertFalse(with_it.is_missing)

    def test_no_hyperv_shows_no_such_value_either(self):
        asked = selection('relaxed', 'vendor_id', vendor='Microsoft Hv')

        leaves = read_by(asked, frozenset())

        self.assertEqual({'relaxed', 'vendor_id'}, self.missing(asked, leaves))

    def test_on_without_a_value(self):
        # libvirt since 11.9 takes <spinlocks state='on'/>: never notify.
        asked = selections.Selection(
            features=frozenset(('relaxed', 'spinlocks'))
        )

        found = self.compare(asked, read_by(selection('relaxed')))

        self.assertIs(verify.Shown.UNTOLD, found['spinlocks'].shown)

    @ddt.data(profiles.Mode.PASSTHROUGH, profiles.Mode.HOST_MODEL)
    def test_a_mode_names_nothing(self, mode):
        asked = selection('hypervclock', mode=mode, off=frozenset(('avic',)))

        found = self.compare(asked, read_by(selection('relaxed', 'vapic')))

        self.assertIs(verify.Asked.YES, found['hypervclock'].asked)
        self.assertTrue(found['hypervclock'].is_missing)
        self.assertIs(verify.Asked.NO, found['avic'].asked)
        self.assertIs(verify.Asked.LEFT, found['vapic'].asked)
        self.assertIs(verify.Asked.LEFT, found['synic'].asked)
        self.assertFalse(found['synic'].is_missing)

    def test_what_was_left_out_says_why(self):
        asked = selection('relaxed', 'evmcs')

        found = self.compare(
            asked,
            read_by(selection('relaxed')),
            left_out={'evmcs': 'not on AMD'},
        )

        self.assertTrue(found['evmcs'].is_missing)
        self.assertEqual('not on AMD', found['evmcs'].text)
        self.assertEqual('', found['relaxed'].text)

    @ddt.data(
        ('relaxed', '0x40000004 EAX 0x20'),
        ('frequencies', '0x40000003 EAX 0x800, 0x40000003 EDX 0x100'),
        ('emsr_bitmap', '0x4000000a EAX 0x80000'),
        ('spinlocks', '0x40000004 EBX'),
        ('vendor_id', '0x40000000 EBX ECX EDX'),
    )
    @ddt.unpack
    def test_place(self, name, text):
        entry = enlightenments.ENLIGHTENMENTS[name]

        self.assertEqual(text, verify.location(entry))
