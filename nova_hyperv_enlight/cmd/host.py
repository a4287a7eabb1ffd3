# SPDX-License-Identifier: Apache-2.0

"""The command ``host show``."""

import argparse
import collections.abc

from cliff import lister

from nova_hyperv_enlight.cmd import base

_OFFERED = {True: 'yes', False: 'no', None: 'unknown'}


class HostShow(base.EnlightCommand, lister.Lister):
    """Show which enlightenments a host offers, and who says so

    Example: nova-hyperv-enlight host show --machine q35
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        base.add_host_arguments(parser)
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[
        collections.abc.Sequence[str],
        collections.abc.Iterable[collections.abc.Sequence[str]],
    ]:
        """Show the host's offers.

        :returns: the columns and the rows.
        """
        host = base.read_host(parsed_args)
        return ('name', 'offered', 'witness', 'evidence'), [
            (
                offer.name,
                _OFFERED[offer.offered],
                offer.witness.value,
                offer.evidence,
            )
            for offer in host.offers.values()
        ]
