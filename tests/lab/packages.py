# SPDX-License-Identifier: Apache-2.0
"""Debian packages, fetched by apt and laid out without installing them."""

import collections.abc
import contextlib
import dataclasses
import email.parser
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from tests.lab import exception

CACHE_VARIABLE = 'NOVA_HYPERV_ENLIGHT_LAB_CACHE'


# How old the lists of a suite may become, in seconds.
_LISTS_AGE = 86400.0
_KEYRING = pathlib.Path('/usr/share/keyrings/debian-archive-keyring.gpg')
_MIRROR = 'http://deb.debian.org/debian'
# Nothing of the machine's own state, sources and preferences counts.
_CONFIGURATION = """\
Dir::State "{place}/state";
Dir::State::status "{place}/status";
Dir::Cache "{place}/cache";
Dir::Etc::sourcelist "{place}/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
"""
# The security archive is beside it, under another name.
_URI = re.compile(r'\b(https?://\S+/debian/?)(?=\s)')
_DEB = re.compile(r"^'[^']+' (\S+_\S+\.deb) ", re.MULTILINE)


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


class Archive:
    """What apt can get.

    :param cache: where packages are kept; by default see cache_folder().
    :param suite: of Debian, as 'trixie': its lists are kept in the cache,
        too. Without one, apt's own of this machine.
    """

    def __init__(
        self, cache: pathlib.Path | None = None, suite: str | None = None
    ) -> None:
        self.cache = cache or cache_folder()
        self._suite = suite
        self._env: dict[str, str] = {}
        if suite:
            self._place = self.cache / 'suites' / suite
            self._env = {'APT_CONFIG': str(self._place / 'apt.conf')}

    def update(self) -> None:
        """Get the lists of the suite, where they are missing or a day old.

        Lists that are there do where newer ones cannot be had.

        :raises: ToolMissing, PackageMissing.
        """
        stamp = self._place / 'updated'
        known = stamp.exists()
        if known and time.time() - stamp.stat().st_mtime < _LISTS_AGE:
            return
        for name in ('state/lists', 'cache/archives', 'none'):
            (self._place / name / 'partial').mkdir(parents=True, exist_ok=True)
        (self._place / 'status').touch()
        (self._place / 'sources.list').write_text(
            f'deb [signed-by={_KEYRING}] {mirror()} {self._suite} main\n'
        )
        (self._place / 'apt.conf').write_text(
            _CONFIGURATION.format(place=self._place)
        )
        done = self._apt('apt-get', '--error-on=any', 'update')
        if done.returncode and not known:
            raise exception.PackageMissing(
                package=f'{self._suite}/main',
                reason=_last_line(done.stderr) or 'apt fetched no lists',
                remedy=f'the mirror {mirror()} may not have this suite; '
                'name another suite, or check the network',
            )
        stamp.touch()

    def find(self, name: str) -> Package:
        """Look a package up in apt's lists; nothing is fetched.

        :raises: ToolMissing, PackageMissing.
        """
        done = self._apt('apt-cache', 'show', '--no-all-versions', name)
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

    def closure(self, names: collections.abc.Sequence[str]) -> list[str]:
        """Say what packages need, themselves among it.

        :param names: packages of the suite, as apt-get takes them.
        :returns: the names of the files, which have versions in them.
        :raises: ToolMissing, PackageMissing.
        """
        # apt leaves out what it has fetched before; here is none of it.
        none = f'Dir::Cache::archives={self._place}/none'
        done = self._apt(
            *('apt-get', '-y', '-o', none, '--print-uris', 'install'), *names
        )
        if done.returncode:
            raise exception.PackageMissing(
                package=' '.join(names),
                reason=_last_line(done.stderr),
                remedy=f'look at what {self._suite} has',
            )
        return sorted(set(_DEB.findall(done.stdout)))

    def fetch_all(
        self, names: collections.abc.Sequence[str]
    ) -> list[pathlib.Path]:
        """Get packages and what they need.

        :returns: the files, for the caller to remove.
        :raises: ToolMissing, PackageMissing.
        """
        done = self._apt('apt-get', '-y', '--download-only', 'install', *names)
        if done.returncode:
            raise exception.PackageMissing(
                package=' '.join(names),
                reason=_last_line(done.stderr),
                remedy='check the network',
            )
        return sorted((self._place / 'cache/archives').glob('*.deb'))

    def fetch(self, package: Package) -> pathlib.Path:
        """Get a package's file, from the cache or by apt.

        :returns: the path of the .deb file in the cache.
        :raises: ToolMissing, PackageMissing.
        """
        store = self.cache / 'packages'
        kept = store / package.file_name
        if kept.exists():
            return kept
        store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=store) as folder:
            wanted = f'{package.name}={package.version}'
            done = self._apt('apt-get', 'download', wanted, cwd=folder)
            found = list(pathlib.Path(folder).glob('*.deb'))
            if done.returncode or not found:
                raise exception.PackageMissing(
                    package=wanted,
                    reason=_last_line(done.stderr) or 'apt fetched nothing',
                    remedy="check the network and run 'apt-get update'",
                )
            found[0].rename(kept)
        return kept

    def extract(self, package: Package, folder: pathlib.Path) -> None:
        """Lay the files of a package out below a folder.

        :raises: ToolMissing, PackageMissing.
        """
        unpack(self.fetch(package), folder)

    def _apt(
        self, tool: str, *argv: str, cwd: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        path = require_tool(tool, 'apt')
        return call([path, *argv], cwd=cwd, env=self._env)


def mirror() -> str:
    """Return the mirror of Debian that this machine uses, or the usual one."""
    found: list[str] = []
    for path in sorted(pathlib.Path('/etc/apt').glob('**/*')):
        if path.suffix in ('.list', '.sources'):
            found += _URI.findall(path.read_text())
    return (found or [_MIRROR])[0].rstrip('/')


def unpack(archive: pathlib.Path, folder: pathlib.Path) -> None:
    """Lay the files of an archive out below a folder.

    :raises: ToolMissing, PackageMissing.
    """
    tool = require_tool('dpkg-deb', 'dpkg')
    done = call([tool, '--extract', str(archive), str(folder)])
    if done.returncode:
        # A broken archive would be found broken for ever.
        archive.unlink(missing_ok=True)
        raise exception.PackageMissing(
            package=archive.name.partition('_')[0],
            reason=_last_line(done.stderr) or 'dpkg-deb failed',
            remedy='the broken file was removed, try again',
        )


def call(
    argv: list[str],
    cwd: str | None = None,
    env: collections.abc.Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program, and keep what it says."""
    return subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, 'LC_ALL': 'C', **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith('E:')]
    return (lines or text.splitlines() or [''])[-1].removeprefix('E: ')
