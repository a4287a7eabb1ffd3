# SPDX-License-Identifier: Apache-2.0

"""Parses the documents that libvirt hands out, or somebody has saved."""

from lxml import etree

from nova_hyperv_enlight import exception


def parse(text: str | bytes, root: str, document: str) -> etree._Element:
    """Parse a document without network, DTD or entities.

    :param text: the XML.
    :param root: the name that its root element must have.
    :param document: what it is, for messages.
    :raises MalformedDocument: not XML, or XML of something else.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        if isinstance(text, str):
            text = text.encode()
        parsed = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as err:
        raise exception.MalformedDocument(
            document=document, reason=err
        ) from err
    if parsed.tag != root:
        raise exception.MalformedDocument(
            document=document, reason=f'its root element is <{parsed.tag}>'
        )
    return parsed
