# SPDX-License-Identifier: Apache-2.0

"""The command ``host show``."""

import argparse
import dataclasses

from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
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


class HostShow(probing.ProbingCommand, tables.Lister):
    """Show which enlightenments a host offers, and who says so

    With --verify a guest is started for each of them on this machine, and a
    column says what such guests are really shown. With --describe there are
    rows that say which host this is, for "fleet baseline".

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
                'show what is known of the host itself too, in rows whose '
                f'names begin with "{host_rows.PREFIX}"'
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
        host = hosts.read_host(parsed_args)
        slow = host.sources.slow_clock
        if slow:
            self.app.LOG.warning('With hypervclock, %s.', slow)
        columns: tuple[str, ...] = ('name', 'offered', 'witness', 'evidence')
        shown: dict[str, tuple[str, ...]] = {}
        if parsed_args.verify:
            columns = (*columns, 'shown to a guest')
            findings = self._verify(parsed_args)
            shown = {found.name: (found.shown.value,) for found in findings}
            host = self._heed(host, findings)
        rows = [
            (
                capability.name,
                documents.OFFERED[capability.offered],
                capability.source.value,
                capability.evidence,
                *shown.get(capability.name, ()),
            )
            for capability in host.features.values()
        ]
        if parsed_args.describe:
            rows += _described(parsed_args, host, len(columns))
        return columns, rows

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


def _described(
    parsed_args: argparse.Namespace,
    host: capabilities.HostCapabilities,
    width: int,
) -> list[tuple[str, ...]]:
    """Return the rows that say which host this is.

    :param width: how many columns they have.
    """
    name = None
    if not parsed_args.domcaps:
        name = hosts.name_of(parsed_args.connect)
    return [
        (row, _NOTHING, _NOTHING, text, *[_NOTHING] * (width - 4))
        for row, text in host_rows.describe(name, host.sources)
    ]
