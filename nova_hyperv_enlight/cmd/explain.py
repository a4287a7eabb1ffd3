# SPDX-License-Identifier: Apache-2.0

"""The command ``explain``."""

import argparse

from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import hosts
from nova_hyperv_enlight.cmd import tables
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve


class Explain(base.EnlightCommand, tables.Lister):
    """Say which enlightenments a guest would get, and why

    Decides as nova-compute does. The image counts as a Windows image unless
    it has another os_type.

    Example: nova-hyperv-enlight explain --spec hyperv_enlight:stimer=off
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        arguments.add_image_argument(parser, 'a property of the image')
        parser.add_argument(
            '--spec',
            metavar='KEY=VALUE',
            action=arguments.KeyValue,
            default={},
            help='an extra spec of the flavor (repeatable)',
        )
        parser.add_argument(
            '--nested',
            action=argparse.BooleanOptionalAction,
            help="whether the guest's CPU shows vmx or svm (default: yes)",
        )
        arguments.add_option_arguments(parser)
        arguments.add_host_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Show the outcomes.

        :returns: the columns and the rows.
        """
        conf = base.read_settings(parsed_args)
        image = {'os_type': 'windows', **parsed_args.image}
        asked = request.from_properties(
            os_type=image['os_type'],
            extra_specs=parsed_args.spec,
            image_properties=image,
            nested=parsed_args.nested,
        )
        host = hosts.read_host(
            parsed_args,
            arch=image.get('hw_architecture'),
            machine=image.get('hw_machine_type'),
        )
        decided = resolve.resolve(conf, asked, host)
        return ('name', 'state', 'reason', 'source', 'text'), [
            (
                outcome.name,
                outcome.state.value,
                outcome.reason.value,
                outcome.source.value,
                outcome.text,
            )
            for outcome in decided.outcomes
        ]
