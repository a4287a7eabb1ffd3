# SPDX-License-Identifier: Apache-2.0

"""Writes enlightenments into a whole domain document, byte for byte.

What need not change stays as it was written, and so does everything that the
catalogue does not know.
"""

import collections.abc
import dataclasses

from lxml import etree

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.editor import source
from nova_hyperv_enlight.editor import splice
from nova_hyperv_enlight import exception

# Where libvirt has an element: behind all of these.
_BEFORE_FEATURES = ('name', 'uuid', 'metadata', 'memory', 'vcpu', 'os')
_BEFORE = {
    'features': _BEFORE_FEATURES,
    'clock': (*_BEFORE_FEATURES, 'features', 'cpu'),
}
# The elements of <hyperv>, and those that stand in another one of them.
_KNOWN = frozenset(
    (entry.parent or hyperv.HYPERV, entry.element)
    for entry in enlightenments.ENLIGHTENMENTS.values()
    if entry.placement is model.Placement.FEATURE
)
_CUSTOM = profiles.Mode.CUSTOM.value
_OFF = (('state', 'off'), ('present', 'no'))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a domain is to have.

    :ivar selection: its enlightenments.
    :ivar clock_offset: the clock's offset, None to leave it.
    :ivar timers: whether it has a timer, by the timer's name; what is not
        named is left.
    """

    selection: selections.Selection
    clock_offset: str | None = None
    timers: tuple[tuple[str, bool], ...] = ()


def _is_off(element: etree._Element) -> bool:
    return any(element.get(key) == text for key, text in _OFF)


def is_known(element: etree._Element) -> bool:
    """Whether the catalogue has a child of ``<hyperv>``, or of one of them."""
    return (element.getparent().tag, element.tag) in _KNOWN


class _Editor:
    """Writes one change into one document."""

    def __init__(self, document: source.Source, change: Change) -> None:
        self._root = document.root
        self._splicer = splice.Splicer(document)
        self._change = change
        self._selection = effective(change.selection)
        # What is off says no more than what is absent.
        self._custom = self._selection.mode is profiles.Mode.CUSTOM

    def run(self) -> bytes:
        """Return the document's bytes, changed."""
        self._write_features(self._root.find('./features'))
        self._write_clock(self._root.find('./clock'))
        return self._splicer.result()

    def _write_features(self, features: etree._Element | None) -> None:
        wanted = None
        if hyperv.has_features(self._selection):
            wanted = hyperv.build_features(self._selection)
        if features is None:
            if wanted is not None:
                features = etree.Element('features')
                features.append(wanted)
                self._put_new(features)
            return
        first, *others = features.findall(f'./{hyperv.HYPERV}') or [None]
        self._remove(others)
        if first is None:
            if wanted is not None:
                self._splicer.append(features, wanted)
        elif wanted is None:
            self._empty(first)
        else:
            self._write_mode(first, wanted.get('mode'))
            self._reconcile(first, list(wanted), is_known)

    def _empty(self, there: etree._Element) -> None:
        """Take away what is on in a domain's ``<hyperv>``, or all of it."""
        known = [each for each in splice.elements(there) if is_known(each)]
        custom = there.get('mode', _CUSTOM) == _CUSTOM
        if custom and all(map(_is_off, known)):
            return
        if len(known) == len(splice.elements(there)):
            self._splicer.remove(there)
            return
        self._write_mode(there, None)
        self._remove(known)

    def _write_mode(self, there: etree._Element, wanted: str | None) -> None:
        if there.get('mode', _CUSTOM) != (wanted or _CUSTOM):
            self._splicer.set(there, 'mode', wanted)

    def _write_clock(self, clock: etree._Element | None) -> None:
        change = self._change
        wanted = hyperv.build_timers(self._selection)
        owned = set(hyperv.owned_timers(self._selection))
        for name, present in change.timers:
            owned.add(name)
            text = 'yes' if present else 'no'
            wanted.append(etree.Element('timer', name=name, present=text))
        if clock is None:
            if wanted or change.clock_offset:
                clock = etree.Element('clock')
                # The attribute is mandatory; this is libvirt's default.
                clock.set('offset', change.clock_offset or 'utc')
                clock.extend(wanted)
                self._put_new(clock)
            return
        there = clock.get('offset')
        offset = change.clock_offset or there or (wanted and 'utc')
        if offset and offset != there:
            self._splicer.set(clock, 'offset', offset)
        self._reconcile(
            clock,
            wanted,
            lambda each: each.tag == 'timer' and each.get('name') in owned,
        )

    def _put_new(self, element: etree._Element) -> None:
        before = [
            each
            for each in splice.elements(self._root)
            if each.tag in _BEFORE[element.tag]
        ]
        if before:
            self._splicer.insert(self._root, [element], before[-1])
        else:
            self._splicer.append(self._root, element)

    def _reconcile(
        self,
        holder: etree._Element,
        wanted: list[etree._Element],
        is_owned: collections.abc.Callable[[etree._Element], bool],
    ) -> None:
        """Let an element have, of its children that are ours, the wanted."""
        ours: dict[tuple[str, str | None], list[etree._Element]] = {}
        for each in filter(is_owned, splice.elements(holder)):
            ours.setdefault(_key(each), []).append(each)
        behind = None
        new: dict[etree._Element | None, list[etree._Element]] = {}
        for element in wanted:
            there = ours.pop(_key(element), None)
            if there is None:
                new.setdefault(behind, []).append(element)
                continue
            behind = there[0]
            if not self._says(behind, element):
                self._splicer.replace(behind, element)
            self._remove(there[1:])
        self._put(holder, new)
        for left in ours.values():
            if not (self._custom and all(map(_is_off, left))):
                self._remove(left)

    def _remove(self, there: list[etree._Element]) -> None:
        for each in there:
            self._splicer.remove(each)

    def _put(
        self,
        holder: etree._Element,
        new: dict[etree._Element | None, list[etree._Element]],
    ) -> None:
        """Write enlightenments in libvirt's order, and timers at the end.

        :param new: what is new, by the element that precedes it.
        """
        for behind, several in new.items():
            if holder.tag == hyperv.HYPERV:
                self._splicer.insert(holder, several, behind)
                continue
            for each in several:
                self._splicer.append(holder, each)

    def _says(self, there: etree._Element, wanted: etree._Element) -> bool:
        """Whether an element says what is wanted, as far as it is known."""
        if any(there.get(key) != text for key, text in wanted.items()):
            return False
        known = [
            each
            for each in splice.elements(there)
            if is_known(each) and not (self._custom and _is_off(each))
        ]
        return len(known) == len(wanted) and all(
            any(one.tag == two.tag and self._says(one, two) for one in known)
            for two in wanted
        )


def _key(element: etree._Element) -> tuple[str, str | None]:
    return element.tag, element.get('name')


def effective(selection: selections.Selection) -> selections.Selection:
    """Return a selection without what says no more than what is absent."""
    if selection.mode is not profiles.Mode.CUSTOM:
        return selection
    return dataclasses.replace(selection, off=frozenset())


def write(document: source.Source, change: Change) -> bytes:
    """Return a document with a change.

    All bytes that are not an enlightenment's, nor the white space before
    one, are those of the document.

    :param document: the document, which stays as it is.
    :param change: what the domain is to have.
    :raises MalformedDocument: it cannot be told where to write.
    :raises VerifyError: what was written reads differently.
    """
    for tag in ('features', 'clock'):
        if len(document.root.findall(f'./{tag}')) > 1:
            raise document.refuse(f'it has more than one <{tag}>')
    data = _Editor(document, change).run()
    found = hyperv.read(source.parse(data, document.document).root)
    check(change.selection, found)
    return data


def check(wanted: selections.Selection, found: selections.Selection) -> None:
    """Compare what was written with what is there.

    :raises VerifyError: they differ.
    """
    found = hyperv.only_ours(found, wanted)
    if effective(found) != effective(wanted):
        raise exception.VerifyError(wanted=wanted, found=found)


def unknown(document: source.Source) -> tuple[str, ...]:
    """Return the children of ``<hyperv>`` that the catalogue lacks."""
    there = document.root.find(f'./features/{hyperv.HYPERV}')
    if there is None:
        return ()
    return tuple(
        each.tag for each in splice.elements(there) if not is_known(each)
    )
