# SPDX-License-Identifier: Apache-2.0
"""The lab as a fixture for tests."""

import collections.abc
import os
import pathlib
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
    :param cache: see lab.Lab.
    :ivar outdir: the folder that the command finds in LAB_OUT.
    """

    outdir: pathlib.Path

    def __init__(
        self,
        spec: lab_spec.LabSpec | None = None,
        cache: pathlib.Path | None = None,
    ) -> None:
        super().__init__()
        self._spec = spec
        self._cache = cache

    def _setUp(self) -> None:
        self._lab = lab.Lab(self._spec, self._cache)
        self.outdir = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self._lab.prepare()

    def run(
        self, argv: collections.abc.Sequence[str], **kwargs: typing.Any
    ) -> lab.Result:
        """Run a command in a machine of its own.

        :param argv: the command.
        :param kwargs: what lab.Lab.run() takes; outdir is this fixture's.
        :raises: LabError.
        """
        kwargs.setdefault('outdir', self.outdir)
        try:
            result = self._lab.run(argv, **kwargs)
        except exception.MachineError as err:
            self._attach(pathlib.Path(str(err.console)).parent)
            raise
        self._attach(result.logdir)
        return result

    def _attach(self, logdir: pathlib.Path) -> None:
        """Keep the logs: the folder is gone when the failure is read."""
        for name in ('stdout', 'stderr', 'console.log', 'qemu.log'):
            path = logdir / name
            if path.exists():
                text = path.read_text(errors='replace')
                self.addDetail(name, tt_content.text_content(text))
