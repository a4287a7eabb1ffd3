# SPDX-License-Identifier: Apache-2.0

"""What ``domain apply`` does with the guests of a connection."""

import dataclasses
import logging
import pathlib
import typing

from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.domains import apply
from nova_hyperv_enlight.domains import audit
from nova_hyperv_enlight.domains import define as definition
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import protocols

#: How many names are told at once.
_FEW = 10


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Where the command shows and says things.

    :ivar stdout: where the differences go, and what became of them.
    :ivar log: where everything else goes.
    :ivar whole: show whole documents, not differences.
    """

    stdout: typing.TextIO
    log: logging.Logger
    whole: bool

    def show(self, plan: apply.Plan) -> None:
        """Show what becomes of a document."""
        for note in plan.notes:
            self.log.warning('%s: %s', plan.name, note)
        if not plan.changes:
            self.log.info('%s: there is nothing to change.', plan.name)
        for kind in plan.left:
            self.log.info(
                '%s: "domain audit" still finds %s then: %s',
                plan.name,
                kind.code,
                f'--fix {kind.code} cures it.' if kind.fix else kind.cure,
            )
        if self.whole:
            self._write(plan.data, plan.former.encoding)
        elif plan.changes:
            self._write(plan.diff().encode('utf-8'), 'utf-8')

    def tell(self, line: str) -> None:
        """Say what became of a change."""
        self.stdout.write(f'{line}\n')

    def _write(self, data: bytes, encoding: str) -> None:
        """Write bytes as they are, where a stream takes them."""
        binary = getattr(self.stdout, 'buffer', None)
        if binary is None:
            self.stdout.write(data.decode(encoding))
            return
        self.stdout.flush()
        binary.write(data)
        binary.flush()


@dataclasses.dataclass(slots=True, kw_only=True)
class Planned:
    """What was planned for guests.

    :ivar guests: guests, and what becomes of each.
    :ivar code: the exit code so far.
    """

    guests: list[tuple[protocols.Domain, apply.Plan]]
    code: int = 0

    @property
    def changing(self) -> list[tuple[protocols.Domain, apply.Plan]]:
        """Those that something changes for."""
        return [each for each in self.guests if each[1].changes]


def plan_all(
    connection: typing.Any, planner: apply.Planner, screen: Screen
) -> Planned:
    """Plan for all Windows guests, and show it.

    A guest that cannot be read or is refused is reported, and the rest are
    processed.
    """
    found = Planned(guests=[])
    alone: list[str] = []
    for guest in audit.select(connection, ()):
        try:
            document = apply.read(guest)
            if not apply.is_windows(document):
                alone.append(guest.name())
                continue
            plan = planner.plan(document)
        except exception.EnlightException as err:
            screen.log.error('%s', err)
            found.code = base.CANNOT_RUN
            continue
        screen.show(plan)
        if plan.changes:
            # Not all the others: there may be many.
            found.guests.append((guest, plan))
    if alone:
        more = f' and {len(alone) - _FEW} more' if len(alone) > _FEW else ''
        screen.log.info(
            'Nothing says that these are Windows guests, and they are left '
            'alone: %s%s.',
            ', '.join(alone[:_FEW]),
            more,
        )
    return found


def define(
    connection: typing.Any,
    found: Planned,
    directory: pathlib.Path,
    screen: Screen,
) -> int:
    """Define what was planned, one guest after another.

    A signal stops it between two guests.

    :returns: the exit code.
    """
    changing = found.changing
    done = 0
    with base.stoppable() as stopped:
        for guest, plan in changing:
            if stopped.event.is_set():
                break
            try:
                kept = definition.define(connection, guest, plan, directory)
            except exception.EnlightException as err:
                screen.log.error('%s', err)
                found.code = base.CANNOT_RUN
                continue
            done += 1
            screen.tell(
                f'{plan.name}: defined; it {apply.when(guest)}. Its former '
                f'XML is in {kept}.'
            )
    if stopped.code:
        screen.log.error(
            'It was interrupted: %d of %d domains were redefined, and the '
            'others are as they were.',
            done,
            len(changing),
        )
    return stopped.code or found.code
