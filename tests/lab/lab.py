# SPDX-License-Identifier: Apache-2.0
"""The lab: run commands on a full host, on any machine."""

import collections.abc
import compileall
import contextlib
import dataclasses
import json
import os
import pathlib
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import typing

from tests.lab import exception
from tests.lab import image as lab_image
from tests.lab import installed
from tests.lab import machine as lab_machine
from tests.lab import packages
from tests.lab import release
from tests.lab import spec as lab_spec
from tests.lab import watch as lab_watch

# Tells the command where its files come back from.
OUT_VARIABLE = 'LAB_OUT'
SILENCE_SECONDS = 900.0

_RUNNER = pathlib.Path(__file__).with_name('runner.py')
_CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
# What of the checkout is imported inside.
_PACKAGES = tuple(
    str(_CHECKOUT / name) for name in ('nova_hyperv_enlight', 'tests')
)
# Where the folder of the logs is inside.
_JOB = pathlib.Path('/run/lab/job')
# From the end of the last command to that of QEMU; then it is killed.
_POWER_OFF_SECONDS = 20.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came back of one command.

    :ivar returncode: as a shell has it; 128 and more for a signal, 127 when
        the command was not found, 126 when it could not be executed.
    :ivar outdir: the folder with the command's own files.
    :ivar logdir: the folder with its stdout and stderr; the one above has
        console.log and qemu.log, of the machine.
    :ivar boot_seconds: from QEMU's start to the first command's.
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


class Session:
    """A machine that is running: commands are run in it one by one.

    What a command writes is there for the next one, what it has started is
    not. KVM is loaded anew where a command wants it to be another one.

    :param spec: the machine.
    :param process: its QEMU.
    :param out: the folder that it shares.
    :param logdir: the folder of its logs, which is shared, too.
    :param env: the variables of its commands.
    :param cwd: the folder of its commands; by default the caller's.
    """

    def __init__(
        self,
        spec: lab_spec.LabSpec,
        process: subprocess.Popen[bytes],
        out: pathlib.Path,
        logdir: pathlib.Path,
        env: collections.abc.Mapping[str, str],
        cwd: pathlib.Path | None,
    ) -> None:
        self._spec = spec
        self._process = process
        self._out = out
        self._logdir = logdir
        self._env = env
        self._cwd = cwd
        self._begin = time.monotonic()
        self._boot_seconds = 0.0
        self._count = 0

    def run(
        self,
        argv: collections.abc.Sequence[str],
        *,
        outdir: pathlib.Path | None = None,
        spec: lab_spec.LabSpec | None = None,
        silence: float = SILENCE_SECONDS,
        env: collections.abc.Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        stdout: typing.BinaryIO | None = None,
        stderr: typing.BinaryIO | None = None,
    ) -> Result:
        """Run a command.

        :param argv: the command and its arguments; no shell touches them.
        :param outdir: what it finds in LAB_OUT: a folder in that of the
            machine; by default that one.
        :param spec: how KVM is loaded; by default that of the machine. Only
            its module_params and kvm_device count.
        :param silence: the machine is given up when neither its console nor
            the command has written anything for so many seconds.
        :param env: variables beside, or instead of, those of the machine.
        :param cwd: the command's folder; by default the caller's, and the
            checkout on a host that does not have the caller's files.
        :param stdout: gets the command's output while it runs.
        :param stderr: gets the command's errors while it runs.
        :raises: MachineSilent, KernelPanic, MachineDied.
        """
        self._count += 1
        out = outdir or self._out
        job = {
            'argv': [os.fspath(one) for one in argv],
            'env': {**self._env, **(env or {}), OUT_VARIABLE: str(out)},
            'cwd': os.path.abspath(cwd or self._cwd or os.getcwd()),
        }
        folder = self._logdir / f'{self._count:03}'
        # The runner sees it when it is whole.
        made = folder.with_suffix('.new')
        made.mkdir()
        spec = spec or self._spec
        words = {
            'job.json': json.dumps(job),
            'kvm': spec.params_of('kvm'),
            'kvm_amd': spec.params_of('kvm_amd'),
            'kvm_device': spec.kvm_device.value,
            'stdout': '',
            'stderr': '',
        }
        _write(made, words)
        made.rename(folder)
        watch = lab_watch.Watch(
            folder,
            self._logdir / 'console.log',
            shlex.join(job['argv']),
            silence,
            stdout,
            stderr,
        )
        try:
            with watch:
                watch.until('started', self._process)
                if not self._boot_seconds:
                    self._boot_seconds = time.monotonic() - self._begin
                status = watch.until('status.json', self._process)
        finally:
            # It holds the caller's environment.
            (folder / 'job.json').unlink(missing_ok=True)
        return Result(
            outdir=out,
            logdir=folder,
            boot_seconds=self._boot_seconds,
            **json.loads(status.read_bytes()),
        )

    def kill(self) -> None:
        """End the machine as it is."""
        self._process.kill()

    def power_off(self) -> None:
        """Let the machine end; what it has written is there then."""
        (self._logdir / 'end').touch()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_POWER_OFF_SECONDS)


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

    def prepare(self) -> tuple[pathlib.Path, lab_image.Image]:
        """Make sure that all is there; the first time takes longest.

        :returns: the root of the host's files, and what boots.
        :raises: ToolMissing, PackageMissing, ImageError.
        """
        packages.require_tool(lab_machine.QEMU, 'qemu-system-x86')
        suite = self.spec.suite
        root = pathlib.Path('/')
        if suite:
            root = release.prepare(suite, self._cache)
        kernel = self.spec.kernel_package
        return root, lab_image.build(kernel, self._cache, suite)

    def run(
        self,
        argv: collections.abc.Sequence[str],
        *,
        outdir: str | os.PathLike[str],
        link: socket.socket | None = None,
        **kwargs: typing.Any,
    ) -> Result:
        """Boot, run one command, and switch off.

        :param argv: the command and its arguments; no shell touches them.
        :param outdir: see boot().
        :param link: see boot().
        :param kwargs: what Session.run() takes beside them.
        :raises: what boot() and Session.run() do.
        """
        with self.boot(outdir=outdir, link=link) as session:
            return session.run(argv, **kwargs)

    @contextlib.contextmanager
    def boot(
        self,
        *,
        outdir: str | os.PathLike[str],
        link: socket.socket | None = None,
    ) -> collections.abc.Iterator[Session]:
        """Boot, and switch off at the end of the block.

        The commands see the host's files as they are; what they write is
        lost, but for what they write below outdir. On a host of another
        release they see that one's files, and the checkout.

        :param outdir: a folder, made if need be; the commands find it at
            the same path, and its name in the variable LAB_OUT.
        :param link: one end of a pair of stream sockets, whose other end
            another lab gets: the cable between them. For a spec that has
            an address, and only for such.
        :raises: ToolMissing, PackageMissing, ImageError. InvalidSpec where
            there is an address and no link, or the other way round.
        """
        if (self.spec.address is None) != (link is None):
            raise exception.InvalidSpec(
                reason='an address and a link go together'
            )
        cable = link.fileno() if link else None
        root, image = self.prepare()
        is_foreign = root != pathlib.Path('/')
        # Each command would do it again, which is slow inside.
        if is_foreign:
            release.compile_modules(root, *_PACKAGES)
        else:
            for place in _PACKAGES:
                compileall.compile_dir(place, quiet=2)
        # Mounted inside before the links of the root could be followed.
        out = pathlib.Path(outdir).resolve()
        out.mkdir(parents=True, exist_ok=True)
        logdir = pathlib.Path(tempfile.mkdtemp(prefix='lab-', dir=out))
        # A file for each word: the init script is to take nothing apart.
        words = {
            'hostname': self.spec.hostname,
            'address': self.spec.address or '',
            'outdir': str(out),
            'python': release.PYTHON if is_foreign else sys.executable,
            'runner': str(_RUNNER.resolve()),
            'checkout': str(_CHECKOUT) if is_foreign else '',
        }
        _write(logdir, words)
        arguments = lab_machine.arguments(
            self.spec,
            image,
            console=logdir / 'console.log',
            job=logdir,
            out=out,
            root=root,
            checkout=_CHECKOUT,
            link=cable,
        )
        qemu = lab_machine.Machine(arguments, logdir / 'qemu.log', cable)
        with qemu as machine:
            env: collections.abc.Mapping[str, str] = os.environ
            if is_foreign:
                env = installed.lay_out(logdir, _JOB, _CHECKOUT)
            session = Session(
                self.spec,
                machine.process,
                out,
                logdir,
                env,
                _CHECKOUT if is_foreign else None,
            )
            yield session
            session.power_off()


def _write(folder: pathlib.Path, words: dict[str, str]) -> None:
    for name, text in words.items():
        (folder / name).write_text(text)
