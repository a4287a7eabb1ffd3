# SPDX-License-Identifier: Apache-2.0

"""The command ``domain audit``."""

import argparse
import collections.abc
import contextlib
import dataclasses

import tqdm

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import tables
from nova_hyperv_enlight.domains import audit
from nova_hyperv_enlight.host import protocols

#: How long it may take before progress is shown.
_DELAY_SECONDS = 1.0
#: The formats that write each row as it comes.
_STREAMING = ('csv', 'value')
_SEVERITIES = {level.word: level for level in model.Severity}
_Row = tuple[str, str, str, str, str]
_Guests = collections.abc.Iterable[protocols.Domain]
_COLUMNS = ('domain', 'code', 'name', 'text', 'severity')


class DomainAudit(base.FindingsCommand, tables.Lister):
    """Show what is wrong with the Windows guests of a libvirt host

    A guest is Windows by Nova's metadata, by libosinfo's, or by --windows.
    It is compared with what the profile would give it on this host; its
    live document is read where it runs, and nothing is changed.

    Exit code 3: something is shown.

    Example: nova-hyperv-enlight domain audit --profile performance
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'domain',
            metavar='NAME',
            nargs='*',
            help='a domain to audit (default: all of them)',
        )
        parser.add_argument(
            '--windows',
            metavar='NAME',
            nargs='+',
            action='extend',
            default=[],
            help='domains that are Windows, whatever their metadata say',
        )
        parser.add_argument(
            '--profile',
            metavar='NAME',
            help="what the guests should have (default: the options' own)",
        )
        parser.add_argument(
            '--severity',
            metavar='LEVEL',
            choices=_SEVERITIES,
            default=model.Severity.NO_EFFECT.word,
            help=(
                'show what is as bad as this, or worse: '
                f'{", ".join(_SEVERITIES)} (default: everything)'
            ),
        )
        arguments.add_answer_arguments(parser)
        arguments.add_option_arguments(parser)
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command.

        :returns: the exit code; 3 where something was found.
        """
        # The rows are made while they are written.
        with contextlib.ExitStack() as self._until_written:
            return super().run(parsed_args)

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[collections.abc.Sequence[str], collections.abc.Iterable[_Row]]:
        """Show what is found.

        :returns: the columns and the rows.
        """
        conf = base.with_profile(
            base.read_settings(parsed_args), parsed_args.profile
        )
        saved = base.read_saved(parsed_args) if parsed_args.domcaps else None
        connection, local = base.connect(
            parsed_args.connect, read_only=saved is not None
        )
        self._until_written.callback(connection.close)
        known = parsed_args.windows
        for name in known:
            audit.look_up(connection, name)
        wanted = parsed_args.domain and [*parsed_args.domain, *known]
        guests = audit.select(connection, wanted)
        auditor = audit.Auditor(
            # What nova.conf leaves to Nova is looked at all the same.
            dataclasses.replace(conf, enabled=True),
            base.saved_host(saved)
            if saved
            else base.asked_host(connection, local),
            known,
        )
        progress = self._until_written.enter_context(
            self._progress(parsed_args, guests)
        )
        named = frozenset(parsed_args.domain)
        least = _SEVERITIES[parsed_args.severity]
        return _COLUMNS, self._rows(auditor, progress, named, least)

    def _progress(
        self,
        parsed_args: argparse.Namespace,
        guests: collections.abc.Sequence[protocols.Domain],
    ) -> contextlib.AbstractContextManager[_Guests]:
        """Return the guests; on a terminal a bar shows how far it is."""
        stderr, stdout = self.app.stderr, self.app.stdout
        # Rows that appear on the same terminal are progress enough.
        mixed = parsed_args.formatter in _STREAMING and stdout.isatty()
        bar: contextlib.AbstractContextManager[_Guests] = tqdm.tqdm(
            guests,
            file=stderr,
            disable=mixed or not stderr.isatty(),
            delay=_DELAY_SECONDS,
            leave=False,
            unit=' domains',
        )
        return bar

    def _rows(
        self,
        auditor: audit.Auditor,
        guests: _Guests,
        named: frozenset[str],
        least: model.Severity,
    ) -> collections.abc.Iterator[_Row]:
        read = windows = hidden = 0
        for guest in guests:
            result = auditor.audit(guest)
            read += 1
            windows += bool(result.windows)
            if result.windows is False and result.domain in named:
                self.app.LOG.warning(
                    'Nothing says that %s is a Windows guest, and it is '
                    'passed over: --windows says so.',
                    result.domain,
                )
            for found in result.found:
                if not found.severity.reaches(least):
                    hidden += 1
                    continue
                self.found += 1
                yield (
                    found.domain,
                    found.kind.code,
                    found.name,
                    found.text,
                    found.severity.word,
                )
        self.app.LOG.info(
            '%d of %d domains are Windows guests; findings: %d%s.',
            windows,
            read,
            self.found,
            f'; less severe and not shown: {hidden}' if hidden else '',
        )
