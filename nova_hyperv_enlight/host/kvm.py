# SPDX-License-Identifier: Apache-2.0

"""What the kernel of this machine says: /dev/kvm and /sys/module.

The only module of the package that touches either. A question that cannot
be asked is answered None, never no, and its reason is kept.
"""

import dataclasses
import errno
import fcntl
import os
import pathlib
import struct

from nova_hyperv_enlight.catalogue import model

# Linux include/uapi/linux/kvm.h
_KVM_CHECK_EXTENSION = 0xAE03
_KVM_GET_SUPPORTED_HV_CPUID = 0xC008AEC1
_KVM_CAP_HYPERV = 44
_KVM_CAP_HYPERV_TIME = 96
_KVM_CAP_SYS_HYPERV_CPUID = 191

#: struct kvm_cpuid2: nent, padding
_HEADER = struct.Struct('=II')
#: struct kvm_cpuid_entry2: function, index, flags, eax, ebx, ecx, edx,
#: padding[3]
_ENTRY = struct.Struct('=10I')
# KVM answers with 10 leaves; with too little room it answers E2BIG.
_MAX_ENTRIES = 64

#: Where the kernel module of a vendor says whether interrupts are
#: virtualized. Both modules have a parameter 'nested'.
_APIC_PARAMETER = {
    model.Vendor.INTEL: ('kvm_intel', 'enable_apicv'),
    model.Vendor.AMD: ('kvm_amd', 'avic'),
}

#: CPUID registers by leaf.
Leaves = dict[int, dict[model.Register, int]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KernelFacts:
    """What the kernel offers; None where it could not be asked.

    :ivar hyperv: KVM emulates Hyper-V (KVM_CAP_HYPERV).
    :ivar time: KVM has the reference clock (KVM_CAP_HYPERV_TIME).
    :ivar leaves: the Hyper-V CPUID leaves that KVM supports
        (KVM_GET_SUPPORTED_HV_CPUID, Linux 5.11 on).
    :ivar vendor: the vendor whose kvm module is loaded.
    :ivar nested: its parameter ``nested``.
    :ivar apic: its parameter ``enable_apicv`` or ``avic``.
    :ivar clocksource: the clocksource that the kernel runs on.
    :ivar unasked: a sentence for each question that could not be asked.
    """

    hyperv: bool | None = None
    time: bool | None = None
    leaves: Leaves | None = None
    vendor: model.Vendor | None = None
    nested: bool | None = None
    apic: bool | None = None
    clocksource: str | None = None
    unasked: tuple[str, ...] = ()


def _supported_leaves(kvm: int) -> Leaves:
    """Ask KVM_GET_SUPPORTED_HV_CPUID on an open /dev/kvm."""
    buffer = bytearray(_HEADER.size + _MAX_ENTRIES * _ENTRY.size)
    _HEADER.pack_into(buffer, 0, _MAX_ENTRIES, 0)
    fcntl.ioctl(kvm, _KVM_GET_SUPPORTED_HV_CPUID, buffer, True)
    count, _ = _HEADER.unpack_from(buffer)
    leaves: Leaves = {}
    for position in range(min(count, _MAX_ENTRIES)):
        entry = _ENTRY.unpack_from(
            buffer, _HEADER.size + position * _ENTRY.size
        )
        leaves[entry[0]] = dict(zip(model.Register, entry[3:7], strict=True))
    return leaves


def _ask_device(path: str) -> KernelFacts:
    # Read-only is enough: no VM is made. Should it be a pipe, to open it must
    # not wait for a writer.
    kvm = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def has(capability: int) -> bool:
        return fcntl.ioctl(kvm, _KVM_CHECK_EXTENSION, capability) > 0

    try:
        leaves, unasked = None, []
        try:
            if has(_KVM_CAP_SYS_HYPERV_CPUID):
                leaves = _supported_leaves(kvm)
        except OSError as err:
            unasked.append(
                f'{path} does not tell its Hyper-V CPUID: {_why(err)}'
            )
        return KernelFacts(
            hyperv=has(_KVM_CAP_HYPERV),
            time=has(_KVM_CAP_HYPERV_TIME),
            leaves=leaves,
            unasked=tuple(unasked),
        )
    finally:
        os.close(kvm)


def _is_loaded(sysfs: str, module: str) -> bool:
    try:
        return pathlib.Path(sysfs, 'module', module).is_dir()
    except OSError:
        # The one that cannot be seen cannot be asked either.
        return False


def _ask_parameter(
    sysfs: str, module: str, parameter: str
) -> tuple[bool | None, str | None]:
    """Read a boolean parameter of a kernel module.

    :returns: the answer, and why there is none.
    """
    path = pathlib.Path(sysfs, 'module', module, 'parameters', parameter)
    try:
        text = path.read_text(encoding='ascii').strip()
    except (OSError, ValueError) as err:
        return None, f'{path} cannot be read: {_why(err)}'
    # The kernel writes a bool parameter as Y or N; kvm_amd's were integers.
    if text in ('Y', '1'):
        return True, None
    if text in ('N', '0'):
        return False, None
    return None, f'{path} holds {text[:32]!r}, not a boolean'


def _why(err: Exception) -> str:
    return getattr(err, 'strerror', None) or str(err)


def ask(device: str = '/dev/kvm', sysfs: str = '/sys') -> KernelFacts:
    """Ask the kernel of this machine.

    Never raises for a host that cannot be asked.

    :param device: the KVM device.
    :param sysfs: where sysfs is mounted.
    """
    unasked: list[str] = []
    facts = KernelFacts()
    try:
        facts = _ask_device(device)
        unasked += facts.unasked
    except OSError as err:
        if err.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
            unasked.append(f'{device} is not there: {_why(err)}')
        else:
            unasked.append(f'{device} cannot be asked: {_why(err)}')
    facts = dataclasses.replace(
        facts,
        clocksource=_read(
            sysfs,
            'devices/system/clocksource/clocksource0/current_clocksource',
        ),
    )
    if facts.hyperv is False:
        # Nothing that the kvm modules could add would change the answer.
        return dataclasses.replace(facts, unasked=tuple(unasked))
    vendor = nested = apic = None
    for candidate, (module, parameter) in _APIC_PARAMETER.items():
        if _is_loaded(sysfs, module):
            vendor = candidate
            nested, why_nested = _ask_parameter(sysfs, module, 'nested')
            apic, why_apic = _ask_parameter(sysfs, module, parameter)
            unasked += [why for why in (why_nested, why_apic) if why]
            break
    else:
        unasked.append(
            f'neither kvm_intel nor kvm_amd is in {sysfs}/module: no answer '
            'on nested virtualization and APIC virtualization'
        )
    return dataclasses.replace(
        facts, vendor=vendor, nested=nested, apic=apic, unasked=tuple(unasked)
    )


def microcode(sysfs: str = '/sys') -> str | None:
    """Return the release of the processor's microcode, None if unknown.

    :param sysfs: where sysfs is mounted.
    """
    return _read(sysfs, 'devices/system/cpu/cpu0/microcode/version')


def _read(sysfs: str, path: str) -> str | None:
    """Return the one line of a file, None where it cannot be read."""
    try:
        text = pathlib.Path(sysfs, path).read_text(encoding='ascii')
    except (OSError, ValueError):
        return None
    return text.strip() or None
