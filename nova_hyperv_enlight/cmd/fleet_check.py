# SPDX-License-Identifier: Apache-2.0

"""The command ``fleet check``."""

import argparse
import collections.abc
import pathlib
import re

from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import fleet
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import check
from nova_hyperv_enlight.fleet import documents

_URI = re.compile('[a-z][a-z0-9+.-]*://', re.IGNORECASE)


class FleetCheck(base.FindingsCommand, fleet.FleetCommand):
    """Show what keeps a guest from a live migration to another host

    A host is a document of "host show -f json" or a libvirt connection; with
    --os-cloud it is a hypervisor of that cloud. The rules are those that
    nova-compute applies on the destination.

    Exit code 3: it would not migrate.

    Example: nova-hyperv-enlight fleet check a.json qemu+ssh://b/system
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'source', metavar='SRC', help='the host that the guest is on'
        )
        parser.add_argument(
            'destination', metavar='DST', help='the host that it shall go to'
        )
        fleet.add_cloud_argument(parser)
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
        guest = _domain(parsed_args)
        source, destination = self._pair(parsed_args, guest)
        started = (
            check.of_guest(guest) if guest else check.of_profile(conf, source)
        )
        found = check.obstacles(started, source, destination)
        untold = check.untold(started, source, destination)
        if untold:
            self.app.LOG.warning(
                'Nobody could tell whether %s offers %s.',
                destination.name,
                ', '.join(untold),
            )
        self.found = len(found)
        self.app.LOG.info(
            '%s would %smigrate from %s to %s.',
            f'The domain {parsed_args.domain}'
            if guest
            else f'A guest of profile {started.profile}',
            'not ' if found else '',
            source.name,
            destination.name,
        )
        return ('name', 'text'), [(each.name, each.text) for each in found]

    def _pair(
        self, parsed_args: argparse.Namespace, guest: domain.Domain | None
    ) -> list[documents.Host]:
        """Return the two hosts."""
        names = (parsed_args.source, parsed_args.destination)
        in_cloud: collections.abc.Sequence[documents.Host] = ()
        if parsed_args.os_cloud and not all(map(_URI.match, names)):
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
    )
    return documents.Host(
        name=uri, source=uri, capabilities=base.read_host(question)
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
            f'{fleet.few([host.name for host in hosts]) or "none"}.'
        )
    )


def _domain(parsed_args: argparse.Namespace) -> domain.Domain | None:
    """Read the guest that is named, if one is."""
    name = parsed_args.domain
    if name is None:
        return None
    if _URI.match(parsed_args.source):
        connection, _ = base.connect(parsed_args.source, read_only=True)
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
