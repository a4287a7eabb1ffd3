# SPDX-License-Identifier: Apache-2.0

"""``domain audit`` by guest: for people, for programs, and from files."""

import csv
import json

import fixtures

from nova_hyperv_enlight.fleet import audits
from tests.unit.cmd import base
from tests.unit.cmd import test_audit
from tests.unit.domains import guests

UUID = '6f70656e-7374-6163-6b2d-77696e646f77'
WEB = guests.document(
    'instance-0000002a',
    uuid=f'<uuid>{UUID}</uuid>',
    metadata=guests.of_nova({'os_type': 'windows'}),
    features=guests.BASELINE.replace('<runtime state="on"/>', ''),
)


class GuestsTestCase(test_audit.AuditTestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch('socket.gethostname', lambda: 'cmp1')
        )

    def document(self, *argv):
        result = self.call('domain', 'audit', *argv, '-f', 'json')
        return result, json.loads(result.out)

    def test_people_see_who_it_is_and_what_to_do(self):
        self.use(web=WEB, good=test_audit.GOOD)

        result = self.call('domain', 'audit')

        self.assertEqual(3, result.code)
        for part in (
            '| web  ',
            f'| {UUID} |',
            '| project demo, flavor big  ',
            '| 12 of 13 | no-effect: missing',
            '| good  ',
            '| 13 of 13 | -  ',
        ):
            self.assertIn(part, result.out)
        self.assertEqual({79}, set(map(len, result.out.splitlines())))

    def test_guests_of_which_nothing_is_shown_are_not(self):
        self.use(web=WEB, good=test_audit.GOOD)

        result = self.call('domain', 'audit', '--severity', 'costs-cpu')

        self.assertEqual((0, ''), (result.code, result.out.strip()))
        self.assertIn('less severe and not shown: 1', result.err)

    def test_programs_see_a_row_for_each_guest(self):
        self.use(web=WEB, faulty=test_audit.FAULTY)

        rows = list(
            csv.DictReader(
                self.call('domain', 'audit', '-f', 'csv').out.splitlines()
            )
        )

        faulty, web = rows
        self.assertEqual(
            ('instance-0000002a', 'web', UUID, 'demo', 'big', '12 of 13'),
            tuple(list(web.values())[:6]),
        )
        self.assertEqual(
            ('1', 'costs-cpu', 'hpet', 'domain apply --fix hpet', 'cmp1'),
            tuple(list(faulty.values())[6:11]),
        )

    def test_columns(self):
        self.use(web=WEB)

        result = self.call(
            'domain', 'audit', '-f', 'value', '-c', 'uuid', '-c', 'has'
        )

        self.assertEqual(f'{UUID} 12 of 13\n', result.out)

    def test_the_document(self):
        self.use(web=WEB, secret=guests.Failed('access denied'))

        result, found = self.document()
        path = self.directory / 'cmp1.json'
        path.write_text(result.out)
        read = audits.Reader().read(path)

        self.assertEqual(3, result.code)
        self.assertEqual(
            ('nova-hyperv-enlight audit', 1, 'cmp1', 2),
            tuple(
                found[k] for k in ('document', 'version', 'host', 'domains')
            ),
        )
        self.assertRegex(
            found['time'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$'
        )
        self.assertEqual(found, json.loads(json.dumps(audits.write(read))))
        secret, web = read.guests
        self.assertEqual(('runtime',), web.lacks)
        self.assertEqual('web', web.name)
        self.assertEqual('unreadable', secret.worst.code)
        self.assertEqual(('-', None), (secret.share, secret.wanted))

    def test_the_host_of_a_connection(self):
        self.use(web=WEB)

        _, found = self.document('--connect', 'qemu+ssh://root@cmp7/system')

        self.assertEqual('cmp7', found['host'])

    def test_columns_of_the_document(self):
        self.assertRefused(
            self.call('domain', 'audit', '-f', 'json', '-c', 'uuid'),
            'go with --long only',
        )

    def test_what_cannot_be_printed_is_no_obstacle(self):
        odd = WEB.replace('<nova:name>web', '<nova:name>w\u200be\tb')
        self.use(web=odd)

        result, found = self.document()
        path = self.directory / 'cmp1.json'
        path.write_text(result.out)

        self.assertEqual('w?e?b', audits.Reader().read(path).guests[0].server)


class LeftTestCase(test_audit.AuditTestCase):
    """What "domain apply" says that it does not cure."""

    def test_the_rest_is_named_with_what_cures_it(self):
        path = self.write('faulty.xml', test_audit.FAULTY)

        said = self.call('domain', 'apply', path).err

        self.assertIn(
            'faulty.xml: "domain audit" still finds hpet then: --fix hpet '
            'cures it.',
            said,
        )

    def test_nothing_is_left(self):
        path = self.write('faulty.xml', test_audit.FAULTY)

        for argv in (
            ('--profile', 'baseline', '--fix', 'hpet'),
            ('--off', 'ipi'),
        ):
            said = self.call('domain', 'apply', path, *argv).err

            self.assertNotIn('still finds', said)


class SavedTestCase(test_audit.AuditTestCase):
    """Files, without any libvirt."""

    def setUp(self):
        super().setUp()
        self.useFixture(base.InstalledModule('libvirt', None))
        self.faulty = self.write('b.xml', test_audit.FAULTY)
        self.good = self.write('a.xml', test_audit.GOOD)
        self.write('notes.txt', 'no XML')
        (self.directory / 'autostart').mkdir()

    def test_a_folder(self):
        result, rows = self.audit(str(self.directory))

        self.assertEqual(3, result.code)
        self.assertEqual(
            [('faulty', 'hpet')], [(r['domain'], r['code']) for r in rows]
        )
        self.assertIn('2 of 2 domains are Windows guests', result.err)
        self.assertIn('No host was asked', result.err)

    def test_files_in_their_order(self):
        result = self.call(
            *('domain', 'audit', self.faulty, self.good),
            *('-f', 'value', '-c', 'domain'),
        )

        self.assertEqual('faulty\ngood\n', result.out)

    def test_a_host_by_its_document(self):
        domcaps = self.write_document(names=('relaxed', 'spinlocks'))

        found = self.codes(self.good, '--domcaps', domcaps)

        self.assertIn(('good', 'not-delivered'), found)

    def test_a_host_by_a_connection(self):
        self.use(base.document(names=('relaxed', 'spinlocks')))

        found = self.codes(self.good, '--connect', 'qemu:///system')

        self.assertIn(('good', 'not-delivered'), found)

    def test_a_file_that_is_none(self):
        bad = self.write('bad.xml', '<domain')

        found = self.codes(bad, self.good)

        self.assertEqual([('bad', 'unreadable')], found)

    def test_a_file_that_is_no_text(self):
        (self.directory / 'bad.xml').write_bytes(b'\xff\xfe')

        found = self.codes(str(self.directory / 'bad.xml'))

        self.assertEqual([('bad', 'unreadable')], found)

    def test_windows(self):
        path = self.write('unknown.xml', test_audit.UNKNOWN)

        self.assertEqual([], self.codes(path))
        self.assertEqual(
            [('unknown', 'hpet')], self.codes(path, '--windows', 'unknown')
        )

    def test_what_is_not_there(self):
        self.assertRefused(
            self.call('domain', 'audit', './absent.xml'),
            'There is no file absent.xml.',
        )
        self.assertRefused(
            self.call('domain', 'audit', f'{self.directory}/autostart'),
            'There is no file *.xml in ',
        )

    def test_what_does_not_go_together(self):
        self.assertRefused(
            self.call('domain', 'audit', 'win', self.good),
            'either domains or files',
        )
        self.assertRefused(
            self.call(
                *('domain', 'audit', self.good, '--connect', 'test:///'),
                *('--domcaps', 'x'),
            ),
            'by --connect or by --domcaps',
        )
