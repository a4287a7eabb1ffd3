# SPDX-License-Identifier: Apache-2.0

"""Fresh environments, and the wheel that is installed in them."""

import atexit
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile

import fixtures

TOP = pathlib.Path(__file__).parents[2]
SITE = pathlib.Path(sysconfig.get_path('purelib'))
#: What the wheel is built from; a checkout has more, and git may be absent.
SOURCES = (
    'LICENSE',
    'README.rst',
    'etc',
    'nova_hyperv_enlight',
    'pyproject.toml',
    'requirements.txt',
    'setup.cfg',
    'setup.py',
)
#: What tools leave in a tree, and git ignores.
MADE = ('__pycache__', 'AUTHORS', 'ChangeLog', 'build', 'cover', 'dist')
#: What begins with a dot and belongs to the tree.
HIDDEN = ('.ci', '.gitignore', '.pre-commit-config.yaml', '.stestr.conf')
VERSION = '1.2.3'
OURS = ('nova_hyperv_enlight', 'nova-hyperv-enlight')


def run(*command, **variables):
    """Run a command and return what it prints.

    Nothing of this process's Python gets into it, but the variables.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith('PYTHON')
    }
    done = subprocess.run(
        [os.fspath(part) for part in command],
        capture_output=True,
        cwd='/',
        env={**environment, **variables},
        text=True,
    )
    if done.returncode:
        raise AssertionError(
            f'{command} ended with {done.returncode}:\n{done.stdout}\n'
            f'{done.stderr}'
        )
    return done.stdout


def _place():
    """Return a new directory that is removed when this process ends."""
    place = pathlib.Path(tempfile.mkdtemp(prefix='nova-hyperv-enlight-'))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place


def copy_sources(target):
    """Copy what the wheel is built from into a directory."""
    for name in SOURCES:
        if (TOP / name).is_dir():
            shutil.copytree(
                TOP / name,
                target / name,
                ignore=shutil.ignore_patterns('__pycache__'),
            )
        else:
            shutil.copy(TOP / name, target)


@functools.cache
def wheel():
    """Build the wheel, once for this process, and return its path."""
    place = _place()
    source = place / 'source'
    source.mkdir()
    copy_sources(source)
    run(
        sys.executable,
        *('-m', 'build', '--wheel', '--outdir', place / 'dist', source),
        PBR_VERSION=VERSION,
    )
    (built,) = (place / 'dist').iterdir()
    return built


def copy_tree():
    """Copy the source tree, without what was made in it."""
    source = _place() / 'source'
    shutil.copytree(
        TOP,
        source,
        ignore=lambda directory, names: [
            name
            for name in names
            if name in MADE
            or (name.startswith('.') and name not in HIDDEN)
            or name.endswith(('.egg-info', '.pyc'))
        ],
    )
    return source


class Environment(fixtures.Fixture):
    """A virtual environment with nothing in it.

    :ivar python: its interpreter.
    :ivar site: its site-packages.
    """

    def _setUp(self):
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        run(sys.executable, '-m', 'venv', '--without-pip', self.path)
        self.python = self.path / 'bin' / 'python'
        self.site = pathlib.Path(
            self.print("sysconfig.get_path('purelib')", 'sysconfig')
        )

    def pip(self, *arguments):
        """Run this process's pip on the environment."""
        run(
            sys.executable,
            *('-m', 'pip', '--python', self.python, '--quiet'),
            *('--disable-pip-version-check', 'install', *arguments),
        )

    def print(self, expression, *modules, **variables):
        """Return the value of an expression there; JSON must know it."""
        script = (
            f'import json\n{"".join(f"import {m}{chr(10)}" for m in modules)}'
            f'print(json.dumps({expression}))'
        )
        return self.run_script(script, **variables)

    def run_script(self, script, **variables):
        """Run a script there whose last line is JSON, and return that."""
        printed = run(self.python, '-c', script, **variables)
        return json.loads(printed.splitlines()[-1])


class NovaEnvironment(Environment):
    """An environment with Nova and all that it needs, but not the plugin.

    To install Nova again would take a minute. Its files are those of the
    environment that the tests run in, by a link for each package; .pth files
    are not linked, so that our own editable installation stays outside.

    :param editable: have Nova where a checkout would be, outside of
        site-packages. ``pip install -e`` needs a source tree, which the
        wheel is not; what it leaves behind is a .pth file with the way to
        the tree, and that is what is made here.
    """

    def __init__(self, editable=False):
        super().__init__()
        self._editable = editable

    def _setUp(self):
        super()._setUp()
        for entry in SITE.iterdir():
            if self._is_wanted(entry.name):
                os.symlink(entry, self.site / entry.name)
        if self._editable:
            self._lay_out_nova()

    def _is_wanted(self, name):
        if name.endswith('.pth') or name in ('pip', '__pycache__'):
            return False
        if any(own in name for own in OURS):
            return False
        return name != 'nova' or not self._editable

    def _lay_out_nova(self):
        checkout = self.path / 'checkout'
        shutil.copytree(
            SITE / 'nova',
            checkout / 'nova',
            ignore=shutil.ignore_patterns('__pycache__'),
        )
        (self.site / '__editable__.nova.pth').write_text(f'{checkout}\n')
