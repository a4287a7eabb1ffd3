# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.domains import exits
from nova_hyperv_enlight import exception
from tests.unit import base
from tests.unit.domains import guests

#: What a vCPU counts in a second.
COUNTED = {
    'exits': 1000,
    'halt_exits': 250,
    'irq_exits': 50,
    'io_exits': 400,
    'mmio_exits': 10,
    'hypercalls': 20,
    'irq_injections': 300,
    'nested_run': 0,
}
WITHOUT = '<relaxed state="on"/>'


class Guest(guests.Guest):
    """A guest that runs."""

    def __init__(self, name='win', run=1, answer=None, **changes):
        super().__init__(name, answer or guests.document(name, **changes))
        self._run = run

    def ID(self):
        return self._run

    def UUIDString(self):
        return f'uuid of {self._name}'


def told(times, vcpus=2, names=COUNTED):
    """Return what libvirt tells after so many seconds."""
    found = {'vcpu.current': vcpus, 'vcpu.0.halted': True}
    for vcpu in range(vcpus):
        for name in names:
            found[f'vcpu.{vcpu}.{name}.sum'] = times * COUNTED[name]
    return found


class Connection:
    """libvirt 9.0.0 with QEMU 7.2.22.

    :param answers: what it tells at each look.
    """

    def __init__(self, *answers, libvirt=9000000, qemu=7002022):
        self._answers = iter(answers)
        self._libvirt = libvirt
        self._qemu = qemu
        self.asked = []

    def getLibVersion(self):
        return self._libvirt

    def getVersion(self):
        if isinstance(self._qemu, Exception):
            raise self._qemu
        return self._qemu

    def getAllDomainStats(self, stats, flags):
        self.asked.append((stats, flags))
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def domainListGetStats(self, doms, stats, flags):
        return [
            pair
            for pair in self.getAllDomainStats(stats, flags)
            if pair[0].name() in {each.name() for each in doms}
        ]


def rows(*answers, named=(), seconds=1.0, **releases):
    """Return what is counted between two looks."""
    connection = Connection(*answers, **releases)
    clock = iter((100.0, 100.0 + seconds))
    looks = [
        exits.look(connection, named, lambda: next(clock)) for _ in range(2)
    ]
    return exits.compare(connection, *looks, named)


def row(*answers, **kwargs):
    (found,) = rows(*answers, **kwargs)
    return found


@ddt.ddt
class ExitsTestCase(base.TestCase):
    def test_rates(self):
        guest = Guest()

        found = row([(guest, told(5))], [(guest, told(15))], seconds=10)

        self.assertEqual(
            ('win', 2, ''), (found.domain, found.vcpus, found.text)
        )
        self.assertEqual(
            {
                'exits': 1000,
                'halt_exits': 250,
                'irq_exits': 50,
                'io_exits': 400,
                'mmio_exits': 10,
                'hypercalls': 20,
                'other': 270,
            },
            found.rates,
        )
        self.assertIs(False, found.hypervisor)
        self.assertEqual((), found.saved)

    def test_the_time_is_counted_that_it_took(self):
        guest = Guest()

        found = row([(guest, told(5))], [(guest, told(6))], seconds=4)

        self.assertEqual(250, found.rates['exits'])

    def test_one_call_for_all(self):
        some = [Guest(f'win{number}') for number in range(3)]
        connection = Connection([(each, told(1)) for each in some])

        exits.look(connection)

        # VIR_DOMAIN_STATS_VCPU; ..._ACTIVE and ..._NOWAIT.
        self.assertEqual([(8, 0x20000001)], connection.asked)

    def test_what_would_save(self):
        guest = Guest(features=WITHOUT, timers='')

        found = row([(guest, told(1))], [(guest, told(2))])

        self.assertEqual(
            [('stimer', 596), ('hypervclock', 400), ('vapic', 300)],
            [(each.name, round(each.exits)) for each in found.saved],
        )

    @ddt.data(
        {'metadata': guests.of_osinfo('http://debian.org/debian/12')},
        {'mode': 'passthrough'},
    )
    def test_nothing_would_save(self, changes):
        """Of another system, and where QEMU gives all that there is."""
        guest = Guest(features='', timers='', **changes)

        found = row([(guest, told(1))], [(guest, told(2))])

        self.assertEqual((1000, ()), (found.rates['exits'], found.saved))

    def test_nothing_is_done_that_would_be_saved(self):
        guest = Guest(features='', timers='')

        found = row([(guest, told(1))], [(guest, told(1))])

        self.assertEqual((0, ()), (found.rates['exits'], found.saved))

    def test_a_hypervisor_inside(self):
        guest = Guest()
        second = {**told(2), 'vcpu.1.nested_run.sum': 1}

        found = row([(guest, told(1))], [(guest, second)])

        self.assertIs(True, found.hypervisor)

    def test_not_told_whether_a_hypervisor_is_inside(self):
        guest = Guest()
        names = COUNTED.keys() - {'nested_run'}

        found = row(
            [(guest, told(1, names=names))], [(guest, told(2, names=names))]
        )

        self.assertIsNone(found.hypervisor)

    def test_the_costliest_first(self):
        small, big, gone = Guest('small'), Guest('big'), Guest('gone')

        found = rows(
            [(small, told(0, 1)), (gone, told(0)), (big, told(0, 4))],
            [(big, told(1, 4)), (small, told(1, 1))],
        )

        self.assertEqual(['big', 'small', 'gone'], [r.domain for r in found])

    def test_a_vcpu_that_is_plugged_in(self):
        guest = Guest()

        found = row([(guest, told(5, 2))], [(guest, told(6, 4))])

        self.assertEqual((2, 1000), (found.vcpus, found.rates['exits']))


@ddt.ddt
class NotKnownTestCase(base.TestCase):
    def assertNotKnown(self, found, *parts):
        self.assertEqual(
            ({}, None, ()), (found.rates, found.hypervisor, found.saved)
        )
        for part in parts:
            self.assertIn(part, found.text)

    def test_it_ended(self):
        found = row([(Guest(), told(5))], [])

        self.assertEqual('win', found.domain)
        self.assertNotKnown(found, 'ended while')

    @ddt.data((Guest(run=2), 6), (Guest(run=1), 4))
    @ddt.unpack
    def test_it_was_restarted(self, again, times):
        """libvirt counts runs; and a counter only grows in one run."""
        found = row([(Guest(), told(5))], [(again, told(times))])

        self.assertNotKnown(found, 'restarted while')

    def test_one_counter_runs_backwards(self):
        guest = Guest()
        second = {**told(6), 'vcpu.1.io_exits.sum': 1}

        found = row([(guest, told(5))], [(guest, second)])

        self.assertNotKnown(found, 'restarted while')

    def test_it_does_not_run(self):
        here, shut = Guest('here'), Guest('shut', run=-1)

        found = rows([(here, told(1))], [(here, told(2))], named=(here, shut))

        self.assertEqual(['here', 'shut'], [r.domain for r in found])
        self.assertNotKnown(found[1], 'does not run')

    @ddt.data(
        (7000000, 'QEMU 7.0.0', '7.1.0'),
        (7001000, 'another job', '7.1.0'),
        (Exception('no QEMU'), 'not known', 'no QEMU'),
    )
    @ddt.unpack
    def test_qemu_does_not_tell(self, qemu, *parts):
        guest = Guest()

        found = row(
            [(guest, told(1, names=()))],
            [(guest, told(2, names=()))],
            qemu=qemu,
        )

        self.assertNotKnown(found, *parts)

    def test_it_is_emulated(self):
        guest = Guest(virt_type='qemu')

        found = row([(guest, told(1))], [(guest, told(2))])

        self.assertNotKnown(found, 'type is qemu')

    @ddt.data('<domain', guests.Failed('Domain not found', 42))
    def test_it_cannot_be_read(self, answer):
        guest = Guest(answer=answer)

        found = row([(guest, told(1))], [(guest, told(2))])

        self.assertNotKnown(found, 'cannot be read')

    def test_libvirt_does_not_tell(self):
        err = self.assertRaises(
            exception.InvalidRequest, rows, guests.Failed('no statistics')
        )

        self.assertIn('no statistics', str(err))

    def test_libvirt_is_too_old(self):
        exits.check(Connection(libvirt=8009000))
        err = self.assertRaises(
            exception.InvalidRequest, exits.check, Connection(libvirt=8008000)
        )

        self.assertIn('libvirt 8.8.0', str(err))
        self.assertIn('8.9.0', str(err))
