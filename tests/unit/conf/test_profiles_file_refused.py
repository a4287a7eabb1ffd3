# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.conf import profiles_file
from nova_hyperv_enlight import exception
from tests.unit import base

PATH = '/etc/nova/profiles.yaml'


@ddt.ddt
class RefuseTestCase(base.TestCase):
    # What is wrong, the file, the line of it, what the message must say.
    @ddt.data(
        (
            'two in a circle',
            'a: {extends: b}\nb: {extends: a}\n',
            1,
            'profiles extend each other: a -> b -> a',
        ),
        (
            'extends itself',
            'ok: {}\na:\n  extends: a\n',
            2,
            'profiles extend each other: a -> a',
        ),
        (
            'unknown profile',
            'a:\n  on: [relaxed]\n  extends: fastest\n',
            3,
            "'a' extends 'fastest', which is not a profile; there are none, ",
        ),
        (
            'extends a list',
            'a:\n  extends: [minimal]\n',
            2,
            "'a' extends ['minimal'], which is not a profile",
        ),
        (
            'extends nothing',
            'a:\n  extends:\n',
            2,
            "'a' extends '', which is not a profile",
        ),
        (
            'extends stock',
            'a:\n  extends: stock\n',
            2,
            "'a' extends 'stock', which is not a set of names",
        ),
        (
            'extends host-model',
            'a:\n  extends: host-model\n',
            2,
            "'a' extends 'host-model', which is not a set of names",
        ),
        (
            'extends passthrough',
            'a:\n  extends: passthrough\n',
            2,
            "'a' extends 'passthrough', which is not a set of names",
        ),
        (
            'unknown name in on',
            'a:\n  on: [relaxed, hv-stimer]\n',
            2,
            "'a': on: 'hv-stimer' is not an enlightenment; there are relaxed",
        ),
        (
            'unknown name in off',
            'a:\n  on: [relaxed]\n  off: [stimr]\n',
            3,
            "'a': off: 'stimr' is not an enlightenment; there are relaxed",
        ),
        (
            'no name at all',
            'a:\n  on: [1]\n',
            2,
            "'a': on: '1' is not an enlightenment",
        ),
        ('on is no list', 'a:\n  on: relaxed\n', 2, "'a': on is not a list"),
        (
            'off is no list',
            'a:\n  off: {relaxed: true}\n',
            2,
            "'a': off is not a list",
        ),
        (
            'not closed',
            '\na:\n  on: [synic]\n',
            2,
            "'a': 'synic' requires 'vpindex', which is not on",
        ),
        (
            'no longer closed',
            'a:\n  extends: baseline\n  off: [hypervclock]\n',
            1,
            "'a': 'stimer' requires 'hypervclock', which is not on",
        ),
        (
            'both on and off',
            'a:\n  on: [relaxed, vapic]\n  off: [vapic]\n',
            1,
            "'a' has 'vapic' both on and off",
        ),
        ('body is a list', 'a: {}\nb: [relaxed]\n', 2, "'b' is not a mapping"),
        ('body is empty', 'a:\n', 1, "'a' is not a mapping"),
        (
            'unknown key',
            'a:\n  on: [relaxed]\n  mode: custom\n',
            3,
            "'a': 'mode' is not known; allowed are extends, on, off, values",
        ),
        (
            'built-in name',
            'a: {}\nbaseline: {on: [relaxed]}\n',
            2,
            "'baseline' is a built-in profile",
        ),
        (
            'values is a list',
            'a:\n  values: [8191]\n',
            2,
            "'a': values is not a mapping",
        ),
        (
            'unknown value',
            'a:\n  values:\n    spinlocks: 8191\n',
            3,
            "'a': values: 'spinlocks' is not known; allowed are "
            'spinlocks.retries, vendor_id.value',
        ),
        (
            'too few retries',
            'a:\n  values:\n    spinlocks.retries: 4094\n',
            3,
            "'a': spinlocks.retries: '4094' is not valid: allowed is a "
            'whole number from 4095 to 4294967295',
        ),
        (
            'too long a vendor',
            'a:\n  values:\n    vendor_id.value: 1234567890123\n',
            3,
            "'a': vendor_id.value: '1234567890123' is not valid: allowed is "
            '1 to 12 printable',
        ),
        ('a list', '- a\n- b\n', 1, 'the file is not a mapping of profiles'),
        ('a text', 'baseline\n', 1, 'the file is not a mapping of profiles'),
    )
    @ddt.unpack
    def test_refused_with_line_and_name(self, _, text, line, reason):
        error = self.assertRaises(
            exception.InvalidOption, profiles_file.parse, text, PATH
        )

        message = str(error)
        self.assertIn(f'profiles_file: {PATH}, line {line}: ', message)
        self.assertIn(reason, message)

    # PyYAML's own words, with the line that it counts.
    @ddt.data(
        ('profile twice', 'a: {}\nb: {}\na: {}\n', 3, "'a' is there twice"),
        (
            'key twice',
            'a:\n  on: [ipi]\n  on: [reset]\n',
            3,
            "'on' is there twice",
        ),
        (
            'key twice, once quoted',
            "a:\n  'on': [ipi]\n  on: [reset]\n",
            3,
            "'on' is there twice",
        ),
        ('no text', 'a:\n  summary: [x]\n', 2, 'summary is not a text'),
        ('list as a name', 'a: {}\n[7]: {}\n', 2, "['7'] is not a name"),
        ('not YAML', 'a:\n  on: [relaxed\n', 3, "expected ',' or ']'"),
        ('a tab', 'a:\n\ton: [relaxed]\n', 2, 'cannot start any token'),
    )
    @ddt.unpack
    def test_refused_by_the_parser(self, _, text, line, reason):
        error = self.assertRaises(
            exception.InvalidOption, profiles_file.parse, text, PATH
        )

        message = str(error)
        self.assertIn(f'profiles_file: {PATH}', message)
        self.assertIn(f'line {line}', message)
        self.assertIn(reason, message)

    def test_an_unhashable_key(self):
        self.assertRaises(
            exception.InvalidOption,
            profiles_file.parse,
            '? [a, b]\n: {}\n',
            PATH,
        )

    def test_every_requirement_is_checked(self):
        missing = {}
        for name, entry in enlightenments.ENLIGHTENMENTS.items():
            if entry.requires:
                error = self.assertRaises(
                    exception.InvalidOption,
                    profiles_file.parse,
                    f'a: {{on: [{name}]}}',
                    PATH,
                )
                missing[name] = f'{name!r} requires ' in str(error)

        self.assertNotEqual({}, missing)
        self.assertEqual({True}, set(missing.values()), missing)
