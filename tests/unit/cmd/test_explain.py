# SPDX-License-Identifier: Apache-2.0

import csv
import json

import ddt
import yaml

from nova_hyperv_enlight.catalogue import enlightenments
from tests.unit.cmd import base

COLUMNS = ['name', 'state', 'reason', 'source', 'text']
FORMATS = {
    'csv': lambda text: list(csv.DictReader(text.splitlines())),
    'json': json.loads,
    'yaml': yaml.safe_load,
}


@ddt.ddt
class OutputTestCase(base.ExplainTestCase):
    @ddt.data(*FORMATS)
    def test_format(self, name):
        result = self.call_explain('-f', name)

        rows = FORMATS[name](result.out)
        self.assertEqual((0, ''), (result.code, result.err))
        # YAML has no order.
        self.assertEqual(set(COLUMNS), set(rows[0]))
        self.assertEqual(
            {
                'name': 'relaxed',
                'state': 'on',
                'reason': 'profile',
                'source': 'profile',
                'text': "'relaxed' is on: profile 'baseline' asks for it.",
            },
            rows[0],
        )

    def test_every_name_has_a_row(self):
        self.assertEqual(
            list(enlightenments.ENLIGHTENMENTS), list(self.explain())
        )

    def test_format_value(self):
        result = self.call_explain('-f', 'value', '-c', 'name', '-c', 'state')

        self.assertIn('ipi on\n', result.out)

    def test_table(self):
        result = self.call_explain()

        self.assertEqual((0, ''), (result.code, result.err))
        self.assertRegex(result.out, r'\| name +\| state +\| reason')


@ddt.ddt
class DecisionTestCase(base.ExplainTestCase):
    """What the arguments stand for; that it is right, the policy's tests."""

    def assertRow(self, row, state, reason, source):
        self.assertEqual(
            (state, reason, source),
            (row['state'], row['reason'], row['source']),
            row['text'],
        )

    def test_the_image_counts_as_windows(self):
        self.assertIn('stimer', self.on())

    def test_the_image_is_another(self):
        rows = self.explain('--image', 'os_type=linux')

        self.assertEqual({'unset'}, {row['state'] for row in rows.values()})
        self.assertRow(rows['synic'], 'unset', 'not-concerned', 'image')

    @ddt.data('Windows', 'WINDOWS')
    def test_the_image_is_windows_in_any_case(self, os_type):
        self.assertIn('stimer', self.on('--image', f'os_type={os_type}'))

    def test_spec(self):
        rows = self.explain('--spec', 'hyperv_enlight:stimer=off')

        self.assertRow(rows['stimer'], 'off', 'turned-off', 'flavor')
        self.assertRow(rows['stimer.direct'], 'off', 'requires', 'flavor')

    def test_image(self):
        rows = self.explain('--image', 'hyperv_enlight_ipi=off')

        self.assertRow(rows['ipi'], 'off', 'turned-off', 'image')

    def test_option(self):
        rows = self.explain('--option', 'force_off=ipi,reset')

        self.assertRow(rows['ipi'], 'off', 'turned-off', 'operator')
        self.assertRow(rows['reset'], 'off', 'turned-off', 'operator')

    def test_each_argument_is_repeatable(self):
        on = self.on(
            '--option',
            'profile=none',
            '--option',
            'force_on=relaxed',
            '--spec',
            'hyperv_enlight:reset=on',
            '--spec',
            'hyperv_enlight:runtime=on',
            '--image',
            'hyperv_enlight_ipi=on',
            '--image',
            'hyperv_enlight_frequencies=on',
        )

        self.assertEqual(
            {'frequencies', 'ipi', 'relaxed', 'reset', 'runtime', 'vpindex'},
            set(on),
        )

    def test_the_flavors_profile(self):
        self.assertEqual(
            ['relaxed', 'vapic', 'spinlocks', 'hypervclock'],
            self.on('--spec', 'hyperv_enlight:profile=minimal'),
        )

    @ddt.data(
        ('--spec', 'hide_hypervisor_id=true'),
        ('--spec', 'hw:hide_hypervisor_id=true'),
        ('--image', 'img_hide_hypervisor_id=true'),
    )
    def test_hidden_hypervisor(self, argv):
        row = self.explain(*argv)['vendor_id']

        self.assertEqual(('on', 'hidden'), (row['state'], row['reason']))

    def test_disabled(self):
        rows = self.explain('--option', 'enabled=false')

        self.assertRow(rows['synic'], 'unset', 'not-concerned', 'operator')

    def test_config_file(self):
        conf = self.write(
            'nova.conf',
            '[DEFAULT]\ndebug = true\n[hyperv_enlight]\nprofile = minimal\n',
        )

        self.assertNotIn('synic', self.on('--config-file', conf))

    def test_the_later_config_file_wins(self):
        one = self.write('one', '[hyperv_enlight]\nprofile = none\n')
        two = self.write('two', '[hyperv_enlight]\nprofile = minimal\n')

        self.assertIn(
            'relaxed', self.on('--config-file', one, '--config-file', two)
        )

    def test_an_option_wins_over_the_config_file(self):
        conf = self.write('nova.conf', '[hyperv_enlight]\nprofile = minimal\n')

        self.assertEqual(
            [], self.on('--config-file', conf, '--option', 'profile=none')
        )

    def test_releases(self):
        self.assertIn('stimer.direct', self.on('--libvirt-version', '9.0'))
        self.assertNotIn('stimer.direct', self.on('--qemu-version', '4.0'))

    def test_what_a_document_proves_of_its_own_age(self):
        text = base.document().replace(
            '</hyperv>',
            '<defaults><spinlocks>1</spinlocks></defaults></hyperv>',
        )
        path = self.write('new.xml', text)
        argv = ('explain', '--option', 'profile=host-model', '--domcaps')

        rows = self.call_json(*argv, path)
        result = self.call(*argv, self.document)

        self.assertEqual('libvirt', rows[0]['source'])
        self.assertRefused(
            result, 'needs libvirt 11.9.0', 'this host has 9.0.0 or newer'
        )

    def test_passthrough_by_what_a_document_proves(self):
        rows = self.explain('--option', 'profile=passthrough')

        self.assertEqual('libvirt', rows['relaxed']['source'])

    def test_the_images_machine_and_architecture_are_asked_about(self):
        connection = base.FakeConnection(
            base.document().replace('<arch>x86_64<', '<arch>i686<')
        )
        self.useFixture(base.FakeLibvirt(connection))
        self.use_kernel()

        self.call_json(
            'explain',
            '--image',
            'hw_machine_type=q35',
            '--image',
            'hw_architecture=i686',
        )

        self.assertEqual([(None, 'i686', 'q35', 'kvm', 0)], connection.asked)
