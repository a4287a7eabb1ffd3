# SPDX-License-Identifier: Apache-2.0

"""Reads and writes what a guest asks for, in the metadata of its domain.

Nova's own metadata hold the image properties that Nova knows, and from Nova
32 on the flavor's extra specs. libvirt keeps an element of another namespace
beside them: https://libvirt.org/formatdomain.html#general-metadata
"""

import dataclasses
import re
import typing

from lxml import etree

#: Part of the public contract: documents hold it. Another number is another
#: format.
NAMESPACE = 'urn:nova-hyperv-enlight:overrides:1'
PREFIX = 'hyperv_enlight'
NAME = 'overrides'
#: The element of each source, and what it calls one of its overrides.
_FLAVOR = ('flavor', 'extraSpec')
_IMAGE = ('image', 'property')
# What XML has no way to write: https://www.w3.org/TR/xml/#charsets
_NO_XML = re.compile(r'[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]')
_REPLACEMENT = '\N{REPLACEMENT CHARACTER}'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What a guest asks for, as it was written.

    :ivar extra_specs: of its flavor.
    :ivar image_properties: of its image.
    """

    extra_specs: typing.Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )
    image_properties: typing.Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )


def _tag(name: str) -> str:
    return f'{{{NAMESPACE}}}{name}'


def build(overrides: Overrides) -> etree._Element:
    """Return the element that holds these overrides.

    Tenants write them. What XML cannot hold is replaced: no value that is
    valid has such a character.
    """
    element = etree.Element(_tag(NAME), nsmap={PREFIX: NAMESPACE})
    for (source, word), texts in (
        (_FLAVOR, overrides.extra_specs),
        (_IMAGE, overrides.image_properties),
    ):
        if not texts:
            continue
        holder = etree.SubElement(element, _tag(source))
        for key, text in sorted(texts.items()):
            each = etree.SubElement(
                holder, _tag(word), name=_NO_XML.sub(_REPLACEMENT, key)
            )
            each.text = _NO_XML.sub(_REPLACEMENT, text)
    return element


def read(root: etree._Element) -> Overrides:
    """Return the overrides that a domain's metadata hold; none is fine.

    :param root: the domain's root element, ``<domain>``.
    """
    holder = f'./metadata/{_tag(NAME)}'
    return Overrides(
        extra_specs=_texts(root, holder, _FLAVOR),
        image_properties=_texts(root, holder, _IMAGE),
    )


def _texts(
    root: etree._Element, holder: str, names: tuple[str, str]
) -> dict[str, str]:
    path = '/'.join((holder, *map(_tag, names)))
    return {
        each.get('name', ''): each.text or '' for each in root.iterfind(path)
    }
