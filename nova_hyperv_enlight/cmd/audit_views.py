# SPDX-License-Identifier: Apache-2.0

"""What ``domain audit`` shows of guests: rows for people and for programs."""

import collections.abc
import textwrap
import typing

from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.cmd import tables
from nova_hyperv_enlight.domains import audit
from nova_hyperv_enlight.fleet import audits
from nova_hyperv_enlight.fleet import untrusted

#: The columns of a finding's row.
LONG = ('domain', 'code', 'name', 'text', 'severity')
#: The columns of a guest's row, for programs.
FOR_PROGRAMS = (
    'domain',
    'server',
    'uuid',
    'project',
    'flavor',
    'has',
    'findings',
    'severity',
    'code',
    'to_do',
    'host',
    'time',
)
#: Those for people: with the table's lines they take 79 characters.
FOR_PEOPLE = ('guest', 'has', 'worst, and what to do')
#: Those of the guests of many hosts, for programs.
FLEET = (
    'host',
    'domain',
    'server',
    'uuid',
    'project',
    'flavor',
    'has',
    'wanted',
    'lacks',
    'findings',
    'severity',
    'code',
    'to_do',
    'time',
)
#: Those for people.
FLEET_FOR_PEOPLE = ('host', *FOR_PEOPLE)
#: A UUID fits.
_GUEST_WIDTH = 36
_TO_DO_WIDTH = 26
_HOST_WIDTH = 15
_NAME_WIDTH = 17


def guest(result: audit.Result, least: model.Severity) -> audits.Guest:
    """Return what the audit of a guest says, for a document.

    :param result: what became of the audit.
    :param least: only findings that are as bad as this, or worse.
    """
    read = result.guest
    nova = read.nova if read else None
    return audits.Guest(
        domain=_printable(result.domain),
        server=_printable(nova.server if nova else None),
        uuid=_printable(read.uuid if read else None),
        project=_printable(nova.project if nova else None),
        flavor=_printable(nova.flavor if nova else None),
        has=_named(read.hyperv if read else None),
        wanted=_named(result.wanted),
        findings=audits.worst_first(
            audits.Finding(
                code=found.kind.code,
                name=_printable(found.name),
                severity=found.severity,
                text=_printable(found.text),
                to_do=result.to_do(found),
            )
            for found in result.found
            if found.severity.reaches(least)
        ),
    )


def _printable(text: str | None) -> str:
    """Return a text of a guest's document as one line that can be shown."""
    return ''.join(
        each if each.isprintable() else '?'
        for each in (text or '')[: untrusted.MAX_CHARACTERS]
    )


def _named(selection: selections.Selection | None) -> tuple[str, ...] | None:
    """Return the names of a set, None where it leaves them to libvirt."""
    if selection is None or selection.mode is not profiles.Mode.CUSTOM:
        return None
    return tuple(graph.in_order(selection.features))


def long_rows(
    guest: audits.Guest,
) -> collections.abc.Iterator[tuple[str, ...]]:
    """Return a row for each finding of a guest."""
    for each in guest.findings:
        yield (
            guest.domain,
            each.code,
            each.name,
            each.text,
            each.severity.word,
        )


def for_programs(
    guest: audits.Guest, host: str, time: str
) -> tuple[str | int, ...]:
    """Return the row of a guest for programs."""
    worst = guest.worst
    return (
        guest.domain,
        guest.server,
        guest.uuid,
        guest.project,
        guest.flavor,
        guest.share,
        len(guest.findings),
        worst.severity.word if worst else '',
        worst.code if worst else '',
        worst.to_do if worst else '',
        host,
        time,
    )


def for_people(guest: audits.Guest) -> tuple[str, ...]:
    """Return the row of a guest for people, whose cells have lines."""
    return (_who(guest), guest.share, _what(guest))


def _who(guest: audits.Guest) -> str:
    where = ', '.join(
        f'{word} {text}'
        for word, text in (
            ('project', guest.project),
            ('flavor', guest.flavor),
        )
        if text
    )
    lines = [guest.name, guest.uuid, where]
    return '\n'.join(
        textwrap.fill(line, _GUEST_WIDTH) for line in lines if line
    )


def _what(guest: audits.Guest) -> str:
    worst = guest.worst
    if worst is None:
        return '-'
    more = len(guest.findings) - 1
    # The enlightenment of a finding is told where it is the only one.
    what = f'{worst.severity.word}: {worst.code}'
    if more:
        what += f' and {more} more'
    elif worst.name not in ('', worst.code):
        what += f' ({worst.name})'
    return '\n'.join(
        textwrap.fill(line, _TO_DO_WIDTH, break_on_hyphens=False)
        for line in (what, worst.to_do)
    )


def fleet_rows(
    found: audits.Audit,
) -> collections.abc.Iterator[tuple[typing.Any, ...]]:
    """Return a row for each guest of a host, for programs."""
    for each in found.guests:
        worst = each.worst
        yield (
            found.host,
            each.domain,
            each.server,
            each.uuid,
            each.project,
            each.flavor,
            tables.Names(list(each.has or ())),
            tables.Names(list(each.wanted or ())),
            tables.Names(list(each.lacks)),
            len(each.findings),
            worst.severity.word if worst else '',
            worst.code if worst else '',
            worst.to_do if worst else '',
            found.time,
        )


def fleet_rows_for_people(
    found: audits.Audit,
) -> collections.abc.Iterator[tuple[str, ...]]:
    """Return a row for each guest of a host, whose cells have lines."""
    host = textwrap.fill(found.host, _HOST_WIDTH)
    for each in found.guests:
        who = [each.name]
        if each.project:
            who.append(f'project {each.project}')
        what = [_what(each)]
        if each.lacks:
            lacks = f'lacks {", ".join(each.lacks)}'
            what.insert(0, textwrap.fill(lacks, _TO_DO_WIDTH))
        yield (
            host,
            '\n'.join(textwrap.fill(line, _NAME_WIDTH) for line in who),
            each.share,
            '\n'.join(what),
        )


def fleet_long_rows(
    found: audits.Audit,
) -> collections.abc.Iterator[tuple[str, ...]]:
    """Return a row for each finding of a host's guests."""
    for each in found.guests:
        for row in long_rows(each):
            yield found.host, *row
