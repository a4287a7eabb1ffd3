# SPDX-License-Identifier: Apache-2.0

import threading
import time

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import probe
from tests.unit import base
from tests.unit.host import connection
from tests.unit.host import samples

GUEST = ('x86_64', 'q35', 'kvm')


FAILURES = (
    connection.LibvirtError('this host is gone'),
    ValueError('bad\nvalue'),
    OSError(5, 'Input/output error'),
    RuntimeError(),
    AttributeError('getCapabilities'),
    MemoryError('no room'),
    None,
    42,
    b'\xff',
    '',
    '<domain/>',
    object(),
)
QUESTIONS = (
    'getDomainCapabilities',
    'getLibVersion',
    'getVersion',
    'getCapabilities',
)


@ddt.ddt
class AskTestCase(base.TestCase):
    """libvirt's answers become facts."""

    def ask(self, libvirt, kernel=samples.LAB_KERNEL):
        return probe.ask(lambda: libvirt, *GUEST, kernel)

    def test_ask(self):
        self.assertEqual(
            capabilities.Sources(
                virt_type='kvm',
                arch='x86_64',
                machine='q35',
                libvirt=(9, 0, 0),
                qemu=(7, 2, 22),
                domcaps=domaincaps.parse(samples.read(connection.DOCUMENT)),
                tsc_frequency=2794748000,
                kernel=samples.LAB_KERNEL,
            ),
            self.ask(connection.Connection()),
        )

    def test_ask_for_the_guest(self):
        libvirt = connection.Connection()
        self.ask(libvirt)
        self.assertIn(
            ('getDomainCapabilities', None, 'x86_64', 'q35', 'kvm', 0),
            libvirt.calls,
        )

    def test_ask_keeps_what_the_kernel_did_not_say(self):
        kernel = kvm.KernelFacts(unasked=('/dev/kvm is not there: why',))
        facts = self.ask(connection.Connection(), kernel)
        self.assertEqual(('/dev/kvm is not there: why',), facts.unasked)

    @ddt.unpack
    @ddt.data(
        ('getLibVersion', 'libvirt', None, 'libvirt does not say its release'),
        ('getVersion', 'qemu', None, "libvirt does not say QEMU's release"),
        (
            'getDomainCapabilities',
            'domcaps',
            domaincaps.DomainCapabilities(),
            'libvirt returned no domain capabilities for x86_64/kvm '
            '(machine type q35)',
        ),
        (
            'getCapabilities',
            'tsc_frequency',
            None,
            "libvirt does not say the host's TSC frequency",
        ),
    )
    def test_ask_failure_is_unknown(self, question, field, unknown, what):
        error = connection.LibvirtError('this function is not supported')
        facts = self.ask(connection.Connection(**{question: error}))
        self.assertEqual(unknown, getattr(facts, field))
        self.assertEqual(
            (f'{what}: this function is not supported',), facts.unasked
        )

    @ddt.data(*FAILURES)
    def test_ask_never_raises(self, failure):
        answers = dict.fromkeys(QUESTIONS, failure)
        facts = self.ask(connection.Connection(**answers))
        self.assertEqual(domaincaps.DomainCapabilities(), facts.domcaps)
        self.assertIsNone(facts.tsc_frequency)

    @ddt.unpack
    @ddt.data(
        (9000000, (9, 0, 0)),
        (12004001, (12, 4, 1)),
        (7002022, (7, 2, 22)),
        (1999999, (1, 999, 999)),
        (0, (0, 0, 0)),
    )
    def test_split_version(self, number, version):
        self.assertEqual(version, probe.split_version(number))


@ddt.ddt
class ProbeTestCase(base.TestCase):
    """Asked once, for the life of the service."""

    def setUp(self):
        super().setUp()
        self.libvirt = connection.Connection()
        self.kernel = samples.LAB_KERNEL
        self.kernel_asked = 0
        self.probe = probe.Probe(lambda: self.libvirt, self.ask_kernel)

    def ask_kernel(self):
        self.kernel_asked += 1
        return self.kernel

    def asked(self, name='getDomainCapabilities'):
        return [call for call in self.libvirt.calls if call[0] == name]

    def test_capabilities(self):
        self.assertEqual(
            evaluation.evaluate(
                probe.ask(connection.Connection, *GUEST, samples.LAB_KERNEL)
            ),
            self.probe.capabilities(*GUEST),
        )

    def test_capabilities_lazy(self):
        self.assertEqual(([], 0), (self.libvirt.calls, self.kernel_asked))

    def test_capabilities_asks_once(self):
        first = self.probe.capabilities(*GUEST)
        self.assertIs(first, self.probe.capabilities(*GUEST))
        self.assertEqual(1, len(self.asked()))
        self.assertEqual(1, self.kernel_asked)

    @ddt.data(
        ('x86_64', 'pc', 'kvm'),
        ('x86_64', None, 'kvm'),
        ('i686', 'q35', 'kvm'),
    )
    def test_capabilities_asks_for_each_kind(self, guest):
        self.probe.capabilities(*GUEST)
        self.probe.capabilities(*guest)
        self.assertEqual([GUEST, guest], [call[2:5] for call in self.asked()])
        self.assertEqual(1, self.kernel_asked)

    @ddt.data('qemu', 'lxc')
    def test_capabilities_asks_nobody(self, virt_type):
        self.libvirt = None
        features = self.probe.capabilities('x86_64', 'q35', virt_type).features
        self.assertEqual({False}, {o.offered for o in features.values()})
        self.assertEqual(0, self.kernel_asked)
        self.assertEqual('', self.log.output)

    @ddt.data(*QUESTIONS)
    def test_capabilities_failure_not_kept(self, question):
        answer = self.libvirt.answers[question]
        self.libvirt.answers[question] = connection.LibvirtError('gone')
        before = self.probe.capabilities(*GUEST)
        self.libvirt.answers[question] = answer
        after = self.probe.capabilities(*GUEST)
        self.assertEqual(1, len(before.sources.unasked))
        self.assertEqual((), after.sources.unasked)
        self.assertIs(after, self.probe.capabilities(*GUEST))

    def test_capabilities_kernel_failure_kept(self):
        # A device that is not there now will not come.
        self.kernel = kvm.KernelFacts(unasked=('/dev/kvm is not there: x',))
        first = self.probe.capabilities(*GUEST)
        self.assertIs(first, self.probe.capabilities(*GUEST))
        self.assertEqual(1, self.kernel_asked)

    def test_capabilities_logs_once(self):
        self.kernel = kvm.KernelFacts(unasked=('The kernel is silent',))
        self.libvirt.answers['getVersion'] = connection.LibvirtError('gone')
        for machine in ('q35', 'pc', 'q35'):
            self.probe.capabilities('x86_64', machine, 'kvm')
        self.assertEqual(
            [
                'Hyper-V enlightenments: The kernel is silent',
                'Hyper-V enlightenments: libvirt does not say '
                "QEMU's release: gone",
            ],
            self.log.output.splitlines(),
        )

    def test_capabilities_logs_once_whatever_the_reason(self):
        # Reasons hold times, process ids and what images ask for.
        for number in range(3):
            error = connection.LibvirtError(f'client {number} is gone')
            self.libvirt.answers['getDomainCapabilities'] = error
            self.probe.capabilities('x86_64', f'machine{number}', 'kvm')
        (line,) = self.log.output.splitlines()
        self.assertIn('(machine type machine0): client 0 is gone', line)

    def test_capabilities_logs_again_after_an_answer(self):
        error = connection.LibvirtError('gone')
        for machine, answer in (
            ('pc', error), ('q35', 7002022), ('microvm', error),
        ):  # fmt: skip
            self.libvirt.answers['getVersion'] = answer
            self.probe.capabilities('x86_64', machine, 'kvm')
        self.assertEqual(2, len(self.log.output.splitlines()))

    def test_capabilities_silent_when_all_answer(self):
        self.probe.capabilities(*GUEST)
        self.assertEqual('', self.log.output)

    @ddt.data(*FAILURES)
    def test_capabilities_never_raises(self, failure):
        self.libvirt.answers = dict.fromkeys(QUESTIONS, failure)
        features = self.probe.capabilities(*GUEST).features
        self.assertEqual(set(enlightenments.ENLIGHTENMENTS), set(features))

    def test_capabilities_of_many_threads(self):
        count = 64
        start = threading.Barrier(count)
        ask, found, failed = self.libvirt.getDomainCapabilities, [], []

        def slow(*args):
            time.sleep(0.05)  # So that all the others come meanwhile.
            return ask(*args)

        def work():
            try:
                start.wait(10)
                found.append(self.probe.capabilities(*GUEST))
            except Exception as err:
                failed.append(err)

        self.libvirt.getDomainCapabilities = slow
        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        self.assertEqual([], failed)
        self.assertEqual(count, len(found))
        self.assertEqual({id(found[0])}, {id(each) for each in found})
        self.assertEqual((1, 1), (len(self.asked()), self.kernel_asked))

    def test_capabilities_of_one_thread_after_a_failure(self):
        # A lock that a failure left taken would stop every later boot.
        self.libvirt.answers['getVersion'] = KeyboardInterrupt()
        self.assertRaises(KeyboardInterrupt, self.probe.capabilities, *GUEST)
        self.libvirt.answers['getVersion'] = 7002022
        worker = threading.Thread(
            target=self.probe.capabilities, args=GUEST, daemon=True
        )
        worker.start()
        worker.join(10)
        self.assertFalse(worker.is_alive())
