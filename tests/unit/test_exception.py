# SPDX-License-Identifier: Apache-2.0

import inspect
import re

import ddt

from nova_hyperv_enlight import exception
from tests.unit import base

CLASSES = {
    name: found
    for name, found in inspect.getmembers(exception, inspect.isclass)
    if issubclass(found, exception.EnlightException)
}


def fields(found):
    """Return the fields of a class's message."""
    return set(re.findall(r'%\((\w+)\)s', found.msg_fmt))


@ddt.ddt
class ExceptionTestCase(base.TestCase):
    """One class for each thing that a caller could do about it."""

    @ddt.data(*CLASSES)
    def test_message(self, name):
        found = CLASSES[name]
        values = {field: f'<{field}>' for field in fields(found)}
        message = str(found(**values))
        for text in values.values():
            self.assertIn(text, message)
        self.assertNotIn('%', message)

    @ddt.data(*CLASSES)
    def test_message_wants_its_fields(self, name):
        # A raise that forgets one fails loudly, in the tests already.
        self.assertRaises((KeyError, TypeError), CLASSES[name])

    @ddt.data(*CLASSES)
    def test_documented(self, name):
        self.assertRegex(CLASSES[name].__doc__, r'\A[A-Z][^\n]*\.')

    @ddt.data(
        'CannotConnect',
        'HookError',
        'HookLoadError',
        'HostCannotDeliver',
        'InvalidOption',
        'InvalidRequest',
        'MalformedDocument',
        'VerifyError',
    )
    def test_classes(self, name):
        self.assertIn(name, CLASSES)

    def test_classes_apart(self):
        # Whoever catches one does not catch another.
        others = set(CLASSES.values()) - {exception.EnlightException}
        for found in others:
            self.assertEqual(exception.EnlightException, found.__base__)

    @ddt.unpack
    @ddt.data(
        (
            exception.InvalidOption(option='profile', reason='unknown: fast'),
            '[hyperv_enlight] profile: unknown: fast',
        ),
        (exception.InvalidRequest(reason='100 % of it.'), '100 % of it.'),
        (exception.HostCannotDeliver(reason='Not here.'), 'Not here.'),
        (
            exception.MalformedDocument(document='domain', reason='no XML'),
            'domain cannot be read: no XML',
        ),
    )
    def test_text(self, error, text):
        self.assertEqual(text, str(error))
