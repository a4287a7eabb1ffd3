# SPDX-License-Identifier: Apache-2.0
"""A guest to migrate: it reads its CPUID over and over."""

import dataclasses
import pathlib
import struct
import typing
import uuid

from lxml import etree

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.guest import cpuid
from nova_hyperv_enlight.guest import probe_domain
from nova_hyperv_enlight.guest import report

#: The hosts that it moves from and to, and where they are on their link.
ADDRESSES = {'source': '192.0.2.1', 'destination': '192.0.2.2'}
#: Where its files are, at the same path on both hosts.
PLACE = pathlib.Path('/run/migrate')
#: Nova pins it, too: a guest moves with the machine that it has.
MACHINE = 'pc-i440fx-7.2'
#: Its disk, by what it does beside reading its CPUID.
READS, REENLIGHTENS = 'reads', 'reenlightens'

# guest/cpuid.S: where it begins (movw $leaves, %si), and where it ends
# (hlt; jmp halt), which is three bytes, as a near jump is.
_BEGIN = b'\xbe'
_HALT = b'\xf4\xeb\xfd'
_SIGNATURE = b'\x55\xaa'
# TLFS: HV_X64_MSR_REENLIGHTENMENT_CONTROL, and its bit 16, Enabled.
_MSR = 0x40000106
_ENABLED = 1 << 16
_CPU = 'kvm64'
_DISK_BYTES = 1 << 20
_QEMU = 'http://libvirt.org/schemas/domain/qemu/1.0'
_END = '\nend\n'

Leaves = dict[str, list[str]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A guest.

    :ivar name: its name.
    :ivar selection: its enlightenments.
    :ivar unnamed: properties of QEMU's ``-cpu`` for those that this libvirt
        has no element for.
    :ivar disk: what it does.
    :ivar svm: its CPU shows AMD's virtualization.
    """

    name: str
    selection: selections.Selection
    unnamed: tuple[str, ...] = ()
    disk: str = READS
    svm: bool = False

    @property
    def serial(self) -> pathlib.Path:
        """The file that it writes."""
        return PLACE / f'{self.name}.serial'

    def document(self) -> str:
        """Return its document; the package writes the enlightenments."""
        question = probe_domain.from_selection(self.selection, machine=MACHINE)
        question = dataclasses.replace(
            question, parts=(*question.parts, self._cpu())
        )
        place = probe_domain.ProbeFiles(
            name=self.name,
            uuid=str(uuid.uuid4()),
            disk=str(PLACE / self.disk),
            serial=str(self.serial),
        )
        root = etree.fromstring(probe_domain.build(question, place))
        line = etree.SubElement(root, f'{{{_QEMU}}}commandline')
        for each in self.unnamed:
            for value in ('-global', f'{_CPU}-x86_64-cpu.{each}=on'):
                etree.SubElement(line, f'{{{_QEMU}}}arg', value=value)
        text: str = etree.tostring(root, encoding='unicode')
        return text

    def _cpu(self) -> etree._Element:
        cpu = etree.Element('cpu', mode='custom', match='exact')
        etree.SubElement(cpu, 'model', fallback='forbid').text = _CPU
        if self.svm:
            etree.SubElement(cpu, 'feature', policy='require', name='svm')
        return cpu


def _jump(place: int, target: int) -> bytes:
    """Return a jump from one place to another (jmp rel16)."""
    return b'\xe9' + struct.pack('<h', target - (place + 3))


def _sector(reenlightens: bool) -> bytes:
    """Return the package's own probe, but for what it does at its end."""
    sector = bytearray(cpuid.boot_sector())
    if sector.count(_HALT) != 1:
        raise ValueError('the probe does not halt as it did')
    begin, halt = sector.index(_BEGIN), sector.index(_HALT)
    if not reenlightens:
        sector[halt : halt + 3] = _jump(halt, begin)
        return bytes(sector)
    code = b''.join(
        (
            b'\x66\xb9' + struct.pack('<I', _MSR),  # movl $_MSR, %ecx
            b'\x66\xb8' + struct.pack('<I', _ENABLED),  # movl $..., %eax
            b'\x66\x31\xd2',  # xorl %edx, %edx
            b'\x0f\x30',  # wrmsr
        )
    )
    # Right before the signature.
    place = len(sector) - len(_SIGNATURE) - len(code) - 3
    code += _jump(place + len(code), begin)
    if any(sector[place - 4 : place + len(code)]):
        raise ValueError('the probe has no room left')
    sector[place : place + len(code)] = code
    sector[halt : halt + 3] = _jump(halt, place)
    return bytes(sector)


def write_disks() -> None:
    """Write the disks that guests boot from."""
    for name, reenlightens in ((READS, False), (REENLIGHTENS, True)):
        sector = _sector(reenlightens)
        (PLACE / name).write_bytes(sector.ljust(_DISK_BYTES, b'\0'))


def rounds(written: str) -> list[str]:
    """Return what a guest wrote, round by round.

    Of the first one the beginning may be missing, where the guest has come
    from elsewhere.
    """
    return written.replace('\r', '').split(_END)[:-1]


def read(one: str) -> Leaves:
    """Return the registers by leaf, as text.

    :raises GuestFailed: it is not a whole round.
    """
    leaves = report.read(f'{one}{_END}'.encode())
    return {
        f'{leaf:#x}': [f'{word:#010x}' for word in registers.values()]
        for leaf, registers in leaves.items()
    }


def distinct(some: typing.Iterable[str]) -> list[Leaves]:
    """Return what the guest read, once for all rounds that are alike."""
    return [read(one) for one in dict.fromkeys(some)]
