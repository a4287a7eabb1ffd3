# SPDX-License-Identifier: Apache-2.0

"""The command ``guest exits``."""

import argparse
import collections.abc
import json
import pathlib
import typing

from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import hosts
from nova_hyperv_enlight.cmd import tables
from nova_hyperv_enlight.domains import audit
from nova_hyperv_enlight.domains import exits
from nova_hyperv_enlight import exception

_SECONDS = 10.0
#: What stands where something is not known.
_UNKNOWN = '-'
#: The columns of the kinds of exits.
_KINDS = {
    kind.removesuffix('_exits'): kind
    for kind in (exits.ALL, *exits.KINDS, exits.OTHER)
}
_COLUMNS = ('domain', 'vcpus', *_KINDS, 'hypervisor', 'saves', 'text')
_HYPERVISOR = {None: _UNKNOWN, False: 'no', True: 'yes'}

#: Exits a second and vCPU by the columns of their kinds.
_Rates = dict[str, float]


class GuestExits(base.EnlightCommand, tables.Lister):
    """Count how often running guests exit, and for what

    KVM counts the exits of each guest and libvirt reports them; guests are
    only read. Shown are exits a second and vCPU, the costliest guest first;
    which guests run a hypervisor of their own; and how many exits an
    enlightenment that is off would save at most.

    It needs libvirt 8.9 and QEMU 7.1 or newer, on the host.

    Example: nova-hyperv-enlight guest exits --seconds 60 -f json
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'domain',
            metavar='NAME',
            nargs='*',
            help='a domain to count for (default: all that run)',
        )
        parser.add_argument(
            '--seconds',
            metavar='SECONDS',
            type=arguments.seconds,
            default=_SECONDS,
            help='how long to count (default: %(default)g)',
        )
        parser.add_argument(
            '--baseline',
            metavar='FILE',
            help=(
                'compare with an earlier run, whose output with -f json is '
                'in this file'
            ),
        )
        arguments.add_connect_argument(parser)
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command.

        :returns: the exit code.
        """
        with base.stoppable() as stopped:
            parsed_args.stop = stopped.event
            code = super().run(parsed_args)
        return stopped.code or code

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Show what was counted.

        :returns: the columns and the rows.
        """
        earlier = None
        if parsed_args.baseline is not None:
            earlier = _read(pathlib.Path(parsed_args.baseline))
        connection, _ = hosts.connect(parsed_args.connect, read_only=True)
        try:
            exits.check(connection)
            named = [
                audit.look_up(connection, name)
                for name in dict.fromkeys(parsed_args.domain)
            ]
            first = exits.look(connection, named)
            if parsed_args.stop.wait(parsed_args.seconds):
                raise exception.Interrupted(what='The counting of exits')
            second = exits.look(connection, named)
            rows = exits.compare(connection, first, second, named)
        finally:
            connection.close()
        if earlier is None:
            return _COLUMNS, [_shown(row) for row in rows]
        return ('domain', 'kind', 'before', 'after', 'change'), [
            *_compared(earlier, rows)
        ]


def _rates(row: exits.Row) -> _Rates:
    return {
        column: round(row.rates[kind], 1)
        for column, kind in _KINDS.items()
        if kind in row.rates
    }


def _shown(row: exits.Row) -> tuple[typing.Any, ...]:
    rates = _rates(row)
    return (
        row.domain,
        row.vcpus or _UNKNOWN,
        *(rates.get(column, _UNKNOWN) for column in _KINDS),
        _HYPERVISOR[row.hypervisor],
        ', '.join(f'{each.name}: {each.exits:.1f}' for each in row.saved),
        row.text,
    )


def _compared(
    earlier: dict[str, _Rates], rows: collections.abc.Sequence[exits.Row]
) -> collections.abc.Iterator[tuple[typing.Any, ...]]:
    """Yield before and after, also of guests that were counted once only."""
    now = {row.domain: _rates(row) for row in rows}
    for name in (*now, *(gone for gone in earlier if gone not in now)):
        before, after = earlier.get(name, {}), now.get(name, {})
        for column in _KINDS:
            yield (
                name,
                column,
                before.get(column, _UNKNOWN),
                after.get(column, _UNKNOWN),
                _change(before.get(column), after.get(column)),
            )


def _change(before: float | None, after: float | None) -> str:
    if not before or after is None:
        return _UNKNOWN
    return f'{(after - before) / before:+.0%}'


def _read(path: pathlib.Path) -> dict[str, _Rates]:
    """Read the output of an earlier run.

    :raises MalformedDocument: it is none.
    """
    try:
        rows = json.loads(path.read_bytes())
        return {row['domain']: _read_rates(row) for row in rows}
    except OSError as err:
        reason = err.strerror
    except (ValueError, TypeError, KeyError, RecursionError) as err:
        reason = (
            'it is not what "guest exits -f json" writes: '
            f'{type(err).__name__}: {err}'
        )
    raise exception.MalformedDocument(
        document=path, reason=exception.printable(str(reason))
    )


def _read_rates(row: dict[str, typing.Any]) -> _Rates:
    read = {column: row[column] for column in _KINDS}
    return {
        column: float(value)
        for column, value in read.items()
        if value != _UNKNOWN
    }
