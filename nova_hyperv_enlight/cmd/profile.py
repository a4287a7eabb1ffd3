# SPDX-License-Identifier: Apache-2.0

"""The commands ``profile list`` and ``profile show``."""

import argparse
import collections.abc

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import tables


def _names(profile: profiles.Profile) -> str:
    return ' '.join(
        name
        for name in enlightenments.ENLIGHTENMENTS
        if name in profile.features
    )


class ProfileList(base.EnlightCommand, tables.Lister):
    """List the profiles, the operator's own among them

    Example: nova-hyperv-enlight profile list
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        arguments.add_option_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """List the profiles.

        :returns: the columns and the rows.
        """
        conf = base.read_settings(parsed_args)
        return ('name', 'mode', 'on', 'summary'), [
            (
                profile.name,
                profile.mode.value,
                _names(profile),
                profile.summary,
            )
            for profile in conf.known_profiles.values()
        ]


class ProfileShow(base.EnlightCommand, tables.ShowOne):
    """Show one profile

    Example: nova-hyperv-enlight profile show baseline
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        parser.add_argument('name', metavar='NAME', help='its name')
        arguments.add_option_arguments(parser)
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[
        collections.abc.Sequence[str], collections.abc.Sequence[object]
    ]:
        """Show the profile.

        :returns: the columns and their values.
        :raises InvalidRequest: there is no such profile.
        """
        conf = base.read_settings(parsed_args)
        profile = base.find_profile(conf, parsed_args.name)
        shown = {
            'name': profile.name,
            'mode': profile.mode.value,
            'on': _names(profile),
            'values': ' '.join(f'{k}={v}' for k, v in profile.values),
            'migratable': 'yes' if profile.migratable else 'no',
            'needs libvirt': model.version_text(profile.min_libvirt),
            'summary': profile.summary,
        }
        return tuple(shown), tuple(shown.values())
