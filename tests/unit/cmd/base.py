# SPDX-License-Identifier: Apache-2.0

"""Runs the program in this process, as a shell would."""

import contextlib
import dataclasses
import io
import json
import logging
import sys
import types
import warnings

import fixtures

from nova_hyperv_enlight.cmd import main
from nova_hyperv_enlight.host import kvm
from tests import sets
from tests.unit import base

CPU = """
  <cpu>
    <mode name='host-model' supported='yes'>
      <vendor>{vendor}</vendor>
    </mode>
  </cpu>"""
DOCUMENT = """
<domainCapabilities>
  <domain>{virt_type}</domain>
  <machine>pc-q35-{release}</machine>
  <arch>x86_64</arch>{cpu}
  <features>
    <hyperv supported='yes'>
      <enum name='features'>{names}</enum>
    </hyperv>
  </features>
</domainCapabilities>
"""
NAMES = sets.LISTED_ON_AMD


def document(names=NAMES, release='7.2', vendor='AMD', virt_type='kvm'):
    """Return the domain capabilities of a host."""
    return DOCUMENT.format(
        cpu=CPU.format(vendor=vendor) if vendor else '',
        names=''.join(f'<value>{name}</value>' for name in names),
        release=release,
        virt_type=virt_type,
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run of the program left behind.

    :ivar code: the exit code
    :ivar out: standard output
    :ivar err: standard error
    """

    code: int
    out: str
    err: str


class FakeConnection:
    """A connection to a libvirt 9.0.0 with QEMU 7.2.22.

    :ivar asked: the arguments of each getDomainCapabilities.
    :ivar closed: whether it was closed.
    """

    def __init__(self, answer, kind='QEMU', libvirt=9000000):
        self.asked = []
        self.closed = False
        self._answer = answer
        self._kind = kind
        self._libvirt = libvirt

    def getType(self):
        return self._kind

    def getLibVersion(self):
        return self._libvirt

    def getVersion(self):
        return 7002022

    def getDomainCapabilities(self, *args):
        self.asked.append(args)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def getCapabilities(self):
        return '<capabilities><host/></capabilities>'

    def close(self):
        self.closed = True


class FakeLibvirt(fixtures.Fixture):
    """Stands in for libvirt-python, which unit tests do without.

    :param connection: what opening one gives, or an exception.
    :ivar uris: the URIs that were opened.
    :ivar read_only: those of them that were opened to be read only.
    """

    class libvirtError(Exception):
        """As libvirt-python's."""

    def __init__(self, connection=None):
        super().__init__()
        self.connection = connection
        self.uris = []
        self.read_only = []

    def _setUp(self):
        module = types.SimpleNamespace(
            libvirtError=self.libvirtError,
            open=self._open,
            openReadOnly=self._open_read_only,
            registerErrorHandler=lambda handler, context: None,
            virEventRegisterDefaultImpl=lambda: 0,
        )
        self.useFixture(InstalledModule('libvirt', module))

    def _open(self, uri):
        self.uris.append(uri)
        if isinstance(self.connection, Exception):
            raise self.connection
        return self.connection

    def _open_read_only(self, uri):
        self.read_only.append(uri)
        return self._open(uri)


class InstalledModule(fixtures.Fixture):
    """Let an import find this; None is a module that is not installed."""

    def __init__(self, name, module):
        super().__init__()
        self._name = name
        self._module = module

    def _setUp(self):
        if self._name in sys.modules:
            self.addCleanup(
                sys.modules.__setitem__, self._name, sys.modules[self._name]
            )
        else:
            self.addCleanup(sys.modules.pop, self._name)
        sys.modules[self._name] = self._module


@contextlib.contextmanager
def streams(out, err):
    """Give a program these streams, and keep libraries' warnings out.

    A release of a library that announces a deprecation on stderr says
    nothing of the program.
    """
    with (
        fixtures.MonkeyPatch('sys.stdout', out),
        fixtures.MonkeyPatch('sys.stderr', err),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter('ignore', DeprecationWarning)
        warnings.simplefilter('ignore', PendingDeprecationWarning)
        yield


class CommandTestCase(base.TestCase):
    """Base of the tests of the program's commands."""

    def setUp(self):
        super().setUp()
        self.directory = self.make_dir()
        # The terminal of whoever runs the tests may be narrow.
        self.useFixture(fixtures.EnvironmentVariable('COLUMNS', '80'))
        # cliff adds handlers for its streams, and never takes them away.
        root = logging.getLogger()
        self.addCleanup(setattr, root, 'handlers', list(root.handlers))

    def call(self, *argv, out=None, err=None):
        """Run the program with these arguments.

        :param out: its standard output, unless it is a new one.
        :param err: its standard error, unless it is a new one.
        """
        out, err = out or io.StringIO(), err or io.StringIO()
        with (
            fixtures.MonkeyPatch('sys.argv', ['nova-hyperv-enlight', *argv]),
            streams(out, err),
        ):
            try:
                code = main.main()
            except SystemExit as exit:
                code = exit.code or 0
        return Result(code=code, out=out.getvalue(), err=err.getvalue())

    def call_json(self, *argv):
        """Run a command that succeeds, and return what it shows."""
        result = self.call(*argv, '-f', 'json')
        self.assertEqual((0, ''), (result.code, result.err))
        return json.loads(result.out)

    def write(self, name, text):
        """Write a file and return its path, as an argument."""
        path = self.directory / name
        path.write_text(text, encoding='utf-8')
        return str(path)

    def write_document(self, **kwargs):
        """Save a host's document and return its path; see document()."""
        return self.write('domcaps.xml', document(**kwargs))

    def use_kernel(self, facts=None):
        """Let the kernel of this machine say these facts.

        :returns: a list that grows with each time that it is asked
        """
        asked = []

        def ask():
            asked.append(True)
            return facts or kvm.KernelFacts()

        self.useFixture(
            fixtures.MonkeyPatch('nova_hyperv_enlight.host.kvm.ask', ask)
        )
        return asked

    def assertRefused(self, result, *parts):
        """Check for exit code 2 and one line that says all of this."""
        self.assertEqual((2, ''), (result.code, result.out), result.err)
        self.assertEqual(1, len(result.err.splitlines()), result.err)
        for part in parts:
            self.assertIn(part, result.err)


class ExplainTestCase(CommandTestCase):
    """Base of the tests of ``explain``, with a saved document."""

    def setUp(self):
        super().setUp()
        self.document = self.write_document()

    def call_explain(self, *argv):
        return self.call('explain', '--domcaps', self.document, *argv)

    def explain(self, *argv):
        """Return the rows by their names."""
        rows = self.call_json('explain', '--domcaps', self.document, *argv)
        return {row['name']: row for row in rows}

    def on(self, *argv):
        """Return the names that are on."""
        rows = self.explain(*argv)
        return [name for name, row in rows.items() if row['state'] == 'on']
