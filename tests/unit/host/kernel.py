# SPDX-License-Identifier: Apache-2.0

"""A kernel for tests: no machine of ours has a KVM with Hyper-V."""

import ctypes
import errno
import fcntl
import os
from unittest import mock

from nova_hyperv_enlight.host import kvm
from tests.unit import base
from tests.unit.host import samples

# Linux include/uapi/linux/kvm.h
KVM_CHECK_EXTENSION = 0xAE << 8 | 0x03
KVM_GET_SUPPORTED_HV_CPUID = 3 << 30 | 8 << 16 | 0xAE << 8 | 0xC1
KVM_CAP_HYPERV = 44
KVM_CAP_HYPERV_TIME = 96
KVM_CAP_SYS_HYPERV_CPUID = 191

ALL = {KVM_CAP_HYPERV: 1, KVM_CAP_HYPERV_TIME: 1, KVM_CAP_SYS_HYPERV_CPUID: 1}


class KvmCpuidEntry2(ctypes.Structure):
    """As the kernel's header declares it."""

    _fields_ = (
        ('function', ctypes.c_uint32),
        ('index', ctypes.c_uint32),
        ('flags', ctypes.c_uint32),
        ('eax', ctypes.c_uint32),
        ('ebx', ctypes.c_uint32),
        ('ecx', ctypes.c_uint32),
        ('edx', ctypes.c_uint32),
        ('padding', ctypes.c_uint32 * 3),
    )


class KvmCpuid2(ctypes.Structure):
    """The head of the same; the entries follow it."""

    _fields_ = (('nent', ctypes.c_uint32), ('padding', ctypes.c_uint32))


class Kernel:
    """A kernel behind fcntl.ioctl.

    :param extensions: what KVM_CHECK_EXTENSION answers, by number.
    :param leaves: what KVM_GET_SUPPORTED_HV_CPUID answers with.
    """

    def __init__(self, extensions, leaves=samples.LAB_ANSWER):
        self.extensions = extensions
        self.leaves = leaves

    def ioctl(self, fd, request, arg=0, mutate_flag=True):
        os.fstat(fd)  # It is open.
        if request == KVM_CHECK_EXTENSION:
            return self.extensions.get(arg, 0)
        if request != KVM_GET_SUPPORTED_HV_CPUID:
            raise OSError(errno.ENOTTY, 'Inappropriate ioctl for device')
        head = KvmCpuid2.from_buffer(arg)
        if head.nent < len(self.leaves):
            raise OSError(errno.E2BIG, 'Argument list too long')
        entries = (KvmCpuidEntry2 * head.nent).from_buffer(
            arg, ctypes.sizeof(KvmCpuid2)
        )
        head.nent = len(self.leaves)
        for entry, (leaf, registers) in zip(entries, self.leaves.items()):
            entry.function = leaf
            entry.eax, entry.ebx, entry.ecx, entry.edx = registers
        return 0


class KvmTestCase(base.TestCase):
    """A /dev and a /sys of one's own."""

    def setUp(self):
        super().setUp()
        self.sysfs = self.make_dir()
        self.device = self.make_dir() / 'kvm'

    def ask(self):
        return kvm.ask(str(self.device), str(self.sysfs))

    def set_parameters(self, kernel_module, **parameters):
        path = self.sysfs / 'module' / kernel_module / 'parameters'
        path.mkdir(parents=True)
        for name, content in parameters.items():
            (path / name).write_bytes(content)
        return path

    def run_kernel(self, kernel):
        """Let a kernel answer on a device that is a regular file."""
        self.device.touch()
        patcher = mock.patch.object(
            fcntl, 'ioctl', autospec=True, side_effect=kernel.ioctl
        )
        self.addCleanup(patcher.stop)
        return patcher.start()
