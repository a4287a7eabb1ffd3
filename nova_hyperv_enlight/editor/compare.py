# SPDX-License-Identifier: Apache-2.0

"""Compares a domain document that was written with what libvirt kept."""

import collections
import collections.abc

from lxml import etree

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.editor import edit
from nova_hyperv_enlight.editor import splice
from nova_hyperv_enlight import exception

# libvirt leaves them out where there is nothing in them.
_OMITTED = ('features', hyperv.HYPERV)
_MAX_PATHS = 3


def difference(
    wanted: selections.Selection,
    written: etree._Element,
    found: etree._Element,
) -> str | None:
    """Say in what two documents differ, None where they say the same.

    White space and comments say nothing, nor does the order of
    enlightenments. Of everything else only the place is named: it may be a
    password.

    :param wanted: the enlightenments that were written.
    :param written: the root element that libvirt was given.
    :param found: the root element that it gives back.
    """
    try:
        there = hyperv.read(found)
    except exception.MalformedDocument as err:
        return str(err)
    lost = _lost(wanted, there)
    if lost:
        return lost
    timers = hyperv.owned_timers(wanted)
    ours, theirs = set(_lines(written, timers)), set(_lines(found, timers))
    paths = sorted({path for path, *_ in ours ^ theirs})
    if paths:
        more = ' and more' if len(paths) > _MAX_PATHS else ''
        return f'{", ".join(paths[:_MAX_PATHS])}{more} changed'
    return None


def _lost(
    wanted: selections.Selection, there: selections.Selection
) -> str | None:
    try:
        edit.check(wanted, there)
    except exception.VerifyError:
        pass
    else:
        return None
    ours, theirs = edit.effective(wanted), edit.effective(there)
    parts = []
    for what, features in (
        ('{} is not there', ours.features - theirs.features),
        ('{} is there too', theirs.features - ours.features),
    ):
        if features:
            parts.append(what.format(', '.join(sorted(features))))
    return '; '.join(parts) or f'{theirs} instead of {ours}'


def _is_ours(
    tags: tuple[str, ...], element: etree._Element, timers: frozenset[str]
) -> bool:
    """Whether an element is an enlightenment's.

    :param tags: of the elements that it stands in, from the root on.
    """
    if tags == ('domain', 'features', hyperv.HYPERV):
        return edit.is_known(element)
    return (
        tags == ('domain', 'clock')
        and element.tag == 'timer'
        and element.get('name') in timers
    )


def _lines(
    root: etree._Element, timers: frozenset[str]
) -> collections.abc.Iterator[tuple[str, str]]:
    """Return path and text of all that is not an enlightenment's."""

    def walk(
        element: etree._Element, tags: tuple[str, ...], path: str
    ) -> collections.abc.Iterator[tuple[str, str]]:
        count: collections.Counter[str] = collections.Counter()
        lines: list[tuple[str, str]] = []
        for each in splice.elements(element):
            if not _is_ours(tags, each, timers):
                count[each.tag] += 1
                name = etree.QName(each).localname
                step = f'{path}/{name}[{count[each.tag]}]'
                lines += walk(each, (*tags, each.tag), step)
        attributes = [
            (f'{path}/@{key}', value)
            for key, value in element.items()
            if (tags[-1], key) != (hyperv.HYPERV, 'mode')
        ]
        if lines or attributes or tags[-1] not in _OMITTED:
            yield path, (element.text or '').strip()
            yield from attributes
            yield from lines

    return walk(root, (root.tag,), root.tag)
