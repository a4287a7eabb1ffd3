# SPDX-License-Identifier: Apache-2.0

"""Guests whose documents are in files, as ``virsh dumpxml`` prints them."""

import collections.abc
import pathlib

from nova_hyperv_enlight import exception

_SUFFIX = '.xml'


class SavedDomain:
    """A guest that is read from a file; it does not run.

    :param path: the file. The guest's name is that of the file, without its
        suffix, until its document is read.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def name(self) -> str:
        """Return its name."""
        return self._path.stem

    def isActive(self) -> int:
        """Return that it is not running."""
        return 0

    def XMLDesc(self, flags: int = 0) -> str:
        """Return its document.

        :raises MalformedDocument: it cannot be read.
        """
        try:
            return self._path.read_text(encoding='utf-8')
        except (OSError, UnicodeDecodeError) as err:
            reason = getattr(err, 'strerror', None) or err
            raise exception.MalformedDocument(
                document=self._path, reason=reason
            ) from err


def is_path(target: str) -> bool:
    """Whether a file or a folder is meant: no domain's name has a slash."""
    return '/' in target or target.endswith(_SUFFIX)


def find(targets: collections.abc.Iterable[str]) -> list[SavedDomain]:
    """Return the guests of files and folders.

    :param targets: the paths. Of a folder it is each file in it that ends in
        ``.xml``, by their names; folders in it are left alone.
    :raises InvalidRequest: there is no such file, or a folder has none.
    """
    found = []
    for target in targets:
        path = pathlib.Path(target)
        if path.is_dir():
            inside = sorted(path.glob(f'*{_SUFFIX}'))
            if not inside:
                raise exception.InvalidRequest(
                    reason=f'There is no file *{_SUFFIX} in {path}.'
                )
            found += [SavedDomain(each) for each in inside]
        elif path.exists():
            found.append(SavedDomain(path))
        else:
            raise exception.InvalidRequest(reason=f'There is no file {path}.')
    return found
