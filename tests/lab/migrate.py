# SPDX-License-Identifier: Apache-2.0
"""Live migrations between two labs.

Run in each of the two as ``python -m tests.lab.migrate HOST``, where HOST is
the lab's name. The destination does what it is told; the source prints JSON.
"""

import contextlib
import io
import json
import sys
import time
import typing
import xmlrpc.client
import xmlrpc.server

from lxml import etree

from nova_hyperv_enlight.cmd import main as program
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.policy import record
from tests.lab import migrate_cases
from tests.lab import migrate_guest
from tests.lab import migrate_host

_SOURCE, _DESTINATION = migrate_guest.ADDRESSES
_ADDRESS = migrate_guest.ADDRESSES[_DESTINATION]
_PORT = 8000
# Generous: both machines are emulated, perhaps on a busy one.
_PEER_SECONDS = 240.0
_ROUND_SECONDS = 60.0
_POLL_SECONDS = 0.2
# Some go by before a guest leaves, and some after it has come.
_ROUNDS = 2

_Found = dict[str, typing.Any]


class _Server(xmlrpc.server.SimpleXMLRPCServer):
    timeout = _PEER_SECONDS

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, logRequests=False, allow_none=True)

    def handle_timeout(self) -> None:
        raise TimeoutError('the source is silent')


class Destination(migrate_host.Host):
    """The host that guests shall move to."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = False
        # nova-compute has asked long before a guest comes.
        self.capabilities()

    def obstacles(self, recorded: str, newer: bool) -> list[str]:
        """Do what the driver does in check_can_live_migrate_destination."""
        # The lab is given up when it is silent.
        print(recorded, file=sys.stderr, flush=True)
        host = self.capabilities()
        return record.obstacles(
            record.decode(recorded),
            migrate_cases.newer(host) if newer else host,
        )

    def end(self) -> None:
        """Be done."""
        self._ended = True

    def serve(self) -> None:
        """Do what the source says, until it has said all."""
        with _Server((_ADDRESS, _PORT)) as server:
            server.register_instance(self)
            while not self._ended:
                server.handle_request()


class Source(migrate_host.Host):
    """The host that guests shall leave."""

    def __init__(self) -> None:
        super().__init__()
        self._peer = _meet()

    def look(self) -> _Found:
        """Let all guests migrate, one after the other."""
        try:
            cases = migrate_cases.cases(
                self.capabilities(), migrate_host.tsc_frequency()
            )
            found = {case.guest.name: self._try(case) for case in cases}
            return {**found, 'verify': _verify()}
        finally:
            self._peer.end()

    def _try(self, case: migrate_cases.Case) -> _Found:
        guest = case.guest
        # The lab is given up when it is silent.
        print(guest.name, file=sys.stderr, flush=True)
        document = guest.document()
        found: _Found = {'asked': sorted(guest.selection.features)}
        if case.starts:
            if error := self.start(document):
                raise RuntimeError(f'{guest.name} does not start: {error}')
            self._wait_for_rounds(self, guest.name)
        found['ours'] = self._ask(case)
        if case.starts:
            found['libvirt'] = self._migrate(guest.name)
        else:
            # What an incoming migration begins with, too.
            found['start'] = self._peer.start(document)
        found['log'] = self._peer.log(guest.name)
        for host in (self, self._peer):
            host.remove(guest.name)
        return found

    def _ask(self, case: migrate_cases.Case) -> _Found:
        """Ask the destination, before anything else is done."""
        before = self._peer.state()
        begin = time.monotonic()
        obstacles = self._peer.obstacles(case.recorded, case.newer)
        seconds = time.monotonic() - begin
        return {
            'recorded': case.recorded,
            'obstacles': obstacles,
            'seconds': seconds,
            'untouched': self._peer.state() == before,
        }

    def _migrate(self, name: str) -> _Found:
        """Let libvirt try, whatever was said before."""
        state = self._peer.state()
        before = {'xml': _ours(self.document(name))}
        sent, begin = migrate_host.sent(), time.monotonic()
        error = self.migrate(name, _ADDRESS)
        found = {
            'error': error,
            'seconds': time.monotonic() - begin,
            'sent': migrate_host.sent() - sent,
            'untouched': self._peer.state() == state,
            'before': before,
        }
        where = self if error else self._peer
        self._wait_for_rounds(where, name)
        found['after'] = {'xml': _ours(where.document(name))}
        self._read_rounds(name, found)
        found['where'] = [
            place
            for place, host in ((_SOURCE, self), (_DESTINATION, self._peer))
            if name in host.state()['domains']
        ]
        return found

    def _read_rounds(self, name: str, found: _Found) -> None:
        """Read what the guest wrote here, across the move, and there."""
        before = migrate_guest.rounds(self.written(name))
        found['before']['rounds'] = migrate_guest.distinct(before)
        if found['error']:
            return
        across, *after = migrate_guest.rounds(
            self.written(name) + self._peer.written(name)
        )[len(before) :]
        found['across'] = across
        found['after']['rounds'] = migrate_guest.distinct(after)

    def _wait_for_rounds(self, host: typing.Any, name: str) -> None:
        """Let some more rounds go by."""
        had = len(migrate_guest.rounds(host.written(name)))
        deadline = time.monotonic() + _ROUND_SECONDS
        while len(migrate_guest.rounds(host.written(name))) < had + _ROUNDS:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f'{name} is silent: {host.written(name)[-200:]} '
                    f'{host.log(name)}'
                )
            time.sleep(_POLL_SECONDS)


def _meet() -> typing.Any:
    """Wait for the destination."""
    peer = xmlrpc.client.ServerProxy(
        f'http://{_ADDRESS}:{_PORT}', allow_none=True
    )
    deadline = time.monotonic() + _PEER_SECONDS
    while True:
        try:
            peer.state()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return peer


def _verify() -> _Found:
    """Look into a guest by the program: here is a libvirtd, its default."""
    out, argv = io.StringIO(), ('guest', 'verify', '-f', 'json')
    with contextlib.redirect_stdout(out):
        code = program.main([*argv, '--timeout', f'{_ROUND_SECONDS:g}'])
    return {'code': code, 'rows': json.loads(out.getvalue() or '[]')}


def _ours(document: str) -> list[str]:
    """Return the elements that the package writes, as they stand."""
    root = etree.fromstring(document)
    found = (root.find(f'./features/{hyperv.HYPERV}'), root.find('./clock'))
    return [
        etree.tostring(element, encoding='unicode', with_tail=False)
        for element in found
        if element is not None
    ]


def main(name: str) -> None:
    """Be one of the two hosts."""
    if name == _DESTINATION:
        with contextlib.closing(Destination()) as destination:
            destination.serve()
    else:
        with contextlib.closing(Source()) as source:
            json.dump(source.look(), sys.stdout, indent=1)


if __name__ == '__main__':
    main(sys.argv[1])
