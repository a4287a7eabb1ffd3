# SPDX-License-Identifier: Apache-2.0
"""The lab's kernel and initramfs, built once for each kernel package."""

import contextlib
import dataclasses
import hashlib
import lzma
import pathlib
import shutil
import tempfile

from tests.lab import cpio
from tests.lab import exception
from tests.lab import packages

# What the lab cannot do without; what these need is read from them.
# virtio_pci brings its two helpers, and virtio_ring before virtio.
MODULES = (
    *('virtio_pci', '9pnet_virtio', '9p', 'overlay', 'kvm', 'kvm_amd'),
    # The last: what it brings is for a link to another lab.
    'virtio_net',
)

_INIT = pathlib.Path(__file__).with_name('init.sh')
_UNFINISHED = 'unfinished-'
_IMAGE = 'linux-image-'
_KERNEL_PARTS = (_IMAGE, 'linux-base-', 'linux-binary-', 'linux-modules-')
_XZ_MAGIC = b'\xfd7zXZ\0'
# Loaded by the init script when it has read how.
_LATE = ('kvm', 'kvm_amd')


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What QEMU boots."""

    kernel: pathlib.Path
    initramfs: pathlib.Path


def build(
    kernel_package: str,
    cache: pathlib.Path | None = None,
    suite: str | None = None,
) -> Image:
    """Find the image of a kernel package in the cache, or make it.

    :param kernel_package: a Debian package, real or one that only depends
        on the real one of today.
    :param cache: where to keep it; by default see packages.cache_folder().
    :param suite: of Debian; by default see packages.Archive.
    :raises: ToolMissing, PackageMissing, ImageError.
    """
    archive = packages.Archive(cache, suite)
    kernel = _kernel(archive, kernel_package)
    busybox = archive.find('busybox-static')
    final = archive.cache / 'images' / _key(*kernel, busybox)
    image = Image(kernel=final / 'kernel', initramfs=final / 'initramfs')
    if final.exists():
        return image
    with packages.locked(archive.cache):
        if not final.exists():
            _build(kernel, busybox, archive, final)
    return image


def _kernel(archive: packages.Archive, name: str) -> list[packages.Package]:
    """Find the packages of a kernel, the real one first.

    From Linux 7 on, Debian has it in four packages.
    """
    found = archive.find(name)
    needed = {
        one.name: one
        for part in found.depends
        if part.startswith(_KERNEL_PARTS)
        for one in _kernel(archive, part)
    }
    # A package that only depends on the real one has nothing in it.
    if not any(one.startswith(_IMAGE) for one in found.depends):
        needed[name] = found
    return sorted(
        needed.values(), key=lambda one: not one.name.startswith(_IMAGE)
    )


def _key(*used: packages.Package) -> str:
    """Name an image by everything that shaped it."""
    recipe = hashlib.sha256(_INIT.read_bytes())
    for source in (__file__, cpio.__file__):
        recipe.update(pathlib.Path(source).read_bytes())
    recipe.update(''.join(one.file_name for one in used).encode())
    return f'{used[0].name}_{used[0].version}-{recipe.hexdigest()[:12]}'


def _build(
    kernel: list[packages.Package],
    busybox: packages.Package,
    archive: packages.Archive,
    final: pathlib.Path,
) -> None:
    """Make an image aside and move it into its place whole.

    The caller holds the cache's lock.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    # Under the lock: these are of builders that were killed.
    for left in final.parent.glob(f'{_UNFINISHED}*'):
        shutil.rmtree(left, ignore_errors=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=final.parent))
    try:
        tree = work / 'tree'
        tree.mkdir()
        for package in (*kernel, busybox):
            archive.extract(package, tree)
        made = work / 'made'
        made.mkdir()
        _copy_kernel(kernel[0], tree, made / 'kernel')
        _write_initramfs(kernel[0], tree, made / 'initramfs')
        made.rename(final)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _copy_kernel(
    kernel: packages.Package, tree: pathlib.Path, target: pathlib.Path
) -> None:
    found = [
        *tree.glob('boot/vmlinuz-*'),
        *tree.glob('usr/lib/modules/*/vmlinuz'),
    ]
    if not found:
        raise exception.ImageError(
            package=kernel.name,
            reason='there is no kernel in it',
            path=kernel.file_name,
        )
    content = found[0].read_bytes()
    # QEMU boots the bare ELF file, too (by its PVH note); to unpack it once
    # here spares some three seconds of emulation at each boot.
    start = content.find(_XZ_MAGIC)
    if start >= 0:
        with contextlib.suppress(lzma.LZMAError):
            content = lzma.LZMADecompressor().decompress(content[start:])
    target.write_bytes(content)


def _write_initramfs(
    kernel: packages.Package, tree: pathlib.Path, target: pathlib.Path
) -> None:
    programs = [
        path
        for path in (tree / 'bin/busybox', tree / 'usr/bin/busybox')
        if path.is_file()
    ]
    if not programs:
        raise exception.ImageError(
            package='busybox-static',
            reason='there is no busybox in it',
            path=tree,
        )
    modules = _modules(kernel, tree)
    names = list(modules)
    cut = names.index(_LATE[-1]) + 1
    early = [name for name in names[:cut] if name not in _LATE]
    with open(target, 'wb') as stream:
        archive = cpio.Writer(stream)
        for name in ('bin', 'dev', 'modules', 'proc', 'root', 'sys'):
            archive.folder(name)
        archive.device('dev/console', 5, 1)
        archive.program('bin/busybox', programs[0].read_bytes())
        archive.program('init', _INIT.read_bytes())
        archive.program('modules/order', '\n'.join(early).encode() + b'\n')
        archive.program(
            'modules/link', '\n'.join(names[cut:]).encode() + b'\n'
        )
        for name, content in modules.items():
            archive.program(f'modules/{name}.ko', content)
        archive.close()


def _modules(kernel: packages.Package, tree: pathlib.Path) -> dict[str, bytes]:
    """Read the modules and what they need, each after what it needs."""
    files = {
        path.name.split('.')[0].replace('-', '_'): path
        for path in tree.glob('**/lib/modules/*/kernel/**/*.ko*')
    }
    builtin = {
        pathlib.Path(line).stem.replace('-', '_')
        for path in tree.glob('**/lib/modules/*/modules.builtin')
        for line in path.read_text().splitlines()
    }
    ordered: dict[str, bytes] = {}

    def add(name: str) -> None:
        if name in ordered or name in builtin:
            return
        if name not in files:
            raise exception.ImageError(
                package=kernel.name,
                reason=f"there is no module '{name}' in it",
                path=kernel.file_name,
            )
        content = _content(files[name])
        for needed in _depends(content):
            add(needed)
        ordered[name] = content

    for name in MODULES:
        add(name)
    return ordered


def _content(path: pathlib.Path) -> bytes:
    """Read a module; from Debian 13 on they are compressed."""
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == '.xz' else content


def _depends(module: bytes) -> list[str]:
    """Read the module's own word; modules.dep is only made when installed."""
    for field in module.split(b'\0depends=')[1:2]:
        names = field.split(b'\0')[0].decode().split(',')
        return [name.replace('-', '_') for name in names if name]
    return []
