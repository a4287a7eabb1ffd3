# SPDX-License-Identifier: Apache-2.0
"""Watch a command of the lab until it says how it ended, or can't."""

import contextlib
import pathlib
import subprocess
import time
import typing

from tests.lab import exception

_POLL_SECONDS = 0.05
_SHOWN_COMMAND = 80
# See die() in init.sh.
_INIT_SAYS = 'lab: '
_PANIC = 'Kernel panic - not syncing: '


class Watch:
    """Follow the files that the lab's runner writes.

    A machine may be slow, and is then only slow. It is given up when neither
    its console nor its command has written anything for some time.

    :param folder: where the runner's files are.
    :param console: the file of the serial console, with QEMU's beside it.
    :param command: what to call the command in an error.
    :param silence: for how many seconds nothing may be written.
    :param stdout: gets a copy of the command's output as it comes.
    :param stderr: gets a copy of the command's errors as they come.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        console: pathlib.Path,
        command: str,
        silence: float,
        stdout: typing.BinaryIO | None = None,
        stderr: typing.BinaryIO | None = None,
    ) -> None:
        self._folder = folder
        self._console = console
        self._command = command
        self._silence = silence
        self._targets = {'stdout': stdout, 'stderr': stderr}
        self._open_files = contextlib.ExitStack()
        self._pairs: list[tuple[typing.BinaryIO, typing.BinaryIO]] = []
        self._written = 0
        self._heard = time.monotonic()

    def __enter__(self) -> 'Watch':
        for name, target in self._targets.items():
            if target is not None:
                source = open(self._folder / name, 'rb')
                self._open_files.enter_context(source)
                self._pairs.append((source, target))
        return self

    def __exit__(self, *error: object) -> None:
        self._open_files.close()

    def until(
        self, name: str, process: subprocess.Popen[bytes]
    ) -> pathlib.Path:
        """Wait for a file of the runner's.

        :returns: its path.
        :raises: MachineSilent, KernelPanic, MachineDied.
        """
        file = self._folder / name
        while not file.exists():
            # Asked before the file is looked for again: the machine may
            # write it and end between the two.
            ended = process.poll() is not None
            if ended and not file.exists():
                raise self._death(process)
            self._listen()
            if time.monotonic() - self._heard > self._silence:
                raise self._expiry()
            self._pass_on()
            time.sleep(_POLL_SECONDS)
        self._listen()
        self._pass_on()
        return file

    def _listen(self) -> None:
        """Note when something was written last."""
        written = 0
        for path in (
            self._console,
            *(self._folder / name for name in ('started', *self._targets)),
        ):
            with contextlib.suppress(FileNotFoundError):
                # An empty file says something, too.
                written += path.stat().st_size + 1
        if written != self._written:
            self._written, self._heard = written, time.monotonic()

    def _pass_on(self) -> None:
        """Copy what is new."""
        for source, target in self._pairs:
            if data := source.read():
                target.write(data)
                target.flush()

    @property
    def _phase(self) -> str:
        if not (self._folder / 'started').exists():
            return 'booting'
        return f"running '{self._command[:_SHOWN_COMMAND]}'"

    def _panic(self) -> exception.KernelPanic | None:
        for line in _lines(self._console):
            if _PANIC in line:
                return exception.KernelPanic(
                    console=self._console,
                    reason=line.partition(_PANIC)[2],
                    phase=self._phase,
                )
        return None

    def _expiry(self) -> exception.LabError:
        self._pass_on()
        return self._panic() or exception.MachineSilent(
            console=self._console, silence=self._silence, phase=self._phase
        )

    def _death(self, process: subprocess.Popen[bytes]) -> exception.LabError:
        self._pass_on()
        # QEMU's complaint where it failed, the init script's otherwise.
        path = self._console
        if process.returncode:
            path = path.with_name('qemu.log')
        lines = _lines(path) or ['nothing was said']
        said = [line for line in lines if line.startswith(_INIT_SAYS)]
        return self._panic() or exception.MachineDied(
            console=self._console,
            status=process.returncode,
            phase=self._phase,
            reason=(said or lines)[-1],
        )


def _lines(path: pathlib.Path) -> list[str]:
    try:
        text = path.read_text(errors='replace')
    except FileNotFoundError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]
