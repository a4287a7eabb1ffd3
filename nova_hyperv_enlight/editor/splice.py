# SPDX-License-Identifier: Apache-2.0

"""Changes elements of a document in its own bytes.

New elements are indented and quoted as those around them are.
"""

import collections.abc

from lxml import etree

from nova_hyperv_enlight.editor import source


def elements(holder: etree._Element) -> list[etree._Element]:
    """Return an element's children, without comments and the like."""
    return [each for each in holder if isinstance(each.tag, str)]


class Splicer:
    """Collects what is to be changed in one document.

    :param document: the document. What it says is read only.
    """

    def __init__(self, document: source.Source) -> None:
        self._source = document
        self._pieces: list[tuple[int, int, bytes]] = []
        self._appended: dict[etree._Element, list[etree._Element]] = {}

    def result(self) -> bytes:
        """Return the document's bytes, changed."""
        for holder, new in self._appended.items():
            self._append(holder, new)
        self._appended.clear()
        if not self._pieces:
            return self._source.data
        return self._source.spliced(self._pieces)

    def replace(self, there: etree._Element, wanted: etree._Element) -> None:
        """Write an element in place of another one."""
        place = self._place(there)
        lead = self._source.lead(place.start)
        text = self._render(wanted, lead, self._source.unit(place))
        self._pieces.append((place.start, place.end, text))

    def remove(self, element: etree._Element) -> None:
        """Take an element away, with its indentation."""
        place = self._place(element)
        lead = self._source.lead(place.start)
        self._pieces.append((place.start - len(lead), place.end, b''))

    def append(self, holder: etree._Element, new: etree._Element) -> None:
        """Write a new element at the end of another one."""
        # At once with the others, for the end can be opened only once.
        self._appended.setdefault(holder, []).append(new)

    def insert(
        self,
        holder: etree._Element,
        new: collections.abc.Sequence[etree._Element],
        behind: etree._Element | None,
    ) -> None:
        """Write new elements behind a child, or before all of them.

        :param holder: the element that is to hold them.
        :param behind: the child, None for the beginning.
        """
        if not elements(holder):
            for each in new:
                self.append(holder, each)
            return
        place, text = self._indented(holder, new)
        at = place.inside if behind is None else self._place(behind).end
        self._pieces.append((at, at, text))

    def set(
        self, element: etree._Element, attribute: str, text: str | None
    ) -> None:
        """Write an attribute, or take it away where the text is None."""
        place = self._place(element)
        there = place.attributes
        written = b''
        if text is not None:
            quote = "'" if self._source.quotes_single else '"'
            written = f' {attribute}={quote}{text}{quote}'.encode()
        behind = place.name_end
        start, end = there.get(attribute, (behind, behind))
        self._pieces.append((start, end, written))

    def _place(self, element: etree._Element) -> source.Place:
        parent = element.getparent()
        if parent is None:
            return self._source.place
        return self._place(parent).children[elements(parent).index(element)]

    def _append(
        self,
        holder: etree._Element,
        new: collections.abc.Sequence[etree._Element],
    ) -> None:
        place, text = self._indented(holder, new)
        lead = self._source.lead(place.close)
        if place.is_empty_tag:
            self._open(place, text)
            return
        at = place.close - len(lead)
        if not lead and not place.children:
            # The end tag stands behind the start tag, and now elsewhere.
            text += self._source.lead(place.start)
        self._pieces.append((at, at, text))

    def _open(self, place: source.Place, text: bytes) -> None:
        """Put something into an element that is only an empty-element tag."""
        inside = self._source.text[place.start : place.end]
        slash = place.start + len(inside[:-2].rstrip())
        name = self._source.text[place.start + 1 : place.name_end]
        lead = self._source.lead(place.start)
        text = b'>' + text + lead + b'</' + name + b'>'
        self._pieces.append((slash, place.end, text))

    def _indented(
        self,
        holder: etree._Element,
        new: collections.abc.Sequence[etree._Element],
    ) -> tuple[source.Place, bytes]:
        place = self._place(holder)
        lead, unit = self._source.lead_inside(place), self._source.unit(place)
        return place, b''.join(
            lead + self._render(each, lead, unit) for each in new
        )

    def _render(
        self, element: etree._Element, lead: bytes, unit: bytes
    ) -> bytes:
        """Return a new element as text, indented where its document is."""
        if lead:
            etree.indent(element, unit.decode())
        text: bytes = etree.tostring(element, with_tail=False)
        if self._source.quotes_single and b"'" not in text:
            text = text.replace(b'"', b"'")
        return text.replace(b'\n', lead)
