# SPDX-License-Identifier: Apache-2.0

"""/dev/kvm and /sys of every kind: nothing is raised, and nothing waits."""

import errno
import os
import socket

import ddt
import fixtures

from nova_hyperv_enlight.host import kvm
from tests.unit import base
from tests.unit.host import kernel
from tests.unit.host import samples

_ERRORS = sorted(
    {
        errno.EACCES,
        errno.EPERM,
        errno.ENOENT,
        errno.ENXIO,
        errno.ENODEV,
        errno.EBUSY,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.EINTR,
        errno.ELOOP,
    }
)
#: What a parameter may hold that is no boolean.
_ODD = (b'', b'\n', b'\0', b'y', b'Y N', b'-1', b'2', b'\xff', b'(null)')


@ddt.ddt
class DeviceTestCase(base.TestCase):
    """A device that is none; each is a question that nobody answers."""

    def setUp(self):
        super().setUp()
        self.path = self.make_dir() / 'kvm'

    def assertUnknown(self):
        facts = kvm.ask(str(self.path), str(self.path.parent / 'sys'))
        self.assertEqual(
            (None, None, None), (facts.hyperv, facts.time, facts.leaves)
        )
        device, modules = facts.unasked
        self.assertTrue(device.startswith(str(self.path)), device)
        self.assertIn('neither kvm_intel nor kvm_amd', modules)

    def test_absent(self):
        self.assertUnknown()

    def test_a_file(self):
        self.path.touch()
        self.assertUnknown()

    def test_a_directory(self):
        self.path.mkdir()
        self.assertUnknown()

    def test_a_pipe_that_nobody_writes_to(self):
        os.mkfifo(self.path)
        self.assertUnknown()

    def test_a_socket(self):
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        server.bind(str(self.path))
        self.assertUnknown()

    def test_a_link_to_itself(self):
        self.path.symlink_to(self.path)
        self.assertUnknown()

    def test_another_device(self):
        self.path.symlink_to('/dev/null')
        self.assertUnknown()

    @ddt.data(*_ERRORS)
    def test_an_error(self, number):
        def fail(*args):
            raise OSError(number, os.strerror(number))

        self.useFixture(fixtures.MonkeyPatch('os.open', fail))
        self.assertUnknown()


@ddt.ddt
class PermissionTestCase(kernel.KvmTestCase):
    """Any mode either answers or says why not."""

    @ddt.data(*range(0, 0o1000, 0o100), 0o4755, 0o1777, 0o444, 0o666)
    def test_mode(self, mode):
        self.run_kernel(kernel.Kernel(kernel.ALL))
        self.device.chmod(mode)
        facts = self.ask()
        if os.access(self.device, os.R_OK):
            self.assertIs(True, facts.hyperv)
        else:
            self.assertIn('Permission denied', facts.unasked[0])
            self.assertIsNone(facts.hyperv)

    @ddt.data(*_ODD)
    def test_parameter(self, data):
        self.run_kernel(kernel.Kernel(kernel.ALL))
        self.set_parameters('kvm_amd', nested=data, avic=data)
        facts = self.ask()
        self.assertEqual((None, None), (facts.nested, facts.apic))
        self.assertEqual(2, len(facts.unasked))
        self.assertEqual(samples.LAB_LEAVES, facts.leaves)
