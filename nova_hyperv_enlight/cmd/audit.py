# SPDX-License-Identifier: Apache-2.0

"""The command ``domain audit``."""

import argparse
import collections
import collections.abc
import contextlib
import dataclasses
import datetime
import itertools

import tqdm

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import audit_views
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import hosts
from nova_hyperv_enlight.cmd import tables
from nova_hyperv_enlight.domains import audit
from nova_hyperv_enlight.domains import saved
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import audits
from nova_hyperv_enlight.host import capabilities

#: How long it may take before progress is shown.
_DELAY_SECONDS = 1.0
#: The formats that write each row as it comes.
_STREAMING = ('csv', 'value')
_Guests = collections.abc.Iterable[audit.Audited]


class DomainAudit(base.FindingsCommand, tables.Lister):
    """Show what is wrong with the Windows guests of a libvirt host

    A guest is Windows by Nova's metadata, by libosinfo's, or by --windows.
    It is compared with what the profile would give it on this host; its
    live document is read where it runs, and nothing is changed.

    There is a row for each guest; with --long for each finding. With -f json
    it is one document, with the host and the time.

    Exit code 3: there are findings.

    Example: nova-hyperv-enlight domain audit --profile performance
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'domain',
            metavar='NAME',
            nargs='*',
            help=(
                'a domain to audit (default: all of them); or a file with '
                'the XML of one, or a folder of such files, which has a '
                'slash in it or ends in .xml'
            ),
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
        arguments.add_finding_arguments(parser)
        arguments.add_answer_arguments(parser)
        self._uri = parser.get_default('connect')
        # Files need no libvirt unless one is named.
        parser.set_defaults(connect=None)
        arguments.add_option_arguments(parser)
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command.

        :returns: the exit code; 3 where something was found.
        """
        self._read = 0
        # The rows are made while they are written.
        with contextlib.ExitStack() as self._until_written:
            return super().run(parsed_args)

    def take_action(self, parsed_args: argparse.Namespace) -> base.Table:
        """Show what is found.

        :returns: the columns and the rows.
        """
        self._check(parsed_args)
        conf = base.with_profile(
            base.read_settings(parsed_args), parsed_args.profile
        )
        guests, told = self._guests(parsed_args, frozenset(conf.force_on))
        auditor = audit.Auditor(
            # What nova.conf leaves to Nova is looked at all the same.
            dataclasses.replace(conf, enabled=True),
            told,
            parsed_args.windows,
        )
        progress = self._until_written.enter_context(
            self._progress(parsed_args, guests)
        )
        found = self._audited(
            auditor,
            progress,
            frozenset(parsed_args.domain),
            audits.SEVERITIES[parsed_args.severity],
        )
        if parsed_args.formatter not in _STREAMING:
            # The summary is reported first.
            found = iter(list(found))
        return self._table(parsed_args, found)

    def _check(self, parsed_args: argparse.Namespace) -> None:
        """Refuse arguments that do not go together."""
        files = [saved.is_path(each) for each in parsed_args.domain]
        if any(files) and not all(files):
            raise exception.InvalidRequest(
                reason='Name either domains or files, not both.'
            )
        hosts.check_guests(parsed_args, any(files))
        if (
            parsed_args.formatter == 'json'
            and parsed_args.columns
            and not parsed_args.long
        ):
            raise exception.InvalidRequest(
                reason='Columns of json go with --long only.'
            )

    def _guests(
        self, parsed_args: argparse.Namespace, named: frozenset[str]
    ) -> tuple[
        collections.abc.Sequence[audit.Audited], capabilities.CapabilitiesOf
    ]:
        """Return the guests, and who tells what their host offers.

        :param named: names that the options turn on.
        """
        document = (
            hosts.read_saved(parsed_args) if parsed_args.domcaps else None
        )
        told = hosts.saved_host(document) if document else None
        files = saved.find(filter(saved.is_path, parsed_args.domain))
        if files and not parsed_args.connect:
            if told is None:
                self.app.LOG.info(
                    'No host was asked: what needs particular hardware is '
                    'neither missed nor taken for wrong.'
                )
                told = hosts.assumed_host(
                    named,
                    libvirt=parsed_args.libvirt_version,
                    qemu=parsed_args.qemu_version,
                )
            return files, told
        connection, local = hosts.connect(
            parsed_args.connect or self._uri, read_only=document is not None
        )
        self._until_written.callback(connection.close)
        told = told or hosts.asked_host(connection, local)
        if files:
            return files, told
        for name in parsed_args.windows:
            audit.look_up(connection, name)
        wanted = parsed_args.domain and [
            *parsed_args.domain,
            *parsed_args.windows,
        ]
        return audit.select(connection, wanted), told

    def _progress(
        self,
        parsed_args: argparse.Namespace,
        guests: collections.abc.Sequence[audit.Audited],
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

    def _audited(
        self,
        auditor: audit.Auditor,
        guests: _Guests,
        named: frozenset[str],
        least: model.Severity,
    ) -> collections.abc.Iterator[audits.Guest]:
        """Return the Windows guests, and what could not be read."""
        windows = hidden = 0
        counts: collections.Counter[model.Severity] = collections.Counter()
        for guest in guests:
            result = auditor.audit(guest)
            self._read += 1
            windows += bool(result.windows)
            if result.windows is False:
                if result.domain in named:
                    self.app.LOG.warning(
                        'Nothing says that %s is a Windows guest, and it is '
                        'passed over: --windows says so.',
                        result.domain,
                    )
                continue
            told = audit_views.guest(result, least)
            hidden += len(result.found) - len(told.findings)
            counts += audits.count((told,))
            if told.findings or least is model.Severity.NO_EFFECT:
                yield told
        self.found = counts.total()
        words = audits.in_words(counts)
        self.app.LOG.info(
            '%d of %d domains are Windows guests; findings: %d%s%s.',
            windows,
            self._read,
            self.found,
            f' ({words})' if words else '',
            f'; less severe and not shown: {hidden}' if hidden else '',
        )

    def _table(
        self,
        parsed_args: argparse.Namespace,
        guests: collections.abc.Iterator[audits.Guest],
    ) -> base.Table:
        """Return the rows of guests, or of their findings."""
        now = datetime.datetime.now(datetime.timezone.utc)
        time = now.isoformat(timespec='seconds')
        host = '' if self._is_saved(parsed_args) else self._host(parsed_args)
        if parsed_args.long:
            return audit_views.LONG, itertools.chain.from_iterable(
                map(audit_views.long_rows, guests)
            )
        if parsed_args.formatter == 'json':
            found = audits.Audit(
                host=host,
                time=time,
                domains=self._read,
                whole=not parsed_args.domain,
                least=audits.SEVERITIES[parsed_args.severity],
                guests=tuple(guests),
            )
            return tables.document(audits.write(found))
        if tables.for_people(parsed_args):
            return audit_views.FOR_PEOPLE, map(audit_views.for_people, guests)
        return audit_views.FOR_PROGRAMS, (
            audit_views.for_programs(guest, host, time) for guest in guests
        )

    def _is_saved(self, parsed_args: argparse.Namespace) -> bool:
        """Whether nothing says which host it is."""
        files = any(map(saved.is_path, parsed_args.domain))
        return files and not parsed_args.connect

    def _host(self, parsed_args: argparse.Namespace) -> str:
        return hosts.name_of(parsed_args.connect or self._uri)
