# SPDX-License-Identifier: Apache-2.0

import re

import ddt
import hypothesis
from hypothesis import strategies

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import tlfs
from tests.unit import base

EAX, EBX, ECX, EDX = model.Register

# What KVM reports on an Intel host with nesting, every bit written down from
# the specification (arch/x86/kvm/hyperv.c, kvm_get_hv_cpuid).
INTEL = {
    'MaxLeaf': 0x40000082,
    'Vendor1': 0x756E694C,
    'Vendor2': 0x564B2078,
    'Vendor3': 0x7648204D,
    'Interface': 0x31237648,
    'BuildNumber': 14393,
    'MajorVersion': 10,
    'AccessVpRunTimeReg': 1,
    'AccessPartitionReferenceCounter': 1,
    'AccessSynicRegs': 1,
    'AccessSyntheticTimerRegs': 1,
    'AccessIntrCtrlRegs': 1,
    'AccessHypercallMsrs': 1,
    'AccessVpIndex': 1,
    'AccessResetReg': 1,
    'AccessPartitionReferenceTsc': 1,
    'AccessFrequencyRegs': 1,
    'AccessReenlightenmentControls': 1,
    'PostMessages': 1,
    'SignalEvents': 1,
    'Debugging': 1,
    'GuestDebugging': 1,
    'XmmRegistersForFastHypercall': 1,
    'TimerFrequenciesQuery': 1,
    'GuestCrashMsr': 1,
    'DebugMsr': 1,
    'ExtendedGvaRangesForFlush': 1,
    'DirectSyntheticTimers': 1,
    'HypercallForRemoteFlush': 1,
    'RelaxedTiming': 1,
    'DeprecateAutoEoi': 1,
    'SyntheticClusterIpi': 1,
    'ExProcessorMasks': 1,
    'EnlightenedVmcs': 1,
    'NoNonArchitecturalCoreSharing': 1,
    'SpinlockRetries': 0xFFF,
    'MaxVirtualProcessors': 4096,
    'MaxLogicalProcessors': 64,
    'EnlightenedVmcsLow': 1,
    'EnlightenedVmcsHigh': 1,
    'DirectVirtualFlush': 1,
    'EnlightenedMsrBitmap': 1,
    'EnlightenedVmcsPerfGlobalCtrl': 1,
    'DebuggerMaxLeaf': 0x40000082,
    'DebuggerVendor1': 0x7263694D,
    'DebuggerVendor2': 0x666F736F,
    'DebuggerVendor3': 0x53562074,
    'DebuggerInterface': 0x31235356,
    'AllowKernelDebugging': 1,
}
INTEL_LEAVES = {
    0x40000000: (0x40000082, 0x756E694C, 0x564B2078, 0x7648204D),
    0x40000001: (0x31237648, 0, 0, 0),
    0x40000002: (0x3839, 0x000A0000, 0, 0),
    0x40000003: (0x00002AFF, 0x00000830, 0, 0x00084D12),
    0x40000004: (0x00044E24, 0x00000FFF, 0, 0),
    0x40000005: (0x1000, 0x40, 0, 0),
    0x4000000A: (0x000A0101, 0x1, 0, 0),
    0x40000080: (0x40000082, 0x7263694D, 0x666F736F, 0x53562074),
    0x40000081: (0x31235356, 0, 0, 0),
    0x40000082: (0x2, 0, 0, 0),
}
# An AMD host has neither the enlightened VMCS nor what is about it.
AMD = {
    name: value
    for name, value in INTEL.items()
    if not name.startswith('EnlightenedVmcs')
}
AMD_LEAVES = {
    **INTEL_LEAVES,
    0x40000004: (0x00040E24, 0x00000FFF, 0, 0),
    0x4000000A: (0x000A0000, 0, 0, 0),
}
# What the guest of a lab's host read: tests/unit/guest/samples.py.
LAB = {
    'AccessVpRunTimeReg',
    'AccessPartitionReferenceCounter',
    'AccessSynicRegs',
    'AccessSyntheticTimerRegs',
    'AccessIntrCtrlRegs',
    'AccessHypercallMsrs',
    'AccessVpIndex',
    'AccessResetReg',
    'AccessPartitionReferenceTsc',
    'AccessFrequencyRegs',
    'PostMessages',
    'SignalEvents',
    'CpuDynamicPartitioning',
    'TimerFrequenciesQuery',
    'DirectSyntheticTimers',
}


def leaves_of(numbers):
    return {
        leaf: dict(zip(model.Register, registers, strict=True))
        for leaf, registers in numbers.items()
    }


def values_of(readings):
    return {reading.field.name: reading.value for reading in readings}


def without_zeros(leaves):
    return {
        (leaf, register): value
        for leaf, registers in leaves.items()
        for register, value in registers.items()
        if value
    }


@ddt.ddt
class TablesTestCase(base.TestCase):
    @ddt.data((INTEL, INTEL_LEAVES), (AMD, AMD_LEAVES))
    @ddt.unpack
    def test_decode(self, values, numbers):
        found = tlfs.decode(leaves_of(numbers))

        self.assertEqual(values, values_of(found))

    @ddt.data((INTEL, INTEL_LEAVES), (AMD, AMD_LEAVES))
    @ddt.unpack
    def test_encode(self, values, numbers):
        self.assertEqual(leaves_of(numbers), tlfs.encode(values))

    def test_decode_what_a_guest_read(self):
        leaves = leaves_of({0x40000003: (0xAFF, 0x30, 0, 0x80108)})

        self.assertEqual(dict.fromkeys(LAB, 1), values_of(tlfs.decode(leaves)))

    def test_encode_refuses(self):
        self.assertRaises(KeyError, tlfs.encode, {'NoSuchField': 1})
        self.assertRaises(ValueError, tlfs.encode, {'RelaxedTiming': 2})
        self.assertRaises(ValueError, tlfs.encode, {'MaxLeaf': 1 << 32})
        self.assertRaises(ValueError, tlfs.encode, {'MaxLeaf': -1})

    def test_a_bit_that_nobody_documents(self):
        leaves = {0x40000003: {EDX: 1 << 31, ECX: 1}, 0x40000007: {EAX: 1}}

        found = tlfs.decode(leaves)

        self.assertEqual(
            {'Reserved.40000003.ecx.0': 1, 'Reserved.40000003.edx.31': 1},
            values_of(found),
        )

    def test_text(self):
        found = {
            each.field.name: each.text
            for each in tlfs.decode(leaves_of(INTEL_LEAVES))
        }

        self.assertEqual("'Hv#1'", found['Interface'])
        self.assertEqual("'M Hv'", found['Vendor3'])
        self.assertEqual('1', found['RelaxedTiming'])
        self.assertEqual('0xfff', found['SpinlockRetries'])

    def test_name_bits(self):
        self.assertEqual(
            'HypercallForRemoteFlush ExProcessorMasks',
            tlfs.name_bits(0x40000004, EAX, 0x804),
        )


@ddt.ddt
class FieldsTestCase(base.TestCase):
    def test_names(self):
        names = [field.name for field in tlfs.FIELDS]

        self.assertEqual(len(names), len(set(names)))
        for name in names:
            self.assertRegex(name, '^[A-Z][A-Za-z]+[1-3]?$')

    def test_no_bit_twice(self):
        seen = {}
        for field in tlfs.FIELDS:
            place = (field.leaf, field.register)
            self.assertEqual(0, seen.get(place, 0) & field.mask, field.name)
            self.assertLess(field.mask, 1 << 32)
            seen[place] = seen.get(place, 0) | field.mask

    def test_every_field_has_its_section(self):
        for field in tlfs.FIELDS:
            leaf = re.search('leaf (0x[0-9A-F]+)', field.section)
            if leaf is None:
                self.assertRegex(field.section, '^Linux arch/x86/')
            else:
                self.assertEqual(field.leaf, int(leaf[1], 16))

    def test_the_catalogue_speaks_of_documented_bits(self):
        documented = {
            (field.leaf, field.register, field.section, 1 << field.shift)
            for field in tlfs.FIELDS
            if field.width == 1
        }
        for entry in enlightenments.ENLIGHTENMENTS.values():
            for bits in entry.cpuid:
                for bit in range(32):
                    if bits.bits >> bit & 1:
                        self.assertIn(
                            (bits.leaf, bits.register, bits.section, 1 << bit),
                            documented,
                            entry.name,
                        )

    @ddt.data(('RelaxedTiming', '5'), ('MajorVersion', '31-16'))
    @ddt.unpack
    def test_bits(self, name, bits):
        (field,) = (each for each in tlfs.FIELDS if each.name == name)

        self.assertEqual(bits, field.bits)


NUMBERS = strategies.integers(0, 0xFFFFFFFF)
DOCUMENTED = {field.name: field for field in tlfs.FIELDS}
# A busy machine is no failure.
AT_LEISURE = hypothesis.settings(
    database=None, deadline=None, derandomize=True
)


class RoundTripTestCase(base.TestCase):
    @AT_LEISURE
    @hypothesis.given(
        strategies.dictionaries(
            strategies.sampled_from([each.leaf for each in tlfs.FIELDS]),
            strategies.dictionaries(
                strategies.sampled_from(list(model.Register)), NUMBERS
            ),
        )
    )
    def test_nothing_is_lost(self, leaves):
        found = {}
        for reading in tlfs.decode(leaves):
            place = (reading.field.leaf, reading.field.register)
            value = reading.value << reading.field.shift
            self.assertEqual(0, found.get(place, 0) & value)
            found[place] = found.get(place, 0) | value

        self.assertEqual(without_zeros(leaves), found)

    @AT_LEISURE
    @hypothesis.given(
        strategies.dictionaries(
            strategies.sampled_from(sorted(DOCUMENTED)), NUMBERS
        )
    )
    def test_decode_what_was_encoded(self, values):
        values = {
            name: value & (1 << DOCUMENTED[name].width) - 1
            for name, value in values.items()
        }

        found = values_of(tlfs.decode(tlfs.encode(values)))

        self.assertEqual(
            {name: value for name, value in values.items() if value}, found
        )
