# SPDX-License-Identifier: Apache-2.0

"""Weigh what the sources say of a host.

Any of them can rule an enlightenment out; the most particular one that
speaks rules it in. A source that could not be asked says nothing: "unknown"
is not "no".
"""

import types

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps

_Source = capabilities.CapabilitySource
_X86 = ('x86_64', 'i686')


def _no(
    entry: model.Enlightenment, source: _Source, evidence: str
) -> capabilities.Capability:
    return capabilities.Capability(
        name=entry.name, offered=False, source=source, evidence=evidence
    )


def _yes(
    entry: model.Enlightenment, source: _Source, evidence: str
) -> capabilities.Capability:
    return capabilities.Capability(
        name=entry.name, offered=True, source=source, evidence=evidence
    )


def _by_virt_type(
    entry: model.Enlightenment, w: capabilities.Sources
) -> capabilities.Capability | None:
    if w.virt_type != 'kvm':
        return _no(
            entry,
            _Source.VIRT_TYPE,
            f'only KVM emulates Hyper-V, and virt_type is {w.virt_type}',
        )
    if w.arch not in _X86:
        return _no(
            entry,
            _Source.VIRT_TYPE,
            f'Hyper-V is emulated for x86 only, and the guest is {w.arch}',
        )
    return None


def _by_kernel(
    entry: model.Enlightenment, w: capabilities.Sources
) -> capabilities.Capability | None:
    """Let the kernel rule out: QEMU refuses what KVM does not support."""
    if w.kernel.hyperv is False:
        return _no(
            entry,
            _Source.KVM,
            "the host's KVM does not emulate Hyper-V (KVM_CAP_HYPERV is 0)",
        )
    if entry.placement is model.Placement.TIMER and w.kernel.time is False:
        return _no(
            entry,
            _Source.KVM,
            "the host's KVM has no reference clock (KVM_CAP_HYPERV_TIME is 0)",
        )
    missing = _missing_bits(entry, w)
    if missing:
        return _no(
            entry, _Source.KVM, f"the host's KVM does not support {missing}"
        )
    return None


def _missing_bits(
    entry: model.Enlightenment, w: capabilities.Sources
) -> str | None:
    if w.kernel.leaves is None:
        return None
    for bits in entry.cpuid:
        shown = w.kernel.leaves.get(bits.leaf, {}).get(bits.register, 0)
        if shown & bits.bits != bits.bits:
            return (
                f'CPUID {bits.leaf:#x} {bits.register.value.upper()} '
                f'{bits.bits:#x}'
            )
    return None


def too_old(
    entry: model.Enlightenment, sources: capabilities.Sources
) -> str | None:
    """Say which release is too old for an enlightenment.

    :returns: why, to be read after the name; None where no release is known
        to be too old.
    """
    for what, found, wanted in (
        ('libvirt', sources.libvirt, entry.min_libvirt),
        ('QEMU', sources.qemu, entry.min_qemu),
    ):
        if found is not None and found < wanted:
            return (
                f'it needs {what} {model.version_text(wanted)}, and the '
                f'host has {model.version_text(found)}'
            )
    return None


def _by_version(
    entry: model.Enlightenment, w: capabilities.Sources
) -> capabilities.Capability | None:
    """Let releases that are known to be too old rule out."""
    why = too_old(entry, w)
    return None if why is None else _no(entry, _Source.VERSION, why)


def _by_hardware(
    entry: model.Enlightenment, w: capabilities.Sources
) -> capabilities.Capability | None:
    """Let the processor and the parameters of its kvm module rule out."""
    if w.vendor is not None and entry.vendors:
        if w.vendor not in entry.vendors:
            only = ', '.join(vendor.value for vendor in entry.vendors)
            return _no(
                entry,
                _Source.SYSFS if w.kernel.vendor else _Source.DOMCAPS,
                f'only {only} processors have it, and the host is '
                f'{w.vendor.value}',
            )
    if not entry.hardware:
        return None
    needed = dict(entry.hardware).get(w.vendor) if w.vendor else None
    has = {
        model.Hardware.NESTED: w.nested,
        model.Hardware.APIC: w.kernel.apic,
        None: None,
    }[needed]
    if has is False and needed is not None:
        return _no(
            entry,
            _Source.SYSFS,
            f'it needs {needed.value}, which the host has switched off',
        )
    # What KVM reports only where the hardware can do it proves itself.
    asked = w.domcaps.features is not None or w.kernel.leaves is not None
    if has is None and (entry.reported_always or not asked):
        return _unknown(
            entry, f'whether the host has {_needs(entry)} could not be read'
        )
    return None


def _by_tsc(
    entry: model.Enlightenment, w: capabilities.Sources
) -> capabilities.Capability | None:
    if entry.pins_tsc and w.tsc_frequency is None:
        return _unknown(
            entry,
            'it needs a pinned TSC frequency, and libvirt does not report '
            'one for the host',
        )
    return None


def _by_guest(
    entry: model.Enlightenment, w: capabilities.Sources
) -> capabilities.Capability | None:
    """Let a guest rule out what it was given and did not see."""
    if entry.name in w.not_shown:
        return _no(entry, _Source.GUEST, 'not shown to a guest on this host')
    return None


def _needs(entry: model.Enlightenment) -> str:
    return ' or '.join(
        dict.fromkeys(hardware.value for _, hardware in entry.hardware)
    )


def _unknown(
    entry: model.Enlightenment, evidence: str
) -> capabilities.Capability:
    return capabilities.Capability(
        name=entry.name, offered=None, source=_Source.NONE, evidence=evidence
    )


def _by_domcaps(
    entry: model.Enlightenment, w: capabilities.Sources
) -> capabilities.Capability | None:
    caps = w.domcaps
    if caps.supported is False:
        return _no(
            entry, _Source.DOMCAPS, "libvirt says hyperv supported='no'"
        )
    if caps.features is None:
        return None
    # QEMU accepts names that carry only a value on any kernel; where none of
    # the others is listed, the kernel emulates nothing.
    proved = any(
        name in caps.features
        for name, other in enlightenments.ENLIGHTENMENTS.items()
        if other.cpuid
    )
    timer = entry.placement is model.Placement.TIMER
    if not proved and w.kernel.hyperv is None:
        return _no(
            entry,
            _Source.DOMCAPS,
            'libvirt lists nothing that the kernel emulates',
        )
    if entry.name in caps.features:
        return _yes(entry, _Source.DOMCAPS, 'libvirt lists it')
    default = dict(caps.defaults).get(entry.name)
    if default is not None:
        answer = _yes if default else _no
        return answer(
            entry,
            _Source.DOMCAPS,
            f'libvirt gives it as {"on" if default else "off"} by default',
        )
    if timer and proved and w.kernel.time is None:
        return _yes(
            entry,
            _Source.DOMCAPS,
            'libvirt lists what the kernel emulates beside it',
        )
    listed = entry.parent in caps.features if entry.parent else timer
    if listed or (w.qemu and w.qemu < domaincaps.COMPLETE_QEMU):
        return None
    return _no(
        entry, _Source.DOMCAPS, f'libvirt does not list {entry.parent or "it"}'
    )


def _by_releases(
    entry: model.Enlightenment, w: capabilities.Sources
) -> capabilities.Capability | None:
    """Rule in what no source ruled out: by the kernel, else by the releases.

    The releases speak for hosts whose libvirt does not enumerate, that is
    before 9.0. Of what its enumeration leaves out they speak only where it
    is older than the enumeration: all kernels under such a libvirt have had
    it for years (stimer.direct: Linux 5.0). They do not stand in for a
    document that should be there and is not.
    """
    libvirt = w.least_libvirt
    qemu = w.qemu or w.domcaps.min_qemu
    if libvirt < entry.min_libvirt or qemu < entry.min_qemu:
        return None
    if entry.cpuid and w.kernel.leaves is not None:
        return _yes(entry, _Source.KVM, "the host's KVM supports its CPUID")
    if not entry.cpuid and w.kernel.hyperv:
        return _yes(entry, _Source.KVM, "the host's KVM emulates Hyper-V")
    if entry.placement is model.Placement.TIMER and w.kernel.time:
        return _yes(entry, _Source.KVM, "the host's KVM has a reference clock")
    if not w.domcaps.known and libvirt >= domaincaps.FIRST_LIBVIRT:
        return None
    if entry.parent and entry.min_libvirt > domaincaps.FIRST_LIBVIRT:
        return None
    return _yes(
        entry,
        _Source.VERSION,
        f'libvirt {model.version_text(libvirt)} and QEMU '
        f'{model.version_text(qemu)} know it, and nothing says that the '
        'host lacks it',
    )


_CHECKS = (
    _by_virt_type,
    _by_kernel,
    _by_version,
    _by_hardware,
    _by_guest,
    _by_tsc,
    _by_domcaps,
    _by_releases,
)


def _evaluate(
    entry: model.Enlightenment, w: capabilities.Sources
) -> capabilities.Capability:
    for ask in _CHECKS:
        capability = ask(entry, w)
        if capability is not None:
            return capability
    return _unknown(entry, 'no source says whether the host has it')


def evaluate(sources: capabilities.Sources) -> capabilities.HostCapabilities:
    """Weigh what the sources say; pure and complete.

    :param sources: what each of them said.
    :returns: the capability of every name of the catalogue.
    """
    return capabilities.HostCapabilities(
        sources=sources,
        features=types.MappingProxyType(
            {
                name: _evaluate(entry, sources)
                for name, entry in enlightenments.ENLIGHTENMENTS.items()
            }
        ),
    )
