# SPDX-License-Identifier: Apache-2.0

"""The bytes of a domain document, and where in them its elements stand.

What is written into a document this way leaves all other bytes as they are:
declaration, comments, quotes, white space and encoding.
"""

import codecs
import collections.abc
import dataclasses
import functools
import re
from xml.parsers import expat

from lxml import etree

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import parsing

# The document is known to be well-formed.
_ATTRIBUTE = re.compile(rb'\s+([^\s=/>]+)\s*=\s*("[^"]*"|\'[^\']*\')')
_TAG = re.compile(
    rb'(?P<name><[^\s/>]+)(?:[^"\'/>]|"[^"]*"|\'[^\']*\')*(?P<slash>/?)>'
)
_SPACE = b' \t\r\n'
_BOMS = (
    (codecs.BOM_UTF16_LE, 'utf-16-le'),
    (codecs.BOM_UTF16_BE, 'utf-16-be'),
)
_INDENT = b'  '


@dataclasses.dataclass(kw_only=True)
class Place:
    """Where an element stands.

    :ivar text: the document.
    :ivar start: where its start tag begins.
    :ivar close: where its end tag begins; where it has none, the end of its
        only tag.
    :ivar children: the places of the elements in it.
    """

    text: bytes
    start: int
    close: int = -1
    children: list['Place'] = dataclasses.field(default_factory=list)

    @functools.cached_property
    def _tag(self) -> re.Match[bytes]:
        match = _TAG.match(self.text, self.start)
        assert match is not None
        return match

    @property
    def inside(self) -> int:
        """Where its start tag ends."""
        return self._tag.end()

    @property
    def is_empty_tag(self) -> bool:
        """Whether it is a single tag, which ends in a slash."""
        return bool(self._tag['slash'])

    @property
    def end(self) -> int:
        """Where it ends."""
        if self.is_empty_tag:
            return self.close
        return self.text.index(b'>', self.close) + 1

    @property
    def name_end(self) -> int:
        """Where the name in its start tag ends."""
        return self._tag.end('name')

    @property
    def attributes(self) -> dict[str, tuple[int, int]]:
        """Where its attributes stand, by their names.

        From the space before an attribute to its closing quote.
        """
        return {
            match[1].decode(): match.span()
            for match in _ATTRIBUTE.finditer(
                self.text, self.start, self.inside
            )
        }


def _locate(text: bytes) -> Place:
    """Return the place of a document's root element.

    :raises ExpatError: it is not XML.
    """
    parser = expat.ParserCreate('utf-8')
    document = Place(text=text, start=0)
    opened = [document]

    def start(tag: str, attributes: dict[str, str]) -> None:
        place = Place(text=text, start=parser.CurrentByteIndex)
        opened[-1].children.append(place)
        opened.append(place)

    def end(tag: str) -> None:
        opened.pop().close = parser.CurrentByteIndex

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(text, True)
    return document.children[0]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """A document as it was written.

    :ivar data: its bytes.
    :ivar text: the same in UTF-8: places count in these.
    :ivar encoding: what Python calls the encoding of its bytes.
    :ivar root: what it says.
    :ivar document: what it is, for messages.
    """

    data: bytes
    text: bytes
    encoding: str
    root: etree._Element
    document: str

    @functools.cached_property
    def place(self) -> Place:
        """Where its root element stands, and all that is in it."""
        try:
            return _locate(self.text)
        except expat.ExpatError as err:
            raise self.refuse(str(err)) from err

    def refuse(self, reason: str) -> exception.MalformedDocument:
        """Return the error that it cannot be read."""
        return exception.MalformedDocument(
            document=self.document, reason=reason
        )

    def lead(self, at: int) -> bytes:
        """Return the line break and indentation before a place.

        :returns: nothing where something else stands before it in its line.
        """
        begin = at
        while begin and self.text[begin - 1 : begin] in _SPACES:
            begin -= 1
        space = self.text[begin:at]
        line = space.rfind(b'\n')
        if line < 0:
            return b''
        if space[line - 1 : line] == b'\r':
            line -= 1
        return space[line:]

    def lead_inside(self, place: Place) -> bytes:
        """Return the line break and indentation of an element's children."""
        if place.children:
            return self.lead(place.children[0].start)
        own = self.lead(place.start)
        return own and own + self.unit(place)

    def unit(self, place: Place) -> bytes:
        """Return by what children are indented deeper than an element."""
        for holder in (place, self.place):
            own, inner = self.lead(holder.start), b''
            if holder.children:
                inner = self.lead(holder.children[0].start)
            # The root's own line may have nothing before it.
            own = own.lstrip(b'\r\n')
            deeper = inner.lstrip(b'\r\n')
            if deeper.startswith(own) and deeper != own:
                return deeper[len(own) :]
        return _INDENT

    @property
    def quotes_single(self) -> bool:
        """Whether its attributes stand in single quotes, as libvirt's do."""
        return self.text.count(b"='") >= self.text.count(b'="')

    def spliced(
        self, pieces: collections.abc.Iterable[tuple[int, int, bytes]]
    ) -> bytes:
        """Return its bytes with some of them replaced.

        :param pieces: from where, to where, and by what, in UTF-8; they do
            not overlap.
        """
        parts, done = [], 0
        for start, end, text in sorted(pieces, key=lambda each: each[:2]):
            parts += [self.text[done:start], text]
            done = end
        text = b''.join([*parts, self.text[done:]])
        if self.encoding == 'utf-8':
            return text
        return text.decode().encode(self.encoding)


_SPACES = tuple(bytes([each]) for each in _SPACE)


def _encoding(data: bytes, declared: str | None) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding
    name = codecs.lookup(declared or 'utf-8').name
    if name == 'utf-16':
        # Without a byte order mark "<" itself tells.
        return 'utf-16-be' if data.startswith(b'\0') else 'utf-16-le'
    # Of UTF-8, which it is nearly always, it need not be said twice.
    return 'utf-8' if name in ('ascii', 'utf-8-sig') else name


def parse(data: bytes, document: str) -> Source:
    """Read a domain document.

    :param data: the XML.
    :param document: what it is, for messages.
    :raises MalformedDocument: not XML, not a domain, or not one that can be
        changed in part.
    """
    root = parsing.parse(data, 'domain', document)
    info = root.getroottree().docinfo
    if info.doctype or info.internalDTD is not None:
        # Its entities could hold what is looked for.
        raise exception.MalformedDocument(
            document=document,
            reason='it has a document type, which no domain of libvirt has',
        )
    try:
        encoding = _encoding(data, info.encoding)
        text = data
        if encoding != 'utf-8':
            text = data.decode(encoding).encode()
            if text.decode().encode(encoding) != data:
                raise UnicodeError(f'not every byte of {encoding} is kept')
    except (LookupError, UnicodeError) as err:
        raise exception.MalformedDocument(
            document=document, reason=err
        ) from err
    return Source(
        data=data, text=text, encoding=encoding, root=root, document=document
    )
