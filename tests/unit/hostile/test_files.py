# SPDX-License-Identifier: Apache-2.0

"""The cache on disk, where any call to the system may fail."""

import errno
import fcntl
import os
import stat

import ddt
import fixtures

from nova_hyperv_enlight.guest import exclusion
from tests.unit import base

OLD, NEW = frozenset(('avic',)), frozenset(('reset', 'ipi'))
KEY = 'what it depends on'
#: What a store calls.
CALLS = (
    'os.open',
    'os.fstat',
    'fcntl.flock',
    'os.unlink',
    'os.fdopen',
    'json.dump',
    'os.fsync',
    'os.replace',
)


@ddt.ddt
class CacheTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.state_path = self.make_dir()
        self.directory = self.state_path / exclusion.DIRECTORY
        exclusion._store(str(self.state_path), KEY, OLD)

    def load(self):
        return exclusion._load(str(self.state_path), KEY)

    def store(self):
        exclusion._store(str(self.state_path), KEY, NEW)

    def fail(self, name, number, after=0):
        """Let a call fail, but not the first ones."""
        module, _, function = name.partition('.')
        real = getattr(__import__(module), function)
        calls = []

        def failing(*args, **kwargs):
            calls.append(args)
            if len(calls) <= after:
                return real(*args, **kwargs)
            raise OSError(number, os.strerror(number))

        return fixtures.MonkeyPatch(name, failing)

    @ddt.data(*CALLS)
    def test_any_call_fails(self, name):
        for number in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS):
            # The cache is opened, and a new file in it.
            for after in (0, 1):
                with self.fail(name, number, after):
                    try:
                        self.store()
                    except OSError as err:
                        self.assertEqual(number, err.errno)
                found = self.load()
                self.assertIn(found, (OLD, NEW))
        # Nothing is in the way of the next one.
        self.store()
        self.assertEqual(NEW, self.load())
        self.assertEqual([exclusion.FILE], os.listdir(self.directory))

    def test_a_full_disk(self):
        real = os.fdopen

        def full(descriptor, *args, **kwargs):
            os.dup2(os.open('/dev/full', os.O_WRONLY), descriptor)
            return real(descriptor, *args, **kwargs)

        with fixtures.MonkeyPatch('os.fdopen', full):
            error = self.assertRaises(OSError, self.store)
        self.assertEqual(errno.ENOSPC, error.errno)
        self.assertEqual(OLD, self.load())
        self.assertEqual([exclusion.FILE], os.listdir(self.directory))

    def test_two_at_once(self):
        # Another nova-compute with the same state_path is writing.
        other = os.open(self.directory, os.O_RDONLY)
        self.addCleanup(os.close, other)
        fcntl.flock(other, fcntl.LOCK_EX)
        self.assertRaises(BlockingIOError, self.store)
        self.assertEqual(OLD, self.load())
        fcntl.flock(other, fcntl.LOCK_UN)
        self.store()
        self.assertEqual(NEW, self.load())

    def test_private(self):
        self.addCleanup(os.umask, os.umask(0))
        self.store()
        for path, mode in (
            (self.directory, 0o700),
            (self.directory / exclusion.FILE, 0o600),
        ):
            self.assertEqual(mode, stat.S_IMODE(path.stat().st_mode))

    @ddt.data('', '.new')
    def test_links_in_the_place_of_files(self, suffix):
        target = self.state_path / 'target'
        target.write_text('precious')
        path = self.directory / f'{exclusion.FILE}{suffix}'
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        self.assertIn(self.load(), (None, OLD))
        self.store()
        self.assertEqual('precious', target.read_text())
        self.assertEqual(NEW, self.load())

    def test_a_file_by_link_is_not_read(self):
        # What is there would be believed.
        path = self.directory / exclusion.FILE
        target = self.state_path / 'target'
        path.rename(target)
        path.symlink_to(target)
        self.assertIsNone(self.load())

    def test_a_folder_by_link(self):
        elsewhere = self.state_path / 'elsewhere'
        self.directory.rename(elsewhere)
        self.directory.symlink_to(elsewhere)
        before = (elsewhere / exclusion.FILE).read_bytes()
        self.assertIsNone(self.load())
        self.assertRaises(OSError, self.store)
        self.assertEqual(before, (elsewhere / exclusion.FILE).read_bytes())

    @ddt.data(0o720, 0o702, 0o777)
    def test_a_folder_that_others_may_write_to(self, mode):
        self.directory.chmod(mode)
        self.assertIsNone(self.load())
        self.assertRaises(PermissionError, self.store)
        self.directory.chmod(0o755)
        self.assertEqual(OLD, self.load())

    def test_a_folder_of_somebody_else(self):
        other = os.geteuid() + 1
        with fixtures.MonkeyPatch('os.geteuid', lambda: other):
            self.assertIsNone(self.load())
            self.assertRaises(PermissionError, self.store)

    def test_cut_at_any_byte(self):
        path = self.directory / exclusion.FILE
        whole = path.read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            self.assertIsNone(self.load(), length)
