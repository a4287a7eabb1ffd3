# SPDX-License-Identifier: Apache-2.0

"""Arguments that would have no effect are refused."""

import ddt

from tests.unit.cmd import base
from tests.unit.domains import guests
from tests.unit.fleet import hosts

DOMCAPS = '@domcaps'
GUEST = '@guest'
HOST = '@host'


@ddt.ddt
class NoEffectTestCase(base.CommandTestCase):
    def setUp(self):
        super().setUp()
        self.use_kernel()
        self.connection = base.FakeConnection(base.document())
        self.useFixture(base.FakeLibvirt(self.connection))
        self.paths = {
            DOMCAPS: self.write_document(),
            GUEST: self.write('guest.xml', guests.document()),
            HOST: self.write('host.json', hosts.text()),
        }

    def run_with(self, text):
        return self.call(*(self.paths.get(p, p) for p in text.split()))

    @ddt.unpack
    @ddt.data(
        ('host show --domcaps @domcaps --arch i686', '--arch is i686'),
        ('host show --domcaps @domcaps --machine pc', '--machine is pc'),
        (
            'host show --domcaps @domcaps --virt-type qemu',
            '--virt-type is qemu',
        ),
        ('explain --domcaps @domcaps --machine virt', '--machine is virt'),
        (
            'explain --image hw_machine_type=q35 --machine pc',
            '--machine is pc, and the guest has q35',
        ),
        (
            'explain --image hw_architecture=i686 --arch x86_64',
            '--arch is x86_64, and the guest has i686',
        ),
        ('host show --timeout 5', '--timeout goes with --verify only'),
        ('host show --libvirt-version 9.0', '--libvirt-version goes with'),
        ('explain --qemu-version 9.0', '--qemu-version goes with'),
        ('domain audit --qemu-version 9.0', '--qemu-version goes with'),
        ('domain apply win --qemu-version 9.0', '--qemu-version goes with'),
        (
            'domain apply @guest --connect test:/// --qemu-version 9.0',
            '--qemu-version goes with',
        ),
        (
            'domain apply @guest --connect test:/// --domcaps @domcaps',
            'by --connect or by --domcaps',
        ),
        (
            'fleet check qemu:/// qemu:/// --os-cloud c',
            '--os-cloud has no effect',
        ),
        (
            'fleet check @host @host --domain @guest --option mode=shadow',
            '--option and --config-file do not go with --domain',
        ),
        ('fleet check @host @host --machine pc', '--machine goes with'),
        ('guest verify --domain win --machine pc', '--machine goes with'),
        ('guest verify --xml @guest --virt-type kvm', '--virt-type goes with'),
    )
    def test_refused(self, argv, reason):
        self.assertRefused(self.run_with(argv), reason)

    @ddt.data(
        'host show --domcaps @domcaps --arch x86_64 --virt-type kvm',
        'host show --domcaps @domcaps --machine q35',
        'host show --domcaps @domcaps --machine pc-q35-7.2',
        'explain --image hw_machine_type=q35 --machine q35',
    )
    def test_what_says_the_same_is_taken(self, argv):
        result = self.run_with(argv)

        self.assertEqual(0, result.code, result.err)

    def test_releases_count_where_no_host_was_asked(self):
        guest = guests.document(features='', timers='')
        path = self.write('bare.xml', guest)

        known = self.call('domain', 'apply', path, '--print-xml')
        old = self.call(
            *('domain', 'apply', path, '--print-xml'),
            *('--qemu-version', '2.8'),
        )

        self.assertIn('<frequencies', known.out)
        self.assertEqual(0, old.code, old.err)
        self.assertNotIn('<frequencies', old.out)
