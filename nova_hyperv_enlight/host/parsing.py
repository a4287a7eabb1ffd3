# SPDX-License-Identifier: Apache-2.0

"""Parses the documents that libvirt hands out, or somebody has saved."""

import re

from lxml import etree

from nova_hyperv_enlight import exception

_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False
)


def parse(text: str | bytes, root: str, document: str) -> etree._Element:
    """Parse a document without network, DTD or entities.

    A document type is refused: no document of libvirt has one, and its
    entities would be expanded in attributes all the same.

    :param text: the XML.
    :param root: the name that its root element must have.
    :param document: what it is, for messages.
    :raises MalformedDocument: not XML, or XML of something else.
    """
    try:
        if isinstance(text, str):
            text = text.encode()
        parsed = etree.fromstring(text, _PARSER)
    # lxml raises one or the other for what is no text, by its release.
    except (etree.XMLSyntaxError, TypeError, ValueError) as err:
        raise exception.MalformedDocument(
            document=document, reason=err
        ) from err
    if parsed.getroottree().docinfo.internalDTD is not None:
        raise exception.MalformedDocument(
            document=document, reason='it has a document type'
        )
    if parsed.tag != root:
        raise exception.MalformedDocument(
            document=document, reason=f'its root element is <{parsed.tag}>'
        )
    return parsed


def number(text: str | None) -> int | None:
    """Return a whole number of 64 bits, None where a text is none.

    int() alone would take signs, underscores and other alphabets' digits,
    and raise for thousands of them.
    """
    if text is None or not re.fullmatch('[0-9]{1,20}', text):
        return None
    return int(text) if int(text) < 1 << 64 else None
