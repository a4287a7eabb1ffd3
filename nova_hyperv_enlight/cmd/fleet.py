# SPDX-License-Identifier: Apache-2.0

"""The command ``fleet baseline``, and what it shares with ``fleet check``."""

import argparse
import collections.abc
import pathlib
import typing

from cliff import columns
from cliff import lister

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import baseline
from nova_hyperv_enlight.fleet import cloud
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.fleet import plan

#: How many names are shown to people at once.
_FEW = 5
_VENDORS = {vendor.value: vendor for vendor in model.Vendor}


def few(names: collections.abc.Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = ', '.join(names[:_FEW])
    if len(names) > _FEW:
        shown += f' and {len(names) - _FEW} more'
    return shown


def _in_order(names: frozenset[str]) -> str:
    listed = [name for name in enlightenments.ENLIGHTENMENTS if name in names]
    return ', '.join(listed) or 'nothing'


if typing.TYPE_CHECKING:
    _Names = columns.FormattableColumn[list[str]]
else:
    # cliff's is generic from 4.9 on; at run time any release will do.
    _Names = columns.FormattableColumn


class Names(_Names):
    """Names: all of them for programs, the first of them for people."""

    def human_readable(self) -> str:
        """Return the first names, and how many more there are."""
        return few(self._value)


def add_cloud_argument(parser: argparse._ActionsContainer) -> None:
    """Add the argument that names a cloud."""
    parser.add_argument(
        '--os-cloud',
        metavar='NAME',
        help='a cloud of clouds.yaml: what its hosts report to placement',
    )


class FleetCommand(base.EnlightCommand, lister.Lister):
    """A command about many hosts."""

    def warn_unknown(
        self, found: collections.abc.Collection[tuple[str, str]]
    ) -> None:
        """Name what a newer plugin knows and this one does not.

        :param found: such names, each with where it was found.
        """
        if found:
            self.app.LOG.warning(
                'Not known here, and passed over: %s (in %s)',
                few([repr(name) for name in sorted({n for n, _ in found})]),
                few(sorted({source for _, source in found})),
            )

    def read_cloud(
        self, name: str, aggregate: str | None = None, zone: str | None = None
    ) -> collections.abc.Sequence[documents.Host]:
        """Read what the hosts of a cloud report, and say which do not.

        :param name: the cloud's.
        :param aggregate: only hosts of this host aggregate.
        :param zone: only hosts of this availability zone.
        """
        found = cloud.Cloud(name).read(aggregate, zone)
        if found.others:
            self.app.LOG.warning(
                'Passed over, for they are no QEMU hosts: %s',
                few(found.others),
            )
        if found.silent:
            self.app.LOG.warning(
                'Short of everything, for they report no %s* trait: %s. The '
                'plugin is not there or does not report, or their KVM does '
                'not emulate Hyper-V.',
                model.TRAIT_PREFIX,
                few(found.silent),
            )
        self.warn_unknown(
            [(trait, f'cloud {name}') for trait in found.unknown]
        )
        return found.hosts


class FleetBaseline(FleetCommand):
    """Show what every one of many hosts delivers, and who is short of what

    A document is what "nova-hyperv-enlight host show --describe -f json"
    writes on a host; without --describe the name of the file, less its
    suffix, is the host's.

    Example: nova-hyperv-enlight fleet baseline hosts/*.json --print-config
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'file', metavar='FILE', nargs='*', help="a host's document"
        )
        group = parser.add_argument_group('cloud')
        add_cloud_argument(group)
        group.add_argument(
            '--aggregate',
            metavar='NAME',
            help='only the hosts of this host aggregate',
        )
        group.add_argument(
            '--availability-zone',
            metavar='NAME',
            help='only the hosts of this availability zone',
        )
        parser.add_argument(
            '--vendor',
            choices=tuple(_VENDORS),
            help='only hosts whose processor is of this vendor',
        )
        parser.add_argument(
            '--print-config',
            action='store_true',
            help=(
                'print lines for nova.conf and commands for flavors that '
                'give a guest the same on each of the hosts'
            ),
        )
        return parser

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: collections.abc.Sequence[str],
        data: collections.abc.Iterable[collections.abc.Sequence[typing.Any]],
    ) -> int:
        """Print the lines of --print-config as they are."""
        if not parsed_args.print_config or parsed_args.formatter != 'table':
            return super().produce_output(parsed_args, column_names, data)
        for (line,) in data:
            self.app.stdout.write(f'{line}\n')
        return 0

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Show the hosts' baseline.

        :returns: the columns and the rows.
        """
        _check_sources(parsed_args)
        found = baseline.find(self._hosts(parsed_args))
        if parsed_args.print_config:
            return ('line',), [(line,) for line in plan.lines(found)]
        self._sum_up(found)
        return ('name', 'hosts', 'missing'), [
            (name, found.delivering(name), Names(list(missing)))
            for name, missing in found.missing.items()
        ]

    def _hosts(
        self, parsed_args: argparse.Namespace
    ) -> collections.abc.Iterator[documents.Host]:
        unknown: list[tuple[str, str]] = []
        unsure = []
        wanted = _VENDORS.get(parsed_args.vendor)
        for host in self._all_hosts(parsed_args):
            unknown += [(name, host.source) for name in host.unknown]
            if wanted in (None, host.vendor):
                yield host
            elif host.vendor is None:
                unsure.append(host.name)
        if unsure:
            self.app.LOG.warning(
                'Passed over, for their vendor is not known: %s', few(unsure)
            )
        self.warn_unknown(unknown)

    def _all_hosts(
        self, parsed_args: argparse.Namespace
    ) -> collections.abc.Iterable[documents.Host]:
        if parsed_args.os_cloud:
            return self.read_cloud(
                parsed_args.os_cloud,
                parsed_args.aggregate,
                parsed_args.availability_zone,
            )
        # One after the other: they may be many.
        return (documents.read(pathlib.Path(f)) for f in parsed_args.file)

    def _sum_up(self, found: baseline.Baseline) -> None:
        """Say what the hosts of each vendor deliver."""
        self.app.LOG.info(
            'Every host (%d): %s.',
            found.everyone.hosts,
            _in_order(found.everyone.names),
        )
        for group in found.groups:
            more = group.names - found.everyone.names
            self.app.LOG.info(
                '%s (%d): %s.',
                f'Every {group.vendor.value} host'
                if group.vendor
                else 'Every host of which the vendor is not known',
                group.hosts,
                f'also {_in_order(more)}' if more else 'the same',
            )


def _check_sources(parsed_args: argparse.Namespace) -> None:
    """Refuse arguments that do not go together."""
    if bool(parsed_args.file) == bool(parsed_args.os_cloud):
        raise exception.InvalidRequest(
            reason='Name either files or, by --os-cloud, a cloud.'
        )
    chosen = parsed_args.aggregate or parsed_args.availability_zone
    if chosen and not parsed_args.os_cloud:
        raise exception.InvalidRequest(
            reason='--aggregate and --availability-zone go with --os-cloud.'
        )
