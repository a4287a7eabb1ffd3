# SPDX-License-Identifier: Apache-2.0

"""What every unit test stands on: it touches no host."""

import importlib.abc
import logging
import os
import pathlib
import sys

import fixtures
import testtools

from tests import produced

#: Documents that tests read.
DATA = pathlib.Path(__file__).parents[1] / 'data'

_TRUE = ('1', 'true', 'yes', 'on')


class HostTouched(AssertionError):
    """A unit test did what only the other tests may do."""


def _is_host_path(path):
    if not isinstance(path, (str, bytes, os.PathLike)):
        return False  # A descriptor, whose opening was seen.
    real = os.path.realpath(os.fsdecode(path))
    return real == '/dev/kvm' or real == '/sys' or real.startswith('/sys/')


class _Guard(importlib.abc.MetaPathFinder):
    """Refuses what would touch the host while a fixture arms it.

    An audit hook sees every way to open a file, from any thread; Python
    cannot remove one, so there is one for all tests, and it is switched.

    :ivar armed: the fixture that is in use, or None.
    """

    STARTS = (
        'os.exec',
        'os.posix_spawn',
        'os.system',
        'socket.connect',
        'subprocess.Popen',
    )
    OPENS = ('open', 'os.listdir', 'os.scandir')

    def __init__(self):
        self.armed = None

    def audit(self, event, args):
        if self.armed is None:
            return
        if event in self.STARTS:
            self.armed.refuse(f'{event} {args[0]!r}')
        if event in self.OPENS and _is_host_path(args[0]):
            self.armed.refuse(f'{event} {args[0]!r}')

    def find_spec(self, fullname, path, target=None):
        if self.armed is None:
            return
        if fullname.partition('.')[0] in self.armed.modules:
            self.armed.refuse(f'import {fullname}')


_GUARD = _Guard()
sys.addaudithook(_GUARD.audit)
produced.record()


class HostPoison(fixtures.Fixture):
    """Make a test fail that touches the host.

    It fails where it does so, and again at its end: the code under test
    may have passed over the error.

    :param modules: top-level modules that must not be imported.
    :ivar touched: what was refused.
    """

    def __init__(self, modules):
        super().__init__()
        self.modules = modules
        self.touched = []

    def _setUp(self):
        self.addCleanup(self._report)
        self.addCleanup(setattr, _GUARD, 'armed', _GUARD.armed)
        _GUARD.armed = self
        sys.meta_path.insert(0, _GUARD)
        self.addCleanup(sys.meta_path.remove, _GUARD)

    def refuse(self, what):
        self.touched.append(what)
        raise HostTouched(f'A unit test must not do this: {what}')

    def _report(self):
        if self.touched:
            raise HostTouched(
                'A unit test must not do this: ' + ', '.join(self.touched)
            )


class TestCase(testtools.TestCase):
    """The base of the unit tests.

    :cvar poisoned_modules: what a unit test must do without.
    :ivar log: what is logged, as text in ``self.log.output``.
    :ivar poison: the fixture that keeps the test from the host.
    """

    poisoned_modules = ('libvirt', 'libvirtmod', 'nova')

    def setUp(self):
        super().setUp()
        self._limit_time()
        self._capture('stdout')
        self._capture('stderr')
        self.log = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        self.poison = self.useFixture(HostPoison(self.poisoned_modules))

    def _limit_time(self):
        seconds = os.environ.get('OS_TEST_TIMEOUT', '')
        if seconds.isdecimal() and int(seconds):
            self.useFixture(fixtures.Timeout(int(seconds), gentle=True))

    def _capture(self, stream):
        switch = os.environ.get(f'OS_{stream.upper()}_CAPTURE', '')
        if switch.lower() in _TRUE:
            capture = self.useFixture(fixtures.StringStream(stream)).stream
            self.useFixture(fixtures.MonkeyPatch(f'sys.{stream}', capture))

    def make_dir(self):
        """Return a new directory that is removed after the test."""
        return pathlib.Path(self.useFixture(fixtures.TempDir()).path)
