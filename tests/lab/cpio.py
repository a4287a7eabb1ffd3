# SPDX-License-Identifier: Apache-2.0
"""Write a cpio archive of the 'newc' kind, what an initramfs is."""

import stat
import typing

_DIRECTORY = stat.S_IFDIR | 0o755
_PROGRAM = stat.S_IFREG | 0o755
_DEVICE = stat.S_IFCHR | 0o600


class Writer:
    """Write members one after the other; everything belongs to root.

    The cpio program could not make the console's node without being root.

    :param stream: where the archive goes.
    """

    def __init__(self, stream: typing.BinaryIO) -> None:
        self._stream = stream
        self._inode = 0

    def folder(self, name: str) -> None:
        """Add a directory; parents come first."""
        self._member(name, _DIRECTORY)

    def program(self, name: str, content: bytes) -> None:
        """Add a file that may be executed."""
        self._member(name, _PROGRAM, content)

    def device(self, name: str, major: int, minor: int) -> None:
        """Add a character device's node."""
        self._member(name, _DEVICE, device=(major, minor))

    def close(self) -> None:
        """End the archive; the stream stays open."""
        self._member('TRAILER!!!', 0)

    def _member(
        self,
        name: str,
        mode: int,
        content: bytes = b'',
        device: tuple[int, int] = (0, 0),
    ) -> None:
        self._inode += 1
        label = name.encode() + b'\0'
        # inode, mode, uid, gid, links, mtime, size, device's major and
        # minor, rdev's major and minor, length of the name, checksum
        numbers = [self._inode, mode, 0, 0, 1, 0, len(content), 0, 0]
        numbers += [*device, len(label), 0]
        header = b'070701' + b''.join(b'%08x' % one for one in numbers)
        self._padded(header + label)
        self._padded(content)

    def _padded(self, data: bytes) -> None:
        self._stream.write(data + b'\0' * (-len(data) % 4))
