# SPDX-License-Identifier: Apache-2.0
"""A host of a Debian release, unpacked and not installed.

No script of a package is run. What the lab needs of what they would have done
is done here: users, and Python's bytecode. Root is not needed for it.
"""

import collections.abc
import hashlib
import pathlib
import shutil
import tempfile

from tests.lab import exception
from tests.lab import packages

#: What a host has. Nova is not among it.
PACKAGES = (
    # A machine has these, and no package depends on them.
    '?essential',
    # of the machine
    *('busybox-static', 'kmod', 'procps'),
    # of the host
    *('libvirt-clients', 'libvirt-daemon', 'libvirt-daemon-driver-qemu'),
    *('qemu-system-x86', 'qemu-utils'),
    # of the package: requirements.txt
    *('python3', 'python3-cliff', 'python3-libvirt', 'python3-lxml'),
    *('python3-oslo.config', 'python3-oslo.log', 'python3-oslo.upgradecheck'),
    *('python3-oslo.utils', 'python3-stevedore', 'python3-tqdm'),
    'python3-yaml',
)

#: Its Python, on itself.
PYTHON = '/usr/bin/python3'

_UNFINISHED = 'unfinished-'
# It has the links of a merged /usr, which all others go through.
_FIRST = 'base-files_'
# base-passwd's script would copy the first two; libvirt insists on its user.
_USERS = {
    'passwd': 'libvirt-qemu:x:0:0::/:/bin/false\n',
    'group': 'libvirt-qemu:x:0:\n',
}
_LOADER = 'usr/lib64/ld-linux-x86-64.so.2'
_LIBRARIES = 'usr/lib/x86_64-linux-gnu'


def prepare(suite: str, cache: pathlib.Path | None = None) -> pathlib.Path:
    """Find the files of a host in the cache, or lay them out.

    They are those of the versions that the suite has today.

    :param suite: of Debian, as 'trixie'.
    :param cache: where to keep it; by default see packages.cache_folder().
    :returns: the folder that is the root of its file system.
    :raises: ToolMissing; PackageMissing, also where the mirror has no such
        suite; ImageError.
    """
    archive = packages.Archive(cache, suite)
    hosts = archive.cache / 'hosts'
    # A lock of its own: who wants an image need not wait for a host.
    with packages.locked(hosts):
        archive.update()
        files = archive.closure(PACKAGES)
        final = hosts / f'{suite}-{_key(files)}'
        if not final.exists():
            _lay_out(archive, final)
    return final


def _key(files: collections.abc.Sequence[str]) -> str:
    """Name a host by everything that shaped it."""
    recipe = hashlib.sha256(pathlib.Path(__file__).read_bytes())
    recipe.update('\n'.join(files).encode())
    return recipe.hexdigest()[:12]


def _lay_out(archive: packages.Archive, final: pathlib.Path) -> None:
    """Make a host aside and move it into its place whole.

    The caller holds the cache's lock.
    """
    # Under the lock: these are of builders that were killed.
    for left in final.parent.glob(f'{_UNFINISHED}*'):
        shutil.rmtree(left, ignore_errors=True)
    root = pathlib.Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=final.parent))
    try:
        found = archive.fetch_all(PACKAGES)
        for path in sorted(found, key=lambda it: _FIRST not in it.name):
            packages.unpack(path, root)
            path.unlink()
        for name, line in _USERS.items():
            master = root / f'usr/share/base-passwd/{name}.master'
            (root / 'etc' / name).write_text(master.read_text() + line)
        _compile(root)
        root.chmod(0o755)
        root.rename(final)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _compile(root: pathlib.Path) -> None:
    """Write the bytecode of all modules of a host.

    Inside, each program would compile what it imports, which is slow there,
    and could not keep it.
    """
    places = [
        str(path)
        for pattern in ('python3.[0-9][0-9]', 'python3')
        for path in root.glob(f'usr/lib/{pattern}')
    ]
    compile_modules(root, '-s', str(root), '-p', '/', *places)


def compile_modules(root: pathlib.Path, *argv: str) -> None:
    """Write bytecode for a host's Python, by that Python itself.

    It runs on this machine, and nobody has to become root for it.

    :param argv: folders, and other arguments of compileall's.
    :raises: ImageError where that fails.
    """
    (program,) = root.glob('usr/bin/python3.[0-9][0-9]')
    done = packages.call(
        [str(root / _LOADER), '--library-path', str(root / _LIBRARIES)]
        + [str(program), '-S', '-m', 'compileall', '-q', *argv],
        env={'PYTHONHOME': str(root / 'usr')},
    )
    if done.returncode:
        reason = (done.stderr or done.stdout).strip()
        raise exception.ImageError(
            package=program.name, reason=reason, path=root
        )
