# SPDX-License-Identifier: Apache-2.0

"""The command ``guest verify``."""

import argparse
import pathlib
import typing

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.catalogue import tlfs
from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import probing
from nova_hyperv_enlight.cmd import tables
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import ask
from nova_hyperv_enlight.guest import boot
from nova_hyperv_enlight.guest import cpuid
from nova_hyperv_enlight.guest import probe_domain
from nova_hyperv_enlight.guest import verify
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.policy import settings

#: It is every hypervisor's: who it is.
_FIRST_LEAF = 0x40000000


def _add_sources(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('what is asked for')
    source = group.add_mutually_exclusive_group()
    source.add_argument(
        '--profile',
        metavar='NAME',
        help="a profile (default: the options' own)",
    )
    source.add_argument(
        '--domain',
        metavar='NAME',
        help='what this guest has, its CPU and clock too; it is only read',
    )
    source.add_argument(
        '--xml', metavar='FILE', help='the same of a saved domain'
    )
    source.add_argument(
        '--each',
        action='store_true',
        help=(
            'each enlightenment alone, with what it requires, in a guest of '
            'its own'
        ),
    )
    arguments.add_toggle_arguments(group, ', beside the profile')


class GuestVerify(base.FindingsCommand, probing.ProbingCommand, tables.Lister):
    """Show what a guest on this host really sees

    Boots a probe in a guest of its own, reads back what that guest reads by
    CPUID, removes the guest, and compares with what was asked for.

    Exit code 3: the guest does not see all that was asked for.

    Example: nova-hyperv-enlight guest verify --profile performance
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        _add_sources(parser)
        parser.add_argument(
            '--decode',
            action='store_true',
            help='show every bit that the guest reads, by its name',
        )
        probing.add_arguments(parser)
        arguments.add_option_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Show what the guest is shown.

        :returns: the columns and the rows.
        """
        _check(parsed_args)
        conf = base.with_profile(
            base.read_settings(parsed_args), parsed_args.profile
        )
        leaves: kvm.Leaves = {}
        with probing.connection(parsed_args) as connection:
            if parsed_args.each:
                findings = probing.look_at_each(
                    parsed_args, connection, self.app.stderr
                )
            else:
                asked, left_out, question = _question(
                    parsed_args, conf, connection
                )
                leaves = boot.boot(
                    connection, question, probing.conditions(parsed_args)
                )
                findings = verify.compare(asked, leaves, left_out)
        self.found = sum(finding.is_missing for finding in findings)
        for line in probing.refusals(findings):
            self.app.LOG.warning('%s', line)
        return _decoded(leaves) if parsed_args.decode else _compared(findings)


def _check(parsed_args: argparse.Namespace) -> None:
    """Refuse arguments that do not go together."""
    other = parsed_args.domain or parsed_args.xml or parsed_args.each
    if other and (parsed_args.on or parsed_args.off):
        raise exception.InvalidRequest(
            reason='--on and --off go with a profile only.'
        )
    own = '--domain' if parsed_args.domain else '--xml'
    if parsed_args.domain or parsed_args.xml:
        for option in ('machine', 'virt_type'):
            if getattr(parsed_args, option) is not None:
                raise exception.InvalidRequest(
                    reason=(
                        f'--{option.replace("_", "-")} goes with a profile or '
                        f'--each only: the guest of {own} has its own.'
                    )
                )
    if parsed_args.each and parsed_args.decode:
        raise exception.InvalidRequest(
            reason='--each starts many guests, and --decode shows one.'
        )


def _compared(findings: tuple[verify.Observation, ...]) -> base.Table:
    return ('name', 'asked', 'shown', 'leaf'), [
        (found.name, found.asked.value, found.shown.value, found.leaf)
        for found in findings
    ]


def _decoded(leaves: kvm.Leaves) -> base.Table:
    # Where it is no Hyper-V, the other leaves mean something else.
    readings = [
        reading
        for reading in tlfs.decode(leaves)
        if cpuid.shows_hyperv(leaves) or reading.field.leaf == _FIRST_LEAF
    ]
    return ('leaf', 'register', 'bits', 'name', 'value', 'section'), [
        (
            f'{reading.field.leaf:#x}',
            reading.field.register.value.upper(),
            reading.field.bits,
            reading.field.name,
            reading.text,
            reading.field.section,
        )
        for reading in readings
    ]


def _question(
    parsed_args: argparse.Namespace,
    conf: settings.Settings,
    connection: typing.Any,
) -> tuple[selections.Selection, dict[str, str], probe_domain.Question]:
    """Return what is asked for, what of it is left out, and the guest."""
    if parsed_args.domain is not None:
        question = ask.of_domain(connection, parsed_args.domain)
        return question.selection, {}, question
    if parsed_args.xml is not None:
        path = pathlib.Path(parsed_args.xml)
        try:
            question = ask.of_document(path.read_bytes(), str(path))
        except OSError as err:
            raise exception.MalformedDocument(
                document=path, reason=err.strerror
            ) from err
        return question.selection, {}, question
    on, off = frozenset(parsed_args.on), frozenset(parsed_args.off)
    host = probing.sources(parsed_args, connection)
    asked = ask.selection(conf, on, off, host)
    left_out = ask.left_out(asked, on, host)
    question = probe_domain.from_selection(
        ask.without(asked, left_out),
        virt_type=probing.virt_type(parsed_args),
        machine=parsed_args.machine,
    )
    return asked, left_out, question
