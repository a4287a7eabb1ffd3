# SPDX-License-Identifier: Apache-2.0

"""A libvirt that goes, comes back, is late, or is another one."""

import threading
import time

import ddt

from nova_hyperv_enlight.host import probe
from tests.unit import base
from tests.unit.host import connection
from tests.unit.host import samples

GUEST = ('x86_64', 'q35', 'kvm')
GONE = connection.LibvirtError('client socket is closed')
RELEASES = ('getLibVersion', 'getVersion')
THREADS = 64


class AwayTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.libvirt = connection.Connection()
        self.away = False
        self.kernel_asked = 0
        self.probe = probe.Probe(self.connect, self.ask_kernel)

    def connect(self):
        if self.away:
            raise GONE
        return self.libvirt

    def ask_kernel(self):
        self.kernel_asked += 1
        return samples.LAB_KERNEL

    def asked(self):
        return [
            call
            for call in self.libvirt.calls
            if call[0] == 'getDomainCapabilities'
        ]

    def lines(self):
        return self.log.output.splitlines()

    def together(self, guests):
        """Ask for all of these at once, each in a thread."""
        start, found = threading.Barrier(len(guests)), {}

        def work(number, guest):
            start.wait(10)
            found[number] = self.probe.capabilities(*guest)

        threads = [
            threading.Thread(target=work, args=each, daemon=True)
            for each in enumerate(guests)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        self.assertEqual(len(guests), len(found))
        return [found[number] for number in range(len(guests))]


@ddt.ddt
class GoneTestCase(AwayTestCase):
    """What libvirt has said holds while it is away."""

    def test_gone_and_back(self):
        before = self.probe.capabilities(*GUEST)
        self.away = True
        for _ in range(3):
            self.assertIs(before, self.probe.capabilities(*GUEST))
        (line,) = self.lines()
        self.assertIn('its last answers are used: client socket', line)
        self.away = False
        self.assertIs(before, self.probe.capabilities(*GUEST))
        self.assertEqual(1, len(self.asked()))

    def test_gone_twice(self):
        # Each time it is said once.
        for self.away in (False, True, True, False, True, True):
            self.probe.capabilities(*GUEST)
        self.assertEqual(2, len(self.lines()))

    @ddt.data(*RELEASES)
    def test_only_the_releases_fail(self, question):
        before = self.probe.capabilities(*GUEST)
        for answer in (GONE, None, 'nine'):
            self.libvirt.answers[question] = answer
            self.assertIs(before, self.probe.capabilities(*GUEST))
        self.assertEqual(1, len(self.lines()))

    def test_gone_at_first(self):
        self.away = True
        before = self.probe.capabilities(*GUEST)
        self.assertIsNone(before.sources.libvirt)
        self.away = False
        after = self.probe.capabilities(*GUEST)
        self.assertEqual((9, 0, 0), after.sources.libvirt)

    def test_another_kind_of_guest_forgets_none(self):
        before = self.probe.capabilities(*GUEST)
        self.probe.capabilities('x86_64', 'pc', 'kvm')
        self.assertIs(before, self.probe.capabilities(*GUEST))
        self.assertEqual(2, len(self.asked()))


@ddt.ddt
class UpgradedTestCase(AwayTestCase):
    @ddt.data(('getVersion', 8002000), ('getLibVersion', 10000000))
    @ddt.unpack
    def test_upgraded(self, question, release):
        kinds = (GUEST, ('x86_64', 'pc', 'kvm'))
        before = [self.probe.capabilities(*kind) for kind in kinds]
        self.libvirt.answers[question] = release
        after = [self.probe.capabilities(*kind) for kind in kinds]
        again = [self.probe.capabilities(*kind) for kind in kinds]
        found = probe.split_version(release)
        for old, new, same in zip(before, after, again, strict=True):
            self.assertIsNot(old, new)
            self.assertIs(new, same)
            self.assertIn(found, (new.sources.libvirt, new.sources.qemu))
        self.assertEqual(4, len(self.asked()))
        # A kvm module may be another one now, too.
        self.assertEqual(2, self.kernel_asked)
        (line,) = self.lines()
        self.assertIn('have become', line)
        self.assertIn('.'.join(map(str, found)), line)

    def test_what_guests_are_not_shown_stays(self):
        self.probe.exclude(frozenset(('reset',)))
        self.probe.capabilities(*GUEST)
        self.libvirt.answers['getVersion'] = 8002000
        features = self.probe.capabilities(*GUEST).features
        self.assertIs(False, features['reset'].offered)

    def test_upgraded_under_many_threads(self):
        self.probe.capabilities(*GUEST)
        self.libvirt.answers['getVersion'] = 8002000
        found = self.together([GUEST] * THREADS)
        self.assertEqual({id(found[0])}, {id(each) for each in found})
        self.assertEqual((8, 2, 0), found[0].sources.qemu)
        self.assertEqual(2, len(self.asked()))


class AnotherTestCase(AwayTestCase):
    def test_a_document_of_another_kind(self):
        whole = self.libvirt.answers['getDomainCapabilities']
        for old, new in (
            ('<arch>x86_64<', '<arch>aarch64<'),
            ('<domain>kvm<', '<domain>qemu<'),
            ('<domain>kvm</domain>', ''),
        ):
            other = whole.replace(old, new)
            self.assertNotEqual(whole, other)
            self.libvirt.answers['getDomainCapabilities'] = other
            found = self.probe.capabilities(*GUEST)
            self.assertFalse(found.sources.domcaps.known)
        (line,) = self.lines()
        self.assertIn("libvirt's answer cannot be read: it is about", line)
        # It is not kept, and asked for again.
        self.libvirt.answers['getDomainCapabilities'] = whole
        found = self.probe.capabilities(*GUEST)
        self.assertTrue(found.sources.domcaps.known)

    def test_machines_that_an_image_has_invented(self):
        # Each is an error of libvirt, and none is kept or logged by itself.
        for number in range(200):
            name = f'pc\n{number}\x1b[2J'
            self.libvirt.answers['getDomainCapabilities'] = (
                connection.LibvirtError(f'machine {name} is not supported')
            )
            self.probe.capabilities('x86_64', name, 'kvm')
        (line,) = self.lines()
        self.assertTrue(line.isprintable(), line)
        self.assertEqual({}, self.probe._known)


class TogetherTestCase(AwayTestCase):
    """64 builds at once on one compute."""

    def test_many_kinds(self):
        kinds = [('x86_64', f'pc-q35-{n % 8}.0', 'kvm') for n in range(64)]
        found = self.together(kinds)
        self.assertEqual(8, len(self.asked()))
        self.assertEqual(1, self.kernel_asked)
        for kind, host in zip(kinds, found, strict=True):
            self.assertEqual(kind[1], host.sources.machine)

    def test_late(self):
        # Once it is known, a slow libvirt delays each build by itself only.
        self.probe.capabilities(*GUEST)
        real = self.libvirt.getVersion

        def late():
            time.sleep(0.1)
            return real()

        self.libvirt.getVersion = late
        begin = time.monotonic()
        self.together([GUEST] * THREADS)
        # One after the other they would take 6.4 seconds.
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(1, len(self.asked()))

    def test_gone(self):
        self.probe.capabilities(*GUEST)
        self.away = True
        found = self.together([GUEST] * THREADS)
        self.assertEqual({id(found[0])}, {id(each) for each in found})
        self.assertEqual(1, len(self.lines()))
