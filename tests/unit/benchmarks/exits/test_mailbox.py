# SPDX-License-Identifier: Apache-2.0

import re
import struct

from benchmarks.exits import build
from benchmarks.exits import mailbox
from tests.unit import base

HEADER = build.SOURCES / 'probe.h'


def spoken(turn, host, kind=1):
    """Make what a guest leaves in its memory."""
    return struct.pack(
        '<5I64s64s', turn, host, kind, 1000, 1, b'take a tick', b'RTC'
    )


class MailboxTestCase(base.TestCase):
    """How the two sides understand each other."""

    def setUp(self):
        super().setUp()
        self.path = self.make_dir() / 'memory'

    def _speak(self, data):
        with open(self.path, 'r+b') as memory:
            memory.seek(mailbox.ADDRESS)
            memory.write(data)

    def test_kinds_are_those_of_the_probe(self):
        match = re.search(r'enum kind \{ (.*) = 1, (.*) \};', self._header())
        names = [match[1], *match[2].split(', ')]

        self.assertEqual(names, [one.name for one in mailbox.Kind])

    def test_fields_are_those_of_the_probe(self):
        match = re.search(r'struct mailbox \{(.*?)\n\};', self._header(), re.S)
        fields = re.findall(r'(u32|char) (\w+)(?:\[64\])?;', match[1])

        self.assertEqual(
            [
                ('u32', 'guest'),
                ('u32', 'host'),
                ('u32', 'kind'),
                ('u32', 'count'),
                ('u32', 'taken'),
                ('char', 'operation'),
                ('char', 'way'),
            ],
            fields,
        )

    def test_wait_returns_what_was_said(self):
        with mailbox.Mailbox(self.path) as box:
            self._speak(spoken(3, 2))

            word = box.wait(0, lambda: None)

            self.assertEqual(mailbox.Kind.BEGIN, word.kind)
            self.assertEqual(1000, word.count)
            self.assertEqual('take a tick', word.operation)
            self.assertEqual('RTC', word.way)

    def test_answer_lets_the_probe_go_on(self):
        with mailbox.Mailbox(self.path) as box:
            self._speak(spoken(3, 2))

            box.answer(box.wait(0, lambda: None))

            self.assertRaises(TimeoutError, box.wait, 0, lambda: None)

    def test_wait_says_after_what_nothing_came(self):
        with mailbox.Mailbox(self.path) as box:
            self._speak(spoken(3, 3))

            error = self.assertRaises(TimeoutError, box.wait, 0, lambda: None)

            self.assertIn("'take a tick', 'RTC'", str(error))

    def test_wait_passes_on_that_qemu_ended(self):
        def check():
            raise ZeroDivisionError

        with mailbox.Mailbox(self.path) as box:
            self.assertRaises(ZeroDivisionError, box.wait, 9, check)

    def _header(self):
        return HEADER.read_text()
