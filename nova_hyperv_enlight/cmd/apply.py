# SPDX-License-Identifier: Apache-2.0

"""The command ``domain apply``."""

import argparse
import collections.abc
import contextlib
import os
import pathlib
import typing

from nova_hyperv_enlight.cmd import apply_guests
from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import hosts
from nova_hyperv_enlight.domains import apply
from nova_hyperv_enlight.domains import audit
from nova_hyperv_enlight.domains import change
from nova_hyperv_enlight.domains import define
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.domains import saved
from nova_hyperv_enlight.domxml import schema
from nova_hyperv_enlight.editor import source
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import capabilities

#: What stands for standard input.
STDIN = '-'
#: The directory of former documents, in that of the user's state.
STATE = 'nova-hyperv-enlight'

_CODES = tuple(kind.code for kind in findings.KINDS.values() if kind.fix)


def add_guests(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which guests."""
    group = parser.add_argument_group('guests')
    group.add_argument(
        'domain',
        metavar='DOMAIN|FILE|-',
        nargs='?',
        help=(
            'the name of a domain; or a file with the XML of one, which has '
            'a slash in it or ends in .xml; or standard input'
        ),
    )
    group.add_argument(
        '--all',
        action='store_true',
        help='all Windows guests of the connection',
    )
    group.add_argument(
        '--yes',
        action='store_true',
        help='with --all and --define: do not ask',
    )
    group.add_argument(
        '--force',
        action='store_true',
        help='also guests that Nova manages, and that are not Windows',
    )


def add_changes(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what is changed."""
    group = parser.add_argument_group('changes')
    group.add_argument(
        '--profile',
        metavar='NAME',
        help="all that this profile has (default: the options' own profile)",
    )
    arguments.add_toggle_arguments(group)
    group.add_argument(
        '--fix',
        metavar='CODE',
        action='append',
        default=[],
        choices=_CODES,
        help='cure these findings of "domain audit" (repeatable)',
    )


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what is done."""
    group = parser.add_argument_group('what is done')
    group.add_argument(
        '--print-xml',
        action='store_true',
        help='print the whole XML instead of the difference',
    )
    group.add_argument(
        '--define',
        action='store_true',
        help='store the change in libvirt, or in the file',
    )
    group.add_argument(
        '--backup-dir',
        metavar='DIRECTORY',
        type=pathlib.Path,
        help=(
            f'where the former XML is kept (default: $XDG_STATE_HOME/{STATE})'
        ),
    )
    group.add_argument(
        '--schema',
        metavar='FILE',
        help=(
            "libvirt's domain.rng, beside the files that it includes: XML "
            'that is not valid by it is refused (such as '
            f'{schema.INSTALLED})'
        ),
    )


def is_file(target: str) -> bool:
    """Whether a file or standard input is meant, and not a domain."""
    return target == STDIN or saved.is_path(target)


def read_change_request(
    parsed_args: argparse.Namespace,
) -> change.ChangeRequest:
    """Return what the operator wants.

    :raises InvalidOption: by an option that cannot be used.
    :raises InvalidRequest: by a profile that there is not.
    """
    on, off = frozenset(parsed_args.on), frozenset(parsed_args.off)
    codes = frozenset(parsed_args.fix)
    return change.ChangeRequest(
        conf=base.with_profile(
            base.read_settings(parsed_args), parsed_args.profile
        ),
        replaces=bool(parsed_args.profile) or not (on or off or codes),
        on=on,
        off=off,
        codes=codes,
    )


def backup_directory(parsed_args: argparse.Namespace) -> pathlib.Path:
    """Return where former documents are kept.

    https://specifications.freedesktop.org/basedir-spec/latest/

    :raises InvalidRequest: that is not known.
    """
    if parsed_args.backup_dir is not None:
        return pathlib.Path(parsed_args.backup_dir)
    state = pathlib.Path(os.environ.get('XDG_STATE_HOME', ''))
    if not state.is_absolute():
        try:
            state = pathlib.Path.home() / '.local' / 'state'
        except RuntimeError as err:
            raise exception.InvalidRequest(
                reason=f'{err} Name a --backup-dir.'
            ) from err
    return state / STATE


class DomainApply(base.EnlightCommand):
    """Change the enlightenments of existing guests

    Prints the difference and stops. With --define libvirt stores the change
    for the guest's next start from shut off. A running guest is not touched.

    With --profile, or without --on, --off and --fix, the profile replaces
    what a guest has. With --on, --off or --fix alone it keeps the rest.

    Example: nova-hyperv-enlight domain apply win11 --on stimer --define
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        add_guests(parser)
        add_changes(parser)
        add_actions(parser)
        arguments.add_answer_arguments(parser)
        self._uri = parser.get_default('connect')
        # A file needs no libvirt unless one is named.
        parser.set_defaults(connect=None)
        arguments.add_option_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Plan, show, and define.

        :returns: the exit code.
        """
        self._check(parsed_args)
        wanted = read_change_request(parsed_args)
        valid = (
            schema.Schema(parsed_args.schema) if parsed_args.schema else None
        )
        screen = apply_guests.Screen(
            stdout=self.app.stdout,
            log=self.app.LOG,
            whole=parsed_args.print_xml,
        )
        target = parsed_args.domain
        if target is not None and is_file(target):
            self._apply_to_file(parsed_args, wanted, screen, valid)
            return 0
        connection, local = hosts.connect(
            parsed_args.connect or self._uri,
            # libvirt answers about domain capabilities on no such one.
            read_only=bool(parsed_args.domcaps) and not parsed_args.define,
        )
        with contextlib.closing(connection):
            told = _capabilities_of(parsed_args, connection, local)
            planner = apply.Planner(wanted, told, parsed_args.force, valid)
            if target is not None:
                guest = audit.look_up(connection, target)
                plan = planner.plan(apply.read(guest))
                screen.show(plan)
                found = apply_guests.Planned(guests=[(guest, plan)])
            else:
                found = apply_guests.plan_all(connection, planner, screen)
            if not parsed_args.define:
                return found.code
            if target is None and not parsed_args.yes:
                self._confirm(len(found.changing))
            directory = backup_directory(parsed_args)
            return apply_guests.define(connection, found, directory, screen)

    def _check(self, parsed_args: argparse.Namespace) -> None:
        """Refuse arguments that do not go together."""
        if bool(parsed_args.domain) is parsed_args.all:
            raise exception.InvalidRequest(
                reason='Name one domain or one file, or say --all.'
            )
        hosts.check_guests(
            parsed_args,
            bool(parsed_args.domain) and is_file(parsed_args.domain),
        )
        if not parsed_args.define:
            return
        if parsed_args.domain == STDIN:
            raise exception.InvalidRequest(
                reason=(
                    'Standard input cannot be written; --print-xml prints '
                    'the whole document.'
                )
            )
        if parsed_args.all and not parsed_args.yes:
            # It is None where it was closed.
            if self.app.stdin is None or not self.app.stdin.isatty():
                raise exception.InvalidRequest(
                    reason=(
                        '--define with --all asks before it changes anything, '
                        'and there is no terminal; --yes answers for you.'
                    )
                )

    def _confirm(self, count: int) -> None:
        """Ask whether to go on.

        :raises InvalidRequest: the answer is not yes.
        """
        if not count:
            return
        self.app.stdout.flush()
        self.app.stderr.write(f'Define {count} of these anew? [y/N] ')
        self.app.stderr.flush()
        answer = self.app.stdin.readline().strip().lower()
        if answer not in ('y', 'yes'):
            raise exception.InvalidRequest(
                reason='The answer was no: nothing is changed.'
            )

    def _apply_to_file(
        self,
        parsed_args: argparse.Namespace,
        wanted: change.ChangeRequest,
        screen: apply_guests.Screen,
        valid: schema.Schema | None,
    ) -> None:
        document = self._read_document(parsed_args.domain)
        with _told(parsed_args, wanted) as told:
            planner = apply.Planner(wanted, told, parsed_args.force, valid)
            plan = planner.plan(document)
        if not (parsed_args.connect or parsed_args.domcaps):
            self.app.LOG.info(
                'No host was asked: what needs particular hardware is left '
                'out unless it is named.'
            )
        screen.show(plan)
        if parsed_args.define and plan.changes:
            kept = define.write_file(
                pathlib.Path(parsed_args.domain),
                plan,
                backup_directory(parsed_args),
            )
            screen.tell(
                f'{plan.name}: written; what it held before is in {kept}.'
            )

    def _read_document(self, target: str) -> source.Source:
        if target == STDIN:
            stdin = self.app.stdin
            data = b'' if stdin is None else stdin.buffer.read()
            return source.parse(data, 'standard input')
        try:
            data = pathlib.Path(target).read_bytes()
        except OSError as err:
            raise exception.MalformedDocument(
                document=target, reason=err.strerror
            ) from err
        return source.parse(data, target)


def _capabilities_of(
    parsed_args: argparse.Namespace, connection: typing.Any, local: bool
) -> capabilities.CapabilitiesOf:
    if parsed_args.domcaps:
        return hosts.saved_host(hosts.read_saved(parsed_args))
    return hosts.asked_host(connection, local)


@contextlib.contextmanager
def _told(
    parsed_args: argparse.Namespace, wanted: change.ChangeRequest
) -> collections.abc.Iterator[capabilities.CapabilitiesOf]:
    """Let a document's host be told by what the arguments name."""
    if parsed_args.domcaps or not parsed_args.connect:
        yield (
            hosts.saved_host(hosts.read_saved(parsed_args))
            if parsed_args.domcaps
            else hosts.assumed_host(
                wanted.on,
                libvirt=parsed_args.libvirt_version,
                qemu=parsed_args.qemu_version,
            )
        )
        return
    connection, local = hosts.connect(parsed_args.connect)
    with contextlib.closing(connection):
        yield hosts.asked_host(connection, local)
