# SPDX-License-Identifier: Apache-2.0

import re

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from tests.unit import base

RETRIES = enlightenments.ENLIGHTENMENTS['spinlocks'].value
VENDOR_ID = enlightenments.ENLIGHTENMENTS['vendor_id'].value

# Digits of other alphabets, which int() takes and libvirt does not.
ARABIC = '\u0668\u0661\u0669\u0661'
FULL_WIDTH = '\uff18\uff11\uff19\uff11'
SUPERSCRIPT = '8191\u00b2'


@ddt.ddt
class VersionTextTestCase(base.TestCase):
    """Versions as people read them."""

    @ddt.unpack
    @ddt.data(((9, 0, 0), '9.0.0'), ((11, 9, 1), '11.9.1'), (None, 'unknown'))
    def test_version_text(self, version, text):
        self.assertEqual(text, model.version_text(version))


@ddt.ddt
class IntegerValueTestCase(base.TestCase):
    """The number of spinlock retries."""

    @ddt.unpack
    @ddt.data(
        ('4095', '4095'),
        ('8191', '8191'),
        ('4294967295', '4294967295'),
        ('008191', '8191'),
        ('0000008191', '8191'),
    )
    def test_check_accepts(self, text, written):
        self.assertEqual(written, RETRIES.check(text))

    @ddt.data(
        '',
        ' ',
        '0',
        '4094',
        '-4095',
        '+8191',
        '4294967296',
        '99999999999',
        '00000008191',
        '8_191',
        '1_000',
        '0x1fff',
        '8191.0',
        '8e3',
        '8191,relaxed',
        ' 8191',
        '8191 ',
        '8191\n',
        '\n8191',
        '8191\x00',
        ARABIC,
        FULL_WIDTH,
        SUPERSCRIPT,
        'auto',
        'on',
    )
    def test_check_refuses(self, text):
        error = self.assertRaises(ValueError, RETRIES.check, text)
        self.assertEqual('a whole number from 4095 to 4294967295', str(error))

    @ddt.unpack
    @ddt.data(
        ('4095', None),
        ('2147483647', None),
        ('2147483648', (11, 9, 0)),
        ('4294967294', (11, 9, 0)),
        ('4294967295', (11, 9, 0)),
    )
    def test_needs_libvirt(self, text, version):
        self.assertEqual(version, RETRIES.needs_libvirt(text))

    @ddt.unpack
    @ddt.data(
        ('4095', (9, 0, 0), '4095'),
        ('2147483647', (9, 0, 0), '2147483647'),
        ('2147483648', (9, 0, 0), '2147483647'),
        ('4294967295', (11, 8, 9), '2147483647'),
        ('4294967295', (11, 9, 0), '4294967295'),
        ('4294967295', None, '4294967295'),
    )
    def test_nearest(self, text, libvirt, nearest):
        self.assertEqual(nearest, RETRIES.nearest(text, libvirt))


@ddt.ddt
class TextValueTestCase(base.TestCase):
    """The hypervisor vendor that a guest is shown."""

    @ddt.data(
        'a',
        '1234567890ab',
        'Microsoft Hv',
        'Linux KVM Hv',
        ' ',
        '"<&>\'',
        '!+-.~',
        '~' * 12,
    )
    def test_check_accepts(self, text):
        self.assertEqual(text, VENDOR_ID.check(text))

    @ddt.data(
        '',
        '1234567890abc',
        'a,b',
        ',',
        'tab\there',
        'line\n',
        '\nline',
        '1234567890ab\n',
        'nul\x00',
        'esc\x1b',
        'del\x7f',
        'na\u00efve',
        ARABIC,
        FULL_WIDTH,
        '\U0001f600',
    )
    def test_check_refuses(self, text):
        error = self.assertRaises(ValueError, VENDOR_ID.check, text)
        self.assertEqual(
            '1 to 12 printable ASCII characters without a comma', str(error)
        )

    def test_check_every_ascii_character(self):
        accepted = [
            chr(code)
            for code in range(128)
            if re.fullmatch(VENDOR_ID.pattern, chr(code))
        ]
        printable = [chr(code) for code in range(32, 127)]
        printable.remove(',')
        self.assertEqual(printable, accepted)

    def test_needs_libvirt(self):
        self.assertIsNone(VENDOR_ID.needs_libvirt('4294967295'))

    def test_nearest(self):
        self.assertEqual('4294967295', VENDOR_ID.nearest('4294967295', None))


class ValueTestCase(base.TestCase):
    """The base of the values."""

    def test_check_is_left_to_the_kinds(self):
        value = model.Value(
            attribute='a', default='b', allowed='c', leaf=0, ref='d'
        )
        self.assertRaises(NotImplementedError, value.check, 'b')
