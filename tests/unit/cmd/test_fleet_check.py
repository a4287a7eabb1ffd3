# SPDX-License-Identifier: Apache-2.0

from tests.unit.cmd import base
from tests.unit.cmd import test_fleet
from tests.unit.domxml import domains
from tests.unit.policy import cases

#: A guest of another kind than what is asked about by default.
GUEST = domains.WHOLE.replace('machine="pc"', 'machine="q35" arch="i686"')


class Connection(base.FakeConnection):
    """One that has guests."""

    def lookupByName(self, name):
        if name != 'hyperv':
            raise RuntimeError('Domain not found')
        return self

    def XMLDesc(self, flags=0):
        return GUEST


class CheckTestCase(test_fleet.FleetTestCase):
    def setUp(self):
        super().setUp()
        self.rich = self.save('rich')
        self.poor = self.save('poor', cases.MINIMAL)


class DocumentsTestCase(CheckTestCase):
    def test_it_would(self):
        result = self.call('fleet', 'check', self.poor, self.rich)

        self.assertEqual((0, ''), (result.code, result.out.strip()))
        self.assertEqual(
            'As far as enlightenments go, a guest of profile baseline would '
            'migrate from poor to rich.',
            result.err.strip(),
        )

    def test_it_would_not(self):
        result = self.call('fleet', 'check', self.rich, self.poor)
        rows = self.call_rows('check', self.rich, self.poor)

        self.assertEqual(3, result.code)
        self.assertEqual(
            'As far as enlightenments go, a guest of profile baseline would '
            'not migrate from rich to poor.',
            result.err.strip(),
        )
        self.assertEqual(cases.BASELINE - cases.MINIMAL, set(rows))
        self.assertEqual(
            {
                'name': 'ipi',
                'text': f"'ipi' is missing there: {cases.LACKED}.",
            },
            rows['ipi'],
        )

    def test_a_profile(self):
        argv = ('fleet', 'check', self.rich, self.poor, '--profile')

        self.assertEqual(0, self.call(*argv, 'minimal').code)
        self.assertEqual(3, self.call(*argv, 'nested').code)
        self.assertEqual(3, self.call(*argv, 'passthrough').code)
        self.assertEqual(3, self.call(*argv, 'host-model').code)
        self.assertRefused(
            self.call(*argv, 'bogus'), "Unknown profile 'bogus'"
        )
        self.assertRefused(self.call(*argv, 'stock'), 'is left to Nova')

    def test_the_operators_options(self):
        argv = ('fleet', 'check', self.rich, self.poor, '--option')

        self.assertEqual(0, self.call(*argv, 'profile=minimal').code)
        self.assertRefused(
            self.call(*argv, 'profile=bogus'), '[hyperv_enlight] profile: '
        )

    def test_what_nobody_knows(self):
        unsure = self.save('unsure', unknown=('ipi', 'evmcs'))

        result = self.call('fleet', 'check', self.rich, unsure)

        self.assertEqual(0, result.code)
        self.assertIn(
            'Nobody could tell whether unsure offers ipi.', result.err
        )

    def test_other_processors(self):
        amd = self.save('amd', vendor=cases.AMD)

        result = self.call('fleet', 'check', self.poor, amd)

        self.assertEqual(3, result.code)
        self.assertIn(
            'it cannot be said that a guest of profile baseline would migrate '
            'from poor to amd.',
            result.err,
        )
        self.assertIn('different vendors, Intel and AMD', result.out)

    def test_processors_that_are_not_known(self):
        other = self.save('other', vendor=None)

        self.assertEqual(0, self.call('fleet', 'check', self.poor, other).code)

    def test_a_host_that_could_not_be_asked(self):
        away = self.save('away', ('avic',), unknown=cases.ALL - {'avic'})

        for argv in ((self.rich, away), (away, self.rich)):
            result = self.call('fleet', 'check', *argv)

            self.assertEqual(3, result.code)
            self.assertIn('it cannot be said that ', result.err)
            self.assertIn('away could not be asked', result.out)

    def test_a_guests_document(self):
        path = self.write('guest.xml', domains.WHOLE)

        result = self.call(
            'fleet', 'check', self.rich, self.poor, '--domain', path
        )

        self.assertEqual(0, result.code, result.err)
        self.assertIn(
            f'the domain {path} would migrate from rich to poor.', result.err
        )

    def test_no_guests_document(self):
        for path, reason in (
            ('absent.xml', 'absent.xml cannot be read: No such file'),
            (self.rich, f'{self.rich} cannot be read: '),
        ):
            self.assertRefused(
                self.call(
                    'fleet', 'check', self.rich, self.poor, '--domain', path
                ),
                reason,
            )

    def test_no_document(self):
        self.assertRefused(
            self.call('fleet', 'check', self.rich, 'absent.json'),
            'absent.json cannot be read: No such file or directory',
        )

    def test_a_guest_and_a_profile(self):
        result = self.call(
            'fleet', 'check', self.rich, self.poor, '--domain=a', '--profile=b'
        )

        self.assertEqual((2, ''), (result.code, result.out))


class ConnectionsTestCase(CheckTestCase):
    def setUp(self):
        super().setUp()
        self.connection = Connection(base.document())
        self.libvirt = self.useFixture(base.FakeLibvirt(self.connection))
        self.kernel_asked = self.use_kernel()

    def test_the_destination(self):
        rich = self.save('rich', vendor=cases.AMD)

        result = self.call('fleet', 'check', rich, 'qemu+ssh://b/system')

        self.assertEqual(0, result.code, result.err)
        self.assertEqual(['qemu+ssh://b/system'], self.libvirt.uris)
        self.assertEqual(
            [(None, 'x86_64', None, 'kvm', 0)], self.connection.asked
        )
        self.assertEqual([], self.kernel_asked)
        self.assertTrue(self.connection.closed)

    def test_a_guest_is_asked_about_as_it_is(self):
        self.connection._answer = base.document().replace('x86_64', 'i686')

        result = self.call(
            'fleet',
            'check',
            'qemu:///system',
            'qemu+ssh://b/system',
            '--domain',
            'hyperv',
        )

        self.assertEqual(0, result.code, result.err)
        self.assertIn('the domain hyperv would migrate from qemu:', result.err)
        self.assertEqual(
            {(None, 'i686', 'q35', 'kvm', 0)}, set(self.connection.asked)
        )

    def test_machine(self):
        self.call(
            'fleet', 'check', self.rich, 'qemu:///system', '--machine', 'pc'
        )

        self.assertEqual(
            [(None, 'x86_64', 'pc', 'kvm', 0)], self.connection.asked
        )

    def test_no_such_guest(self):
        self.assertRefused(
            self.call(
                'fleet',
                'check',
                'qemu:///system',
                self.rich,
                '--domain',
                'absent',
            ),
            "The domain 'absent' cannot be read: Domain not found",
        )
        self.assertTrue(self.connection.closed)
