# SPDX-License-Identifier: Apache-2.0

"""``fleet audit`` of the documents that ``domain audit`` writes."""

import csv
import json

import ddt

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.fleet import audits
from tests.unit.cmd import base

WANTED = ('relaxed', 'vapic', 'stimer')
LACKS = audits.Finding(
    code='missing',
    name='stimer',
    severity=model.Severity.COSTS_CPU,
    text="'stimer' is off.",
    to_do='Hard reboot the server.',
)
BREAKS = audits.Finding(
    code='not-delivered',
    name='evmcs',
    severity=model.Severity.BREAKS_MIGRATION,
    text="'evmcs' is on.",
    to_do='Move it nowhere.',
)
WEB = audits.Guest(
    domain='instance-0000002a',
    server='web',
    uuid='6f70656e-7374-6163-6b2d-77696e646f77',
    project='demo',
    flavor='big',
    has=('relaxed', 'vapic'),
    wanted=WANTED,
    findings=(LACKS,),
)
GOOD = audits.Guest(domain='good', has=WANTED, wanted=WANTED)
BAD = audits.Guest(
    domain='bad', has=(*WANTED, 'evmcs'), wanted=WANTED, findings=(BREAKS,)
)


def document(host, *guests, least=model.Severity.NO_EFFECT, **changes):
    """Return the document of a host with these guests, changed."""
    audit = audits.Audit(
        host=host,
        time=f'2026-11-25T04:00:0{len(guests)}+00:00',
        domains=9,
        whole=True,
        least=least,
        guests=guests,
    )
    return json.dumps({**audits.write(audit), **changes})


@ddt.ddt
class FleetAuditTestCase(base.CommandTestCase):
    def save(self, name, *args, **kwargs):
        return self.write(f'{name}.json', document(name, *args, **kwargs))

    def rows(self, *argv):
        result = self.call('fleet', 'audit', *argv, '-f', 'json')
        return result, json.loads(result.out)

    def setUp(self):
        super().setUp()
        self.two = self.save('cmp2', GOOD, BAD)
        self.one = self.save('cmp1', WEB)

    def test_a_row_for_each_guest_by_host(self):
        result, rows = self.rows(self.two, self.one)

        self.assertEqual(3, result.code)
        self.assertEqual(
            [('cmp1', 'web'), ('cmp2', ''), ('cmp2', '')],
            [(row['host'], row['server']) for row in rows],
        )
        self.assertEqual(
            {
                'host': 'cmp1',
                'domain': 'instance-0000002a',
                'server': 'web',
                'uuid': WEB.uuid,
                'project': 'demo',
                'flavor': 'big',
                'has': ['relaxed', 'vapic'],
                'wanted': list(WANTED),
                'lacks': ['stimer'],
                'findings': 1,
                'severity': 'costs-cpu',
                'code': 'missing',
                'to_do': 'Hard reboot the server.',
                'time': '2026-11-25T04:00:01+00:00',
            },
            rows[0],
        )

    def test_the_sum(self):
        self.assertEqual(
            'Hosts: 2, audited from 2026-11-25T04:00:01+00:00 to '
            '2026-11-25T04:00:02+00:00; guests shown: 3, with findings: 2; '
            'findings: 2 (breaks-migration 1, costs-cpu 1).',
            self.call('fleet', 'audit', self.two, self.one).err.strip(),
        )

    def test_people_see_what_each_lacks(self):
        out = self.call('fleet', 'audit', self.two, self.one).out

        for part in ('| cmp1 ', '| web ', '| 2 of 3 | lacks stimer '):
            self.assertIn(part, out)
        self.assertIn('| project demo |', out)
        self.assertGreater(80, max(map(len, out.splitlines())))

    def test_a_table_of_long_names_is_not_too_wide(self):
        guest = audits.Guest(domain='x' * 300, findings=(BREAKS,))
        path = self.save('compute-17.rack-4.example.org', guest)

        out = self.call('fleet', 'audit', path).out

        self.assertGreater(80, max(map(len, out.splitlines())))

    def test_csv(self):
        out = self.call('fleet', 'audit', self.one, '-f', 'csv').out

        (row,) = csv.DictReader(out.splitlines())
        self.assertEqual('relaxed vapic stimer', row['wanted'])

    def test_long(self):
        result, rows = self.rows('--long', self.two, self.one)

        self.assertEqual(3, result.code)
        self.assertEqual(
            [('cmp1', 'missing'), ('cmp2', 'not-delivered')],
            [(row['host'], row['code']) for row in rows],
        )

    def test_severity(self):
        result, rows = self.rows(
            self.two, self.one, '--severity', 'breaks-migration'
        )

        self.assertEqual(3, result.code)
        self.assertEqual(['bad'], [row['domain'] for row in rows])

    def test_nothing_found(self):
        result, rows = self.rows(self.save('cmp3', GOOD))

        self.assertEqual((0, ['good']), (result.code, [rows[0]['domain']]))

    def test_a_document_of_one_severity(self):
        less = self.save('cmp3', BAD, least=model.Severity.BREAKS_MIGRATION)

        self.assertRefused(
            self.call('fleet', 'audit', self.one, less),
            f'{less} has only what breaks-migration or worse is',
            'without --severity',
        )
        result = self.call(
            'fleet', 'audit', self.one, less, '--severity=breaks-migration'
        )
        self.assertEqual(3, result.code)

    def test_a_document_of_some_guests(self):
        some = self.save('cmp3', GOOD, whole=False)

        result = self.call('fleet', 'audit', self.one, some)

        self.assertIn('Not all guests are here of cmp3: ', result.err)

    def test_a_guest_of_two_hosts(self):
        result = self.call('fleet', 'audit', self.one, self.save('cmp3', WEB))

        self.assertIn(f'left behind: {WEB.uuid} (cmp1, cmp3).', result.err)

    def test_a_host_twice(self):
        again = self.write('again.json', document('cmp1', GOOD))

        self.assertRefused(
            self.call('fleet', 'audit', self.one, again),
            f"The host 'cmp1' is there twice: {self.one} and {again}. ",
        )

    def test_a_host_without_a_name(self):
        path = self.write('cmp9.json', document('', GOOD))

        self.assertEqual('cmp9', self.rows(path)[1][0]['host'])

    @ddt.unpack
    @ddt.data(
        ('[]', 'it is of an older release: run '),
        ('{}', 'it is not a document that "nova-hyperv-enlight domain'),
        (document('a', version=None), 'it is of an older release: run '),
        (document('a', version=2), 'upgrade nova-hyperv-enlight here'),
        (document('a', domains='9'), "'domains' is not a number"),
        (document('a', whole=1), "'whole' is neither true nor false"),
        (document('a', severity='x'), "there is no severity 'x'"),
        (document('a', guests={}), "'guests' is not a list of objects"),
        (document('a', guests=[{}]), "'domain' is not a text"),
        (document('a\n', GOOD), "'host' cannot be printed"),
        ('', 'it is empty'),
    )
    def test_a_bad_file_stops_all(self, text, reason):
        path = self.write('bad.json', text)

        self.assertRefused(
            self.call('fleet', 'audit', self.one, path, self.two),
            f'{path} cannot be read: ',
            reason,
        )

    def test_no_file(self):
        self.assertRefused(
            self.call('fleet', 'audit', self.one, 'absent.json'),
            'absent.json cannot be read: No such file or directory',
        )
