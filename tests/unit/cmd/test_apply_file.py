# SPDX-License-Identifier: Apache-2.0

"""``domain apply`` on documents, without libvirt."""

import io

import ddt
import fixtures

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.domxml import hyperv
from tests.unit.cmd import base
from tests.unit.cmd import test_apply
from tests.unit.domains import persistent
from tests.unit.domxml import domains

PLAIN = test_apply.PLAIN


@ddt.ddt
class DocumentTestCase(test_apply.ApplyTestCase):
    """A document without libvirt."""

    def setUp(self):
        super().setUp()
        # Whatever is imported of it is an error.
        self.useFixture(base.InstalledModule('libvirt', None))
        self.path = self.write('guest.xml', PLAIN)

    def test_a_file(self):
        lines = self.lines(self.path)

        for name in ('relaxed', 'stimer', 'hypervclock'):
            self.assertIn(name, ' '.join(lines))
        self.assertEqual([], self.kernel)

    def test_standard_input(self):
        self.type(PLAIN)

        result = self.apply('-', '--on', 'relaxed')

        self.assertEqual(0, result.code, result.err)
        self.assertIn('--- standard input\n', result.out)

    def test_a_filter(self):
        self.type(PLAIN)
        first = self.apply('-', '--profile', 'minimal', '--print-xml')
        self.type(first.out)

        again = self.apply('-', '--profile', 'none', '--print-xml')

        self.assertNotEqual(PLAIN, first.out)
        self.assertEqual(
            hyperv.read(domains.parse(PLAIN)).features,
            hyperv.read(domains.parse(again.out)).features,
        )

    def test_what_needs_particular_hardware_is_told(self):
        result = self.apply(self.path, '--profile', 'nested')

        self.assertIn('No host was asked', result.err)
        self.assertRegex(result.err, "'avic' is off: whether the host has")
        self.assertNotIn('evmcs state', result.out)

    def test_what_is_named_is_written(self):
        self.assertIn('avic', ' '.join(self.lines(self.path, '--on', 'avic')))

    def test_an_emulated_guest(self):
        path = self.write(
            'tcg.xml', persistent.document(virt_type='qemu', timers='')
        )

        self.assertRefused(
            self.apply(path, '--on', 'stimer'),
            'only KVM emulates Hyper-V, and virt_type is qemu',
        )

    def test_what_an_emulated_guest_loses_is_told(self):
        path = self.write('tcg.xml', persistent.document(virt_type='qemu'))

        result = self.apply(path)

        self.assertIn('-    <hyperv', result.out)
        self.assertIn(
            "'relaxed' is off: only KVM emulates Hyper-V, and virt_type is "
            'qemu.',
            result.err,
        )

    @ddt.data('xen', 'hyperv')
    def test_a_type_that_is_not_understood(self, virt_type):
        path = self.write(
            'other.xml', persistent.document(virt_type=virt_type)
        )

        self.assertRefused(
            self.apply(path, '--force'), f"is of type '{virt_type}'"
        )

    def test_overrides_beside_host_model_stay(self):
        path = self.write(
            'model.xml',
            persistent.document(
                mode='host-model',
                features='\n<relaxed state="off"/>'
                '\n<spinlocks state="on" retries="8192"/>\n',
            ),
        )
        argv = ('--domcaps', self.write_document())
        argv += ('--libvirt-version', '12.5.0', '--off', 'ipi')

        self.assertEqual(['+<ipi state="off"/>'], self.lines(path, *argv))

    def test_a_saved_host(self):
        path = self.write_document(names=('relaxed', 'vpindex'))

        lines = self.lines(self.path, '--domcaps', path)

        self.assertIn('+<relaxed state="on"/>', lines)
        self.assertNotIn('stimer', ' '.join(lines))

    def test_a_named_host(self):
        connection = self.use()

        self.lines(self.path, '--connect', 'qemu:///session')

        self.assertEqual(['qemu:///session'], self.libvirt.uris)
        self.assertEqual(1, len(connection.asked))
        self.assertTrue(connection.closed)

    def test_define(self):
        result = self.apply(self.path, '--on', 'relaxed', '--define')

        self.assertEqual(0, result.code, result.err)
        (kept,) = self.kept.iterdir()
        self.assertEqual(PLAIN, kept.read_text())
        self.assertIn(f'what it held before is in {kept}.\n', result.out)
        written = (self.directory / 'guest.xml').read_bytes()
        self.assertEqual(
            {'relaxed'}, hyperv.read(domains.parse(written)).features
        )
        self.assertIn(b'secret', written)

    def test_define_without_a_change(self):
        result = self.apply(self.path, '--off', 'relaxed', '--define')

        self.assertEqual((0, ''), (result.code, result.out))
        self.assertFalse(self.kept.exists())

    def test_it_cannot_be_kept(self):
        self.kept.touch()

        result = self.apply(self.path, '--on', 'relaxed', '--define')

        self.assertEqual(2, result.code)
        self.assertIn('so it is not changed', result.err)
        self.assertEqual(PLAIN, (self.directory / 'guest.xml').read_text())

    @ddt.data('', 'win11', '<network/>', '<domain', '<domain/>')
    def test_no_domain(self, text):
        self.assertRefused(
            self.apply(self.write('other.xml', text)), 'cannot be read: '
        )

    def test_a_bomb(self):
        entities = ''.join(
            f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9)
        )
        text = (
            f'<!DOCTYPE domain [<!ENTITY e0 "boom">{entities}]>'
            f'{PLAIN.replace(">plain<", ">&e9;<")}'
        )

        self.assertRefused(
            self.apply(self.write('bomb.xml', text)), 'cannot be read: '
        )

    def test_every_byte_of_a_filter(self):
        data = ('\ufeff' + PLAIN).replace('\n', '\r\n').encode('utf-16-le')
        self.type(data)
        out = io.TextIOWrapper(io.BytesIO(), encoding='ascii', newline='\n')

        with fixtures.MonkeyPatch('sys.stdout', out):
            code = base.main.main(
                ['domain', 'apply', '-', '--print-xml', '--off', 'relaxed']
            )

        self.assertEqual((0, data), (code, out.buffer.getvalue()))


class ArgumentsTestCase(test_apply.ApplyTestCase):
    def test_where_it_is_kept(self):
        path = self.write('guest.xml', PLAIN)
        state = self.directory / 'state'
        home = self.directory / 'home'
        for variable, value, expected in (
            ('XDG_STATE_HOME', str(state), state),
            ('XDG_STATE_HOME', 'relative', home / '.local' / 'state'),
            ('XDG_STATE_HOME', '', home / '.local' / 'state'),
        ):
            self.write('guest.xml', PLAIN)
            with (
                fixtures.EnvironmentVariable(variable, value),
                fixtures.EnvironmentVariable('HOME', str(home)),
            ):
                result = self.call(
                    'domain', 'apply', path, '--on', 'ipi', '--define'
                )
            self.assertEqual(0, result.code, result.err)
            (kept,) = (expected / 'nova-hyperv-enlight').iterdir()
            kept.unlink()

    def test_nobody_knows_where(self):
        def unknown(*args):
            raise RuntimeError('Could not determine home directory.')

        path = self.write('guest.xml', PLAIN)
        self.useFixture(fixtures.EnvironmentVariable('XDG_STATE_HOME', None))
        self.useFixture(fixtures.MonkeyPatch('pathlib.Path.home', unknown))

        result = self.call('domain', 'apply', path, '--on', 'ipi', '--define')

        self.assertEqual(2, result.code)
        self.assertIn('Name a --backup-dir.', result.err)

    def test_every_name_can_be_switched(self):
        path = self.write('guest.xml', PLAIN)
        for name in enlightenments.ENLIGHTENMENTS:
            self.assertEqual(
                0, self.apply(path, '--off', name, '--print-xml').code
            )
