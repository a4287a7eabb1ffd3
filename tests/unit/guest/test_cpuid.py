# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import cpuid
from tests import sets
from tests.unit import base
from tests.unit.guest import samples

_CATALOGUE = enlightenments.ENLIGHTENMENTS
EAX, EBX = model.Register.EAX, model.Register.EBX
ECX, EDX = model.Register.ECX, model.Register.EDX

ONE = samples.line(0x40000003, 0x0AFF, 0x30, 0, 0x80108)
BASELINE = sets.BASELINE - {'spinlocks'}
WITH_BITS = [name for name, entry in _CATALOGUE.items() if entry.cpuid]


def shown(leaves):
    """The names whose bits are shown."""
    return {
        name for name in WITH_BITS if cpuid.shows(leaves, _CATALOGUE[name])
    }


@ddt.ddt
class ParseTestCase(base.TestCase):
    """What came out of a serial port."""

    def test_parse_registers(self):
        self.assertEqual(
            {0x40000003: {EAX: 0x0AFF, EBX: 0x30, ECX: 0, EDX: 0x80108}},
            cpuid.parse(samples.report(ONE)),
        )

    def test_parse_after_the_firmware(self):
        leaves = cpuid.parse(samples.BASELINE)
        self.assertEqual(7, len(leaves))
        self.assertEqual(0x0C2C, leaves[0x40000004][EAX])

    @ddt.data(
        '',
        'end of the world\n',
        'the end\n',
        'end\0\n',
        f'{ONE}\n',
        f'{ONE}\nen',
        # A guest that was stopped within a line.
        f'{ONE}\n40000004 00000c2c 00001f',
    )
    def test_parse_without_end(self, text):
        error = self.assertRaises(
            exception.MalformedDocument, cpuid.parse, text
        )
        self.assertIn("the probe's report cannot be read", str(error))
        count = 1 if ONE in text else 0
        self.assertIn(f'it has {count} leaves and no end', str(error))

    @ddt.data(
        # five numbers of eight lower-case digits, each with its blank
        '40000003 00000aff 00000030 00000000 0008010',
        '40000003 00000aff 00000030 00000000',
        '40000003 00000AFF 00000030 00000000 00080108 ',
        '40000003 00000aff 00000030 00000000 0008010g ',
        '40000003 -0000aff 00000030 00000000 00080108 ',
        '4000_003 00000aff 00000030 00000000 00080108 ',
        '40000003  00000aff 00000030 00000000 00080108 ',
        '٤0000003 00000aff 00000030 00000000 00080108 ',
        'x40000003 00000aff 00000030 00000000 00080108 ',
        '\x1b[2J40000003 00000aff 00000030 00000000 00080108 ',
        '\ufffd' * 60,
        'x' * 1_000_000,
    )
    def test_parse_passes_over(self, text):
        self.assertEqual({}, cpuid.parse(samples.report(text)))

    def test_parse_stops_at_the_end(self):
        text = samples.report(ONE) + samples.line(0x40000004, 0xC2C)
        self.assertEqual([0x40000003], list(cpuid.parse(text)))

    def test_parse_twice_the_same_leaf(self):
        later = samples.line(0x40000003, 7)
        leaves = cpuid.parse(samples.report(ONE, later))
        self.assertEqual(7, leaves[0x40000003][EAX])

    @ddt.data('\n', '\r\n', '\r')
    def test_parse_line_ends(self, line_end):
        text = samples.report(ONE).replace('\r\n', line_end)
        self.assertEqual([0x40000003], list(cpuid.parse(text)))


@ddt.ddt
class VendorTestCase(base.TestCase):
    """Whose guest it believes to be."""

    @ddt.unpack
    @ddt.data(
        (samples.BASELINE, 'Microsoft Hv'),
        (samples.NONE, 'KVMKVMKVM'),
        (samples.report(), ''),
        (samples.report(samples.line(0x40000000)), ''),
    )
    def test_vendor(self, text, vendor):
        self.assertEqual(vendor, cpuid.vendor(cpuid.parse(text)))

    def test_vendor_of_other_bytes(self):
        line = samples.line(0x40000000, 0, 0xFFFFFFFF)
        vendor = cpuid.vendor(cpuid.parse(samples.report(line)))
        self.assertEqual('\ufffd' * 4, vendor)

    @ddt.unpack
    @ddt.data(
        (samples.BASELINE, True),
        (samples.NONE, False),
        (samples.report(), False),
        (samples.report(samples.line(0x40000001, 0x31237649)), False),
    )
    def test_shows_hyperv(self, text, shows):
        self.assertIs(shows, cpuid.shows_hyperv(cpuid.parse(text)))


@ddt.ddt
class ShowsTestCase(base.TestCase):
    """Whether one enlightenment is shown."""

    def test_shows_baseline(self):
        self.assertEqual(BASELINE, shown(cpuid.parse(samples.BASELINE)))

    def test_shows_nothing_without_hyperv(self):
        # The bits are there, but in a leaf of KVM's own.
        self.assertEqual(set(), shown(cpuid.parse(samples.NONE)))

    def test_shows_nothing_without_the_leaves(self):
        self.assertEqual(set(), shown(samples.leaves()))

    @ddt.data(*WITH_BITS)
    def test_shows_all_bits_and_nothing_less(self, name):
        entry = _CATALOGUE[name]
        places = [
            (each.leaf, each.register, 1 << bit)
            for each in entry.cpuid
            for bit in range(32)
            if each.bits >> bit & 1
        ]
        leaves = samples.leaves()
        for number, (leaf, register, bit) in enumerate(places):
            self.assertIs(False, cpuid.shows(leaves, entry), number)
            registers = leaves.setdefault(leaf, {})
            registers[register] = registers.get(register, 0) | bit
        self.assertIs(True, cpuid.shows(leaves, entry))

    @ddt.unpack
    @ddt.data(
        ('8191', True),
        ('008191', True),
        ('8190', False),
        ('4294967295', False),
        (None, False),
    )
    def test_shows_spinlocks(self, value, shows):
        leaves = samples.leaves(samples.line(0x40000004, 0x20, 8191))
        entry = _CATALOGUE['spinlocks']
        self.assertIs(shows, cpuid.shows(leaves, entry, value))

    def test_shows_spinlocks_without_the_leaf(self):
        entry = _CATALOGUE['spinlocks']
        self.assertIs(False, cpuid.shows(samples.leaves(), entry, '8191'))

    @ddt.unpack
    @ddt.data(('Microsoft Hv', True), ('Microsoft', False), (None, False))
    def test_shows_vendor_id(self, value, shows):
        entry = _CATALOGUE['vendor_id']
        self.assertIs(shows, cpuid.shows(samples.leaves(), entry, value))
