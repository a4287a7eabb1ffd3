# SPDX-License-Identifier: Apache-2.0

"""Reads what a whole domain document says of its guest.

Only what this package has to know of guests made by others:
https://libvirt.org/formatdomain.html
"""

import dataclasses
import typing

from lxml import etree

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.domxml import overrides
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import parsing

#: What the namespaces of Nova's metadata begin with; 1.0 and 1.1 follow:
#: nova/virt/libvirt/config.py, NOVA_NS.
_NOVA = '{http://openstack.org/xmlns/libvirt/nova/'
#: The namespace of libosinfo's metadata.
_OSINFO = '{http://libosinfo.org/xmlns/libvirt/domain/1.0}'
#: The types of the domains whose ``<hyperv>`` is read rightly: it speaks of
#: what QEMU tells KVM. Of a Xen guest the same elements are Xen's viridian
#: extensions, of a guest of type hyperv (mshv) they are Hyper-V's own. The
#: guests of type test are those of libvirt's test driver, which starts none.
UNDERSTOOD = ('kvm', 'qemu', 'test')
_ARCH = 'x86_64'
#: The features by which a CPU shows that it can virtualize.
VIRTUALIZATION = ('vmx', 'svm')
#: The modes that take over the host's CPU.
_WHOLE_HOST = ('host-passthrough', 'host-model', 'maximum')


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Nova:
    """What the metadata of a domain say of Nova's instance.

    Releases of Nova before 32 write neither the image nor the extra specs.
    What is ours of both comes from our own metadata, which only this
    plugin's driver writes.

    :ivar release: the Nova that wrote them, None where they do not say.
    :ivar server: the server's name, None where they do not say.
    :ivar project: the name of its project, else its ID.
    :ivar flavor: the name of its flavor.
    :ivar image: the image's properties that Nova knows, and ours, as they
        are.
    :ivar extra_specs: the flavor's extra specs.
    """

    release: str | None = None
    server: str | None = None
    project: str | None = None
    flavor: str | None = None
    image: typing.Mapping[str, str] = dataclasses.field(default_factory=dict)
    extra_specs: typing.Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What a domain document says of its guest.

    :ivar name: its name; empty where the document has none.
    :ivar uuid: its UUID, None where the document has none.
    :ivar virt_type: ``kvm``, ``qemu``...
    :ivar arch: its architecture.
    :ivar machine: its machine type, None for libvirt's default.
    :ivar emulator: the path of its QEMU, None for libvirt's default.
    :ivar firmware: ``uefi`` or ``bios``.
    :ivar nova: what Nova's metadata say, None where Nova does not manage it.
    :ivar osinfo: libosinfo's identifier of its system, a URL.
    :ivar hyperv: its enlightenments.
    :ivar clock_offset: ``utc``, ``localtime``...
    :ivar hpet: whether it has an HPET; None where the document leaves it to
        QEMU.
    :ivar kernel_pit: whether it has a PIT that KVM emulates.
    :ivar tsc_frequency: the pinned TSC frequency in Hz.
    :ivar nested: its CPU shows vmx or svm, if the host has it.
    """

    name: str
    uuid: str | None
    virt_type: str
    arch: str
    machine: str | None
    emulator: str | None
    firmware: str
    nova: Nova | None
    osinfo: str | None
    hyperv: selections.Selection
    clock_offset: str | None
    hpet: bool | None
    kernel_pit: bool
    tsc_frequency: int | None
    nested: bool

    @property
    def os_type(self) -> str | None:
        """The image's ``os_type``, as far as Nova writes it."""
        return self.nova.image.get('os_type') if self.nova else None

    @property
    def os_distro(self) -> str | None:
        """The image's ``os_distro``, as far as Nova writes it."""
        return self.nova.image.get('os_distro') if self.nova else None


def parse(text: str | bytes, document: str = 'domain') -> Domain:
    """Read a document.

    :param text: the XML.
    :param document: what it is, for messages.
    :raises MalformedDocument: it is not the document of a guest.
    """
    return read(parsing.parse(text, 'domain', document))


def read(root: etree._Element) -> Domain:
    """Read a document that is parsed; nothing of it is changed.

    :param root: its root element, ``<domain>``.
    :raises MalformedDocument: it is not the document of a guest.
    """
    enlightened = hyperv.read(root)
    kind = root.find('./os/type')
    if kind is None:
        raise exception.MalformedDocument(
            document='domain', reason='it has no <os><type>'
        )
    clock = root.find('./clock')
    osinfo = root.find(f'./metadata/{_OSINFO}libosinfo/{_OSINFO}os')
    return Domain(
        name=root.findtext('./name', ''),
        uuid=root.findtext('./uuid'),
        virt_type=root.get('type', ''),
        arch=kind.get('arch', _ARCH),
        machine=kind.get('machine'),
        emulator=root.findtext('./devices/emulator'),
        firmware=_read_firmware(root),
        nova=_read_nova(root),
        osinfo=None if osinfo is None else osinfo.get('id'),
        hyperv=enlightened,
        clock_offset=None if clock is None else clock.get('offset'),
        hpet=_read_hpet(clock),
        kernel_pit=_read_kernel_pit(root, clock),
        tsc_frequency=hyperv.read_tsc(clock),
        nested=_read_nested(root.find('./cpu')),
    )


def check_type(guest: Domain) -> None:
    """Refuse a guest whose enlightenments are not those of QEMU and KVM.

    :raises InvalidRequest: its type is not one of :data:`UNDERSTOOD`.
    """
    if guest.virt_type not in UNDERSTOOD:
        raise exception.InvalidRequest(
            reason=(
                f'The domain {guest.name!r} is of type {guest.virt_type!r}: '
                'what <hyperv> means there is not understood, only that of '
                f'the types {", ".join(UNDERSTOOD)} is.'
            )
        )


def shows_virtualization(
    mode: str | None, policies: typing.Mapping[str, str]
) -> bool:
    """Whether a guest's CPU shows vmx or svm, if the host has it.

    QEMU's named models have neither; the modes that take over the host's
    CPU have what the host's kernel lets guests see.

    :param mode: the CPU's mode, None where it has none.
    :param policies: the policies of the features that it names.
    """
    named = [policies[name] for name in VIRTUALIZATION if name in policies]
    if named:
        return any(policy in ('force', 'require') for policy in named)
    return mode in _WHOLE_HOST


def _read_nested(cpu: etree._Element | None) -> bool:
    if cpu is None:
        return False
    policies = {
        feature.get('name', ''): feature.get('policy', 'require')
        for feature in cpu.iterfind('./feature')
    }
    return shows_virtualization(cpu.get('mode'), policies)


def _read_firmware(root: etree._Element) -> str:
    system = root.find('./os')
    loader = system.find('./loader')
    # By libvirt's own choice of a firmware, or by its path.
    if system.get('firmware') == 'efi':
        return 'uefi'
    if loader is not None and loader.get('type') == 'pflash':
        return 'uefi'
    return 'bios'


def _read_hpet(clock: etree._Element | None) -> bool | None:
    timer = None if clock is None else clock.find("./timer[@name='hpet']")
    present = None if timer is None else timer.get('present')
    return {'yes': True, 'no': False}.get(present or '')


def _read_kernel_pit(
    root: etree._Element, clock: etree._Element | None
) -> bool:
    # Where QEMU emulates the I/O APIC, it emulates the PIT, too: QEMU
    # target/i386/kvm/kvm_i386.h, kvm_pit_in_kernel.
    ioapic = root.find('./features/ioapic')
    if ioapic is not None and ioapic.get('driver') == 'qemu':
        return False
    path = f"./timer[@name='{hyperv.PIT}']"
    timer = None if clock is None else clock.find(path)
    return timer is None or timer.get('present') != 'no'


def _read_nova(root: etree._Element) -> Nova | None:
    for element in root.iterfind('./metadata/{*}instance'):
        if element.tag.startswith(_NOVA):
            package = element.find('./{*}package')
            image = element.iterfind('./{*}image/{*}properties/{*}property')
            specs = element.iterfind('./{*}flavor/{*}extraSpecs/{*}extraSpec')
            ours = overrides.read(root)
            flavor = element.find('./{*}flavor')
            return Nova(
                release=None if package is None else package.get('version'),
                server=element.findtext('./{*}name') or None,
                project=_read_project(element.find('./{*}owner/{*}project')),
                flavor=None if flavor is None else flavor.get('name'),
                image={**_named_texts(image), **ours.image_properties},
                extra_specs={**_named_texts(specs), **ours.extra_specs},
            )
    return None


def _read_project(element: etree._Element | None) -> str | None:
    if element is None:
        return None
    name: str | None = element.text or element.get('uuid')
    return name


def _named_texts(elements: typing.Iterable[etree._Element]) -> dict[str, str]:
    return {each.get('name', ''): each.text or '' for each in elements}
