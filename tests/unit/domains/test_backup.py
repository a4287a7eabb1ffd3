# SPDX-License-Identifier: Apache-2.0

import errno
import os
import pathlib
import re
import stat

import ddt
import fixtures

from nova_hyperv_enlight.domains import backup
from nova_hyperv_enlight import exception
from tests.unit import base

DATA = '<domain>ü</domain>\n'.encode('utf-16')


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


class KeepTestCase(base.TestCase):
    """Base of these tests."""

    def setUp(self):
        super().setUp()
        self.directory = self.make_dir() / 'state' / 'ours'

    def left(self):
        return sorted(os.listdir(self.directory))

    def fail(self, name, error=errno.ENOSPC):
        """Let a call to the system fail."""

        def failing(*args, **kwargs):
            raise OSError(error, os.strerror(error))

        self.useFixture(fixtures.MonkeyPatch(f'os.{name}', failing))


@ddt.ddt
class NewFileTestCase(KeepTestCase):
    def test_keep(self):
        path = backup.save(self.directory, 'win11', DATA)

        self.assertEqual(DATA, path.read_bytes())
        self.assertEqual([path.name], self.left())
        self.assertEqual((0o600, 0o700), (mode(path), mode(self.directory)))
        self.assertRegex(
            path.name,
            r'^win11\.[0-9]{8}T[0-9]{6}\.[0-9]{6}Z\.[0-9a-f]{8}\.xml$',
        )

    def test_none_is_written_over(self):
        paths = {backup.save(self.directory, 'a', DATA) for _ in range(50)}

        self.assertEqual(50, len(paths))
        self.assertEqual(50, len(self.left()))

    @ddt.data('../../a b', '.hidden', 'ü' * 300, 'a\n\x1b[31m', '/etc/shadow')
    def test_any_name(self, name):
        path = backup.save(self.directory, name, DATA)

        self.assertEqual(self.directory, path.parent)
        self.assertEqual([path.name], self.left())
        self.assertTrue(re.fullmatch('[A-Za-z0-9_][A-Za-z0-9._-]*', path.name))

    @ddt.data('write', 'fsync', 'rename', 'fchmod')
    def test_nothing_is_left(self, name):
        self.directory.mkdir(parents=True)
        if name == 'write':
            self.useFixture(fixtures.MonkeyPatch('os.fdopen', self._full_disk))
        else:
            self.fail(name)

        error = self.assertRaises(
            exception.CannotBackUp, backup.save, self.directory, 'win', DATA
        )

        self.assertIn('No space left on device', str(error))
        self.assertIn(str(self.directory), str(error))
        self.assertEqual([], self.left())

    def _full_disk(self, descriptor, how):
        os.close(descriptor)
        return open('/dev/full', how)

    def test_interrupted(self):
        self.directory.mkdir(parents=True)

        def interrupt(descriptor):
            raise KeyboardInterrupt

        self.useFixture(fixtures.MonkeyPatch('os.fsync', interrupt))

        self.assertRaises(
            KeyboardInterrupt, backup.save, self.directory, 'win', DATA
        )
        self.assertEqual([], self.left())

    def test_a_link_for_a_directory(self):
        elsewhere = self.make_dir()
        self.directory.parent.mkdir()
        self.directory.symlink_to(elsewhere)

        self.assertRaises(
            exception.CannotBackUp, backup.save, self.directory, 'win', DATA
        )
        self.assertEqual([], os.listdir(elsewhere))

    def test_a_file_for_a_directory(self):
        self.directory.parent.mkdir()
        self.directory.touch()

        error = self.assertRaises(
            exception.CannotBackUp, backup.save, self.directory, 'win', DATA
        )

        self.assertIn('File exists', str(error))

    def test_no_permission(self):
        self.fail('open', errno.EACCES)

        error = self.assertRaises(
            exception.CannotBackUp, backup.save, self.directory, 'win', DATA
        )

        self.assertIn('Permission denied', str(error))


class ReplaceTestCase(KeepTestCase):
    def setUp(self):
        super().setUp()
        self.directory.mkdir(parents=True)
        self.path = self.directory / 'guest.xml'
        self.path.write_bytes(b'before')
        self.path.chmod(0o644)

    def refuse(self, path=None, former=b'before'):
        error = self.assertRaises(
            exception.CannotWrite,
            backup.replace,
            path or self.path,
            former,
            b'after',
        )
        self.assertEqual(b'before', self.path.read_bytes())
        return str(error)

    def test_replace(self):
        backup.replace(self.path, b'before', b'after')

        self.assertEqual(b'after', self.path.read_bytes())
        self.assertEqual(0o644, mode(self.path))
        self.assertEqual(['guest.xml'], self.left())

    def test_the_owner_stays(self):
        given = []
        self.useFixture(
            fixtures.MonkeyPatch('os.fchown', lambda *args: given.append(args))
        )

        backup.replace(self.path, b'before', b'after')

        there = self.path.stat()
        self.assertEqual(
            [(there.st_uid, there.st_gid)], [g[1:] for g in given]
        )

    def test_the_owner_cannot_stay(self):
        self.useFixture(fixtures.MonkeyPatch('os.fchown', self._forbidden))

        self.assertIn('Operation not permitted', self.refuse())
        self.assertEqual(['guest.xml'], self.left())

    def _forbidden(self, *args):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    def test_it_changed_meanwhile(self):
        self.assertIn('it has changed', self.refuse(former=b'long before'))

    def test_a_link(self):
        link = self.directory / 'link.xml'
        link.symlink_to(self.path)

        self.assertIn(str(link), self.refuse(link))
        self.assertTrue(link.is_symlink())

    def test_it_is_gone(self):
        self.assertIn(
            'No such file', self.refuse(pathlib.Path(f'{self.path}x'))
        )

    def test_no_file(self):
        pipe = self.directory / 'pipe.xml'
        os.mkfifo(pipe)

        self.assertIn('not a regular file', self.refuse(pipe))

    def test_the_disk_is_full(self):
        self.fail('fsync')

        self.assertIn('No space left', self.refuse())
        self.assertEqual(['guest.xml'], self.left())

    def test_a_directory_that_cannot_be_synced(self):
        sync = os.fsync

        def failing(descriptor):
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            sync(descriptor)

        self.useFixture(fixtures.MonkeyPatch('os.fsync', failing))

        # It is written: to say the contrary would be wrong.
        backup.replace(self.path, b'before', b'after')

        self.assertEqual(b'after', self.path.read_bytes())

    def test_a_relative_path(self):
        before = os.getcwd()
        os.chdir(self.directory)
        self.addCleanup(os.chdir, before)

        backup.replace(pathlib.Path('guest.xml'), b'before', b'after')

        self.assertEqual(b'after', self.path.read_bytes())
