# SPDX-License-Identifier: Apache-2.0

"""A directory in which a page's commands are run by a real shell."""

import dataclasses
import json
import pathlib
import re
import shlex
import subprocess
import sys

import fixtures

from tests.unit.cmd import base
from tests.unit.domains import guests

#: The package's own programs, which are run.
OURS = ('nova-hyperv-enlight', 'nova-hyperv-enlight-status')
#: Those of others, which only note how they are called.
OTHERS = (
    'apt-get',
    'dpkg-buildpackage',
    'git',
    'glance-manage',
    'kolla-ansible',
    'kolla-build',
    'make',
    'man',
    'openstack',
    'openstack-ansible',
    'pip',
    'python',
    'stack.sh',
    'systemctl',
    'tox',
    'virsh',
    'virt-install',
)
_TOP = pathlib.Path(__file__).parents[3]
_HERE = pathlib.Path(__file__).parent.relative_to(_TOP)
_PYTHON = shlex.quote(sys.executable)
_TIMEOUT_SECONDS = 60
_NOVA_CONF = """
[DEFAULT]
compute_driver = hyperv_enlight.LibvirtDriver
non_inheritable_image_properties = hyperv_enlight
"""
# Wide enough for what is shown, and narrow enough for the pages.
_WIDTH = '74'
# What the shell runs of programs that come with it.
_SYSTEM_PATH = '/usr/bin:/bin'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command left behind.

    :ivar code: its exit status
    :ivar out: its standard output
    :ivar err: its standard error
    :ivar calls: how other people's programs were called by it
    """

    code: int
    out: str
    err: str
    calls: list[list[str]]


class Stage(fixtures.Fixture):
    """What a page presumes: a host with guests, and a directory with files.

    ``/etc`` is a directory of the stage's own. ``ssh`` runs its command here.

    :param there: the names of the guests that libvirt has.
    :param top: the top of the source tree that the programs are from.
    :ivar directory: the directory that commands are run in.
    :ivar modules: what the page's Python has defined.
    """

    def __init__(self, there=(), top=_TOP):
        super().__init__()
        self._there = there
        self._top = top
        self.modules = {}

    def _setUp(self):
        top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self._etc = top / 'etc'
        self._bin = top / 'bin'
        self._calls = top / 'calls'
        self._answers = top / 'answers'
        self.directory = top / 'work'
        for path in (
            self._bin,
            self._answers,
            self.directory,
            top / 'tmp',
            top / '.nova',
            self._etc / 'bash_completion.d',
            self._etc / 'nova',
        ):
            path.mkdir(parents=True)
        self._lay_out(top)
        self._environment = {
            'CLIFF_MAX_TERM_WIDTH': _WIDTH,
            'DOCS_ANSWERS': str(self._answers),
            'DOCS_CALLS': str(self._calls),
            'DOCS_GUESTS': ' '.join(self._there),
            'HOME': str(top),
            'LC_ALL': 'C.UTF-8',
            'OS_NOVA_DISABLE_EVENTLET_PATCHING': '1',
            'PATH': f'{self._bin}:{_SYSTEM_PATH}',
            'PYTHONPATH': str(self._top),
            'TMPDIR': str(top / 'tmp'),
        }

    def _lay_out(self, top):
        here = shlex.quote(str(self._top / _HERE))
        for names, script in ((OURS, 'program.py'), (OTHERS, 'stub.py')):
            for name in names:
                self._script(
                    name, f'exec {_PYTHON} {here}/{script} {name} "$@"'
                )
        # Hosts and containers are all here.
        self._script('ssh', 'DOCS_HOST=${1#*@} exec env -- "${@:2}"')
        self._script('docker', 'shift 2; exec "$@"')
        self._script('sudo', 'exec "$@"')
        self._script('pidof', f'echo {self._qemu()}')
        for directory in (top / '.nova', self._etc / 'nova'):
            (directory / 'nova.conf').write_text(_NOVA_CONF)
        document = guests.document('win')
        (self._answers / 'virsh-dumpxml').write_text(document)
        (self._answers / 'virsh-domcapabilities').write_text(base.document())
        (self._answers / 'virt-install-').write_text(document)
        (self.directory / 'win11.xml').write_text(document)

    def _script(self, name, text):
        path = self._bin / name
        path.write_text(f'#!/bin/bash\n{text}\n')
        path.chmod(0o755)

    def _qemu(self):
        """Start something that looks like QEMU, and return its number."""
        process = subprocess.Popen(
            ['qemu-kvm', '-c', 'read end', '-cpu', 'host,hv-relaxed'],
            executable='/bin/sh',
            stdin=subprocess.PIPE,
        )
        self.addCleanup(process.communicate)
        return process.pid

    def run(self, script):
        """Run a command as bash would."""
        self._calls.write_text('')
        done = subprocess.run(
            ['bash', '-o', 'pipefail', '-euc', self.here(script)],
            capture_output=True,
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        )
        return Result(
            code=done.returncode,
            out=done.stdout,
            err=done.stderr,
            calls=[
                json.loads(line)
                for line in self._calls.read_text().splitlines()
            ],
        )

    def here(self, text):
        """Return a text whose ``/etc`` is the stage's."""
        return re.sub(r'(?<![\w.])/etc/', f'{self._etc}/', text)

    def write(self, path, text):
        """Put a file of a page where it belongs."""
        whole = self.directory / self.here(path)
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(self.here(text))
        return whole
