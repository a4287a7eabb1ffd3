# SPDX-License-Identifier: Apache-2.0

from benchmarks.exits import counters
from tests.unit import base


class CountersTestCase(base.TestCase):
    """What is read of KVM's counters."""

    def setUp(self):
        super().setUp()
        self.root = self.make_dir()

    def _guest(self, name, **numbers):
        folder = self.root / name
        folder.mkdir()
        for counter, number in numbers.items():
            (folder / counter).write_text(f'{number}\n')
        return folder

    def test_find_takes_the_guest_of_the_process(self):
        self._guest('12-7')
        mine = self._guest('123-11')
        (self.root / 'exits').write_text('5\n')

        self.assertEqual(mine, counters.find(123, self.root))

    def test_find_raises_where_there_is_no_guest(self):
        self._guest('1234-11')

        error = self.assertRaises(
            FileNotFoundError, counters.find, 123, self.root
        )

        self.assertIn('123', str(error))

    def test_read_takes_what_this_kernel_has(self):
        folder = self._guest('1-2', exits=30, irq_exits=4, io_exits=7, foo=1)

        self.assertEqual(
            {'exits': 30, 'irq_exits': 4, 'io_exits': 7}, counters.read(folder)
        )

    def test_spent_leaves_starting_and_stopping_out(self):
        begin = {'exits': 100, 'irq_exits': 5}
        # 3 to start and stop, 10 operations with 2 exits each
        middle = {'exits': 123, 'irq_exits': 5}
        # 3 to start and stop, 60 operations, 4 interrupts of the host
        end = {'exits': 250, 'irq_exits': 9}

        spent = counters.spent(begin, middle, end)

        self.assertEqual({'exits': 104, 'irq_exits': 4}, spent)
        self.assertEqual(100, counters.own(spent))
