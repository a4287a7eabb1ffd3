# SPDX-License-Identifier: Apache-2.0
"""The lab: run a command on a full host, on any machine."""

import collections.abc
import dataclasses
import json
import os
import pathlib
import shlex
import socket
import sys
import tempfile
import typing

from tests.lab import exception
from tests.lab import image as lab_image
from tests.lab import machine as lab_machine
from tests.lab import packages
from tests.lab import spec as lab_spec
from tests.lab import watch as lab_watch

# Tells the command where its files come back from.
OUT_VARIABLE = 'LAB_OUT'

_RUNNER = pathlib.Path(__file__).with_name('runner.py')


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came back.

    :ivar returncode: as a shell has it; 128 and more for a signal, 127 when
        the command was not found, 126 when it could not be executed.
    :ivar outdir: the folder with the command's own files.
    :ivar logdir: the folder with stdout, stderr, console.log and qemu.log.
    :ivar boot_seconds: from QEMU's start to the command's.
    :ivar seconds: what the command took, by the lab's clock.
    """

    returncode: int
    outdir: pathlib.Path
    logdir: pathlib.Path
    boot_seconds: float
    seconds: float

    @property
    def stdout(self) -> bytes:
        """All that the command wrote to its standard output."""
        return (self.logdir / 'stdout').read_bytes()

    @property
    def stderr(self) -> bytes:
        """All that the command wrote to its standard error."""
        return (self.logdir / 'stderr').read_bytes()


class Lab:
    """A machine that can be booted again and again, each time anew.

    :param spec: the machine.
    :param cache: where packages and images are kept; by default see
        packages.cache_folder().
    """

    def __init__(
        self,
        spec: lab_spec.LabSpec | None = None,
        cache: pathlib.Path | None = None,
    ) -> None:
        self.spec = spec or lab_spec.LabSpec()
        self._cache = cache

    def prepare(self) -> lab_image.Image:
        """Make sure that the image is there; the first time takes longest.

        :raises: ToolMissing, PackageMissing, ImageError.
        """
        packages.require_tool(lab_machine.QEMU, 'qemu-system-x86')
        return lab_image.build(self.spec.kernel_package, self._cache)

    def run(
        self,
        argv: collections.abc.Sequence[str],
        *,
        outdir: str | os.PathLike[str],
        timeout: float = 300.0,
        env: collections.abc.Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        stdout: typing.BinaryIO | None = None,
        stderr: typing.BinaryIO | None = None,
        link: socket.socket | None = None,
    ) -> Result:
        """Boot, run one command, and switch off.

        The command sees the host's files as they are; what it writes is
        lost, but for what it writes below outdir.

        :param argv: the command and its arguments; no shell touches them.
        :param outdir: a folder, made if need be; the command finds it at
            the same path, and its name in the variable LAB_OUT.
        :param timeout: seconds for the boot and the command together.
        :param env: variables beside, or instead of, the caller's own.
        :param cwd: the command's folder; by default the caller's.
        :param stdout: gets the command's output while it runs.
        :param stderr: gets the command's errors while it runs.
        :param link: one end of a pair of stream sockets, whose other end
            another lab gets: the cable between them. For a spec that has
            an address, and only for such.
        :raises: ToolMissing, PackageMissing, ImageError before the boot;
            MachineTimeout, KernelPanic, MachineDied after it. InvalidSpec
            where there is an address and no link, or the other way round.
        """
        if (self.spec.address is None) != (link is None):
            raise exception.InvalidSpec(
                reason='an address and a link go together'
            )
        cable = link.fileno() if link else None
        image = self.prepare()
        # Mounted inside before the links of the root could be followed.
        out = pathlib.Path(outdir).resolve()
        out.mkdir(parents=True, exist_ok=True)
        logdir = pathlib.Path(tempfile.mkdtemp(prefix='lab-', dir=out))
        job = {
            'argv': [os.fspath(one) for one in argv],
            'env': {**os.environ, **(env or {}), OUT_VARIABLE: str(out)},
            'cwd': os.path.abspath(cwd or os.getcwd()),
        }
        self._describe(job, out, logdir)
        arguments = lab_machine.arguments(
            self.spec,
            image,
            console=logdir / 'console.log',
            job=logdir,
            out=out,
            link=cable,
        )
        watch = lab_watch.Watch(
            logdir, shlex.join(job['argv']), timeout, stdout, stderr
        )
        try:
            log = logdir / 'qemu.log'
            qemu = lab_machine.Machine(arguments, log, cable)
            with watch, qemu as machine:
                status = watch.until_status(machine.process)
        finally:
            # It holds the caller's environment.
            (logdir / 'job.json').unlink(missing_ok=True)
        return Result(
            returncode=status['returncode'],
            outdir=out,
            logdir=logdir,
            boot_seconds=watch.boot_seconds,
            seconds=status['seconds'],
        )

    def _describe(
        self,
        job: dict[str, typing.Any],
        out: pathlib.Path,
        logdir: pathlib.Path,
    ) -> None:
        """Write what the init script and the runner read.

        A file for each word: the script is to take nothing apart.
        """
        words = {
            'job.json': json.dumps(job),
            'kvm.params': self.spec.params_of('kvm'),
            'kvm_amd.params': self.spec.params_of('kvm_amd'),
            'kvm_device': self.spec.kvm_device,
            'hostname': self.spec.hostname,
            'address': self.spec.address or '',
            'outdir': str(out),
            'python': sys.executable,
            'runner': str(_RUNNER.resolve()),
            'stdout': '',
            'stderr': '',
        }
        for name, text in words.items():
            (logdir / name).write_text(text)
