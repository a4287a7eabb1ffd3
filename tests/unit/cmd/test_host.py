# SPDX-License-Identifier: Apache-2.0

import csv
import io
import json

import ddt
import fixtures
import yaml

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.host import kvm
from tests.unit import base as unit_base
from tests.unit.cmd import base

# Before libvirt 9.0 a document says nothing of Hyper-V.
OLD = (
    '<domainCapabilities><domain>kvm</domain><arch>x86_64</arch>'
    '</domainCapabilities>'
)
COLUMNS = ['name', 'offered', 'witness', 'evidence']
SAVED = sorted(
    path.name for path in (unit_base.DATA / 'domaincaps').glob('*.xml')
)


FORMATS = {
    'csv': lambda text: list(csv.DictReader(text.splitlines())),
    'json': json.loads,
    'yaml': yaml.safe_load,
}


@ddt.ddt
class SavedHostTestCase(base.CommandTestCase):
    def show(self, *argv, **kwargs):
        """Return the rows by their names."""
        rows = self.call_json(
            'host', 'show', '--domcaps', self.write_document(**kwargs), *argv
        )
        return {row['name']: row for row in rows}

    @ddt.data(*FORMATS)
    def test_format(self, name):
        path = self.write_document()

        result = self.call('host', 'show', '--domcaps', path, '-f', name)

        rows = FORMATS[name](result.out)
        self.assertEqual((0, ''), (result.code, result.err))
        # YAML has no order.
        self.assertEqual(set(COLUMNS), set(rows[0]))
        self.assertEqual(
            {
                'name': 'relaxed',
                'offered': 'yes',
                'witness': 'domcapabilities',
                'evidence': 'libvirt lists it',
            },
            rows[0],
        )
        self.assertEqual(
            list(enlightenments.ENLIGHTENMENTS), [row['name'] for row in rows]
        )

    def test_the_table_says_each_reason_once(self):
        path = self.write_document()

        result = self.call('host', 'show', '--domcaps', path)

        self.assertEqual(0, result.code, result.err)
        self.assertEqual(1, result.out.count('libvirt lists it'))
        self.assertGreater(80, max(map(len, result.out.splitlines())))
        for name in enlightenments.ENLIGHTENMENTS:
            self.assertIn(name, result.out)

    def test_the_table_of_columns_has_a_row_for_each(self):
        path = self.write_document()

        result = self.call(
            *('host', 'show', '--domcaps', path),
            *('-c', 'name', '-c', 'evidence'),
        )

        self.assertEqual(
            len(enlightenments.ENLIGHTENMENTS) + 4,
            len(result.out.splitlines()),
        )
        self.assertEqual('', result.err)

    def test_the_sum(self):
        names = (*base.NAMES, 'stimer_direct')
        names = [name for name in names if name != 'synic']
        path = self.write_document(names=names)

        result = self.call('host', 'show', '--domcaps', path)

        self.assertEqual(
            'This host can give 11 of 21; its KVM emulates Hyper-V. Offered, '
            'but without what it requires: stimer, stimer.direct. Not known: '
            'reenlightenment, avic, emsr_bitmap, tlbflush.direct, '
            'tlbflush.extended.',
            result.err.strip(),
        )

    def test_the_sum_of_a_host_without_hyperv(self):
        path = self.write_document(virt_type='qemu')

        result = self.call('host', 'show', '--domcaps', path)

        self.assertEqual(
            'This host can give none of 21: only KVM emulates Hyper-V, and '
            'virt_type is qemu.',
            result.err.strip(),
        )
        self.assertEqual(1, result.out.count('only KVM emulates'))

    def test_the_sum_comes_last(self):
        both = io.StringIO()

        self.call(
            *('host', 'show', '--domcaps', self.write_document()),
            out=both,
            err=both,
        )

        self.assertTrue(
            both.getvalue().splitlines()[-1].startswith('This host can give ')
        )

    def test_format_value(self):
        path = self.write_document()

        result = self.call(
            'host', 'show', '--domcaps', path, '-f', 'value', '-c', 'name'
        )

        self.assertEqual(
            list(enlightenments.ENLIGHTENMENTS), result.out.splitlines()
        )

    def test_what_is_not_listed_is_not_offered(self):
        row = self.show()['evmcs']

        self.assertEqual('no', row['offered'])

    def test_a_subfeature_of_old_libvirt_is_unknown(self):
        # What the document itself proves of releases is too old for it.
        self.assertEqual(
            'unknown', self.show()['tlbflush.extended']['offered']
        )

    def test_a_subfeature_is_not_ruled_in_by_releases(self):
        rows = self.show(
            '--libvirt-version', '11.5.0', '--qemu-version', '8.0'
        )

        self.assertEqual('unknown', rows['tlbflush.extended']['offered'])

    def test_releases_rule_in(self):
        path = self.write('old.xml', OLD)
        argv = ('--domcaps', path, '--libvirt-version', '8.0.0')

        rows = self.call_json('host', 'show', *argv, '--qemu-version', '6.2')

        by_name = {row['name']: row for row in rows}
        self.assertEqual('yes', by_name['stimer.direct']['offered'])
        self.assertEqual('version', by_name['stimer.direct']['witness'])

    def test_releases_rule_out(self):
        rows = self.show('--qemu-version', '7.0.0')

        self.assertEqual('no', rows['tlbflush.extended']['offered'])
        self.assertIn('7.0.0', rows['tlbflush.extended']['evidence'])

    def test_the_kernel_of_this_machine_has_no_say(self):
        self.use_kernel(kvm.KernelFacts(hyperv=False))

        self.assertEqual('yes', self.show()['synic']['offered'])

    def test_a_document_of_another_virt_type(self):
        rows = self.show(virt_type='qemu')

        self.assertEqual({'no'}, {row['offered'] for row in rows.values()})
        self.assertIn('virt_type is qemu', rows['relaxed']['evidence'])

    @ddt.data(*SAVED)
    def test_a_saved_document(self, name):
        path = unit_base.DATA / 'domaincaps' / name

        rows = self.call_json('host', 'show', '--domcaps', str(path))

        self.assertEqual(
            list(enlightenments.ENLIGHTENMENTS), [row['name'] for row in rows]
        )

    def test_no_file(self):
        path = str(self.directory / 'absent.xml')

        self.assertRefused(
            self.call('host', 'show', '--domcaps', path),
            f'{path} cannot be read: No such file or directory',
        )

    @ddt.data('', 'no XML', '<domainCapabilities>', '<capabilities/>')
    def test_no_document(self, text):
        path = self.write('domcaps.xml', text)

        self.assertRefused(
            self.call('host', 'show', '--domcaps', path), 'cannot be read: '
        )

    @ddt.data('9', '9.0.0.1', 'new', '9.x', '')
    def test_no_release(self, release):
        result = self.call(
            'host',
            'show',
            '--domcaps',
            self.write_document(),
            f'--libvirt-version={release}',
        )

        self.assertEqual((2, ''), (result.code, result.out))
        self.assertIn('is not a release such as 9.0.0', result.err)


@ddt.ddt
class LiveHostTestCase(base.CommandTestCase):
    def setUp(self):
        super().setUp()
        self.connection = base.FakeConnection(base.document())
        self.libvirt = self.useFixture(base.FakeLibvirt(self.connection))
        self.kernel_asked = self.use_kernel()

    def show(self, *argv):
        rows = self.call_json('host', 'show', *argv)
        return {row['name']: row['offered'] for row in rows}

    def test_system_is_the_default(self):
        self.show()

        self.assertEqual(['qemu:///system'], self.libvirt.uris)

    def test_connect(self):
        self.show('--connect', 'qemu:///session')

        self.assertEqual(['qemu:///session'], self.libvirt.uris)

    def test_what_is_asked_by_default(self):
        self.show()

        self.assertEqual(
            [(None, 'x86_64', None, 'kvm', 0)], self.connection.asked
        )

    def test_what_is_asked(self):
        self.connection._answer = base.document().replace(
            '<arch>x86_64<', '<arch>i686<'
        )

        self.show('--arch', 'i686', '--machine', 'q35')

        self.assertEqual(
            [(None, 'i686', 'q35', 'kvm', 0)], self.connection.asked
        )

    def test_the_connection_is_closed(self):
        self.show()

        self.assertTrue(self.connection.closed)

    def test_the_connection_is_closed_after_a_refusal(self):
        self.connection._answer = self.libvirt.libvirtError('read only')

        self.call('host', 'show')

        self.assertTrue(self.connection.closed)

    def test_offers(self):
        self.assertEqual('yes', self.show()['stimer'])

    @ddt.data('qemu:///system', 'qemu:///session', 'qemu:///embed?root=/x')
    def test_the_kernel_of_this_machine_is_asked(self, uri):
        self.show('--connect', uri)

        self.assertEqual([True], self.kernel_asked)

    @ddt.data('qemu+ssh://elsewhere/system', 'qemu+tcp://10.0.0.1/system')
    def test_the_kernel_of_another_machine_is_not_asked(self, uri):
        self.show('--connect', uri)

        self.assertEqual([], self.kernel_asked)

    def test_the_kernel_of_another_hypervisor_is_not_asked(self):
        self.libvirt.connection = base.FakeConnection(
            base.document(), kind='TEST'
        )

        self.show('--connect', 'test:///default')

        self.assertEqual([], self.kernel_asked)

    def test_a_refused_question_is_no_failure(self):
        self.connection._answer = self.libvirt.libvirtError('read only')

        result = self.call('host', 'show', '-f', 'json')

        self.assertEqual(0, result.code)
        self.assertIn('read only', result.err)
        rows = {row['name']: row for row in json.loads(result.out)}
        self.assertEqual('unknown', rows['relaxed']['offered'])

    def test_no_connection(self):
        self.libvirt.connection = self.libvirt.libvirtError(
            "Failed to connect socket to '/run/libvirt/virtqemud-sock'"
        )

        self.assertRefused(
            self.call('host', 'show'),
            'No connection to libvirt at qemu:///system: Failed to connect',
        )


@ddt.ddt
class DescribeTestCase(base.CommandTestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch('socket.gethostname', lambda: 'here')
        )
        self.connection = base.FakeConnection(base.document())
        self.useFixture(base.FakeLibvirt(self.connection))
        self.use_kernel()

    def described(self, *argv):
        """Return the rows that say which host it is."""
        result = self.call('host', 'show', '--describe', *argv, '-f', 'csv')
        self.assertEqual((0, ''), (result.code, result.err))
        rows = list(csv.DictReader(result.out.splitlines()))
        self.assertEqual(COLUMNS, list(rows[0]))
        return {
            row['name']: row['evidence']
            for row in rows
            if row['name'].startswith('host.')
        }

    @ddt.unpack
    @ddt.data(
        ('qemu:///system', 'here'),
        ('qemu+ssh://root@there.example.org/system', 'there.example.org'),
    )
    def test_facts(self, uri, name):
        self.assertEqual(
            {
                'host.name': name,
                'host.vendor': 'AMD',
                'host.virt_type': 'kvm',
                'host.arch': 'x86_64',
                'host.machine': 'pc-q35-7.2',
                'host.libvirt': '9.0.0',
                'host.qemu': '7.2.22',
            },
            self.described('--connect', uri),
        )

    def test_a_saved_document_has_no_name(self):
        # It need not be this machine's.
        self.assertEqual(
            {
                'host.vendor': 'AMD',
                'host.virt_type': 'kvm',
                'host.arch': 'x86_64',
                'host.machine': 'pc-q35-7.2',
            },
            self.described('--domcaps', self.write_document()),
        )

    def test_people_see_them_in_rows(self):
        result = self.call('host', 'show', '--describe')

        self.assertIn('| host.vendor  ', result.out)
        self.assertGreater(80, max(map(len, result.out.splitlines())))

    def test_json_has_the_host_apart(self):
        document = self.call_json('host', 'show', '--describe')

        self.assertEqual(
            ['document', 'version', 'host', 'enlightenments'], list(document)
        )
        self.assertEqual(
            {
                'name': 'here',
                'vendor': 'AMD',
                'virt_type': 'kvm',
                'arch': 'x86_64',
                'machine': 'pc-q35-7.2',
                'libvirt': '9.0.0',
                'qemu': '7.2.22',
            },
            document['host'],
        )
        self.assertEqual(
            self.call_json('host', 'show'), document['enlightenments']
        )

    def test_columns_do_not_go_with_it(self):
        self.assertRefused(
            self.call(
                'host', 'show', '--describe', '-f', 'json', '-c', 'name'
            ),
            'Columns of json do not go with --describe.',
        )

    def test_it_is_the_document_of_a_host(self):
        shown = self.call('host', 'show', '--describe', '-f', 'json').out

        found = documents.parse(shown.encode(), 'file', 'file.json')

        self.assertEqual(
            ('here', model.Vendor.AMD), (found.name, found.vendor)
        )
        self.assertTrue(found.capabilities.features['stimer'].offered)
        self.assertEqual((), found.unknown)

    def test_without_it_too(self):
        shown = self.call('host', 'show', '-f', 'json').out

        found = documents.parse(shown.encode(), 'file', 'file.json')

        self.assertEqual(('file', None), (found.name, found.vendor))
        self.assertTrue(found.capabilities.features['stimer'].offered)


class NoLibvirtTestCase(base.CommandTestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(base.InstalledModule('libvirt', None))

    def test_a_connection_needs_libvirt_python(self):
        self.assertRefused(
            self.call('host', 'show'),
            'No connection to libvirt at qemu:///system: the Python package '
            'libvirt-python is missing',
        )

    def test_a_saved_document_does_not(self):
        path = self.write_document()

        result = self.call('host', 'show', '--domcaps', path)

        self.assertEqual(0, result.code, result.err)
