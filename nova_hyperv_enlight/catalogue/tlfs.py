# SPDX-License-Identifier: Apache-2.0

"""What each bit of the Hyper-V CPUID leaves means.

After Microsoft's Hypervisor Top-Level Functional Specification (TLFS), the
chapter Feature and Interface Discovery; what that does not document, and
KVM shows all the same, after Linux.
"""

import dataclasses
import typing

from nova_hyperv_enlight.catalogue import model

_EAX = model.Register.EAX
_EBX = model.Register.EBX
_ECX = model.Register.ECX
_EDX = model.Register.EDX

_TLFS = 'TLFS, Feature Discovery, leaf '
_SYNDBG = 'Linux arch/x86/kvm/hyperv.h: synthetic debugger'
_LINUX_NESTED = 'Linux arch/x86/include/asm/hyperv-tlfs.h: nested features'

#: The registers that a guest reads, by leaf.
Leaves = typing.Mapping[int, typing.Mapping[model.Register, int]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Some bits of a register that mean something together.

    :ivar leaf: CPUID function.
    :ivar register: the register that holds them.
    :ivar shift: the lowest of them.
    :ivar width: how many there are.
    :ivar name: what they are called; no two fields have the same name.
    :ivar section: where they are documented.
    :ivar is_text: they are characters, the lowest byte first.
    """

    leaf: int
    register: model.Register
    shift: int = 0
    width: int = 32
    name: str
    section: str
    is_text: bool = False

    @property
    def mask(self) -> int:
        """The bits, where they stand in the register."""
        return (1 << self.width) - 1 << self.shift

    @property
    def bits(self) -> str:
        """The bits, as the specification writes them: ``5``, ``31-16``."""
        if self.width == 1:
            return str(self.shift)
        return f'{self.shift + self.width - 1}-{self.shift}'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a guest reads of one field.

    :ivar field: the field.
    :ivar value: its bits as a number.
    """

    field: Field
    value: int

    @property
    def text(self) -> str:
        """The value, for people."""
        if self.field.is_text:
            packed = self.value.to_bytes(4, 'little').rstrip(b'\0')
            return repr(packed.decode('ascii', 'replace'))
        return str(self.value) if self.field.width == 1 else f'{self.value:#x}'


def _flags(
    leaf: int, register: model.Register, section: str, names: dict[int, str]
) -> list[Field]:
    return [
        Field(
            leaf=leaf,
            register=register,
            shift=bit,
            width=1,
            name=name,
            section=section,
        )
        for bit, name in names.items()
    ]


def _signature(leaf: int, section: str, name: str) -> list[Field]:
    return [
        Field(
            leaf=leaf,
            register=register,
            name=f'{name}{number}',
            section=section,
            is_text=True,
        )
        for number, register in enumerate((_EBX, _ECX, _EDX), 1)
    ]


def _number(
    leaf: int,
    register: model.Register,
    name: str,
    section: str,
    shift: int = 0,
    width: int = 32,
) -> Field:
    return Field(
        leaf=leaf,
        register=register,
        shift=shift,
        width=width,
        name=name,
        section=section,
    )


_RANGE = _TLFS + '0x40000000: leaf range'
_INTERFACE = _TLFS + '0x40000001: interface identification'
_IDENTITY = _TLFS + '0x40000002: system identity'
_PRIVILEGES = _TLFS + '0x40000003: partition privilege mask'
_FEATURES = _TLFS + '0x40000003: hypervisor features'
_HINTS = _TLFS + '0x40000004: implementation recommendations'
_LIMITS = _TLFS + '0x40000005: implementation limits'
_HARDWARE = _TLFS + '0x40000006: implementation hardware features'
_WHEN_NESTED = _TLFS + '0x40000009: nested hypervisor features'
_NESTED = _TLFS + '0x4000000A: nested hypervisor features'

_ACCESS = {
    0: 'AccessVpRunTimeReg',
    1: 'AccessPartitionReferenceCounter',
    2: 'AccessSynicRegs',
    3: 'AccessSyntheticTimerRegs',
    4: 'AccessIntrCtrlRegs',
    5: 'AccessHypercallMsrs',
    6: 'AccessVpIndex',
    7: 'AccessResetReg',
    8: 'AccessStatsReg',
    9: 'AccessPartitionReferenceTsc',
    10: 'AccessGuestIdleReg',
    11: 'AccessFrequencyRegs',
    12: 'AccessDebugRegs',
    13: 'AccessReenlightenmentControls',
}
_HYPERCALLS = {
    0: 'CreatePartitions',
    1: 'AccessPartitionId',
    2: 'AccessMemoryPool',
    4: 'PostMessages',
    5: 'SignalEvents',
    6: 'CreatePort',
    7: 'ConnectPort',
    8: 'AccessStats',
    11: 'Debugging',
    12: 'CpuManagement',
    16: 'AccessVSM',
    17: 'AccessVpRegisters',
    20: 'EnableExtendedHypercalls',
    21: 'StartVirtualProcessor',
}
_AVAILABLE = {
    0: 'Mwait',
    1: 'GuestDebugging',
    2: 'PerformanceMonitor',
    3: 'CpuDynamicPartitioning',
    4: 'XmmRegistersForFastHypercall',
    5: 'GuestIdleState',
    6: 'HypervisorSleepState',
    7: 'NumaDistanceQuery',
    8: 'TimerFrequenciesQuery',
    9: 'SyntheticMachineCheck',
    10: 'GuestCrashMsr',
    11: 'DebugMsr',
    12: 'Npiep',
    13: 'DisableHypervisor',
    14: 'ExtendedGvaRangesForFlush',
    15: 'FastHypercallOutput',
    17: 'SintPollingMode',
    18: 'HypercallMsrLock',
    19: 'DirectSyntheticTimers',
    20: 'VsmPatRegister',
    21: 'VsmBndcfgsRegister',
    23: 'SyntheticTimeUnhaltedTimer',
    26: 'LastBranchRecord',
}
_RECOMMENDED = {
    0: 'HypercallForAddressSpaceSwitch',
    1: 'HypercallForLocalFlush',
    2: 'HypercallForRemoteFlush',
    3: 'MsrsForApic',
    4: 'MsrForReset',
    5: 'RelaxedTiming',
    6: 'DmaRemapping',
    7: 'InterruptRemapping',
    9: 'DeprecateAutoEoi',
    10: 'SyntheticClusterIpi',
    11: 'ExProcessorMasks',
    12: 'NestedInHyperV',
    13: 'IntForMbecSystemCalls',
    14: 'EnlightenedVmcs',
    15: 'SyncedTimeline',
    17: 'DirectLocalFlushEntire',
    18: 'NoNonArchitecturalCoreSharing',
}
_DETECTED = {
    0: 'ApicOverlayAssistInUse',
    1: 'MsrBitmapsInUse',
    2: 'PerformanceCountersInUse',
    3: 'SecondLevelTranslationInUse',
    4: 'DmaRemappingInUse',
    5: 'InterruptRemappingInUse',
    6: 'MemoryPatrolScrubber',
    7: 'DmaProtectionInUse',
    8: 'HpetRequested',
    9: 'SyntheticTimersVolatile',
}

#: Every documented field, in the order of leaves, registers and bits.
FIELDS = (
    _number(0x40000000, _EAX, 'MaxLeaf', _RANGE),
    *_signature(0x40000000, _RANGE, 'Vendor'),
    Field(
        leaf=0x40000001,
        register=_EAX,
        name='Interface',
        section=_INTERFACE,
        is_text=True,
    ),
    _number(0x40000002, _EAX, 'BuildNumber', _IDENTITY),
    _number(0x40000002, _EBX, 'MinorVersion', _IDENTITY, 0, 16),
    _number(0x40000002, _EBX, 'MajorVersion', _IDENTITY, 16, 16),
    _number(0x40000002, _ECX, 'ServicePack', _IDENTITY),
    _number(0x40000002, _EDX, 'ServiceNumber', _IDENTITY, 0, 24),
    _number(0x40000002, _EDX, 'ServiceBranch', _IDENTITY, 24, 8),
    *_flags(0x40000003, _EAX, _PRIVILEGES, _ACCESS),
    *_flags(0x40000003, _EBX, _PRIVILEGES, _HYPERCALLS),
    *_flags(0x40000003, _EDX, _FEATURES, _AVAILABLE),
    *_flags(0x40000004, _EAX, _HINTS, _RECOMMENDED),
    _number(0x40000004, _EBX, 'SpinlockRetries', _HINTS),
    _number(0x40000004, _ECX, 'PhysicalAddressBits', _HINTS, 0, 7),
    _number(0x40000005, _EAX, 'MaxVirtualProcessors', _LIMITS),
    _number(0x40000005, _EBX, 'MaxLogicalProcessors', _LIMITS),
    _number(0x40000005, _ECX, 'MaxInterruptVectors', _LIMITS),
    *_flags(0x40000006, _EAX, _HARDWARE, _DETECTED),
    *_flags(
        0x40000009,
        _EAX,
        _WHEN_NESTED,
        {
            2: 'NestedAccessSynicRegs',
            4: 'NestedAccessIntrCtrlRegs',
            5: 'NestedAccessHypercallMsrs',
            6: 'NestedAccessVpIndex',
            12: 'NestedAccessReenlightenmentControls',
        },
    ),
    *_flags(
        0x40000009,
        _EDX,
        _WHEN_NESTED,
        {
            4: 'NestedXmmRegistersForFastHypercall',
            15: 'NestedFastHypercallOutput',
            17: 'NestedSintPollingMode',
        },
    ),
    _number(0x4000000A, _EAX, 'EnlightenedVmcsLow', _NESTED, 0, 8),
    _number(0x4000000A, _EAX, 'EnlightenedVmcsHigh', _NESTED, 8, 8),
    *_flags(
        0x4000000A,
        _EAX,
        _NESTED,
        {
            17: 'DirectVirtualFlush',
            18: 'GuestPhysicalAddressSpaceFlush',
            19: 'EnlightenedMsrBitmap',
            20: 'VirtualizationExceptionInPageFault',
        },
    ),
    *_flags(0x4000000A, _EAX, _LINUX_NESTED, {22: 'EnlightenedTlb'}),
    *_flags(
        0x4000000A, _EBX, _LINUX_NESTED, {0: 'EnlightenedVmcsPerfGlobalCtrl'}
    ),
    _number(0x40000080, _EAX, 'DebuggerMaxLeaf', _SYNDBG),
    *_signature(0x40000080, _SYNDBG, 'DebuggerVendor'),
    Field(
        leaf=0x40000081,
        register=_EAX,
        name='DebuggerInterface',
        section=_SYNDBG,
        is_text=True,
    ),
    *_flags(0x40000082, _EAX, _SYNDBG, {1: 'AllowKernelDebugging'}),
)

_BY_NAME = {field.name: field for field in FIELDS}
_LEAVES = tuple(dict.fromkeys(field.leaf for field in FIELDS))


def _reserved(leaf: int, register: model.Register, bit: int) -> Field:
    return Field(
        leaf=leaf,
        register=register,
        shift=bit,
        width=1,
        name=f'Reserved.{leaf:x}.{register.value}.{bit}',
        section='not documented',
    )


def decode(leaves: Leaves) -> tuple[Reading, ...]:
    """Name what is not zero in the Hyper-V leaves.

    Bits that nobody documents are there too, each under a name that says
    where it is.

    :param leaves: what a guest reads, or KVM supports.
    """
    readings = []
    for leaf in _LEAVES:
        for register in model.Register:
            rest = leaves.get(leaf, {}).get(register, 0)
            for field in FIELDS:
                if (field.leaf, field.register) == (leaf, register):
                    value = (rest & field.mask) >> field.shift
                    rest &= ~field.mask
                    if value:
                        readings.append(Reading(field=field, value=value))
            readings += [
                Reading(field=_reserved(leaf, register, bit), value=1)
                for bit in range(32)
                if rest >> bit & 1
            ]
    return tuple(readings)


def encode(
    values: typing.Mapping[str, int],
) -> dict[int, dict[model.Register, int]]:
    """Return the leaves in which the named fields have these values.

    :param values: numbers by the names of documented fields.
    :raises KeyError: no field has that name.
    :raises ValueError: a value does not fit its field.
    """
    leaves: dict[int, dict[model.Register, int]] = {}
    for name, value in values.items():
        field = _BY_NAME[name]
        if value < 0 or value >> field.width:
            raise ValueError(f'{name} has {field.width} bits, not {value:#x}')
        registers = leaves.setdefault(
            field.leaf, dict.fromkeys(model.Register, 0)
        )
        registers[field.register] |= value << field.shift
    return leaves


def name_bits(leaf: int, register: model.Register, bits: int) -> str:
    """Return the names of some bits of a register, for people."""
    return ' '.join(
        reading.field.name for reading in decode({leaf: {register: bits}})
    )
