# SPDX-License-Identifier: Apache-2.0

"""The command ``server explain``."""

import argparse

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import tables
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import server


class ServerExplain(base.EnlightCommand, tables.Lister):
    """Say which enlightenments a server of a cloud gets, and why

    Decides as the driver does at the server's next start, from what the
    APIs of Nova, Glance and placement show. Run it where "openstack" runs.
    The options come from --config-file: take the nova.conf of the server's
    host. The column "had" is what the last start gave, or "-" if the APIs do
    not show it. The column "certain" is "host" if only the host knows enough
    to decide.

    Example: nova-hyperv-enlight server explain web1 --os-cloud mycloud
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'server', metavar='SERVER', help='its name or UUID'
        )
        parser.add_argument(
            '--os-cloud',
            metavar='NAME',
            required=True,
            help='the cloud of clouds.yaml that the server is in',
        )
        arguments.add_image_argument(
            parser, 'a property of its image, before what is read'
        )
        arguments.add_option_arguments(parser)
        arguments.add_release_arguments(
            parser.add_argument_group('what no API tells')
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Show the outcomes.

        :returns: the columns and the rows.
        """
        conf = base.read_settings(parsed_args)
        found = server.ServerCloud(parsed_args.os_cloud).read_server(
            parsed_args.server,
            libvirt=parsed_args.libvirt_version,
            qemu=parsed_args.qemu_version,
        )
        image = {**found.image_properties, **parsed_args.image}
        for sentence in found.missing:
            self.app.LOG.warning('%s', sentence)
        self._tell(found, image)
        decided = server.decide(conf, found, image)
        return ('name', 'state', 'had', 'certain', 'reason', 'text'), [
            (
                outcome.name,
                outcome.state.value,
                _had(found, outcome.name),
                'yes' if server.is_certain(conf, found, outcome) else 'host',
                outcome.reason.value,
                outcome.text,
            )
            for outcome in decided.outcomes
        ]

    def _tell(self, found: server.Server, image: dict[str, str]) -> None:
        """Report what the table is about."""
        if 'os_type' not in image and not found.image_read:
            raise exception.InvalidRequest(
                reason=(
                    f'The image properties of server {found.name!r} cannot be '
                    'read, so it is not known whether it is Windows: give '
                    'them by --image, such as --image os_type=windows.'
                )
            )
        self.app.LOG.info(
            'Server %s (%s) on %s.', found.name, found.uuid, found.host.name
        )
        last = found.last_start
        if last is not None:
            self.app.LOG.info(
                'Started %s on %s: %s.',
                last.time,
                last.host or 'a host that this user does not see',
                last.event.text,
            )
        if found.silent:
            self.app.LOG.warning(
                'The host reports no %s* trait: it has no plugin, '
                'report_traits is off, or its KVM does not emulate Hyper-V.',
                model.TRAIT_PREFIX,
            )
        self.app.LOG.info(
            "Only the host knows what it offers to a machine type that is not "
            "its default, and whether the guest's CPU shows vmx or svm."
        )


def _had(found: server.Server, name: str) -> str:
    """Return what the last start gave, as far as the API shows it."""
    if found.recorded is None:
        return '-'
    return 'on' if name in found.recorded.selection.features else 'off'
