# SPDX-License-Identifier: Apache-2.0

"""Lets a command be interrupted where it can be."""

import collections.abc
import contextlib
import dataclasses
import signal
import threading

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: A shell's exit code for a signal, less the signal's number.
_INTERRUPTED = 128


@dataclasses.dataclass(slots=True)
class Stopped:
    """Whether somebody wants the program to stop.

    :ivar event: is set then.
    :ivar signal: the signal's number, else 0.
    """

    event: threading.Event = dataclasses.field(default_factory=threading.Event)
    signal: int = 0

    @property
    def code(self) -> int:
        """The exit code then, else 0."""
        return _INTERRUPTED + self.signal if self.signal else 0


@contextlib.contextmanager
def stoppable() -> collections.abc.Iterator[Stopped]:
    """Turn signals into an event.

    An exception could come between any two steps; this way guests and files
    are removed in peace, also at the second Ctrl-C.
    """
    stopped = Stopped()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def stop(number: int, frame: object) -> None:
        stopped.signal = number
        stopped.event.set()

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
