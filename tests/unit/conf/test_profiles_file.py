# SPDX-License-Identifier: Apache-2.0

import textwrap

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.conf import profiles_file
from nova_hyperv_enlight import exception
from tests.unit import base

PATH = '/etc/nova/profiles.yaml'


def parse(text):
    return profiles_file.parse(textwrap.dedent(text), PATH)


@ddt.ddt
class ReadTestCase(base.TestCase):
    @ddt.data('', '# nothing yet\n', '{}')
    def test_empty(self, text):
        self.assertEqual({}, parse(text))

    # YAML 1.1 reads these keys as booleans.
    @ddt.data('on', "'on'", '"on"')
    def test_on_needs_no_quotes(self, key):
        read = parse(f'lean:\n  {key}: [relaxed, vapic]\n')

        self.assertEqual({'relaxed', 'vapic'}, read['lean'].features)

    def test_off_takes_away(self):
        read = parse(
            """
            calm:
              extends: baseline
              off: [stimer, stimer.direct]
            """
        )

        self.assertEqual(
            profiles.PROFILES['baseline'].features
            - {'stimer', 'stimer.direct'},
            read['calm'].features,
        )

    def test_off_of_what_is_not_on_is_harmless(self):
        read = parse('lean: {on: [relaxed], off: [ipi]}')

        self.assertEqual({'relaxed'}, read['lean'].features)

    def test_extends_nothing(self):
        self.assertEqual(frozenset(), parse('bare: {}')['bare'].features)

    @ddt.data('none', 'minimal', 'baseline', 'performance', 'nested')
    def test_extends_a_built_in_profile(self, name):
        read = parse(f'site: {{extends: {name}}}')

        self.assertEqual(
            profiles.PROFILES[name].features, read['site'].features
        )

    def test_extends_a_chain_in_any_order(self):
        read = parse(
            """
            third: {extends: second, off: [relaxed]}
            second: {extends: first, on: [vpindex]}
            first: {on: [relaxed]}
            """
        )

        self.assertEqual(['first', 'second', 'third'], sorted(read))
        self.assertEqual({'vpindex'}, read['third'].features)

    def test_values(self):
        read = parse(
            """
            patient:
              extends: minimal
              values:
                spinlocks.retries: 65535
                vendor_id.value: Contoso Hv
            """
        )

        self.assertEqual(
            {'spinlocks.retries': '65535', 'vendor_id.value': 'Contoso Hv'},
            dict(read['patient'].values),
        )

    def test_values_are_inherited_and_overridden(self):
        read = parse(
            """
            patient:
              extends: minimal
              values: {spinlocks.retries: 65535, vendor_id.value: Contoso}
            nervous:
              extends: patient
              values: {spinlocks.retries: 4095}
            """
        )

        self.assertEqual(
            {'spinlocks.retries': '4095', 'vendor_id.value': 'Contoso'},
            dict(read['nervous'].values),
        )

    def test_values_are_the_texts_that_they_are(self):
        read = parse('lean: {on: [], values: {vendor_id.value: 0123}}')

        self.assertEqual(
            {'vendor_id.value': '0123'}, dict(read['lean'].values)
        )

    def test_summary(self):
        read = parse('lean: {on: [relaxed], summary: For old ones.}')

        self.assertEqual('For old ones.', read['lean'].summary)

    def test_summary_says_where_the_profile_is_from(self):
        read = parse('\nlean: {on: [relaxed]}')

        self.assertEqual(f'{PATH}, line 2.', read['lean'].summary)

    def test_a_set_of_names_is_migratable_and_custom(self):
        profile = parse('lean: {on: [relaxed]}')['lean']

        self.assertTrue(profile.migratable)
        self.assertIs(profiles.Mode.CUSTOM, profile.mode)

    def test_load(self):
        path = self.make_dir() / 'profiles.yaml'
        path.write_text('lean: {on: [relaxed]}', encoding='utf-8')

        self.assertEqual(['lean'], list(profiles_file.load(str(path))))


@ddt.ddt
class LoadTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.make_dir()

    def test_absent(self):
        path = str(self.directory / 'absent')

        error = self.assertRaises(
            exception.InvalidOption, profiles_file.load, path
        )

        self.assertIn(f'profiles_file: {path}: ', str(error))
        self.assertIn('No such file or directory', str(error))

    def test_a_directory(self):
        error = self.assertRaises(
            exception.InvalidOption, profiles_file.load, str(self.directory)
        )

        self.assertIn('Is a directory', str(error))

    # Windows-1252, and a byte that no YAML may hold.
    @ddt.data(b'k\xe4se: {}\n', b'a: {}\n\x00\n')
    def test_not_text(self, content):
        path = self.directory / 'profiles.yaml'
        path.write_bytes(content)

        error = self.assertRaises(
            exception.InvalidOption, profiles_file.load, str(path)
        )

        self.assertIn(f'profiles_file: {path}: ', str(error))
