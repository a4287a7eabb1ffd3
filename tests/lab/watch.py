# SPDX-License-Identifier: Apache-2.0
"""Watch one run of the lab until it says how it ended, or can't."""

import contextlib
import json
import pathlib
import subprocess
import time
import typing

from tests.lab import exception

_POLL_SECONDS = 0.05
# From the status to the end of QEMU; after that it may be killed.
_POWER_OFF_SECONDS = 20.0
_SHOWN_COMMAND = 80
# See die() in init.sh.
_INIT_SAYS = 'lab: '
_PANIC = 'Kernel panic - not syncing: '


class Watch:
    """Follow the files that the lab's runner writes.

    :param logdir: where these files are.
    :param command: what to call the command in an error.
    :param timeout: seconds for everything, counted from now.
    :param stdout: gets a copy of the command's output as it comes.
    :param stderr: gets a copy of the command's errors as they come.
    :ivar boot_seconds: what the boot took, once the command was started.
    """

    def __init__(
        self,
        logdir: pathlib.Path,
        command: str,
        timeout: float,
        stdout: typing.BinaryIO | None = None,
        stderr: typing.BinaryIO | None = None,
    ) -> None:
        self._logdir = logdir
        self._command = command
        self._timeout = timeout
        self._targets = {'stdout': stdout, 'stderr': stderr}
        self._open_files = contextlib.ExitStack()
        self._pairs: list[tuple[typing.BinaryIO, typing.BinaryIO]] = []
        self._begin = time.monotonic()
        self.boot_seconds = 0.0

    def __enter__(self) -> typing.Self:
        for name, target in self._targets.items():
            if target is not None:
                source = open(self._logdir / name, 'rb')
                self._open_files.enter_context(source)
                self._pairs.append((source, target))
        return self

    def __exit__(self, *error: object) -> None:
        self._open_files.close()

    def until_status(
        self, process: subprocess.Popen[bytes]
    ) -> dict[str, typing.Any]:
        """Wait for the command's status and for the machine's end.

        :returns: what the runner wrote: returncode and seconds.
        :raises: MachineTimeout, KernelPanic, MachineDied.
        """
        file = self._logdir / 'status.json'
        while not file.exists():
            # Asked before the file is looked for again: the machine may
            # write it and end between the two.
            ended = process.poll() is not None
            if ended and not file.exists():
                raise self._death(process)
            if time.monotonic() - self._begin > self._timeout:
                raise self._expiry()
            self._pass_on()
            time.sleep(_POLL_SECONDS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_POWER_OFF_SECONDS)
        self._pass_on()
        status: dict[str, typing.Any] = json.loads(file.read_bytes())
        return status

    def _pass_on(self) -> None:
        """Copy what is new; note when the command was started."""
        if not self.boot_seconds and self._started.exists():
            self.boot_seconds = time.monotonic() - self._begin
        for source, target in self._pairs:
            if data := source.read():
                target.write(data)
                target.flush()

    @property
    def _started(self) -> pathlib.Path:
        return self._logdir / 'started'

    @property
    def _console(self) -> pathlib.Path:
        return self._logdir / 'console.log'

    @property
    def _phase(self) -> str:
        if not self._started.exists():
            return 'booting'
        return f"running '{self._command[:_SHOWN_COMMAND]}'"

    def _lines(self, name: str) -> list[str]:
        try:
            text = (self._logdir / name).read_text(errors='replace')
        except FileNotFoundError:
            return []
        return [line.strip() for line in text.splitlines() if line.strip()]

    def _panic(self) -> exception.KernelPanic | None:
        for line in self._lines('console.log'):
            if _PANIC in line:
                return exception.KernelPanic(
                    console=self._console,
                    reason=line.partition(_PANIC)[2],
                    phase=self._phase,
                )
        return None

    def _expiry(self) -> exception.LabError:
        self._pass_on()
        return self._panic() or exception.MachineTimeout(
            console=self._console, timeout=self._timeout, phase=self._phase
        )

    def _death(self, process: subprocess.Popen[bytes]) -> exception.LabError:
        self._pass_on()
        # QEMU's complaint where it failed, the init script's otherwise.
        name = 'qemu.log' if process.returncode else 'console.log'
        lines = self._lines(name) or ['nothing was said']
        said = [line for line in lines if line.startswith(_INIT_SAYS)]
        return self._panic() or exception.MachineDied(
            console=self._console,
            status=process.returncode,
            phase=self._phase,
            reason=(said or lines)[-1],
        )
