# SPDX-License-Identifier: Apache-2.0
"""What the probe says, in memory that it shares with this side."""

import collections.abc
import dataclasses
import enum
import mmap
import pathlib
import struct
import time

#: Where it is in the guest's memory, and so in the file behind that.
ADDRESS = 0x200000
#: The guest's memory.
MEMORY_BYTES = 32 << 20

# As struct mailbox in guest/probe.h
_LAYOUT = struct.Struct('<5I64s64s')
_HOST = struct.Struct('<I')
_HOST_OFFSET = 4
_POLL_SECONDS = 0.002


class Kind(enum.IntEnum):
    """What the probe wants to say."""

    BEGIN = 1
    MIDDLE = 2
    END = 3
    NOTE = 4
    FINISHED = 5
    FAULT = 6


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One thing that the probe said.

    :ivar turn: how often it has spoken, this time included.
    :ivar host: how often it was heard.
    :ivar kind: what it is about.
    :ivar count: operations of the phase; the vector of a fault.
    :ivar taken: whether Windows would take this way; the place of a fault.
    :ivar operation: what is being done.
    :ivar way: how it is done; the text of a note.
    """

    turn: int
    host: int
    kind: int
    count: int
    taken: int
    operation: str
    way: str

    @classmethod
    def parse(cls, data: bytes | memoryview) -> 'Word':
        """Read a word from the start of the shared memory."""
        *numbers, operation, way = _LAYOUT.unpack_from(data)
        turn, host, kind, count, taken = numbers
        return cls(
            turn=turn,
            host=host,
            kind=kind,
            count=count,
            taken=taken,
            operation=operation.partition(b'\0')[0].decode(),
            way=way.partition(b'\0')[0].decode(),
        )


class Mailbox:
    """The file behind the guest's memory; neither side exits to use it.

    :param path: the file; it is made anew.
    """

    def __init__(self, path: pathlib.Path) -> None:
        with open(path, 'w+b') as file:
            file.truncate(MEMORY_BYTES)
            self._memory = mmap.mmap(file.fileno(), MEMORY_BYTES)

    def __enter__(self) -> 'Mailbox':
        return self

    def __exit__(self, *error: object) -> None:
        self._memory.close()

    def wait(
        self, seconds: float, check: collections.abc.Callable[[], None]
    ) -> Word:
        """Wait until the probe says something.

        :param seconds: how long at most.
        :param check: called meanwhile; may raise.
        :raises TimeoutError: it said nothing.
        """
        deadline = time.monotonic() + seconds
        while True:
            data = self._memory[ADDRESS : ADDRESS + _LAYOUT.size]
            word = Word.parse(data)
            if word.turn != word.host:
                return word
            check()
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f'the probe said nothing for {seconds:g} s after '
                    f"'{word.operation}', '{word.way}'"
                )
            time.sleep(_POLL_SECONDS)

    def answer(self, word: Word) -> None:
        """Let the probe go on."""
        _HOST.pack_into(self._memory, ADDRESS + _HOST_OFFSET, word.turn)
