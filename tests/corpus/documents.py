# SPDX-License-Identifier: Apache-2.0

"""Finds the documents of a folder: what they are is told by what they hold."""

import dataclasses
import enum
import re

from lxml import etree

_MAX_BYTES = 1 << 20
# The other kinds of KubeVirt's hold no guest.
_KUBEVIRT = re.compile(
    r'^kind:\s*VirtualMachine(Instance(ReplicaSet|Preset)?|Pool|'
    r'(Cluster)?Preference)?\s*$',
    re.MULTILINE,
)
_PROXMOX = re.compile(r'^(ostype|cpu|bios):\s', re.MULTILINE)
_QEMU = re.compile(r'^(.*\s)?-cpu\s', re.MULTILINE)
_SEPARATOR = re.compile(r'^---.*\n?', re.MULTILINE)


class Kind(enum.Enum):
    """What a document is."""

    DOMAIN = 'libvirt'
    DOMCAPS = 'domainCapabilities'
    KUBEVIRT = 'kubevirt'
    PROXMOX = 'proxmox'
    QEMU = 'qemu'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document.

    :ivar name: its file, and its number where that holds several.
    :ivar kind: what it is.
    :ivar text: the document.
    """

    name: str
    kind: Kind
    text: str


def _root(text):
    """Return the tag of a text's root element, None if it is no XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        return etree.fromstring(text.encode(), parser).tag
    except (etree.XMLSyntaxError, ValueError):
        return None


def _of_text(name, suffix, text):
    if suffix == '.xml':
        kind = {'domain': Kind.DOMAIN, 'domainCapabilities': Kind.DOMCAPS}.get(
            _root(text)
        )
        if kind is not None:
            yield Document(name=name, kind=kind, text=text)
    elif suffix in ('.yaml', '.yml'):
        for number, part in enumerate(_SEPARATOR.split(text)):
            if _KUBEVIRT.search(part):
                yield Document(
                    name=f'{name}#{number}', kind=Kind.KUBEVIRT, text=part
                )
    elif suffix == '.conf' and _PROXMOX.search(text):
        yield Document(name=name, kind=Kind.PROXMOX, text=text)
    elif suffix in ('.args', '.cmd') and _QEMU.search(text):
        yield Document(name=name, kind=Kind.QEMU, text=text)


def find(directory):
    """Yield the documents below a folder, by their names.

    What is longer than 1 MiB and what is no UTF-8 is passed over.
    """
    for path in sorted(directory.rglob('*')):
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            continue
        try:
            text = path.read_text(encoding='utf-8')
        except UnicodeDecodeError:
            continue
        name = str(path.relative_to(directory))
        yield from _of_text(name, path.suffix, text)
