# SPDX-License-Identifier: Apache-2.0

"""The probe's report, read from a serial port that may hold anything."""

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import cpuid
from nova_hyperv_enlight.host import kvm

#: The leaves that the probe writes, in its order: ``cpuid.S``.
LEAVES = (
    0x00000001,
    *range(0x40000000, 0x4000000B),
    *range(0x40000080, 0x40000083),
    0x40000100,
    0x40000101,
)
#: More than the probe and any firmware before it write.
MAX_BYTES = 1 << 16

# How much of what cannot be read is quoted.
_QUOTED = 60


def is_complete(received: bytes) -> bool:
    """Whether it is worth reading: no more is to come, or too much came.

    :param received: what came out of the serial port so far.
    """
    lines = received.replace(b'\r', b'').split(b'\n')
    return len(received) > MAX_BYTES or b'end' in lines[:-1]


def read(received: bytes) -> kvm.Leaves:
    """Return the registers by leaf.

    :param received: all that came out of the serial port.
    :raises GuestFailed: it is not the probe's whole report.
    """
    if len(received) > MAX_BYTES:
        raise exception.GuestFailed(
            reason=f'it wrote more than {MAX_BYTES} bytes, not a report'
        )
    text = received.decode('ascii', 'replace')
    try:
        leaves = cpuid.parse(text)
    except exception.MalformedDocument as err:
        raise exception.GuestFailed(reason=err) from err
    missing = [f'{leaf:#x}' for leaf in LEAVES if leaf not in leaves]
    if missing:
        raise exception.GuestFailed(
            reason=f'its report lacks the leaves {", ".join(missing)}'
        )
    return leaves


def describe(received: bytes) -> str:
    """Return what there is of a report, for messages."""
    if not received:
        return 'it wrote nothing'
    last = received[-_QUOTED:].decode('ascii', 'backslashreplace')
    return f'it wrote {len(received)} bytes, at last {last!r}'
