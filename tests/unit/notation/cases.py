# SPDX-License-Identifier: Apache-2.0

"""Texts in a notation: what is read, and what is refused."""

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.notation import convert
from nova_hyperv_enlight.notation import names
from tests.unit import base


class NotationTestCase(base.TestCase):
    """Base of the tests of one notation.

    :cvar notation: its name.
    """

    notation = None

    def read(self, text):
        return convert.NOTATIONS[self.notation].read(text)

    def assertReads(self, expected, text):
        """Check what a text says, in our own names."""
        found = names.words(self.read(text).selection)
        self.assertEqual(expected, ' '.join(found))

    def assertRefused(self, text, *parts):
        """Check that a text is refused, by a message that is short."""
        error = self.assertRaises(exception.MalformedDocument, self.read, text)
        message = str(error)
        self.assertTrue(
            message.startswith(
                f'the text as {self.notation} cannot be read: '
            ),
            message,
        )
        for part in parts:
            self.assertIn(part, message)
        self.assertLess(len(message), 2000)

    def write(self, text):
        """Write what our own names say."""
        selection = names.read(text).selection
        return convert.NOTATIONS[self.notation].write(selection)

    def assertWrites(self, expected, text, *lost):
        written = self.write(text)
        self.assertEqual(expected, written.text)
        self.assertEqual(lost, tuple(loss.word for loss in written.losses))
