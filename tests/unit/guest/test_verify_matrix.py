# SPDX-License-Identifier: Apache-2.0

import threading

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import boot
from nova_hyperv_enlight.guest import matrix
from nova_hyperv_enlight.guest import verify
from tests.unit import base
from tests.unit.guest import test_verify_boot

NAMES = list(enlightenments.ENLIGHTENMENTS)


@ddt.ddt
class AloneTestCase(base.TestCase):
    @ddt.data(
        ('relaxed', {'relaxed'}),
        (
            'stimer.direct',
            {'stimer.direct', 'stimer', 'synic', 'vpindex', 'hypervclock'},
        ),
        ('tlbflush.extended', {'tlbflush.extended', 'tlbflush', 'vpindex'}),
        # A value alone shows no Hyper-V.
        ('spinlocks', {'spinlocks', 'relaxed'}),
        ('vendor_id', {'vendor_id', 'relaxed'}),
    )
    @ddt.unpack
    def test_alone(self, name, names):
        found = matrix.alone(name, None)

        self.assertEqual(names, found.features)

    def test_values(self):
        self.assertEqual(
            {('spinlocks.retries', '8191')},
            matrix.alone('spinlocks', None).values,
        )
        self.assertEqual(frozenset(), matrix.alone('relaxed', None).values)

    def test_vendors_differ(self):
        amd = matrix.alone('emsr_bitmap', model.Vendor.AMD)
        intel = matrix.alone('emsr_bitmap', model.Vendor.INTEL)

        self.assertEqual({'emsr_bitmap'}, amd.features)
        self.assertEqual({'emsr_bitmap', 'evmcs', 'vapic'}, intel.features)


class LookTestCase(test_verify_boot.BootCase):
    def look(self, seconds=60.0, timeout=5.0, **kwargs):
        bound = boot.Conditions(timeout=timeout, stop=self.stop)

        return matrix.look(
            matrix.boots(
                self.machine,
                bound,
                virt_type='kvm',
                arch='x86_64',
                machine=None,
            ),
            model.Vendor.AMD,
            seconds=seconds,
            stop=self.stop,
            **kwargs,
        )

    def shown(self, **kwargs):
        return {each.name: each.shown for each in self.look(**kwargs)}

    def test_a_full_host(self):
        found = self.look()

        self.assertEqual(NAMES, [each.name for each in found])
        self.assertEqual({verify.Shown.YES}, {each.shown for each in found})
        self.assertEqual(frozenset(), matrix.not_shown(found))
        self.assertNothingLeft()

    def test_a_guest_for_each_and_one_without_any(self):
        self.look()

        first, *others = self.machine.started
        self.assertEqual(selections.Selection(), hyperv.read(first.root))
        self.assertEqual(
            {matrix.alone(name, model.Vendor.AMD) for name in NAMES},
            {hyperv.read(guest.root) for guest in others},
        )
        self.assertEqual(len(NAMES), len(others))

    def test_few_at_a_time(self):
        self.look()

        self.assertLessEqual(self.machine.most, 4)

    def test_a_host_that_shows_nothing(self):
        self.machine.shown = frozenset()

        found = self.look()

        self.assertEqual({verify.Shown.NO}, {each.shown for each in found})
        self.assertEqual(frozenset(NAMES), matrix.not_shown(found))

    def test_one_that_is_not_shown(self):
        self.machine.shown = self.machine.shown - {'avic'}

        found = self.look()

        self.assertEqual({'avic'}, matrix.not_shown(found))

    def test_one_that_no_guest_starts_with(self):
        self.machine.refused = {'vpindex': 'no VP_INDEX'}

        found = {each.name: each for each in self.look()}

        refused = {
            name
            for name, each in found.items()
            if each.shown is verify.Shown.NO_GUEST
        }
        self.assertEqual(
            {
                name
                for name in NAMES
                if 'vpindex' in matrix.alone(name, model.Vendor.AMD).features
            },
            refused,
        )
        self.assertEqual('no VP_INDEX', found['ipi'].text)
        self.assertEqual(refused, matrix.not_shown(found.values()))
        self.assertTrue(found['ipi'].is_missing)

    def test_one_whose_guest_does_not_say(self):
        def write(guest):
            if 'reset' not in hyperv.read(guest.root).features:
                self.machine.write_report(guest)

        self.machine.write = write

        found = {each.name: each for each in self.look(timeout=0.2)}

        self.assertIs(verify.Shown.NO_REPORT, found['reset'].shown)
        self.assertTrue(found['reset'].is_missing)
        # It was not seen not to be shown.
        self.assertEqual(frozenset(), matrix.not_shown(found.values()))

    def test_not_even_a_guest_without_any(self):
        self.machine.write = lambda guest: None

        self.assertRaises(exception.GuestFailed, self.look, timeout=0.1)
        self.assertEqual(1, len(self.machine.started))
        self.assertNothingLeft()

    def test_the_time_is_over(self):
        def write(guest):
            if hyperv.read(guest.root).features in (set(), {'relaxed'}):
                self.machine.write_report(guest)

        self.machine.write = write

        error = self.assertRaises(
            exception.GuestFailed, self.look, seconds=0.5, timeout=60.0
        )

        self.assertRegex(
            str(error),
            f'the time is over, and only [0-9]+ of {len(NAMES)} enl',
        )
        self.assertNothingLeft()

    def test_interrupted(self):
        started = threading.Event()

        def write(guest):
            if hyperv.read(guest.root).features:
                started.set()
            else:
                self.machine.write_report(guest)

        self.machine.write = write
        threading.Thread(
            target=lambda: (started.wait(), self.stop.set())
        ).start()

        self.assertRaises(exception.Interrupted, self.look, timeout=60.0)
        self.assertNothingLeft()
        self.assertLess(len(self.machine.started), len(NAMES))

    def test_progress(self):
        told = []

        self.look(tell=told.append)

        self.assertEqual(list(range(1, len(NAMES) + 1)), told)


class DisagreementsTestCase(base.TestCase):
    def disagreements(self, supported, **shown):
        findings = [
            verify.Observation(
                name=name,
                asked=verify.Asked.YES,
                shown=verify.Shown[what],
                leaf='',
            )
            for name, what in shown.items()
        ]
        return matrix.disagreements(findings, supported)

    def test_they_agree(self):
        supported = {0x40000004: {model.Register.EAX: 1 << 5}}

        self.assertEqual(
            [], self.disagreements(supported, relaxed='YES', vapic='NO')
        )

    def test_the_kernel_says_more(self):
        supported = {0x40000004: {model.Register.EAX: 1 << 2 | 1 << 11}}

        self.assertEqual(
            [
                'tlbflush: /dev/kvm says that KVM supports '
                'HypercallForRemoteFlush ExProcessorMasks, and a guest is '
                'not shown it'
            ],
            self.disagreements(supported, tlbflush='NO'),
        )

    def test_the_guest_says_more(self):
        supported = {0x40000004: {model.Register.EAX: 1 << 2}}

        self.assertEqual(
            [
                'tlbflush: /dev/kvm says that KVM does not support '
                'HypercallForRemoteFlush ExProcessorMasks, and a guest is '
                'shown it'
            ],
            self.disagreements(supported, tlbflush='YES'),
        )

    def test_one_of_them_has_not_spoken(self):
        self.assertEqual([], self.disagreements(None, relaxed='YES'))
        self.assertEqual([], self.disagreements({}, relaxed='NO_GUEST'))
        self.assertEqual([], self.disagreements({}, relaxed='NO_REPORT'))
        # /dev/kvm says nothing of these.
        self.assertEqual(
            [], self.disagreements({}, spinlocks='YES', vendor_id='UNTOLD')
        )
