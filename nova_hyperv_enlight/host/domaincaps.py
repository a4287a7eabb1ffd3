# SPDX-License-Identifier: Apache-2.0

"""Reads libvirt's domainCapabilities document.

https://libvirt.org/formatdomaincaps.html: ``<features><hyperv>`` stands in
it from libvirt 9.0 on.
"""

import dataclasses
import re

from lxml import etree

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import parsing

#: <features><hyperv> came with libvirt 9.0.0 (its NEWS).
FIRST_LIBVIRT = (9, 0, 0)
#: What KVM gives to guests only where it runs with nested virtualization. A
#: libvirt model as EPYC has svm without naming it, but not npt: Linux,
#: arch/x86/kvm/svm/svm.c, svm_set_cpu_caps().
_NESTING = frozenset(('vmx', 'svm', 'npt'))
#: Its <defaults> came with libvirt 11.9.0 (its NEWS).
FIRST_DEFAULTS = (11, 9, 0)
#: Of an older QEMU libvirt cannot enumerate all that it has (the message of
#: the commit that brought the element).
COMPLETE_QEMU = (6, 1, 0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DomainCapabilities:
    """What the document says of Hyper-V; None where it says nothing.

    :ivar arch: the guest's architecture.
    :ivar machine: the canonical machine type.
    :ivar virt_type: ``kvm``, ``qemu``...
    :ivar supported: ``<hyperv supported=...>``.
    :ivar features: the enlightenments that its enumeration lists.
    :ivar has_defaults: it has ``<defaults>``, as from libvirt 11.9 on.
    :ivar defaults: the sub-elements that ``<defaults>`` gives, on or off.
    :ivar vendor: the vendor of the host's processor.
    :ivar nested: True where the host's CPU model names vmx, svm or npt: KVM
        gives them to guests only where it runs with nested virtualization.
    """

    arch: str | None = None
    machine: str | None = None
    virt_type: str | None = None
    supported: bool | None = None
    features: frozenset[str] | None = None
    has_defaults: bool = False
    defaults: tuple[tuple[str, bool], ...] = ()
    vendor: model.Vendor | None = None
    nested: bool | None = None

    @property
    def known(self) -> bool:
        """Whether there is a document at all: each one names its type."""
        return self.virt_type is not None

    @property
    def min_libvirt(self) -> model.Version:
        """The least libvirt release that writes such a document."""
        if self.supported is None:
            return 0, 0, 0
        first = FIRST_DEFAULTS if self.has_defaults else FIRST_LIBVIRT
        return max(first, *(e.min_libvirt for e in self._listed()), first)

    @property
    def min_qemu(self) -> model.Version:
        """The least QEMU release that such a document speaks of."""
        match = re.fullmatch(
            r'pc-(?:i440fx|q35)-([0-9]{1,3})\.([0-9]{1,3})', self.machine or ''
        )
        machine = (int(match[1]), int(match[2]), 0) if match else (0, 0, 0)
        return max(machine, *(e.min_qemu for e in self._listed()), (0, 0, 0))

    def _listed(self) -> list[model.Enlightenment]:
        known = enlightenments.ENLIGHTENMENTS
        return [known[name] for name in self.features or () if name in known]


def _read_supported(hyperv: etree._Element) -> bool | None:
    return {'yes': True, 'no': False}.get(hyperv.get('supported', ''))


# libvirt writes a sub-element's dot as an underscore in this document.
_SPELLED = {
    name.replace('.', '_') if entry.parent else name: name
    for name, entry in enlightenments.ENLIGHTENMENTS.items()
}


def _read_names(hyperv: etree._Element) -> frozenset[str] | None:
    enum = hyperv.find("./enum[@name='features']")
    if enum is None:
        return None
    texts = (value.text for value in enum.iterfind('./value'))
    # Names that the catalogue lacks are kept: newer libvirt, older plugin.
    return frozenset(_SPELLED.get(text, text) for text in texts if text)


def _read_defaults(hyperv: etree._Element) -> tuple[tuple[str, bool], ...]:
    return tuple(
        (_SPELLED[child.tag], child.text == 'on')
        for child in hyperv.iterfind('./defaults/*')
        if child.tag in _SPELLED and child.text in ('on', 'off')
    )


def _read_vendor(root: etree._Element) -> model.Vendor | None:
    text = root.findtext("./cpu/mode[@name='host-model']/vendor")
    return next((v for v in model.Vendor if v.value == text), None)


def _read_nested(root: etree._Element) -> bool | None:
    # A model may have them without naming them: that they are not named says
    # nothing.
    features = {
        feature.get('name')
        for feature in root.iterfind(
            "./cpu/mode[@name='host-model']/feature[@policy='require']"
        )
    }
    return True if features & _NESTING else None


def parse(text: str | bytes) -> DomainCapabilities:
    """Read a document.

    :param text: the XML, as virConnectGetDomainCapabilities returns it.
    :raises MalformedDocument: not XML, or XML of something else.
    """
    root = parsing.parse(text, 'domainCapabilities', 'domainCapabilities')
    facts = DomainCapabilities(
        arch=root.findtext('./arch'),
        machine=root.findtext('./machine'),
        virt_type=root.findtext('./domain'),
        vendor=_read_vendor(root),
        nested=_read_nested(root),
    )
    hyperv = root.find('./features/hyperv')
    if hyperv is None:
        return facts
    return dataclasses.replace(
        facts,
        supported=_read_supported(hyperv),
        features=_read_names(hyperv),
        has_defaults=hyperv.find('./defaults') is not None,
        defaults=_read_defaults(hyperv),
    )
