# SPDX-License-Identifier: Apache-2.0

import os
import socket

import ddt

from nova_hyperv_enlight.catalogue import model
from tests.unit.host import kernel
from tests.unit.host import samples


@ddt.ddt
class DeviceTestCase(kernel.KvmTestCase):
    """A device that cannot be asked."""

    def check_unasked(self, sentence):
        facts = self.ask()
        self.assertEqual(
            (None, None, None), (facts.hyperv, facts.time, facts.leaves)
        )
        self.assertEqual(sentence, facts.unasked[0])

    def test_ask_missing(self):
        self.check_unasked(
            f'{self.device} is not there: No such file or directory'
        )

    def test_ask_without_driver(self):
        # Opening a socket answers ENXIO, as a device without a driver does.
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.device))
        self.check_unasked(
            f'{self.device} is not there: No such device or address'
        )

    def test_ask_regular_file(self):
        self.device.touch()
        self.check_unasked(
            f'{self.device} cannot be asked: Inappropriate ioctl for device'
        )

    def test_ask_directory(self):
        self.device.mkdir()
        self.check_unasked(
            f'{self.device} cannot be asked: Inappropriate ioctl for device'
        )

    def test_ask_not_opened(self):
        self.device.symlink_to(self.device)
        self.check_unasked(
            f'{self.device} cannot be asked: Too many levels of symbolic links'
        )

    @ddt.unpack
    @ddt.data((b'tsc\n', 'tsc'), (b'\n', None), (b'\xff', None), (None, None))
    def test_ask_clocksource(self, content, expected):
        if content is not None:
            path = self.sysfs / 'devices/system/clocksource/clocksource0'
            path.mkdir(parents=True)
            (path / 'current_clocksource').write_bytes(content)

        self.assertEqual(expected, self.ask().clocksource)

    def test_ask_others_all_the_same(self):
        self.set_parameters('kvm_amd', nested=b'1\n', avic=b'N\n')
        facts = self.ask()
        self.assertIs(model.Vendor.AMD, facts.vendor)
        self.assertIs(True, facts.nested)
        self.assertIs(False, facts.apic)
        self.assertEqual(1, len(facts.unasked))

    def test_ask_closes(self):
        self.device.touch()
        before = os.listdir('/proc/self/fd')
        self.ask()
        self.assertEqual(before, os.listdir('/proc/self/fd'))


@ddt.ddt
class KernelTestCase(kernel.KvmTestCase):
    """A device that answers."""

    def test_ask_all(self):
        self.run_kernel(kernel.Kernel(kernel.ALL))
        self.set_parameters('kvm_amd', nested=b'1\n', avic=b'N\n')
        self.assertEqual(samples.LAB_KERNEL, self.ask())

    def test_ask_registers(self):
        self.run_kernel(kernel.Kernel(kernel.ALL, {0x40000003: (1, 2, 3, 4)}))
        self.assertEqual(
            {
                0x40000003: {
                    model.Register.EAX: 1,
                    model.Register.EBX: 2,
                    model.Register.ECX: 3,
                    model.Register.EDX: 4,
                }
            },
            self.ask().leaves,
        )

    def test_ask_without_hyperv(self):
        self.run_kernel(kernel.Kernel({}))
        self.set_parameters('kvm_amd', nested=b'1\n', avic=b'N\n')
        # No module could mend that: nothing is asked, nothing complained of.
        self.assertEqual(samples.MACHINE_KERNEL, self.ask())

    @ddt.unpack
    @ddt.data((0, False), (1, True), (2, True))
    def test_ask_time(self, answer, time):
        extensions = {**kernel.ALL, kernel.KVM_CAP_HYPERV_TIME: answer}
        self.run_kernel(kernel.Kernel(extensions))
        self.assertIs(time, self.ask().time)

    def test_ask_old_kernel(self):
        # Linux before 5.11 answers for a vCPU only.
        extensions = {**kernel.ALL, kernel.KVM_CAP_SYS_HYPERV_CPUID: 0}
        ioctl = self.run_kernel(kernel.Kernel(extensions))
        facts = self.ask()
        self.assertEqual(
            (True, True, None), (facts.hyperv, facts.time, facts.leaves)
        )
        self.assertEqual(
            {kernel.KVM_CHECK_EXTENSION},
            {call.args[1] for call in ioctl.call_args_list},
        )

    def test_ask_leaves_refused(self):
        self.run_kernel(
            kernel.Kernel(kernel.ALL, dict.fromkeys(range(1000), (0,) * 4))
        )
        facts = self.ask()
        self.assertIn(
            f'{self.device} does not tell its Hyper-V CPUID: Argument list '
            'too long',
            facts.unasked,
        )
        # The other answers are not lost with it.
        self.assertEqual((True, True), (facts.hyperv, facts.time))

    def test_ask_room_for_more_leaves(self):
        leaves = dict.fromkeys(range(64), (1, 1, 1, 1))
        self.run_kernel(kernel.Kernel(kernel.ALL, leaves))
        self.assertEqual(set(leaves), set(self.ask().leaves))

    def test_ask_closes(self):
        self.run_kernel(kernel.Kernel(kernel.ALL))
        before = os.listdir('/proc/self/fd')
        self.ask()
        self.assertEqual(before, os.listdir('/proc/self/fd'))
