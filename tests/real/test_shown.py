# SPDX-License-Identifier: Apache-2.0
"""What running guests are shown, read from inside each of them.

Asked for by flavors, decided by the driver, written into the XML, started by
QEMU, emulated by KVM: the guest itself says what came of it.
"""

import re
import unittest

import ddt
import testtools

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.guest import cpuid
from nova_hyperv_enlight.host import kvm as host_kvm
from tests.real import guests
from tests.real import kvm
from tests.real import shown
from tests.real import table

_CATALOGUE = enlightenments.ENLIGHTENMENTS
_EBX = model.Register.EBX
_RECOMMENDATIONS = 0x40000004
# Whose names the driver decides, one by one.
_DECIDED = tuple(
    one
    for one in guests.ALL
    if not one.is_stock
    and one.os_type == 'windows'
    and one not in (guests.STOCK_PROFILE, guests.PASSTHROUGH)
)
_NAMED = tuple(one for one in guests.ALL if one is not guests.PASSTHROUGH)
# What the baseline sets, as the TLFS numbers it and not as our catalogue
# does: leaf, register, bits.
_BASELINE_BITS = (
    (0x40000003, 'eax', 0x00000ADF | 0x20),
    (0x40000003, 'edx', 0x00080100),
    (0x40000004, 'eax', 0x00000C24),
)


def by_name(*some):
    """Give ddt guests that it can make a test's name of."""
    return [_Named(one) for one in some]


class _Named:
    """A guest whose name is the end of its test's name."""

    def __init__(self, guest):
        self.guest = guest
        self.__name__ = re.sub(r'\W', '_', guest.name)


def owned(names):
    """The bits that these enlightenments own, by leaf and register."""
    bits = {}
    for name in names:
        for each in _CATALOGUE[name].cpuid:
            place = (each.leaf, each.register)
            bits[place] = bits.get(place, 0) | each.bits
    return bits


class _SeenCase(testtools.TestCase):
    """Has seen the guests of a virt_type."""

    VIRT_TYPE = 'kvm'
    GUESTS = guests.ALL

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seen = shown.see(cls.VIRT_TYPE, cls.GUESTS)

    def get(self, guest):
        """What was seen of a guest; it must have been running."""
        seen = self.seen[guest.name]
        self.assertEqual(('ACTIVE', ''), (seen.status, seen.fault))
        return seen


@ddt.ddt
class ShownOnKVMTest(_SeenCase):
    """On a KVM that emulates Hyper-V."""

    @classmethod
    def setUpClass(cls):
        if kvm.unexpected():
            raise AssertionError(kvm.unexpected())
        if not kvm.emulates_hyperv():
            raise unittest.SkipTest(
                'the KVM of this machine does not emulate Hyper-V'
            )
        super().setUpClass()
        table.keep(cls.seen.values(), f'shown-{cls.VIRT_TYPE}')

    @ddt.data(*by_name(*guests.ALL))
    def test_is_active(self, named):
        seen = self.get(named.guest)

        self.assertEqual('kvm', seen.domain.get('type'))
        self.assertTrue(seen.leaves)

    @ddt.data(*by_name(*guests.ALL))
    def test_xml_holds_the_set(self, named):
        guest = named.guest
        on = self.get(guest).on

        self.assertEqual(set(), guest.least - set(on))
        self.assertEqual(set(), set(on) - (guest.least | guest.most))

    @ddt.data(*by_name(*_DECIDED))
    def test_xml_holds_what_was_decided(self, named):
        seen = self.get(named.guest)

        (line,) = seen.lines
        decided = re.search('; on: (.*?)(?:; left out: |$)', line)[1]
        on = [
            name if value is None else f'{name}={value}'
            for name, value in seen.on.items()
        ]
        self.assertEqual(
            sorted(on), sorted(set(decided.split(', ')) - {'nothing'})
        )

    @ddt.data(*by_name(guests.PERFORMANCE_PROFILE, guests.NESTED_PROFILE))
    def test_what_is_left_out_has_a_reason(self, named):
        seen = self.get(named.guest)

        (line,) = seen.lines
        left_out = line.partition('; left out: ')[2]
        reasons = {}
        for names, reason in re.findall(r'([^();]+) \(([^()]+)', left_out):
            for name in names.split(','):
                reasons[name.strip()] = reason
        self.assertEqual(named.guest.most - set(seen.on), set(reasons))

    @ddt.data(*by_name(*_NAMED))
    def test_guest_is_shown_what_is_on(self, named):
        seen = self.get(named.guest)

        missing = {
            name
            for name, value in seen.on.items()
            if not cpuid.shows(seen.leaves, _CATALOGUE[name], value)
        }
        self.assertEqual(set(), missing)

    @ddt.data(*by_name(*_NAMED))
    def test_guest_is_not_shown_what_is_off(self, named):
        seen = self.get(named.guest)

        # A bit that something else owns, which is on, proves nothing.
        theirs = owned(seen.on)
        leaves = seen.leaves if cpuid.shows_hyperv(seen.leaves) else {}
        shown_all_the_same = {
            name
            for name in set(_CATALOGUE) - set(seen.on)
            for (leaf, register), bits in owned((name,)).items()
            if leaves.get(leaf, {}).get(register, 0)
            & bits
            & ~theirs.get((leaf, register), 0)
        }
        self.assertEqual(set(), shown_all_the_same)

    @ddt.data(*by_name(*guests.ALL))
    def test_guest_reads_vendor_and_retries(self, named):
        guest = named.guest
        leaves = self.get(guest).leaves

        self.assertEqual(guest.vendor, cpuid.vendor(leaves))
        self.assertEqual(guest.retries is not None, cpuid.shows_hyperv(leaves))
        if guest.retries is not None:
            self.assertEqual(guest.retries, leaves[_RECOMMENDATIONS][_EBX])

    def test_default_guest_reads_the_bits_of_the_specification(self):
        leaves = self.get(guests.DEFAULT).leaves

        for leaf, register, bits in _BASELINE_BITS:
            read = leaves[leaf][model.Register(register)]
            self.assertEqual(bits, read & bits, f'{leaf:#x} {register}')

    def test_toggle_takes_its_own_away_and_nothing_else(self):
        default = self.get(guests.DEFAULT)
        toggled = self.get(guests.STIMER_OFF)

        stimer = {'stimer', 'stimer.direct'}
        self.assertEqual(stimer, set(default.on) - set(toggled.on))
        self.assertEqual(stimer, default.shown - toggled.shown)
        self.assertEqual(set(), toggled.shown - default.shown)

    def test_stock_nova_has_no_stimer(self):
        stock = self.get(guests.STOCK_NOVA)
        default = self.get(guests.DEFAULT)

        self.assertEqual([], stock.lines)
        self.assertIn('synic', stock.shown)
        self.assertNotIn('stimer', stock.shown)
        self.assertEqual(
            {'stimer', 'stimer.direct'}, default.shown - stock.shown
        )

    def test_stock_nova_and_stock_profile_are_the_same(self):
        stock = self.get(guests.STOCK_NOVA)
        profile = self.get(guests.STOCK_PROFILE)

        self.assertEqual(stock.on, profile.on)
        self.assertEqual(stock.leaves, profile.leaves)

    def test_guest_of_stock_nova_is_left_alone_by_the_plugin(self):
        stock = self.get(guests.STOCK_NOVA)

        self.assertEqual(stock.started_xml, stock.xml)

    def test_passthrough_shows_all_that_kvm_has(self):
        seen = self.get(guests.PASSTHROUGH)

        self.assertEqual('passthrough', seen.mode)
        supported = host_kvm.ask().leaves
        has = {
            name
            for name, entry in _CATALOGUE.items()
            if entry.cpuid and cpuid.shows(supported, entry)
        }
        self.assertLessEqual(guests.BASELINE - {'spinlocks'}, has)
        self.assertEqual(has, seen.shown)


class ShownOnQEMUTest(_SeenCase):
    """On QEMU's emulator, which never shows a Hyper-V."""

    VIRT_TYPE = 'qemu'
    GUESTS = (guests.DEFAULT, guests.LINUX)

    def test_guest_reads_the_emulator(self):
        for guest in self.GUESTS:
            seen = self.get(guest)
            self.assertEqual({}, seen.on)
            self.assertEqual('TCGTCGTCGTCG', cpuid.vendor(seen.leaves))
            self.assertEqual(set(), seen.shown)
