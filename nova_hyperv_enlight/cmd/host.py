# SPDX-License-Identifier: Apache-2.0

"""The command ``host show``."""

import argparse
import collections.abc
import dataclasses
import typing

from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import host_views
from nova_hyperv_enlight.cmd import hosts
from nova_hyperv_enlight.cmd import probing
from nova_hyperv_enlight.cmd import tables
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.fleet import host_rows
from nova_hyperv_enlight.guest import matrix
from nova_hyperv_enlight.guest import verify
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import evaluation

#: What stands in the columns that a row has no use for.
_NOTHING = '-'
_COLUMNS = ('name', 'offered', 'witness', 'evidence')
_SHOWN = 'shown to a guest'


class HostShow(probing.ProbingCommand, tables.Lister):
    """Show which enlightenments a host offers, and who says so

    The table has a row for each reason, other formats have one for each
    enlightenment; the last line says how many the host can give.

    With --verify a guest is started for each of them on this machine, and a
    column says what such guests are really shown. With --describe it says
    which host this is, too: with -f json it is a document for "fleet
    baseline".

    Example: nova-hyperv-enlight host show --machine q35
    """

    def boots(self, parsed_args: argparse.Namespace) -> bool:
        """Whether it boots the probe this time."""
        return bool(parsed_args.verify)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        arguments.add_host_arguments(parser)
        parser.add_argument(
            '--describe',
            action='store_true',
            help=(
                'show what is known of the host itself too: in json apart '
                'from the enlightenments, else in rows whose names begin '
                f'with "{host_rows.PREFIX}"'
            ),
        )
        group = parser.add_argument_group('verification')
        group.add_argument(
            '--verify',
            action='store_true',
            help='show what guests on this machine are really shown',
        )
        probing.add_timeout_argument(group)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Show the host's offers.

        :returns: the columns and the rows.
        """
        self._check(parsed_args)
        host = hosts.read_host(parsed_args)
        slow = host.sources.slow_clock
        if slow:
            self.app.LOG.warning('With hypervclock, %s.', slow)
        shown: dict[str, str] = {}
        if parsed_args.verify:
            findings = self._verify(parsed_args)
            shown = {found.name: found.shown.value for found in findings}
            host = self._heed(host, findings)
        name = None
        if parsed_args.describe and not parsed_args.domcaps:
            name = hosts.name_of(parsed_args.connect)
        self._summary = host_views.summary(host)
        if parsed_args.describe and parsed_args.formatter == 'json':
            return tables.document(_document(name, host, shown))
        facts: list[tuple[str, str]] = []
        if parsed_args.describe:
            facts = host_rows.describe(name, host.sources)
        seen = (_NOTHING,) if shown else ()
        if tables.for_people(parsed_args):
            columns, rows = host_views.grouped(host, shown)
            return columns, rows + [
                host_views.row(fact, _NOTHING, text, *seen)
                for fact, text in facts
            ]
        columns = [*_COLUMNS, *((_SHOWN,) if shown else ())]
        return columns, [
            tuple(each[column] for column in columns)
            for each in _rows(host, shown)
        ] + [(fact, _NOTHING, _NOTHING, text, *seen) for fact, text in facts]

    def _check(self, parsed_args: argparse.Namespace) -> None:
        """Refuse arguments that have no effect."""
        if parsed_args.timeout and not parsed_args.verify:
            raise exception.InvalidRequest(
                reason='--timeout goes with --verify only.'
            )
        if (
            parsed_args.describe
            and parsed_args.formatter == 'json'
            and parsed_args.columns
        ):
            raise exception.InvalidRequest(
                reason='Columns of json do not go with --describe.'
            )

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: collections.abc.Sequence[str],
        data: collections.abc.Iterable[collections.abc.Sequence[typing.Any]],
    ) -> int:
        """Write the rows; people see the sum at the end."""
        code = super().produce_output(parsed_args, column_names, data)
        if tables.for_people(parsed_args):
            # It comes last where both go to one place.
            self.app.stdout.flush()
            self.app.LOG.info('%s', self._summary)
        return code

    def _verify(
        self, parsed_args: argparse.Namespace
    ) -> tuple[verify.Observation, ...]:
        """Look at each enlightenment in a guest of its own."""
        if parsed_args.domcaps:
            raise exception.InvalidRequest(
                reason='--verify needs a connection, not a saved document.'
            )
        with probing.connection(parsed_args) as connection:
            return probing.look_at_each(
                parsed_args,
                connection,
                self.app.stderr,
                parsed_args.arch or arguments.ARCH,
            )

    def _heed(
        self,
        host: capabilities.HostCapabilities,
        findings: tuple[verify.Observation, ...],
    ) -> capabilities.HostCapabilities:
        """Let the guests be witnesses, and say who contradicts them."""
        asked = host.sources
        for line in (
            *probing.refusals(findings),
            *matrix.disagreements(findings, asked.kernel.leaves),
        ):
            self.app.LOG.warning('%s', line)
        return evaluation.evaluate(
            dataclasses.replace(asked, not_shown=matrix.not_shown(findings))
        )


def _rows(
    host: capabilities.HostCapabilities, shown: dict[str, str]
) -> list[dict[str, str]]:
    """Return the rows of the enlightenments, for programs."""
    rows = documents.rows(host)
    if shown:
        for row in rows:
            row[_SHOWN] = shown[row['name']]
    return rows


def _document(
    name: str | None,
    host: capabilities.HostCapabilities,
    shown: dict[str, str],
) -> dict[str, typing.Any]:
    """Return the document of a host."""
    return {
        **documents.write(name, host),
        'enlightenments': _rows(host, shown),
    }
