# SPDX-License-Identifier: Apache-2.0

"""What a guest is really shown: a probe that runs in it, and its report.

The probe is a boot sector (``cpuid.S`` beside this file) that writes the
guest's CPUID leaves to its first serial port.
"""

import importlib.resources
import re
import struct

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import kvm

_VENDOR = 0x40000000
_INTERFACE = 0x40000001
# TLFS, Feature Discovery, leaf 0x40000001: "Hv#1".
_HYPERV = int.from_bytes(b'Hv#1', 'little')
_LINE = re.compile(' '.join(['([0-9a-f]{8})'] * 5))
_LAST = 'end'


def boot_sector() -> bytes:
    """Return the 512 bytes of the probe, for the start of a disk."""
    package = importlib.resources.files('nova_hyperv_enlight.guest')
    return package.joinpath('cpuid.bin').read_bytes()


def parse(text: str) -> kvm.Leaves:
    """Read what the probe wrote.

    Whatever the firmware wrote before it is passed over.

    :param text: all that came out of the serial port.
    :returns: the registers by leaf.
    :raises MalformedDocument: the report does not end.
    """
    leaves: kvm.Leaves = {}
    for line in text.splitlines():
        if line.strip() == _LAST:
            return leaves
        match = _LINE.match(line)
        if match is not None:
            leaf, *registers = (int(digits, 16) for digits in match.groups())
            leaves[leaf] = dict(zip(model.Register, registers, strict=True))
    raise exception.MalformedDocument(
        document="the probe's report",
        reason=f'it has {len(leaves)} leaves and no end',
    )


def vendor(leaves: kvm.Leaves) -> str:
    """Return the hypervisor's vendor as the guest reads it."""
    registers = leaves.get(_VENDOR, {})
    packed = struct.pack(
        '<3I',
        *(
            registers.get(register, 0)
            for register in (
                model.Register.EBX,
                model.Register.ECX,
                model.Register.EDX,
            )
        ),
    )
    return packed.decode('ascii', 'replace').rstrip('\0')


def shows_hyperv(leaves: kvm.Leaves) -> bool:
    """Whether the guest believes that it runs on Hyper-V.

    Where it does not, the other leaves hold another hypervisor's, or what
    the processor gives for leaves that it does not have.
    """
    interface = leaves.get(_INTERFACE, {}).get(model.Register.EAX)
    return interface == _HYPERV


def shows(
    leaves: kvm.Leaves, entry: model.Enlightenment, value: str | None = None
) -> bool:
    """Whether the guest is shown an enlightenment.

    :param leaves: what the probe read.
    :param entry: the enlightenment.
    :param value: the value that it is to carry.
    """
    if not shows_hyperv(leaves):
        return False
    for bits in entry.cpuid:
        shown = leaves.get(bits.leaf, {}).get(bits.register, 0)
        if shown & bits.bits != bits.bits:
            return False
    if entry.value is None:
        return True
    if isinstance(entry.value, model.IntegerValue):
        carried = leaves.get(entry.value.leaf, {}).get(model.Register.EBX)
        return value is not None and carried == int(value)
    return vendor(leaves) == value
