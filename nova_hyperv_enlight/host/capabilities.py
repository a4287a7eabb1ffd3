# SPDX-License-Identifier: Apache-2.0

"""What a host can deliver, and which source says so.

The sources are libvirt's domainCapabilities, the releases of libvirt and
QEMU, the kernel, and a guest that was started to be looked at.
"""

import collections.abc
import dataclasses
import enum
import typing

from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import kvm


class CapabilitySource(enum.Enum):
    """Who says whether a host offers an enlightenment."""

    VIRT_TYPE = 'virt_type'
    KVM = '/dev/kvm'
    SYSFS = '/sys'
    DOMCAPS = 'domcapabilities'
    VERSION = 'version'
    #: A guest that was started on the host to be looked at.
    GUEST = 'guest'
    #: The traits of a host's resource provider, which its plugin reported.
    PLACEMENT = 'placement'
    NONE = 'none'


#: The clocksources that are based on the TSC: Linux arch/x86/kernel/tsc.c and
#: drivers/clocksource/hyperv_timer.c.
TSC_CLOCKSOURCES = ('tsc', 'hyperv_clocksource_tsc_page')


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """Whether a host offers one enlightenment.

    :ivar name: the enlightenment.
    :ivar offered: None where no source could tell.
    :ivar source: who says so.
    :ivar evidence: what it says, to be read after the name.
    """

    name: str
    offered: bool | None
    source: CapabilitySource
    evidence: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All that the sources say of one kind of guest.

    :ivar virt_type: ``kvm``, ``qemu``...
    :ivar arch: the guest's architecture.
    :ivar machine: the guest's machine type, None for libvirt's default.
    :ivar libvirt: the running libvirt, None where it is not known.
    :ivar qemu: the installed QEMU, None where it is not known.
    :ivar domcaps: the domainCapabilities document; an empty one where it
        was not available.
    :ivar kernel: the kernel's facts; empty ones for another machine's.
    :ivar tsc_frequency: the host's TSC frequency in Hz, None where it is not
        known.
    :ivar tsc_scaling: whether the host scales the TSC to a guest's
        frequency, None where that is not known.
    :ivar not_shown: what was given to a guest on this host, and the guest
        was not shown; empty where no guest was asked.
    :ivar unasked: a sentence for each question that could not be asked.
    """

    virt_type: str
    arch: str
    machine: str | None = None
    libvirt: model.Version | None = None
    qemu: model.Version | None = None
    domcaps: domaincaps.DomainCapabilities = domaincaps.DomainCapabilities()
    kernel: kvm.KernelFacts = kvm.KernelFacts()
    tsc_frequency: int | None = None
    tsc_scaling: bool | None = None
    not_shown: frozenset[str] = frozenset()
    unasked: tuple[str, ...] = ()

    @property
    def vendor(self) -> model.Vendor | None:
        """The vendor of the processor, from whoever knows."""
        return self.kernel.vendor or self.domcaps.vendor

    @property
    def nested(self) -> bool | None:
        """Whether KVM nests, None where no source says so."""
        if self.kernel.nested is not None:
            return self.kernel.nested
        return self.domcaps.nested

    @property
    def slow_clock(self) -> str | None:
        """Say why a guest's look at its clock exits; None if nothing says so.

        KVM fills the guest's reference TSC page only where the kernel's own
        clock is the TSC, or the TSC page of a Hyper-V that the host runs on:
        Linux arch/x86/kvm/x86.c, gtod_is_based_on_tsc.
        """
        found = self.kernel.clocksource
        if found is None or found in TSC_CLOCKSOURCES:
            return None
        return (
            f"the host's clocksource is {found}, so each look of Windows at "
            'its clock exits'
        )

    @property
    def least_libvirt(self) -> model.Version:
        """The release of libvirt that is there at least.

        The running one where it is known; else what the document proves of
        its own age, and (0, 0, 0) where that is nothing.
        """
        return self.libvirt or self.domcaps.min_libvirt

    @property
    def libvirt_text(self) -> str:
        """The release of libvirt, as far as it is known, after "has"."""
        if self.libvirt is not None:
            return model.version_text(self.libvirt)
        if any(self.least_libvirt):
            return f'{model.version_text(self.least_libvirt)} or newer'
        return 'a libvirt of unknown release'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostCapabilities:
    """What a host offers to one kind of guest.

    :ivar sources: what it was concluded from.
    :ivar features: the capability of every name, in the catalogue's order.
    """

    sources: Sources
    features: typing.Mapping[str, Capability]

    @property
    def offered(self) -> frozenset[str]:
        """The names that the host offers."""
        return frozenset(
            name for name, each in self.features.items() if each.offered
        )

    @property
    def delivered(self) -> frozenset[str]:
        """The names that it offers with all that they require."""
        return graph.closed_part(
            self.offered, frozenset((self.sources.vendor,))
        )

    def __hash__(self) -> int:
        """Hash what tells most hosts apart, and is no mapping."""
        asked = self.sources
        return hash((asked.virt_type, asked.arch, asked.machine))


#: Returns what the host offers to an architecture, a machine type and a
#: virtualization type, as :meth:`.probe.Probe.capabilities` does.
CapabilitiesOf = collections.abc.Callable[
    [str, str | None, str], HostCapabilities
]
