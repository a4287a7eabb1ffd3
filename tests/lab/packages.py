# SPDX-License-Identifier: Apache-2.0
"""Debian packages, fetched by apt and laid out without installing them."""

import collections.abc
import contextlib
import dataclasses
import email.parser
import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile

from tests.lab import exception

CACHE_VARIABLE = 'NOVA_HYPERV_ENLIGHT_LAB_CACHE'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package as apt's lists describe it.

    :ivar depends: the names it depends on, alternatives left out.
    """

    name: str
    version: str
    depends: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """The name of its file in the cache."""
        # An epoch's colon is what apt writes as %3a, too.
        version = self.version.replace(':', '%3a')
        return f'{self.name}_{version}.deb'


def cache_folder() -> pathlib.Path:
    """Say where packages and images are kept between runs."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return pathlib.Path(given).absolute()
    base = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    home = pathlib.Path(base).expanduser().absolute()
    return home / 'nova-hyperv-enlight' / 'lab'


def require_tool(tool: str, package: str) -> str:
    """Find a program.

    :returns: its path.
    :raises: ToolMissing.
    """
    # dpkg-deb's siblings and setpriv are also found by an ordinary user
    # whose PATH has no sbin.
    path = shutil.which(tool)
    if path is None:
        raise exception.ToolMissing(tool=tool, package=package)
    return path


@contextlib.contextmanager
def locked(cache: pathlib.Path) -> collections.abc.Iterator[None]:
    """Let one builder at a time work in the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def find(name: str) -> Package:
    """Look a package up in apt's lists; nothing is fetched.

    :raises: ToolMissing, PackageMissing.
    """
    tool = require_tool('apt-cache', 'apt')
    done = _call([tool, 'show', '--no-all-versions', name])
    if done.returncode or not done.stdout.strip():
        raise exception.PackageMissing(
            package=name,
            reason=_last_line(done.stderr) or 'apt does not know it',
            remedy="run 'apt-get update' and look at the apt sources",
        )
    fields = email.parser.Parser().parsestr(done.stdout, headersonly=True)
    depends = fields.get('Depends', '').split(',')
    return Package(
        name=name,
        version=fields['Version'],
        depends=tuple(one.split()[0] for one in depends if one.strip()),
    )


def fetch(package: Package, cache: pathlib.Path) -> pathlib.Path:
    """Get a package's file, from the cache or by apt.

    :returns: the path of the .deb file in the cache.
    :raises: ToolMissing, PackageMissing.
    """
    store = cache / 'packages'
    kept = store / package.file_name
    if kept.exists():
        return kept
    tool = require_tool('apt-get', 'apt')
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store) as folder:
        wanted = f'{package.name}={package.version}'
        done = _call([tool, 'download', wanted], cwd=folder)
        found = list(pathlib.Path(folder).glob('*.deb'))
        if done.returncode or not found:
            raise exception.PackageMissing(
                package=wanted,
                reason=_last_line(done.stderr) or 'apt fetched nothing',
                remedy="check the network and run 'apt-get update'",
            )
        found[0].rename(kept)
    return kept


def extract(
    package: Package, cache: pathlib.Path, folder: pathlib.Path
) -> None:
    """Lay the files of a package out below a folder.

    :raises: ToolMissing, PackageMissing.
    """
    tool = require_tool('dpkg-deb', 'dpkg')
    archive = fetch(package, cache)
    done = _call([tool, '--extract', str(archive), str(folder)])
    if done.returncode:
        # A broken archive would be found broken for ever.
        archive.unlink(missing_ok=True)
        raise exception.PackageMissing(
            package=package.name,
            reason=_last_line(done.stderr) or 'dpkg-deb failed',
            remedy='the broken file was removed, try again',
        )


def _call(
    argv: list[str], cwd: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, 'LC_ALL': 'C'},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith('E:')]
    return (lines or text.splitlines() or [''])[-1].removeprefix('E: ')
