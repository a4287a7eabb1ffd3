# SPDX-License-Identifier: Apache-2.0

"""Reports of the probe."""

from nova_hyperv_enlight.guest import cpuid

#: Recorded in the lab (tests/data/lab/README.rst): a guest with the baseline
#: profile, whose firmware wrote to the same port before it.
BASELINE = """\
SeaBIOS (version 1.16.2-debian-1.16.2-1)
Booting from Hard Disk...
00000001 00000663 00000800 80202001 178bfbfd
40000000 40000005 7263694d 666f736f 76482074
40000001 31237648 00000000 00000000 00000000
40000002 00003839 000a0000 00000000 00000000
40000003 00000aff 00000030 00000000 00080108
40000004 00000c2c 00001fff 00000000 00000000
40000005 00000001 00000040 00000000 00000000
end
"""  # noqa: W291

#: A guest of the same host without any enlightenment.
NONE = """\
40000000 40000001 4b4d564b 564b4d56 0000004d
40000001 01007efb 00000000 00000000 00000000
40000003 00000aff 00000030 00000000 00080108
end
"""  # noqa: W291


def report(*lines):
    """Return a report of these lines, as the probe ends it."""
    return '\r\n'.join([*lines, 'end', ''])


def line(leaf, *registers):
    """Return a line as the probe writes it."""
    numbers = (leaf, *registers, 0, 0, 0, 0)[:5]
    return ''.join(f'{number:08x} ' for number in numbers)


def leaves(*lines):
    """Return the leaves of such a report, as Hyper-V's."""
    hyperv = (
        line(0x40000000, 0x40000005, 0x7263694D, 0x666F736F, 0x76482074),
        line(0x40000001, 0x31237648),
    )
    return cpuid.parse(report(*hyperv, *lines))
