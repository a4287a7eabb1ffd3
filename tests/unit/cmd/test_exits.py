# SPDX-License-Identifier: Apache-2.0

import json
import os
import signal
import threading

import ddt

from tests.unit.cmd import base
from tests.unit.domains import guests
from tests.unit.domains import test_exits

KINDS = ['exits', 'halt', 'irq', 'io', 'mmio', 'hypercalls', 'other']
COLUMNS = ['domain', 'vcpus', *KINDS, 'hypervisor', 'saves', 'text']


class Connection(test_exits.Connection, base.FakeConnection):
    """A connection to guests that count.

    :param looks: the guests and how often they have counted, at each look.
    """

    def __init__(self, *looks, names=(), **kwargs):
        base.FakeConnection.__init__(self, base.document())
        answers = [
            [(guest, test_exits.told(times)) for guest, times in look]
            for look in looks
        ]
        test_exits.Connection.__init__(self, *answers, **kwargs)
        self.there = {each.name(): each for each in names}

    def lookupByName(self, name):
        if name not in self.there:
            raise guests.Failed('Domain not found', code=42)
        return self.there[name]


@ddt.ddt
class GuestExitsTestCase(base.CommandTestCase):
    def use(self, *looks, **kwargs):
        self.connection = Connection(*looks, **kwargs)
        self.libvirt = self.useFixture(base.FakeLibvirt(self.connection))

    def exits(self, *argv):
        """Run the command.

        :returns: its result, and the rows.
        """
        result = self.call(
            *('guest', 'exits', '--seconds', '0.05', *argv), '-f', 'json'
        )
        return result, json.loads(result.out or 'null')

    def save(self, rows):
        return self.write('before.json', json.dumps(rows))

    def test_all_guests(self):
        win = test_exits.Guest('win', features='', timers='')
        gone = test_exits.Guest('gone')
        self.use([(win, 1), (gone, 1)], [(win, 2)])

        result, rows = self.exits()

        self.assertEqual((0, ''), (result.code, result.err))
        self.assertEqual(['win', 'gone'], [row['domain'] for row in rows])
        first, second = rows
        self.assertEqual(COLUMNS, list(first))
        # A second's worth was counted in some 50 ms.
        self.assertGreater(first['exits'], 1000)
        self.assertEqual(2, first['vcpus'])
        self.assertEqual('no', first['hypervisor'])
        self.assertRegex(
            first['saves'],
            r'stimer: [0-9.]+, hypervclock: [0-9.]+, vapic: [0-9.]+',
        )
        self.assertEqual('-', second['exits'])
        self.assertIn('ended', second['text'])

    def test_it_only_reads(self):
        self.use([], [])

        self.exits('--connect', 'qemu+ssh://h1/system')

        self.assertEqual(['qemu+ssh://h1/system'], self.libvirt.read_only)
        self.assertTrue(self.connection.closed)

    def test_some_guests(self):
        win, other = test_exits.Guest('win'), test_exits.Guest('other')
        look = [(win, 1), (other, 1)]
        self.use(look, look, names=(win, other))

        _, rows = self.exits('win', 'win')

        self.assertEqual(['win'], [row['domain'] for row in rows])

    def test_no_such_guest(self):
        self.use()

        result, _ = self.exits('bogus')

        self.assertRefused(result, "no domain 'bogus'")
        self.assertTrue(self.connection.closed)

    def test_too_old(self):
        self.use(libvirt=8000000)

        self.assertRefused(self.exits()[0], 'libvirt 8.0.0', '8.9.0')

    @ddt.data('0', '-1', 'soon', '3601', 'nan')
    def test_seconds(self, text):
        self.use([], [])

        result = self.call('guest', 'exits', f'--seconds={text}')

        self.assertEqual(2, result.code)
        self.assertIn(f"'{text}' is not a number of seconds", result.err)

    def test_interrupted(self):
        self.use([], [])
        timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        self.addCleanup(timer.join)

        result = self.call('guest', 'exits', '--seconds', '600')

        self.assertEqual(130, result.code)
        self.assertIn('was interrupted', result.err)
        self.assertTrue(self.connection.closed)

    def test_before_and_after(self):
        win, new = test_exits.Guest('win'), test_exits.Guest('new')
        self.use([(win, 1), (new, 1)], [(win, 1), (new, 1)])
        kinds = dict.fromkeys(KINDS, 10.0)
        before = [
            {'domain': 'win', **kinds, 'exits': 200.0, 'mmio': 0.0},
            {'domain': 'old', **dict.fromkeys(KINDS, '-')},
        ]

        result, rows = self.exits('--baseline', self.save(before))

        self.assertEqual((0, ''), (result.code, result.err))
        self.assertEqual(
            [(name, kind) for name in ('new', 'win', 'old') for kind in KINDS],
            [(row['domain'], row['kind']) for row in rows],
        )
        found = {
            (row['domain'], row['kind']): (
                row['before'],
                row['after'],
                row['change'],
            )
            for row in rows
        }
        self.assertEqual((200.0, 0.0, '-100%'), found['win', 'exits'])
        self.assertEqual((0.0, 0.0, '-'), found['win', 'mmio'])
        self.assertEqual(('-', 0.0, '-'), found['new', 'exits'])
        self.assertEqual(('-', '-', '-'), found['old', 'exits'])

    def test_its_own_output_is_a_baseline(self):
        win = test_exits.Guest('win')
        self.use(*([(win, times)] for times in (1, 2, 2, 3)))

        _, rows = self.exits()
        result, compared = self.exits('--baseline', self.save(rows))

        self.assertEqual(0, result.code, result.err)
        self.assertEqual(rows[0]['exits'], compared[0]['before'])

    @ddt.data(
        '',
        '{',
        '[1]',
        '{"a": 1}',
        '[{"domain": "win"}]',
        json.dumps([{'domain': 'win', **dict.fromkeys(KINDS, 'many')}]),
        json.dumps([{'domain': 'win', **dict.fromkeys(KINDS, None)}]),
        json.dumps([{'domain': [], **dict.fromkeys(KINDS, 1)}]),
    )
    def test_no_such_baseline(self, text):
        self.use()

        result, _ = self.exits('--baseline', self.write('before.json', text))

        self.assertRefused(result, 'before.json cannot be read', 'guest exits')

    def test_a_missing_baseline(self):
        self.use()

        result, _ = self.exits('--baseline', '/no/file')

        self.assertRefused(result, '/no/file', 'No such file')
