# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.host import kvm
from tests.unit.cmd import base
from tests.unit.cmd import status_base
from tests.unit.domains import guests as fleet_guests


@ddt.ddt
class GuestsTestCase(status_base.StatusTestCase):
    def guests(self, *domains, **kwargs):
        return self.use_libvirt(status_base.Connection(*domains, **kwargs))

    def test_guests_whose_set_is_there(self):
        connection = self.guests(
            status_base.Domain('linux'),
            status_base.Domain('windows', ['relaxed', 'synic', 'avic']),
            status_base.Domain('other', ['relaxed', 'synic']),
        )

        self.check(status_base.SUCCESS)

        self.assertTrue(connection.closed)
        # Asked once for a kind of guest.
        self.assertEqual(
            [(None, 'x86_64', 'pc-q35-7.2', 'kvm', 0)], connection.asked
        )
        self.assertEqual(['qemu:///system'] * 4, self.libvirt.uris)

    def test_guests_whose_set_is_not_there_any_more(self):
        self.guests(
            status_base.Domain('web', ['relaxed', 'evmcs']),
            status_base.Domain('db', ['relaxed']),
            status_base.Domain('dc', ['runtime', 'xmm_input', 'evmcs']),
            status_base.Domain('tcg', ['relaxed'], virt_type='qemu'),
        )

        self.check_one(
            'Guests',
            status_base.WARNING,
            '3 guests have what this host does not offer: web (evmcs); '
            'dc (evmcs, xmm_input); tcg (relaxed).',
        )

    def test_many_guests_are_not_all_named(self):
        self.guests(
            *(status_base.Domain(f'vm{n}', ['evmcs']) for n in range(12))
        )

        _, details = self.check(status_base.WARNING)['Guests']

        self.assertTrue(details.startswith('12 guests have '), details)
        self.assertIn('vm9 (evmcs)', details)
        self.assertNotIn('vm10', details)

    def test_guests_that_cannot_be_read(self):
        # One that has gone meanwhile, and one of a libvirt of the future.
        connection = self.guests(
            status_base.Domain(
                'gone', error=self.libvirt.libvirtError('no domain')
            ),
            status_base.Domain('future', mode=" mode='new'"),
            status_base.Domain('web', ['evmcs']),
        )

        _, details = self.check(status_base.WARNING)['Guests']

        self.assertIn(
            '1 guests have what this host does not offer: web (evmcs). ',
            details,
        )
        self.assertIn('2 guests cannot be read: gone (no domain)', details)
        self.assertIn('future (', details)
        self.assertTrue(connection.closed)

    def test_another_connection(self):
        self.check(
            status_base.SUCCESS,
            f'{status_base.FINE}\n[libvirt]\nconnection_uri = qemu+unix:///system\n',
        )

        self.assertEqual(['qemu+unix:///system'] * 4, self.libvirt.uris)

    @ddt.data(
        ('QEMU', 'qemu:///system', 2), ('QEMU', 'qemu+ssh://h/system', 0)
    )
    @ddt.unpack
    def test_this_kernel_is_asked_only_about_this_host(self, kind, uri, times):
        asked = self.use_kernel(kvm.KernelFacts(hyperv=True))
        self.guests(status_base.Domain('web', ['relaxed']), kind=kind)

        self.check(
            status_base.SUCCESS,
            f'{status_base.FINE}\n[libvirt]\nconnection_uri = {uri}\n',
        )

        self.assertEqual(times, len(asked))

    def test_no_connection(self):
        self.use_libvirt(self.libvirt.libvirtError('Connection refused'))

        found = self.check(status_base.FAILURE)

        for name in ('libvirt', 'KVM', 'Guests'):
            self.assertEqual(
                (
                    status_base.FAILURE,
                    'No connection to libvirt at qemu:///system: Connection '
                    'refused',
                ),
                found[name],
            )

    def test_libvirt_that_does_not_list(self):
        self.use_libvirt(status_base.Connection(libvirt=8000000))

        self.check_one(
            'libvirt',
            status_base.WARNING,
            'libvirt 8.0.0 does not list Hyper-V features: what the host '
            'offers is concluded from its release. From 9.0.0 on it does.',
        )

    def test_no_libvirt_python(self):
        self.useFixture(base.InstalledModule('libvirt', None))

        _, details = self.check(status_base.FAILURE)['Guests']

        self.assertIn('libvirt-python is missing', details)


class PolicyTestCase(status_base.StatusTestCase):
    """Guests of Nova whose flavor or image the options refuse."""

    def guest(self, name, **metadata):
        text = fleet_guests.document(
            name, metadata=fleet_guests.of_nova(**metadata)
        )
        return fleet_guests.Guest(name, text)

    def setUp(self):
        super().setUp()
        windows = {'os_type': 'windows'}
        self.use_libvirt(
            status_base.Connection(
                self.guest(
                    'web', image={**windows, 'hyperv_enlight_runtime': 'on'}
                ),
                self.guest(
                    'db',
                    image=windows,
                    specs={'hyperv_enlight:profile': 'gold'},
                ),
                self.guest('plain', image=windows),
                self.guest('linux', image={'os_type': 'linux'}),
            )
        )

    def test_what_is_allowed(self):
        found = self.call_policy('')

        self.assertIn('1 guests would be refused', found)
        self.assertIn("db (The flavor's hyperv_enlight:profile=gold", found)

    def test_what_is_not_allowed(self):
        found = self.call_policy('image_overridable =\n')

        self.assertIn('2 guests would be refused', found)
        self.assertIn(
            'web (The image property hyperv_enlight_runtime is not allowed',
            found,
        )
        self.assertNotIn('plain', found)

    def test_options_that_cannot_be_used(self):
        found = self.check(
            status_base.FAILURE, status_base.FINE + 'profile = gone\n'
        )

        self.assertEqual(
            (status_base.WARNING, 'Not checked: the options cannot be used.'),
            tuple(found['Policy']),
        )

    def call_policy(self, options):
        found = self.check(status_base.WARNING, status_base.FINE + options)
        return found['Policy'][1]
