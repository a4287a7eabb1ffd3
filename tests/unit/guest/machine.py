# SPDX-License-Identifier: Apache-2.0

"""A libvirt whose guests write what a host's guests would read."""

import pathlib
import threading

from lxml import etree

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.guest import report

#: What other hypervisors' guests read.
KVM = {
    0x40000000: (0x40000001, 0x4B4D564B, 0x564B4D56, 0x4D),
    0x40000001: (0x01007EFB, 0, 0, 0),
}
_HYPERV = {
    0x40000000: (0x4000000A, 0x7263694D, 0x666F736F, 0x76482074),
    0x40000001: (0x31237648, 0, 0, 0),
}


class Refused(Exception):
    """As libvirt-python's libvirtError."""


def text_of(leaves):
    """Return the probe's report of some leaves; the others read zero."""
    lines = []
    for leaf in report.LEAVES:
        numbers = (leaf, *leaves.get(leaf, (0, 0, 0, 0)))
        lines.append(''.join(f'{number:08x} ' for number in numbers))
    return '\r\n'.join([*lines, 'end', ''])


def leaves_of(selection, shown=frozenset(enlightenments.ENLIGHTENMENTS)):
    """Return what a guest reads that was started with a selection.

    :param shown: what the host shows.
    """
    # QEMU shows a Hyper-V where any of these is on.
    if not shown or not selection.features - {'vendor_id'}:
        return dict(KVM)
    leaves = {leaf: list(numbers) for leaf, numbers in _HYPERV.items()}
    leaves[0x40000004] = [0, 0xFFFFFFFF, 0, 0]
    registers = list(model.Register)
    for name in selection.features & shown:
        for bits in enlightenments.ENLIGHTENMENTS[name].cpuid:
            numbers = leaves.setdefault(bits.leaf, [0, 0, 0, 0])
            numbers[registers.index(bits.register)] |= bits.bits
    values = dict(selection.values)
    if 'spinlocks' in selection.features & shown:
        leaves[0x40000004][1] = int(values['spinlocks.retries'])
    if 'vendor_id' in selection.features & shown:
        vendor = values['vendor_id.value'].encode().ljust(12, b'\0')
        leaves[0x40000000][1:] = [
            int.from_bytes(vendor[i : i + 4], 'little') for i in (0, 4, 8)
        ]
    return leaves


class Domain:
    """A guest.

    :ivar document: what it was made from.
    """

    def __init__(self, machine, document):
        self.document = document
        self.root = etree.fromstring(document)
        self.uuid = self.root.findtext('uuid')
        self.name = self.root.findtext('name')
        self._machine = machine

    @property
    def serial(self):
        source = self.root.find('devices/serial/source')
        return pathlib.Path(source.get('path'))

    @property
    def disk(self):
        return pathlib.Path(self.root.find('devices/disk/source').get('file'))

    def isActive(self):
        if self.uuid not in self._machine.running:
            raise Refused('Domain not found')
        return 1

    def destroy(self):
        if self._machine.stubborn:
            raise Refused('Failed to terminate process 7 with SIGKILL')
        self._machine.running.pop(self.uuid, None)

    def XMLDesc(self, flags=0):
        return self.document


class Machine:
    """A connection to a libvirt.

    :ivar shown: the names that guests are shown.
    :ivar refused: what QEMU says to a name.
    :ivar write: gets a started guest; writes its report.
    :ivar stubborn: guests cannot be destroyed.
    :ivar running: its guests by UUID.
    :ivar started: every guest that was started.
    :ivar most: how many guests there were at a time.
    """

    def __init__(self, uri='qemu:///system'):
        self.uri = uri
        self.shown = frozenset(enlightenments.ENLIGHTENMENTS)
        self.refused = {}
        self.write = self.write_report
        self.stubborn = False
        self.running = {}
        self.started = []
        self.flags = []
        self.most = 0
        self._lock = threading.Lock()

    def getURI(self):
        return self.uri

    def createXML(self, document, flags=0):
        guest = Domain(self, document)
        for name in sorted(hyperv.read(guest.root).features):
            if name in self.refused:
                raise Refused(self.refused[name])
        with self._lock:
            self.started.append(guest)
            self.flags.append(flags)
            self.running[guest.uuid] = guest
            self.most = max(self.most, len(self.running))
        self.write(guest)
        return guest

    def lookupByUUIDString(self, uuid):
        if uuid not in self.running:
            raise Refused('Domain not found')
        return self.running[uuid]

    def lookupByName(self, name):
        for guest in self.running.values():
            if guest.name == name:
                return guest
        raise Refused(f"no domain with matching name '{name}'")

    def write_report(self, guest):
        """Let a guest write what it is shown."""
        selection = hyperv.read(guest.root)
        self.write_text(guest, text_of(leaves_of(selection, self.shown)))

    @staticmethod
    def write_text(guest, text):
        """Let a guest write this; QEMU writes where libvirt tells it to."""
        # The file is the tool's own, made for the user it runs as.
        guest.serial.chmod(0o600)
        data = text if isinstance(text, bytes) else text.encode()
        guest.serial.write_bytes(data)
