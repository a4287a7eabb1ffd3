# SPDX-License-Identifier: Apache-2.0

"""Keeps documents in files: private, whole or not at all."""

import collections.abc
import contextlib
import datetime
import os
import pathlib
import re
import secrets
import stat

from nova_hyperv_enlight import exception

_PRIVATE = 0o600
_PRIVATE_DIRECTORY = 0o700
# What a name may have that is neither a file system's nor a shell's matter.
_OTHER = re.compile('[^A-Za-z0-9._-]')
_MAX_NAME = 100
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def save(directory: pathlib.Path, name: str, data: bytes) -> pathlib.Path:
    """Keep a document in a new file of its own.

    :param directory: where; it is made where it is missing.
    :param name: what the document is of: a domain's name, or a file's.
    :param data: the document.
    :returns: the file.
    :raises CannotKeep: it is not there, nor is any part of it.
    """
    try:
        directory.mkdir(_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        path = directory / _file_name(name)
        with _opened(directory) as parent:
            _write(parent, path.name, data, _PRIVATE)
    except OSError as err:
        raise exception.CannotBackUp(
            name=name, directory=directory, reason=err.strerror or err
        ) from err
    return path


def replace(path: pathlib.Path, former: bytes, data: bytes) -> None:
    """Write a file anew, with the owner and the mode that it has.

    :param path: the file.
    :param former: what it must hold until then.
    :param data: its content.
    :raises CannotWrite: it is as it was.
    """
    try:
        with _opened(path.parent) as parent:
            there = _same(parent, path.name, former)
            mode = stat.S_IMODE(there.st_mode)
            _write(parent, path.name, data, mode, there)
    except OSError as err:
        raise exception.CannotWrite(
            path=path, reason=err.strerror or err
        ) from err


def _file_name(name: str) -> str:
    """Return a name that sorts by what it is of, and then by its time."""
    now = datetime.datetime.now(datetime.timezone.utc)
    plain = _OTHER.sub('_', name)[-_MAX_NAME:].lstrip('.')
    return f'{plain}.{now:%Y%m%dT%H%M%S.%fZ}.{secrets.token_hex(4)}.xml'


@contextlib.contextmanager
def _opened(directory: pathlib.Path) -> collections.abc.Iterator[int]:
    """Open a directory, so that another one cannot take its place."""
    parent = os.open(directory, _READ | os.O_DIRECTORY)
    try:
        yield parent
    finally:
        os.close(parent)


def _same(parent: int, name: str, former: bytes) -> os.stat_result:
    """Return the facts of a file that holds what it should.

    :raises OSError: it holds something else, or is no file.
    """
    descriptor = os.open(name, _READ | os.O_NONBLOCK, dir_fd=parent)
    with os.fdopen(descriptor, 'rb') as stream:
        there = os.fstat(stream.fileno())
        if not stat.S_ISREG(there.st_mode):
            raise OSError('it is not a regular file')
        if stream.read() != former:
            raise OSError('it has changed since it was read')
    return there


def _write(
    parent: int,
    name: str,
    data: bytes,
    mode: int,
    owner: os.stat_result | None = None,
) -> None:
    """Write a file beside, and give it its name once it is on the disk."""
    beside = f'.{secrets.token_hex(8)}.tmp'
    descriptor = os.open(beside, _NEW, _PRIVATE, dir_fd=parent)
    try:
        with os.fdopen(descriptor, 'wb') as stream:
            stream.write(data)
            stream.flush()
            if owner is not None:
                os.fchown(stream.fileno(), owner.st_uid, owner.st_gid)
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.rename(beside, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside, dir_fd=parent)
        raise
    # The file has its new name: to fail now would say that it has not. Without
    # this a crash of the machine may bring the former one back, whole.
    with contextlib.suppress(OSError):
        os.fsync(parent)
