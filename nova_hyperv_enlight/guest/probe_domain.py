# SPDX-License-Identifier: Apache-2.0

"""The guest that the probe boots in: its domain, made from nothing.

It has the CPU, the features and the clock in question and nothing else of
anybody's guest: no network, no graphics, no disk but the probe's.
"""

import copy
import dataclasses

from lxml import etree

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight.domxml import hyperv

#: What the names of all such guests begin with.
PREFIX = 'nova-hyperv-enlight-verify-'
#: The least that firmware and probe are at ease with.
_MEMORY_MIB = 16

# The features that shape what a guest reads by CPUID, or whether QEMU takes
# the enlightenments. What needs firmware or devices of its own is left out.
_FEATURES = ('acpi', 'apic', 'hap', 'hyperv', 'ioapic', 'kvm', 'pae', 'pmu')
# They belong to the number of vCPUs and the memory, and this guest has its
# own: https://libvirt.org/formatdomain.html#cpu-model-and-topology
_CPU_SHAPE = ('topology', 'numa')


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a guest is started with.

    :ivar selection: the enlightenments that are asked for.
    :ivar parts: the elements ``<features>``, ``<cpu>`` and ``<clock>``, as
        far as there are any; they are not changed.
    :ivar virt_type: ``kvm`` or ``qemu``.
    :ivar arch: the guest's architecture.
    :ivar machine: its machine type, None for libvirt's default.
    :ivar emulator: the path of its QEMU, None for libvirt's default.
    """

    selection: selections.Selection
    parts: tuple[etree._Element, ...]
    virt_type: str = 'kvm'
    arch: str = 'x86_64'
    machine: str | None = None
    emulator: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFiles:
    """Who a guest is and where its files are.

    :ivar name: the domain's name.
    :ivar uuid: its UUID.
    :ivar disk: the path of the disk with the probe.
    :ivar serial: the path of the file that its serial port writes.
    """

    name: str
    uuid: str
    disk: str
    serial: str


def from_selection(
    selection: selections.Selection,
    *,
    virt_type: str = 'kvm',
    arch: str = 'x86_64',
    machine: str | None = None,
) -> Question:
    """Ask for a set of enlightenments, on libvirt's default CPU.

    :param selection: the set.
    :param virt_type: ``kvm`` or ``qemu``.
    :param arch: the guest's architecture.
    :param machine: its machine type, None for libvirt's default.
    """
    scratch = etree.Element('domain')
    features = etree.SubElement(scratch, 'features')
    # As every guest of Nova has them.
    etree.SubElement(features, 'acpi')
    etree.SubElement(features, 'apic')
    etree.SubElement(scratch, 'clock', offset='utc')
    hyperv.apply(scratch, selection)
    return Question(
        selection=selection,
        parts=tuple(scratch),
        virt_type=virt_type,
        arch=arch,
        machine=machine,
    )


def from_domain(root: etree._Element) -> Question:
    """Ask for what a domain has; it is only read.

    :param root: the root element of its document.
    :raises MalformedDocument: it is not the document of a guest.
    :raises InvalidRequest: its type is not understood.
    """
    guest = domain.read(root)
    domain.check_type(guest)
    parts = []
    for tag, drop in (
        ('features', lambda child: child.tag not in _FEATURES),
        ('cpu', lambda child: child.tag in _CPU_SHAPE),
        ('clock', lambda child: child.tag != 'timer'),
    ):
        found = root.find(f'./{tag}')
        if found is None:
            continue
        part = copy.deepcopy(found)
        for child in list(part):
            if drop(child):
                part.remove(child)
        parts.append(part)
    return Question(
        selection=guest.hyperv,
        parts=tuple(parts),
        virt_type=guest.virt_type,
        arch=guest.arch,
        machine=guest.machine,
        emulator=guest.emulator,
    )


def build(question: Question, files: ProbeFiles) -> str:
    """Return the document of the guest.

    :param question: what it is started with.
    :param files: who it is, and where its files are.
    """
    root = etree.Element('domain', type=question.virt_type)
    for tag, text in (
        ('name', files.name),
        ('uuid', files.uuid),
        ('title', 'A probe, gone in a moment'),
        ('memory', str(_MEMORY_MIB)),
        ('vcpu', '1'),
    ):
        etree.SubElement(root, tag).text = text
    root.find('./memory').set('unit', 'MiB')
    system = etree.SubElement(root, 'os')
    kind = etree.SubElement(system, 'type', arch=question.arch)
    kind.text = 'hvm'
    if question.machine is not None:
        kind.set('machine', question.machine)
    root.extend(copy.deepcopy(part) for part in question.parts)
    # Whatever befalls it, it is over.
    for event in ('on_poweroff', 'on_reboot', 'on_crash'):
        etree.SubElement(root, event).text = 'destroy'
    root.append(_devices(question, files))
    document: str = etree.tostring(root, encoding='unicode')
    return document


def _devices(question: Question, files: ProbeFiles) -> etree._Element:
    devices = etree.Element('devices')
    if question.emulator is not None:
        etree.SubElement(devices, 'emulator').text = question.emulator
    disk = etree.SubElement(devices, 'disk', type='file', device='disk')
    etree.SubElement(disk, 'driver', name='qemu', type='raw')
    etree.SubElement(disk, 'source', file=files.disk)
    # The one bus that every machine type boots from, also where QEMU is
    # built without IDE disks or floppies.
    etree.SubElement(disk, 'target', dev='vda', bus='virtio')
    etree.SubElement(disk, 'readonly')
    serial = etree.SubElement(devices, 'serial', type='file')
    etree.SubElement(serial, 'source', path=files.serial)
    etree.SubElement(serial, 'target', port='0')
    # libvirt would add these.
    etree.SubElement(devices, 'controller', type='usb', model='none')
    etree.SubElement(devices, 'memballoon', model='none')
    return devices
