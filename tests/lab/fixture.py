# SPDX-License-Identifier: Apache-2.0
"""The lab as a fixture for tests."""

import atexit
import collections.abc
import contextlib
import os
import pathlib
import tempfile
import typing

import fixtures
from testtools import content as tt_content

from tests.lab import exception
from tests.lab import lab
from tests.lab import machine
from tests.lab import packages
from tests.lab import spec as lab_spec

# What has to be there that the lab can't fetch: program and package.
_TOOLS = (
    (machine.QEMU, 'qemu-system-x86'),
    ('apt-get', 'apt'),
    ('dpkg-deb', 'dpkg'),
    ('setpriv', 'util-linux'),
)


def missing_tool() -> str | None:
    """Say why this machine can't run the lab, or None.

    Where CI is set to true a test shall fail and not skip: None, too.
    """
    if os.environ.get('CI') == 'true':
        return None
    try:
        for tool, package in _TOOLS:
            packages.require_tool(tool, package)
    except exception.ToolMissing as err:
        return str(err)
    return None


class LabFixture(fixtures.Fixture):
    """A lab whose image is built, with a folder for what comes back.

    Each run() boots a machine of its own. A run that fails leaves its
    console and outputs among the test's details.

    :param spec: the machine.
    :ivar outdir: the folder that the command finds in LAB_OUT.
    """

    outdir: pathlib.Path

    def __init__(self, spec: lab_spec.LabSpec | None = None) -> None:
        super().__init__()
        self._spec = spec or lab_spec.LabSpec()

    def _setUp(self) -> None:
        self._lab = lab.Lab(self._spec)
        self.outdir = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self._lab.prepare()

    def run(
        self, argv: collections.abc.Sequence[str], **kwargs: typing.Any
    ) -> lab.Result:
        """Run a command.

        :param argv: the command.
        :param kwargs: what lab.Lab.run() takes; outdir is this fixture's.
        :raises: LabError.
        """
        try:
            result = self._run(argv, **kwargs)
        except exception.MachineError as err:
            folder = pathlib.Path(str(err.console)).parent
            self._attach(folder, *sorted(folder.glob('[0-9]*'))[-1:])
            raise
        self._attach(result.logdir.parent, result.logdir)
        return result

    def _run(
        self, argv: collections.abc.Sequence[str], **kwargs: typing.Any
    ) -> lab.Result:
        return self._lab.run(argv, outdir=self.outdir, **kwargs)

    def _attach(self, *folders: pathlib.Path) -> None:
        """Keep the logs: the folder is gone when the failure is read."""
        for folder in folders:
            for name in ('stdout', 'stderr', 'console.log', 'qemu.log'):
                path = folder / name
                if path.exists():
                    text = path.read_text(errors='replace')
                    self.addDetail(name, tt_content.text_content(text))


class SharedLabFixture(LabFixture):
    """A lab that the tests of this process use one after the other.

    An emulated machine takes longer to boot than most tests take in it. What
    a command has started is gone when the next one begins, and KVM is then
    what the spec of its test wants; what it has written is still there.
    After a run that made the machine die the next test boots another one.

    :param spec: the machine; none but its module_params and kvm_device may
        differ from the default.
    """

    _machine: typing.ClassVar[contextlib.ExitStack | None] = None
    _session: typing.ClassVar[lab.Session]
    _place: typing.ClassVar[str]

    def _setUp(self) -> None:
        if self._machine is None:
            self._boot()
        self.outdir = pathlib.Path(tempfile.mkdtemp(dir=self._place))

    @classmethod
    def _boot(cls) -> None:
        with contextlib.ExitStack() as stack:
            place = tempfile.TemporaryDirectory(prefix='lab-')
            cls._place = os.path.realpath(stack.enter_context(place))
            machine = lab.Lab().boot(outdir=cls._place)
            cls._session = stack.enter_context(machine)
            cls._machine = stack.pop_all()
        atexit.register(cls._end)

    @classmethod
    def _end(cls) -> None:
        if cls._machine is not None:
            cls._machine.close()
            cls._machine = None

    def _run(
        self, argv: collections.abc.Sequence[str], **kwargs: typing.Any
    ) -> lab.Result:
        try:
            return self._session.run(
                argv, outdir=self.outdir, spec=self._spec, **kwargs
            )
        except BaseException:
            # What a test leaves half done is nothing for the next one.
            self._session.kill()
            self._end()
            raise
