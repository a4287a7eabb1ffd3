# SPDX-License-Identifier: Apache-2.0

"""libvirt's XML: a domain, or its ``<features>`` and ``<clock>``.

https://libvirt.org/formatdomain.html#hypervisor-features
"""

import dataclasses
import re

from lxml import etree

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.host import parsing
from nova_hyperv_enlight.notation import statement

NAME = 'libvirt'

# What libvirt takes where the XML has no retries: NEWS 11.9.0. Older ones
# refuse such a domain.
NEVER_NOTIFY = '4294967295'
# The schema wants an offset of each <clock>; libvirt takes this one where
# there is none: src/conf/domain_conf.c, virDomainDefClockParse.
_OFFSET = 'utc'
_NOTHING_BESIDE = "libvirt allows nothing beside mode='passthrough'"
# libvirt gives QEMU hv-crash for it: src/qemu/qemu_command.c,
# qemuBuildCpuCommandLine.
_PANIC = "./devices/panic[@model='hyperv']"
_CRASH = statement.Loss(
    word="<panic model='hyperv'/>",
    reason=(
        'it is a device: QEMU has hv-crash for it, virt-xml --panic '
        'model=hyperv, KubeVirt panicDevices'
    ),
)
# Where each part of a domain stands that a text may begin with.
_PLACES = {
    'features': (),
    'clock': (),
    hyperv.HYPERV: ('features',),
    'timer': ('clock',),
}
_QEMU = '{http://libvirt.org/schemas/domain/qemu/1.0}'
_ROOT = 'parts'
_DECLARATION = re.compile(r'\A\s*<[?]xml\s[^>]*[?]>')
_FLAG = re.compile('(^|[,+-])hv[-_]')


def recognises(text: str) -> bool:
    """Whether a text looks like this notation."""
    return text.lstrip().startswith('<')


def _elements(text: str) -> list[etree._Element]:
    # Several elements side by side are no document of their own; a
    # declaration can only begin one.
    text = _DECLARATION.sub('', text)
    root = parsing.parse(
        f'<{_ROOT}>{text}</{_ROOT}>', _ROOT, f'the text as {NAME}'
    )
    for stray in (root.text, *(each.tail for each in root)):
        if stray and stray.strip():
            raise statement.error(
                NAME, f'{statement.quote(stray.strip())} is no element'
            )
    elements = [each for each in root if isinstance(each.tag, str)]
    if not elements:
        raise statement.error(NAME, 'there is no element in it')
    return elements


def _domain(elements: list[etree._Element]) -> etree._Element:
    """Return a domain that holds these elements."""
    if [each.tag for each in elements] == ['domain']:
        return elements[0]
    domain = etree.Element('domain')
    if 'domain' in [each.tag for each in elements]:
        raise statement.error(NAME, 'there are several domains in it')
    for each in elements:
        if each.tag not in _PLACES:
            raise statement.error(
                NAME, f'<{each.tag}> is not domain, {", ".join(_PLACES)}'
            )
        holder = domain
        for tag in _PLACES[each.tag]:
            found = holder.find(f'./{tag}')
            holder = etree.SubElement(holder, tag) if found is None else found
        holder.append(each)
    return domain


def _only(holder: etree._Element, path: str) -> etree._Element | None:
    found = holder.findall(path)
    if len(found) > 1:
        raise statement.error(NAME, f'<{found[0].tag}> is there twice')
    return found[0] if found else None


def _check_switch(element: etree._Element, attribute: str, *ok: str) -> None:
    if element.get(attribute) not in ok:
        raise statement.error(
            NAME,
            f'<{element.tag}> needs {attribute}={" or ".join(ok)}, it has '
            f'{statement.quote(element.get(attribute, ""))}',
        )


def _check_features(holder: etree._Element, parent: str) -> None:
    """Refuse what reading would pass over, or take for something else."""
    for element in holder:
        if not isinstance(element.tag, str):
            continue  # A comment.
        name = f'{parent}.{element.tag}' if parent else element.tag
        entry = enlightenments.ENLIGHTENMENTS.get(name)
        if entry is None or entry.placement is not model.Placement.FEATURE:
            raise statement.error(
                NAME, f'<{element.tag}> of <{holder.tag}> is not known'
            )
        _only(holder, f'./{element.tag}')
        _check_switch(element, 'state', 'on', 'off')
        if not parent:
            _check_features(element, name)


def _check(domain: etree._Element) -> None:
    features, clock = _only(domain, './features'), _only(domain, './clock')
    if features is not None:
        found = _only(features, f'./{hyperv.HYPERV}')
        if found is not None:
            _check_features(found, '')
    if clock is None:
        return
    for entry in enlightenments.ENLIGHTENMENTS.values():
        if entry.placement is model.Placement.TIMER:
            timer = _only(clock, f"./timer[@name='{entry.element}']")
            if timer is not None:
                _check_switch(timer, 'present', 'yes', 'no')


def complete(
    collector: statement.Collector, found: selections.Selection
) -> selections.Selection:
    """Check and complete the values of what a domain was found to have.

    :raises MalformedDocument: a value is missing, or is not allowed.
    """
    for said in statement.statements(found):
        collector.switch(said.entry.name, said.on)
        if said.value is not None:
            collector.give(said.entry.name, said.value)
    collector.default('spinlocks', NEVER_NOTIFY)
    collector.mode = found.mode
    collector.tsc_frequency = found.tsc_frequency
    return collector.selection()


def read(text: str) -> statement.Reading:
    """Read a domain, or parts of one side by side.

    :raises MalformedDocument: not such XML, an element of ``<hyperv>`` that
        is not known, or a value that is not allowed.
    """
    domain = _domain(_elements(text))
    _check(domain)
    selection = complete(statement.Collector(NAME), hyperv.read(domain))
    losses: list[statement.Loss] = []
    if selection.mode is profiles.Mode.PASSTHROUGH:
        # As libvirt itself does.
        selection, losses = split(selection)
    if domain.find(_PANIC) is not None:
        losses.append(_CRASH)
    losses.extend(
        statement.Loss(
            word=argument.get('value', ''),
            reason='arguments for QEMU itself are not read',
        )
        for argument in domain.findall(f'./{_QEMU}commandline/{_QEMU}arg')
        if _FLAG.search(argument.get('value', ''))
    )
    return statement.Reading(selection=selection, losses=tuple(losses))


def _text(element: etree._Element) -> str:
    etree.indent(element)
    text: str = etree.tostring(element, encoding='unicode')
    return text


def split(
    selection: selections.Selection,
) -> tuple[selections.Selection, list[statement.Loss]]:
    """Return what of a selection a domain can say, and what not.

    ``<hyperv mode='passthrough'>`` is empty: src/conf/schemas/
    domaincommon.rng has no children for it, and domain_conf.c,
    virDomainFeaturesHyperVDefParse, passes over those that are there.
    """
    found, losses = statement.split_nested(selection, selection.mode)
    passthrough = selection.mode is profiles.Mode.PASSTHROUGH
    said = []
    for each in found:
        if passthrough and each.entry.placement is model.Placement.FEATURE:
            losses.append(
                statement.Loss(word=each.word, reason=_NOTHING_BESIDE)
            )
        else:
            said.append(each)
    features = frozenset(each.entry.name for each in said)
    frequency = selection.tsc_frequency
    if frequency is not None and not any(
        each.on and each.entry.pins_tsc for each in said
    ):
        losses.append(
            statement.Loss(
                word=f'{statement.TSC_FREQUENCY}={frequency}',
                reason='nothing that can be said needs it',
            )
        )
        frequency = None
    return dataclasses.replace(
        selection,
        features=selection.features & features,
        off=selection.off & features,
        tsc_frequency=frequency,
    ), losses


def write(selection: selections.Selection) -> statement.Writing:
    """Write ``<features>`` and ``<clock>``, as far as there is need."""
    said, losses = split(selection)
    notes = []
    parts = []
    if hyperv.has_features(said):
        features = etree.Element('features')
        features.append(hyperv.build_features(said))
        parts.append(_text(features))
    timers = hyperv.build_timers(said)
    if timers:
        clock = etree.Element('clock', offset=_OFFSET)
        clock.extend(timers)
        parts.append(_text(clock))
        notes.append('A guest that has a <clock> keeps its own offset.')
    return statement.Writing(
        text='\n'.join(parts or ['<features/>']),
        losses=tuple(losses),
        notes=tuple(notes),
    )
