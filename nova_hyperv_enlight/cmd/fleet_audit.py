# SPDX-License-Identifier: Apache-2.0

"""The command ``fleet audit``."""

import argparse
import collections.abc
import itertools
import pathlib

from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import audit_views
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import tables
from nova_hyperv_enlight.fleet import audits


class FleetAudit(base.FindingsCommand, tables.Lister):
    """Show the Windows guests of many hosts, and what is wrong with them

    Each file is a document that "domain audit -f json" has written on a host.
    All of them are read before anything is shown.

    There is a row for each guest, by host: what it has, what it lacks of what
    it would get, and the worst finding; with --long for each finding.

    Exit code 3: something was found.

    Example: nova-hyperv-enlight fleet audit --severity costs-cpu audits/*.json
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'file',
            metavar='FILE',
            nargs='+',
            type=pathlib.Path,
            help='the document of an audit of a host',
        )
        arguments.add_finding_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Show what was found on the hosts.

        :returns: the columns and the rows.
        """
        found = audits.read_all(
            parsed_args.file, audits.SEVERITIES[parsed_args.severity]
        )
        self._sum_up(found)
        if parsed_args.long:
            return ('host', *audit_views.LONG), _chained(
                audit_views.fleet_long_rows, found
            )
        if tables.for_people(parsed_args):
            return audit_views.FLEET_FOR_PEOPLE, _chained(
                audit_views.fleet_rows_for_people, found
            )
        return audit_views.FLEET, _chained(audit_views.fleet_rows, found)

    def _sum_up(self, found: collections.abc.Sequence[audits.Audit]) -> None:
        """Say how much was found, and what the documents do not tell."""
        guests = [guest for audit in found for guest in audit.guests]
        counts = audits.count(guests)
        self.found = counts.total()
        words = audits.in_words(counts)
        self.app.LOG.info(
            'Hosts: %d, audited from %s to %s; guests shown: %d, with '
            'findings: %d; findings: %d%s.',
            len(found),
            min(audit.time for audit in found),
            max(audit.time for audit in found),
            len(guests),
            sum(bool(guest.findings) for guest in guests),
            self.found,
            f' ({words})' if words else '',
        )
        parts = [audit.host for audit in found if not audit.whole]
        if parts:
            self.app.LOG.warning(
                'Not all guests are here of %s: "domain audit" was given '
                'their names.',
                tables.few(parts),
            )
        moved = audits.on_several(found)
        if moved:
            self.app.LOG.warning(
                'On more than one host, for they moved between the audits or '
                'were left behind: %s.',
                tables.few(
                    [
                        f'{uuid} ({", ".join(hosts)})'
                        for uuid, hosts in moved.items()
                    ]
                ),
            )


def _chained(
    rows: collections.abc.Callable[
        [audits.Audit], collections.abc.Iterable[tuple[object, ...]]
    ],
    found: collections.abc.Iterable[audits.Audit],
) -> collections.abc.Iterator[tuple[object, ...]]:
    return itertools.chain.from_iterable(map(rows, found))
