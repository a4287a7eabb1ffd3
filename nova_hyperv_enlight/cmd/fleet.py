# SPDX-License-Identifier: Apache-2.0

"""The command ``fleet baseline``, and what it shares with ``fleet check``."""

import argparse
import collections.abc
import pathlib
import re
import typing

from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import baseline_views
from nova_hyperv_enlight.cmd import hosts
from nova_hyperv_enlight.cmd import tables
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import baseline
from nova_hyperv_enlight.fleet import check
from nova_hyperv_enlight.fleet import cloud
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.fleet import recommendation

_VENDORS = {vendor.value: vendor for vendor in model.Vendor}


def _percent(text: str) -> int:
    """Return a share of the hosts."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= 100):
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a whole number from 1 to 100'
        )
    return int(text)


def _in_order(features: frozenset[str]) -> str:
    return ', '.join(graph.in_order(features)) or 'nothing'


def add_cloud_argument(parser: argparse._ActionsContainer) -> None:
    """Add the argument that names a cloud."""
    parser.add_argument(
        '--os-cloud',
        metavar='NAME',
        help='a cloud of clouds.yaml: what its hosts report to placement',
    )


class FleetCommand(base.EnlightCommand, tables.Lister):
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
                tables.few(
                    [repr(name) for name in sorted({n for n, _ in found})]
                ),
                tables.few(sorted({source for _, source in found})),
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
                tables.few(found.others),
            )
        if found.silent:
            self.app.LOG.warning(
                'Short of everything, for they report no %s* trait: %s. The '
                'plugin is not there or does not report, or their KVM does '
                'not emulate Hyper-V.',
                model.TRAIT_PREFIX,
                tables.few(found.silent),
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
            '--quorum',
            metavar='PERCENT',
            type=_percent,
            default=baseline.QUORUM,
            help=(
                'how many hosts have to share a set; the others are outside '
                f'(default: {baseline.QUORUM})'
            ),
        )
        shown = parser.add_mutually_exclusive_group()
        shown.add_argument(
            '--matrix',
            action='store_true',
            help='a row for each host, which says what it is short of',
        )
        shown.add_argument(
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
        found = baseline.find(self._hosts(parsed_args), parsed_args.quorum)
        self._name_outside(found, parsed_args.quorum)
        if parsed_args.print_config:
            return ('line',), [(line,) for line in recommendation.lines(found)]
        self._sum_up(found)
        if parsed_args.matrix:
            return baseline_views.matrix(found, tables.for_people(parsed_args))
        return ('name', 'hosts', 'missing'), [
            (name, found.delivering(name), tables.Names(list(missing)))
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
                'Passed over, for their vendor is not known: %s',
                tables.few(unsure),
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

    def _name_outside(self, found: baseline.Baseline, quorum: int) -> None:
        """Say which hosts are short of what a quorum shares."""
        if not found.outside:
            return
        if not found.enough:
            self.app.LOG.warning(
                'Nothing is shared by %d %% of the hosts.', quorum
            )
        self.app.LOG.warning(
            '%d of %d hosts share %s. Outside, for they are short of some of '
            'it: %s.',
            found.inside.hosts,
            found.everyone.hosts,
            _in_order(found.inside.features),
            tables.few([each.name for each in found.outside]),
        )

    def _sum_up(self, found: baseline.Baseline) -> None:
        """Say what the hosts of each vendor deliver."""
        self.app.LOG.info(
            'Every host (%d): %s.',
            found.everyone.hosts,
            _in_order(found.everyone.features),
        )
        for group in found.groups:
            more = group.features - found.everyone.features
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


_URI = re.compile('[a-z][a-z0-9+.-]*://', re.IGNORECASE)


class FleetCheck(base.FindingsCommand, FleetCommand):
    """Show what keeps a guest from a live migration to another host

    A host is a document of "host show -f json" or a libvirt connection; with
    --os-cloud it is a hypervisor of that cloud. The rules are those that
    nova-compute applies on the destination.

    Exit code 3: it would not migrate, or that cannot be said.

    Example: nova-hyperv-enlight fleet check a.json qemu+ssh://b/system
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'source', metavar='SRC', help='the host that the guest is on'
        )
        parser.add_argument(
            'destination', metavar='DST', help='the host that it moves to'
        )
        add_cloud_argument(parser)
        guest = parser.add_mutually_exclusive_group()
        guest.add_argument(
            '--profile',
            metavar='NAME',
            help="any guest of this profile (default: the options' own)",
        )
        guest.add_argument(
            '--domain',
            metavar='NAME',
            help=(
                'this guest of SRC, or a file with its XML where SRC is no '
                'connection'
            ),
        )
        parser.add_argument(
            '--machine',
            help=(
                'machine type of the guest, for connections (default: the '
                "domain's, else libvirt's own)"
            ),
        )
        arguments.add_option_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Show what is in the way.

        :returns: the columns and the rows.
        """
        conf = base.with_profile(
            base.read_settings(parsed_args), parsed_args.profile
        )
        if parsed_args.domain and (
            parsed_args.option or parsed_args.config_file
        ):
            raise exception.InvalidRequest(
                reason=(
                    '--option and --config-file do not go with --domain: the '
                    'guest has what it was started with.'
                )
            )
        guest = _read_domain(parsed_args)
        source, destination = self._pair(parsed_args, guest)
        started = (
            check.of_guest(guest) if guest else check.of_profile(conf, source)
        )
        found = check.obstacles(started, source, destination)
        doubts = check.doubts(source, destination)
        untold = check.untold(started, source, destination)
        if untold:
            self.app.LOG.warning(
                'Nobody could tell whether %s offers %s.',
                destination.name,
                ', '.join(untold),
            )
        slow = check.slow_clock(started, source, destination)
        if slow:
            self.app.LOG.warning('On %s, %s.', destination.name, slow)
        self.found = len(found) + len(doubts)
        self.app.LOG.info(
            'As far as enlightenments go, %s from %s to %s.',
            _sentence(
                f'the domain {parsed_args.domain}'
                if guest
                else f'a guest of profile {started.profile}',
                bool(found),
                bool(doubts),
            ),
            source.name,
            destination.name,
        )
        return ('name', 'text'), [
            (each.name, each.text) for each in (*found, *doubts)
        ]

    def _pair(
        self, parsed_args: argparse.Namespace, guest: domain.Domain | None
    ) -> list[documents.Host]:
        """Return the two hosts."""
        names = (parsed_args.source, parsed_args.destination)
        if parsed_args.machine and not any(map(_URI.match, names)):
            raise exception.InvalidRequest(
                reason=(
                    '--machine goes with a connection only: a document of a '
                    'host, or a cloud, cannot be asked about another one.'
                )
            )
        if parsed_args.os_cloud and all(map(_URI.match, names)):
            raise exception.InvalidRequest(
                reason='--os-cloud has no effect: both hosts are connections.'
            )
        in_cloud: collections.abc.Sequence[documents.Host] = ()
        if parsed_args.os_cloud:
            in_cloud = self.read_cloud(parsed_args.os_cloud)
        pair = []
        for name in names:
            if _URI.match(name):
                pair.append(_connected(name, parsed_args, guest))
            elif parsed_args.os_cloud:
                pair.append(_of_cloud(name, parsed_args.os_cloud, in_cloud))
            else:
                pair.append(documents.read(pathlib.Path(name)))
        self.warn_unknown(
            [(name, host.source) for host in pair for name in host.unknown]
        )
        return pair


def _sentence(what: str, obstacles: bool, doubts: bool) -> str:
    if obstacles:
        return f'{what} would not migrate'
    if doubts:
        return f'it cannot be said that {what} would migrate'
    return f'{what} would migrate'


def _connected(
    uri: str, parsed_args: argparse.Namespace, guest: domain.Domain | None
) -> documents.Host:
    """Ask a host about such a guest."""
    question = argparse.Namespace(
        domcaps=None,
        connect=uri,
        arch=guest.arch if guest else 'x86_64',
        machine=parsed_args.machine or (guest.machine if guest else None),
        virt_type=guest.virt_type if guest else 'kvm',
        libvirt_version=None,
        qemu_version=None,
    )
    return documents.Host(
        name=uri, source=uri, capabilities=hosts.read_host(question)
    )


def _of_cloud(
    name: str, cloud: str, hosts: collections.abc.Sequence[documents.Host]
) -> documents.Host:
    for host in hosts:
        if host.name == name:
            return host
    raise exception.InvalidRequest(
        reason=(
            f'The cloud {cloud!r} has no host {name!r}; it has '
            f'{tables.few([host.name for host in hosts]) or "none"}.'
        )
    )


def _read_domain(parsed_args: argparse.Namespace) -> domain.Domain | None:
    """Read the guest that is named, if one is."""
    name = parsed_args.domain
    if name is None:
        return None
    if _URI.match(parsed_args.source):
        connection, _ = hosts.connect(parsed_args.source, read_only=True)
        try:
            return check.read_guest(connection, name)
        finally:
            connection.close()
    path = pathlib.Path(name)
    try:
        return domain.parse(path.read_bytes(), name)
    except OSError as err:
        raise exception.MalformedDocument(
            document=path, reason=err.strerror
        ) from err
