# SPDX-License-Identifier: Apache-2.0

"""The shapes of the catalogue's entries."""

import dataclasses
import enum
import re

#: A release as (major, minor, micro).
Version = tuple[int, int, int]
#: What the traits of all enlightenments begin with.
TRAIT_PREFIX = 'CUSTOM_HYPERV_'


def version_text(version: Version | None) -> str:
    """Return a version as people write it: ``9.0.0``, or ``unknown``."""
    if version is None:
        return 'unknown'
    return '.'.join(str(part) for part in version)


class Vendor(enum.Enum):
    """A maker of x86 processors, by the name that libvirt gives it."""

    INTEL = 'Intel'
    AMD = 'AMD'


class Register(enum.Enum):
    """A register that the CPUID instruction fills."""

    EAX = 'eax'
    EBX = 'ebx'
    ECX = 'ecx'
    EDX = 'edx'


class Hardware(enum.Enum):
    """What a processor and its kernel module must offer beside KVM."""

    #: The kvm module runs with nested virtualization.
    NESTED = 'nested virtualization'
    #: Interrupts are virtualized: APICv on Intel, AVIC on AMD.
    APIC = 'APIC virtualization (APICv or AVIC)'


class Severity(enum.Enum):
    """How bad it is, the worst first.

    :ivar word: what programs and ``--severity`` call it.
    :ivar text: what it means.
    """

    UNKNOWN = (
        'unknown',
        'It could not be read, so its state is not known. It is never hidden.',
    )
    BREAKS_GUEST = (
        'breaks-guest',
        'The guest does not start, stops, or goes wrong; or its next start, '
        'rebuild or resize is refused.',
    )
    BREAKS_MIGRATION = (
        'breaks-migration',
        'The guest cannot be live migrated, or not to every host that it '
        'could go to.',
    )
    COSTS_CPU = (
        'costs-cpu',
        'The guest takes more of the processors than it has to.',
    )
    NO_EFFECT = ('no-effect', 'Nothing that anybody would notice.')

    def __init__(self, word: str, text: str) -> None:
        self.word = word
        self.text = text

    def reaches(self, least: 'Severity') -> bool:
        """Whether it is as bad as another one, or worse."""
        order = list(Severity)
        return order.index(self) <= order.index(least)


class Placement(enum.Enum):
    """Where libvirt's domain XML holds an enlightenment."""

    #: A child of ``<features><hyperv>`` with a ``state`` attribute.
    FEATURE = 'feature'
    #: A ``<timer>`` of ``<clock>`` with a ``present`` attribute.
    TIMER = 'timer'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CpuidBits:
    """Bits that a guest sees once an enlightenment is on.

    :ivar leaf: CPUID function, 0x40000000 to 0x4000000A.
    :ivar register: the register that holds them.
    :ivar bits: mask of the bits; all of them are set.
    :ivar section: the section of the Hypervisor Top-Level Functional
        Specification (TLFS) that defines them.
    """

    leaf: int
    register: Register
    bits: int
    section: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """An attribute that an enlightenment carries beside its state.

    :ivar attribute: libvirt's attribute name.
    :ivar default: the value where nobody gives one.
    :ivar allowed: what is allowed, in words, for messages.
    :ivar leaf: CPUID function where a guest can read the value.
    :ivar ref: the source of these facts.
    """

    attribute: str
    default: str
    allowed: str
    leaf: int
    ref: str

    def check(self, text: str) -> str:
        """Return the value as libvirt wants it written.

        :raises ValueError: not an allowed value; the message is
            :attr:`allowed`.
        """
        raise NotImplementedError

    def needs_libvirt(self, text: str) -> Version | None:
        """Return the libvirt release from which on a value is taken."""
        return None

    def nearest(self, text: str, libvirt: Version | None) -> str:
        """Return the value that is nearest to one and that a libvirt takes.

        :param libvirt: its release, None where it is not known.
        """
        return text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class IntegerValue(Value):
    """A whole number.

    :ivar minimum: the least number allowed.
    :ivar maximum: the greatest number allowed.
    :ivar newer: the number from which on only newer releases of libvirt
        take it, and the first of them.
    """

    minimum: int
    maximum: int
    newer: tuple[int, Version] | None = None

    def check(self, text: str) -> str:
        """Return a decimal number within bounds, without leading zeros."""
        # ASCII digits only: int() alone would take '1_000' and other
        # alphabets' digits, which libvirt refuses.
        if not re.fullmatch('[0-9]{1,10}', text):
            raise ValueError(self.allowed)
        if not self.minimum <= int(text) <= self.maximum:
            raise ValueError(self.allowed)
        return str(int(text))

    def needs_libvirt(self, text: str) -> Version | None:
        if self.newer is None or int(text) < self.newer[0]:
            return None
        return self.newer[1]

    def nearest(self, text: str, libvirt: Version | None) -> str:
        needed = self.needs_libvirt(text)
        if self.newer is None or needed is None or libvirt is None:
            return text
        return text if libvirt >= needed else str(self.newer[0] - 1)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TextValue(Value):
    """Printable ASCII characters.

    :ivar max_length: the greatest number of characters.
    """

    max_length: int

    @property
    def pattern(self) -> str:
        """A regular expression that a whole value matches."""
        # A comma would end the property on QEMU's command line: libvirt's
        # schema forbids it.
        return rf'[ -+\--~]{{1,{self.max_length}}}'

    def check(self, text: str) -> str:
        """Return the text unchanged."""
        if not re.fullmatch(self.pattern, text):
            raise ValueError(self.allowed)
        return text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Enlightenment:
    """One paravirtual interface that QEMU/KVM can offer to Windows.

    :ivar name: libvirt's element name; a sub-element follows a dot.
    :ivar qemu_flag: the property of QEMU's ``-cpu``.
    :ivar kubevirt: where KubeVirt's ``hyperv``, or its ``timer``, holds it;
        None where KubeVirt does not know it.
    :ivar placement: where the domain XML holds it.
    :ivar min_libvirt: first libvirt release that knows it.
    :ivar min_qemu: first QEMU release that knows it.
    :ivar requires: names that QEMU, or the nesting of the XML, wants on.
    :ivar requires_on: further names, on hosts of one vendor only.
    :ivar vendors: the vendors that can have it; empty for all.
    :ivar hardware: what hosts of one vendor must offer for it.
    :ivar reported_always: KVM reports it whether or not the hardware can
        do it, so that only :attr:`hardware` tells.
    :ivar benefit_only: it serves nothing but that hardware: a guest that
        runs goes on with it where the hardware is missing, without the
        benefit.
    :ivar pins_tsc: it needs the guest's TSC frequency pinned, by libvirt's
        ``tsc`` timer.
    :ivar pit_inhibits: the vendors on whose hosts it has no effect as long as
        KVM makes up for lost ticks of the guest's PIT.
    :ivar cpuid: the bits that a guest sees.
    :ivar value: the attribute that it carries.
    :ivar summary: what it does for Windows.
    :ivar cost: what it costs Windows to do without it, to be read after a
        colon.
    :ivar severity: how bad that is.
    :ivar migration: what it means for live migration.
    :ivar since: the release of this plugin that brought the entry.
    :ivar ref: the sources of these facts.
    """

    name: str
    qemu_flag: str
    kubevirt: str | None = None
    placement: Placement = Placement.FEATURE
    min_libvirt: Version
    min_qemu: Version
    requires: tuple[str, ...] = ()
    requires_on: tuple[tuple[Vendor, tuple[str, ...]], ...] = ()
    vendors: tuple[Vendor, ...] = ()
    hardware: tuple[tuple[Vendor, Hardware], ...] = ()
    reported_always: bool = False
    benefit_only: bool = False
    pins_tsc: bool = False
    pit_inhibits: tuple[Vendor, ...] = ()
    cpuid: tuple[CpuidBits, ...] = ()
    value: Value | None = None
    summary: str
    cost: str
    severity: Severity = Severity.COSTS_CPU
    migration: str
    since: str
    ref: tuple[str, ...]

    @property
    def is_clock(self) -> bool:
        """Whether it is the clock that Windows reads."""
        return self.placement is Placement.TIMER

    @property
    def is_portable(self) -> bool:
        """Whether it needs no particular hardware."""
        return not (self.hardware or self.vendors or self.pins_tsc)

    @property
    def parent(self) -> str | None:
        """The element that a sub-element stands in, or None."""
        return self.name.partition('.')[0] if '.' in self.name else None

    @property
    def element(self) -> str:
        """The name of its own XML element or timer."""
        return self.name.rpartition('.')[2]

    @property
    def trait(self) -> str:
        """The trait in placement of hosts that offer it."""
        return TRAIT_PREFIX + self.name.upper().replace('.', '_')

    @property
    def nests(self) -> bool:
        """Whether it serves a Hyper-V inside the guest, and nothing else."""
        return Hardware.NESTED in dict(self.hardware).values()

    @property
    def value_name(self) -> str | None:
        """The name that flavors give the value: ``spinlocks.retries``."""
        if self.value is None:
            return None
        return f'{self.name}.{self.value.attribute}'

    def requirements(self, vendor: Vendor | None) -> tuple[str, ...]:
        """Return what must be on beside it on a vendor's hosts.

        :param vendor: the host's vendor, None where it is not known.
        """
        for on_vendor, features in self.requires_on:
            if on_vendor is vendor:
                return self.requires + features
        return self.requires
