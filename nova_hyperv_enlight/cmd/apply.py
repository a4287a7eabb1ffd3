# SPDX-License-Identifier: Apache-2.0

"""The command ``domain apply``."""

import argparse
import collections.abc
import contextlib
import pathlib
import typing

from nova_hyperv_enlight.cmd import apply_arguments
from nova_hyperv_enlight.cmd import apply_guests
from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import offers
from nova_hyperv_enlight.domxml import source
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import apply
from nova_hyperv_enlight.fleet import audit
from nova_hyperv_enlight.fleet import define
from nova_hyperv_enlight.fleet import wish


class DomainApply(base.EnlightCommand):
    """Change the enlightenments of guests that are there

    Prints the difference and stops; with --define libvirt keeps the change
    for the guest's next start from shut off. A running guest is not
    touched.

    With --profile, or without any of these, the profile takes the place of
    what a guest has. With --on, --off and --fix alone it keeps the rest.

    Example: nova-hyperv-enlight domain apply win11 --on stimer --define
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        apply_arguments.add_guests(parser)
        apply_arguments.add_changes(parser)
        apply_arguments.add_actions(parser)
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
        wanted = apply_arguments.read_wish(parsed_args)
        screen = apply_guests.Screen(
            stdout=self.app.stdout,
            log=self.app.LOG,
            whole=parsed_args.print_xml,
        )
        target = parsed_args.domain
        if target is not None and apply_arguments.is_file(target):
            self._apply_to_file(parsed_args, wanted, screen)
            return 0
        connection, local = base.connect(
            parsed_args.connect or self._uri,
            # libvirt answers about domain capabilities on no such one.
            read_only=bool(parsed_args.domcaps) and not parsed_args.define,
        )
        with contextlib.closing(connection):
            told = _offers(parsed_args, connection, local)
            planner = apply.Planner(wanted, told, parsed_args.force)
            if target is not None:
                guest = apply.look_up(connection, target)
                plan = planner.plan(apply.read(guest))
                screen.show(plan)
                found = apply_guests.Found(guests=[(guest, plan)])
            else:
                found = apply_guests.plan_all(connection, planner, screen)
            if not parsed_args.define:
                return found.code
            if target is None and not parsed_args.yes:
                self._confirm(len(found.changing))
            directory = apply_arguments.backup_directory(parsed_args)
            return apply_guests.define(connection, found, directory, screen)

    def _check(self, parsed_args: argparse.Namespace) -> None:
        """Refuse arguments that do not go together."""
        if bool(parsed_args.domain) is parsed_args.all:
            raise exception.InvalidRequest(
                reason='Name one domain or one file, or say --all.'
            )
        if not parsed_args.define:
            return
        if parsed_args.domain == apply_arguments.STDIN:
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
        wanted: wish.Wish,
        screen: apply_guests.Screen,
    ) -> None:
        document = self._read_document(parsed_args.domain)
        with _told(parsed_args, wanted) as told:
            planner = apply.Planner(wanted, told, parsed_args.force)
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
                apply_arguments.backup_directory(parsed_args),
            )
            screen.tell(
                f'{plan.name}: written; what it held before is in {kept}.'
            )

    def _read_document(self, target: str) -> source.Source:
        if target == apply_arguments.STDIN:
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


def _offers(
    parsed_args: argparse.Namespace, connection: typing.Any, local: bool
) -> audit.Offers:
    if parsed_args.domcaps:
        return offers.of_saved(base.read_saved(parsed_args))
    return offers.of_host(connection, local)


@contextlib.contextmanager
def _told(
    parsed_args: argparse.Namespace, wanted: wish.Wish
) -> collections.abc.Iterator[audit.Offers]:
    """Let a document's host be told by what the arguments name."""
    if parsed_args.domcaps or not parsed_args.connect:
        yield (
            offers.of_saved(base.read_saved(parsed_args))
            if parsed_args.domcaps
            else offers.unasked(wanted.on)
        )
        return
    connection, local = base.connect(parsed_args.connect)
    with contextlib.closing(connection):
        yield offers.of_host(connection, local)
