# SPDX-License-Identifier: Apache-2.0

import functools
import itertools
import operator

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from tests.unit import base

ENTRIES = enlightenments.ENLIGHTENMENTS
EAX, EDX = model.Register.EAX, model.Register.EDX

# Measured in the lab: the leaves that a guest with the baseline set reads.
BASELINE = (
    (0x40000003, EAX, 0x0AFF),
    (0x40000003, EDX, 0x80108),
    (0x40000004, EAX, 0x0C2C),
)
# What QEMU sets whenever Hyper-V is on at all, and what vapic brings.
ALWAYS = {
    (0x40000003, EAX): 0x20,  # Hypercall MSRs
    (0x40000003, EDX): 0x8,  # dynamic partitioning
    (0x40000004, EAX): 0x8,  # MSRs are the recommended way to the APIC
}

# Measured in the lab: what KVM_GET_SUPPORTED_HV_CPUID of Debian's Linux 6.1
# answers on AMD.
KVM_AMD_6_1 = {
    (0x40000003, EAX): 0x00002AFF,
    (0x40000003, EDX): 0x00080D12,
    (0x40000004, EAX): 0x00040E2C,
    (0x4000000A, EAX): 0x00080000,
}
NOT_IN_KVM_AMD_6_1 = {'evmcs', 'tlbflush.direct', 'tlbflush.extended'}

# Two entries that share a bit: both pass sets of vCPUs (ExProcessorMasks).
SHARED = {frozenset(('tlbflush', 'ipi')): ((0x40000004, EAX, 1 << 11),)}


def shown(names):
    """Return the bits that these names show, by leaf and register."""
    bits = {}
    for name in names:
        for each in ENTRIES[name].cpuid:
            place = each.leaf, each.register
            bits[place] = bits.get(place, 0) | each.bits
    return bits


@ddt.ddt
class CpuidTestCase(base.TestCase):
    """The bits of the catalogue against those that were measured."""

    @ddt.unpack
    @ddt.data(*BASELINE)
    def test_baseline_as_measured(self, leaf, register, measured):
        bits = shown(profiles.PROFILES['baseline'].features)
        place = leaf, register
        self.assertEqual(hex(measured), hex(bits[place] | ALWAYS[place]))

    def test_baseline_shows_nothing_else(self):
        bits = shown(profiles.PROFILES['baseline'].features)
        self.assertEqual({(leaf, reg) for leaf, reg, _ in BASELINE}, set(bits))

    @ddt.data(*BASELINE)
    @ddt.unpack
    def test_always_belongs_to_no_entry(self, leaf, register, _measured):
        place = leaf, register
        self.assertEqual(0, shown(ENTRIES).get(place, 0) & ALWAYS[place])

    @ddt.data(*ENTRIES)
    def test_supported_as_measured(self, name):
        held = all(
            KVM_AMD_6_1.get(place, 0) & bits == bits
            for place, bits in shown([name]).items()
        )
        self.assertEqual(name not in NOT_IN_KVM_AMD_6_1, held)

    @ddt.data(*ENTRIES)
    def test_bits_fit(self, name):
        for each in ENTRIES[name].cpuid:
            self.assertIn(each.leaf, range(0x40000003, 0x4000000B))
            self.assertIn(each.bits, range(1, 1 << 32))
            leaf = f'0x{each.leaf:08X}'
            self.assertRegex(each.section, f'\\ATLFS, .* leaf {leaf}: ')

    @ddt.data(*ENTRIES)
    def test_bits_are_there(self, name):
        # A guest sees what has a value by the value.
        entry = ENTRIES[name]
        self.assertEqual(entry.value is None, bool(entry.cpuid))

    def test_bits_unique(self):
        shared = {}
        for one, other in itertools.combinations(ENTRIES, 2):
            first, second = shown([one]), shown([other])
            common = tuple(
                (*place, first[place] & second[place])
                for place in first.keys() & second.keys()
                if first[place] & second[place]
            )
            if common:
                shared[frozenset((one, other))] = common
        self.assertEqual(SHARED, shared)

    @ddt.data(*SHARED)
    def test_bits_shared_are_not_the_only_ones(self, pair):
        for name in pair:
            common = functools.reduce(
                operator.or_, (bits for _, _, bits in SHARED[pair])
            )
            self.assertTrue(
                any(bits & ~common for bits in shown([name]).values())
            )

    @ddt.unpack
    @ddt.data(('spinlocks', 0x40000004), ('vendor_id', 0x40000000))
    def test_value_leaf(self, name, leaf):
        self.assertEqual(leaf, ENTRIES[name].value.leaf)
