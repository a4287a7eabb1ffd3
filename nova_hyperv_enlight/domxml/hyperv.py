# SPDX-License-Identifier: Apache-2.0

"""Reads and writes the enlightenments of a libvirt domain.

Each enlightenment has one declaration, made from its catalogue entry, that
both reads and writes it; whatever else stands in the document is left as
it is. https://libvirt.org/formatdomain.html#hypervisor-features
"""

import copy
import dataclasses
import functools

from lxml import etree

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import parsing

#: The element of ``<features>`` that holds the enlightenments.
HYPERV = 'hyperv'
#: The timer that pins the TSC frequency. It is not an enlightenment: it is
#: ours only in a domain that has one which needs it.
_TSC = 'tsc'
#: The timer that is a guest's PIT. It is ours only in a domain whose PIT is to
#: discard lost ticks.
PIT = 'pit'
_DISCARD = 'discard'
_DELEGATED = (profiles.Mode.HOST_MODEL, profiles.Mode.PASSTHROUGH)
# What libvirt knows; Nova writes the stock list.
_MODES = {
    mode.value: mode
    for mode in profiles.Mode
    if mode is not profiles.Mode.STOCK
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """How one enlightenment is spelled.

    :ivar entry: its catalogue entry.
    :ivar path: where it stands: the tags below ``<hyperv>`` with a slash
        between them, which no tag holds, or the name of the timer.
    :ivar attribute: the attribute that switches it.
    :ivar on: that attribute's text where it is on.
    :ivar off: the same where it is off.
    """

    entry: model.Enlightenment
    path: str
    attribute: str
    on: str
    off: str

    def read(self, element: etree._Element) -> tuple[bool, str | None]:
        """Return whether its element has it on, and its value."""
        value = self.entry.value
        return (
            element.get(self.attribute) == self.on,
            element.get(value.attribute) if value else None,
        )

    def write(
        self, holder: etree._Element, on: bool, value: str | None
    ) -> None:
        """Write it below its holder, after what is there.

        :raises ValueError: a sub-element whose parent is not written.
        """
        parent = holder
        if self.entry.parent:
            parent = holder.find(f'./{self.entry.parent}')
            if parent is None:
                raise ValueError(
                    f'{self.entry.name!r} has no place without '
                    f'{self.entry.parent!r}'
                )
        if self.entry.placement is model.Placement.TIMER:
            element = etree.SubElement(
                parent, 'timer', name=self.entry.element
            )
        else:
            element = etree.SubElement(parent, self.entry.element)
        element.set(self.attribute, self.on if on else self.off)
        if value is not None and self.entry.value is not None:
            element.set(self.entry.value.attribute, value)


def _declare(entry: model.Enlightenment) -> Declaration:
    if entry.placement is model.Placement.TIMER:
        return Declaration(
            entry=entry,
            path=entry.element,
            attribute='present',
            on='yes',
            off='no',
        )
    return Declaration(
        entry=entry,
        path=entry.name.replace('.', '/'),
        attribute='state',
        on='on',
        off='off',
    )


_DECLARATIONS = {
    placement: tuple(
        _declare(entry)
        for entry in enlightenments.ENLIGHTENMENTS.values()
        if entry.placement is placement
    )
    for placement in model.Placement
}


def _write(
    holder: etree._Element,
    placement: model.Placement,
    selection: selections.Selection,
) -> None:
    values = dict(selection.values)
    for declaration in _DECLARATIONS[placement]:
        entry = declaration.entry
        if entry.name in selection.features:
            declaration.write(holder, True, values.get(entry.value_name or ''))
        elif entry.name in selection.off:
            declaration.write(holder, False, None)


def has_features(selection: selections.Selection) -> bool:
    """Whether a selection has anything that stands in ``<hyperv>``."""
    return selection.mode in _DELEGATED or any(
        declaration.entry.name in selection.features
        or declaration.entry.name in selection.off
        for declaration in _DECLARATIONS[model.Placement.FEATURE]
    )


# The guests of a host are of few kinds, and to copy an element takes a third
# of the time to build it.
@functools.lru_cache(maxsize=128)
def _features(selection: selections.Selection) -> etree._Element:
    hyperv = etree.Element(HYPERV)
    if selection.mode in _DELEGATED:
        hyperv.set('mode', selection.mode.value)
    _write(hyperv, model.Placement.FEATURE, selection)
    return hyperv


def build_features(selection: selections.Selection) -> etree._Element:
    """Return the ``<hyperv>`` element."""
    return copy.deepcopy(_features(selection))


@functools.lru_cache(maxsize=128)
def _timers(selection: selections.Selection) -> etree._Element:
    clock = etree.Element('clock')
    _write(clock, model.Placement.TIMER, selection)
    if selection.tsc_frequency is not None:
        etree.SubElement(
            clock, 'timer', name=_TSC, frequency=str(selection.tsc_frequency)
        )
    if selection.pit_discards:
        etree.SubElement(clock, 'timer', name=PIT, tickpolicy=_DISCARD)
    return clock


def only_ours(
    found: selections.Selection, wanted: selections.Selection
) -> selections.Selection:
    """Return what a domain has, without what was not to be written.

    :param found: what was read of a domain.
    :param wanted: what was written into it. Where that has no tsc timer or no
        pit timer, those of the domain are not ours.
    """
    return dataclasses.replace(
        found,
        tsc_frequency=wanted.tsc_frequency and found.tsc_frequency,
        pit_discards=wanted.pit_discards and found.pit_discards,
    )


def build_timers(selection: selections.Selection) -> list[etree._Element]:
    """Return the ``<timer>`` elements, for ``<clock>``.

    With a pinned TSC frequency the ``tsc`` timer is one of them; with a PIT
    that discards lost ticks the ``pit`` timer is.
    """
    return list(copy.deepcopy(_timers(selection)))


def owned_timers(selection: selections.Selection) -> frozenset[str]:
    """Return the names of the timers that a selection decides about."""
    names = {
        declaration.entry.element
        for declaration in _DECLARATIONS[model.Placement.TIMER]
    }
    if selection.tsc_frequency is not None:
        names.add(_TSC)
    if selection.pit_discards:
        names.add(PIT)
    return frozenset(names)


def read_tsc(clock: etree._Element | None) -> int | None:
    """Return the TSC frequency in Hz that a guest's is pinned to.

    :param clock: its ``<clock>``, None where it has none.
    :returns: None where it is not pinned.
    """
    if clock is None:
        return None
    timer = clock.find(f"./timer[@name='{_TSC}']")
    return None if timer is None else parsing.number(timer.get('frequency'))


def _timer_elements(clock: etree._Element) -> dict[str, etree._Element]:
    """Return the timers by their paths; of those with one path the first."""
    found: dict[str, etree._Element] = {}
    for timer in clock.iterchildren('timer'):
        found.setdefault(timer.get('name', ''), timer)
    return found


def _feature_elements(hyperv: etree._Element) -> dict[str, etree._Element]:
    """Return the elements by their paths; of those with one path the first.

    One pass: to look for each path takes the longest of an audit.
    """
    found: dict[str, etree._Element] = {}
    for element in hyperv.iterchildren(etree.Element):
        found.setdefault(element.tag, element)
        for part in element.iterchildren(etree.Element):
            found.setdefault(f'{element.tag}/{part.tag}', part)
    return found


def read(domain: etree._Element) -> selections.Selection:
    """Return the enlightenments of a domain.

    Children of ``<hyperv>`` that the catalogue lacks are passed over.

    :param domain: the root element, ``<domain>``.
    :raises MalformedDocument: not a domain, or a mode that is not known.
    """
    if domain.tag != 'domain':
        raise exception.MalformedDocument(
            document='domain', reason=f'its root element is <{domain.tag}>'
        )
    features: set[str] = set()
    off: set[str] = set()
    values: set[tuple[str, str]] = set()
    hyperv = domain.find(f'./features/{HYPERV}')
    clock = domain.find('./clock')
    elements = {
        model.Placement.FEATURE: (
            {} if hyperv is None else _feature_elements(hyperv)
        ),
        model.Placement.TIMER: {} if clock is None else _timer_elements(clock),
    }
    for placement, found in elements.items():
        for declaration in _DECLARATIONS[placement]:
            if declaration.path not in found:
                continue
            on, value = declaration.read(found[declaration.path])
            (features if on else off).add(declaration.entry.name)
            value_name = declaration.entry.value_name
            if on and value is not None and value_name is not None:
                values.add((value_name, value))
    pinned = any(enlightenments.ENLIGHTENMENTS[n].pins_tsc for n in features)
    inhibited = any(
        enlightenments.ENLIGHTENMENTS[n].pit_inhibits for n in features
    )
    return selections.Selection(
        features=frozenset(features),
        off=frozenset(off),
        values=frozenset(values),
        mode=_read_mode(hyperv),
        tsc_frequency=read_tsc(clock) if pinned else None,
        pit_discards=inhibited and _read_pit(clock) == _DISCARD,
    )


def _read_pit(clock: etree._Element | None) -> str | None:
    """Return what becomes of lost ticks of a guest's PIT."""
    path = f"./timer[@name='{PIT}']"
    timer = None if clock is None else clock.find(path)
    return None if timer is None else timer.get('tickpolicy')


def _read_mode(hyperv: etree._Element | None) -> profiles.Mode:
    text = (
        profiles.Mode.CUSTOM.value
        if hyperv is None
        else hyperv.get('mode', profiles.Mode.CUSTOM.value)
    )
    if text not in _MODES:
        raise exception.MalformedDocument(
            document='domain', reason=f'<hyperv mode={text!r}> is not known'
        )
    return _MODES[text]


def _child(parent: etree._Element, tag: str) -> etree._Element:
    found = parent.find(f'./{tag}')
    return etree.SubElement(parent, tag) if found is None else found


def _remove(holder: etree._Element | None, path: str) -> None:
    if holder is None:
        return
    for element in holder.findall(path):
        holder.remove(element)


def apply(domain: etree._Element, selection: selections.Selection) -> None:
    """Write the enlightenments into a domain, in place of its own.

    Reads back what it wrote. Nothing else in the document changes.

    :param domain: the root element, ``<domain>``.
    :param selection: what the domain is to have.
    :raises VerifyError: what was written reads differently.
    """
    _remove(domain.find('./features'), f'./{HYPERV}')
    if has_features(selection):
        _child(domain, 'features').append(build_features(selection))
    for name in owned_timers(selection):
        _remove(domain.find('./clock'), f"./timer[@name='{name}']")
    timers = build_timers(selection)
    if timers:
        clock = _child(domain, 'clock')
        # The attribute is mandatory; this is what libvirt takes without it.
        clock.set('offset', clock.get('offset', 'utc'))
        clock.extend(timers)
    found = only_ours(read(domain), selection)
    if found != selection:
        raise exception.VerifyError(wanted=selection, found=found)
