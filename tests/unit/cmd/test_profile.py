# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import profiles
from tests.unit.cmd import base

OWN = 'lean: {on: [vapic, relaxed], summary: For old ones.}\n'


@ddt.ddt
class ProfileListTestCase(base.CommandTestCase):
    def test_lists_every_profile(self):
        rows = self.call_json('profile', 'list')

        self.assertEqual(
            list(profiles.PROFILES), [row['name'] for row in rows]
        )

    @ddt.data(
        ('none', 'custom', ''),
        ('minimal', 'custom', 'relaxed vapic spinlocks hypervclock'),
        ('passthrough', 'passthrough', 'hypervclock'),
    )
    @ddt.unpack
    def test_row(self, name, mode, names):
        rows = {row['name']: row for row in self.call_json('profile', 'list')}

        self.assertEqual(
            {
                'name': name,
                'mode': mode,
                'on': names,
                'summary': profiles.PROFILES[name].summary,
            },
            rows[name],
        )

    def test_lists_the_operators_own(self):
        path = self.write('profiles.yaml', OWN)

        rows = self.call_json(
            'profile', 'list', '--option', f'profiles_file={path}'
        )

        self.assertEqual(
            {
                'name': 'lean',
                'mode': 'custom',
                'on': 'relaxed vapic',
                'summary': 'For old ones.',
            },
            rows[-1],
        )

    def test_reads_a_configuration_file(self):
        path = self.write('profiles.yaml', OWN)
        conf = self.write(
            'nova.conf', f'[hyperv_enlight]\nprofiles_file = {path}\n'
        )

        rows = self.call_json('profile', 'list', '--config-file', conf)

        self.assertEqual('lean', rows[-1]['name'])

    def test_a_mistake_in_the_operators_own(self):
        path = self.write('profiles.yaml', 'lean:\n  on: [stimer]\n')

        self.assertRefused(
            self.call('profile', 'list', '--option', f'profiles_file={path}'),
            f"{path}, line 1: profile 'lean': 'stimer' requires 'synic'",
        )


@ddt.ddt
class ProfileShowTestCase(base.CommandTestCase):
    @ddt.data(
        ('baseline', 'migratable', 'yes'),
        ('passthrough', 'migratable', 'no'),
        ('passthrough', 'needs libvirt', '8.0.0'),
        ('host-model', 'needs libvirt', '11.9.0'),
        ('host-model', 'mode', 'host-model'),
        ('minimal', 'on', 'relaxed vapic spinlocks hypervclock'),
    )
    @ddt.unpack
    def test_field(self, name, field, expected):
        shown = self.call_json('profile', 'show', name)

        self.assertEqual(name, shown['name'])
        self.assertEqual(expected, shown[field])

    def test_values(self):
        path = self.write(
            'profiles.yaml',
            'calm: {extends: minimal, values: {spinlocks.retries: 65535}}\n',
        )

        shown = self.call_json(
            'profile', 'show', 'calm', '--option', f'profiles_file={path}'
        )

        self.assertEqual('spinlocks.retries=65535', shown['values'])

    def test_unknown(self):
        self.assertRefused(
            self.call('profile', 'show', 'fastest'),
            "Unknown profile 'fastest'. Available profiles: none, stock, ",
        )
