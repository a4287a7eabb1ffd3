# SPDX-License-Identifier: Apache-2.0
"""A service: a process with a log, found again by the number in a file."""

import collections.abc
import contextlib
import dataclasses
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from tests.cloud import exception
from tests.cloud import place as cloud_place

_POLL_SECONDS = 0.1
_CONNECT_SECONDS = 5.0
_STOP_SECONDS = 60.0
#: Generous: a service that starts at all starts in seconds.
START_SECONDS = 180.0
_SAID_CHARACTERS = 200
# What oslo.log ends a traceback with.
_SAYS_NOTHING = re.compile(r'\S+ \S+ \d+ [A-Z]+ [\w.]+ *')

Ready = collections.abc.Callable[[], bool]


def listens(port: int) -> Ready:
    """Return whether somebody accepts connections at a port."""

    def ready() -> bool:
        try:
            address = (cloud_place.ADDRESS, port)
            socket.create_connection(address, _CONNECT_SECONDS).close()
        except OSError:
            return False
        return True

    return ready


def answers(url: str) -> Ready:
    """Return whether a URL gives any answer that is no error."""

    def ready() -> bool:
        try:
            urllib.request.urlopen(url, timeout=_CONNECT_SECONDS).close()
        except urllib.error.HTTPError as err:
            # The list of an API's versions is "300 Multiple Choices".
            return err.code < 400
        except OSError:
            return False
        return True

    return ready


@dataclasses.dataclass(frozen=True, kw_only=True)
class Service:
    """A service of a cloud, running or not.

    Any process of the cloud may start, stop and kill it.

    :ivar argv: its program, which does not go into the background.
    :ivar ready: whether it does its work.
    """

    name: str
    place: cloud_place.Place
    argv: collections.abc.Sequence[str | os.PathLike[str]]
    variables: collections.abc.Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )
    ready: Ready

    @property
    def log(self) -> pathlib.Path:
        """The path of its log."""
        return self.place.log(self.name)

    @property
    def _pid_file(self) -> pathlib.Path:
        return self.place.path('run', f'{self.name}.pid')

    def start(self) -> None:
        """Start it, and don't wait."""
        with open(self.log, 'ab') as log:
            process = subprocess.Popen(
                [os.fspath(word) for word in self.argv],
                cwd=self.place.path('home'),
                env={**self.place.environment(), **self.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file.write_text(str(process.pid))

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Wait until it does its work.

        :raises: ServiceFailed.
        """
        deadline = time.monotonic() + seconds
        while not self.ready():
            if not self.is_running():
                raise self._failure('does not start')
            if time.monotonic() > deadline:
                raise self._failure(f'is not ready after {seconds:g} s')
            time.sleep(_POLL_SECONDS)

    def is_running(self) -> bool:
        """Return whether its process is there."""
        with self._process() as process:
            return process is not None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, if it runs, and wait for that.

        :raises: ServiceFailed.
        """
        with self._process() as process:
            if process is None:
                return
            signal.pidfd_send_signal(process, number)
            if not _has_ended(process, _STOP_SECONDS):
                raise self._failure('does not stop')

    def kill(self) -> None:
        """End it as a crash would."""
        self.stop(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it, start it, and wait for it."""
        self.stop()
        self.start()
        self.wait()

    @contextlib.contextmanager
    def _process(self) -> collections.abc.Iterator[int | None]:
        """Give a descriptor of its process, None where it has ended."""
        try:
            process = os.pidfd_open(int(self._pid_file.read_text()))
        except (FileNotFoundError, ProcessLookupError):
            yield None
            return
        try:
            # One that has ended and was not waited for is a zombie.
            yield None if _has_ended(process, 0) else process
        finally:
            os.close(process)

    def _failure(self, reason: str) -> exception.ServiceFailed:
        return exception.ServiceFailed(
            name=self.name,
            reason=reason,
            said=last_words(self.log),
            log=self.log,
        )


def last_words(log: pathlib.Path) -> str:
    """Return the last line of a log, cut short."""
    lines = log.read_text(errors='replace').split('\n')
    said = [
        line.strip()
        for line in lines
        if line.strip() and not _SAYS_NOTHING.fullmatch(line)
    ]
    return said[-1][:_SAID_CHARACTERS] if said else 'it said nothing'


def run(
    place: cloud_place.Place,
    name: str,
    argv: collections.abc.Sequence[str | os.PathLike[str]],
    **variables: str,
) -> None:
    """Run a program to its end, with a log as a service has.

    :raises: ServiceFailed.
    """
    path = place.log(name)
    with open(path, 'ab') as log:
        try:
            status = subprocess.run(
                [os.fspath(word) for word in argv],
                cwd=place.path('home'),
                env={**place.environment(), **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=START_SECONDS,
            ).returncode
            reason = f'ended with {status}'
        except subprocess.TimeoutExpired:
            status, reason = -1, f'was not done after {START_SECONDS:g} s'
    if status:
        raise exception.ServiceFailed(
            name=name, reason=reason, said=last_words(path), log=path
        )


def _has_ended(process: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
