# SPDX-License-Identifier: Apache-2.0

import csv
import json
import types

import ddt
import fixtures
import yaml

from nova_hyperv_enlight.fleet import cloud
from tests.unit.cmd import base
from tests.unit.fleet import hosts
from tests.unit.policy import cases


class FleetTestCase(base.CommandTestCase):
    """Base of the tests of the fleet commands, with saved documents."""

    def save(self, name, *args, **kwargs):
        """Save a host's document and return its path; see hosts.text()."""
        return self.write(f'{name}.json', hosts.text(*args, **kwargs))

    def call_rows(self, *argv):
        """Return the rows that a command shows, whatever else it says."""
        result = self.call('fleet', *argv, '-f', 'json')
        self.assertIn(result.code, (0, 3), result.err)
        return {row['name']: row for row in json.loads(result.out)}


@ddt.ddt
class BaselineTestCase(FleetTestCase):
    def setUp(self):
        super().setUp()
        self.paths = [
            self.save('a', cases.BASELINE | {'evmcs'}, vendor=cases.INTEL),
            self.save('b', cases.BASELINE - {'synic'}, vendor=cases.AMD),
        ]

    def test_rows(self):
        rows = self.call_rows('baseline', *self.paths)

        self.assertEqual(list(cases.NAMES), list(rows))
        self.assertEqual(
            {'name': 'relaxed', 'hosts': 2, 'missing': []}, rows['relaxed']
        )
        self.assertEqual(
            {'name': 'stimer', 'hosts': 1, 'missing': ['b']}, rows['stimer']
        )
        self.assertEqual(
            {'name': 'avic', 'hosts': 0, 'missing': ['a', 'b']}, rows['avic']
        )

    def test_what_it_says(self):
        result = self.call('fleet', 'baseline', *self.paths)

        self.assertEqual(0, result.code)
        self.assertEqual(
            [
                'Every host (2): relaxed, vapic, spinlocks, vpindex, '
                'runtime, reset, frequencies, tlbflush, ipi, hypervclock.',
                'Every AMD host (1): the same.',
                'Every Intel host (1): also synic, stimer, evmcs, '
                'stimer.direct.',
            ],
            result.err.splitlines(),
        )

    def test_who_is_outside(self):
        paths = [self.save(f'c{place}', cases.MINIMAL) for place in range(3)]

        result = self.call('fleet', 'baseline', *paths, self.save('d', ()))

        self.assertEqual(0, result.code)
        self.assertIn(
            '3 of 4 hosts share relaxed, vapic, spinlocks, hypervclock. '
            'Outside, for they are short of some of it: d.',
            result.err,
        )

    def test_quorum(self):
        paths = [self.save('c', cases.MINIMAL), self.save('d', ())]

        half = self.call('fleet', 'baseline', *paths, '--quorum', '50')
        all_ = self.call('fleet', 'baseline', *paths, '--quorum', '100')

        self.assertNotIn('Nothing is shared', half.err)
        self.assertIn('Nothing is shared by 100 % of the hosts', all_.err)
        for wrong in ('0', '101', '-1', 'most', '5.5'):
            result = self.call('fleet', 'baseline', f'--quorum={wrong}', 'c')
            self.assertEqual(2, result.code)
            self.assertIn('is not a whole number from 1 to 100', result.err)

    def test_matrix(self):
        paths = [self.save(f'c{place}', cases.MINIMAL) for place in range(3)]
        argv = ('fleet', 'baseline', '--matrix', self.save('d', ()), *paths)

        people = self.call(*argv).out
        *_, last = rows = json.loads(self.call(*argv, '-f', 'json').out)

        self.assertEqual(
            ['host', 'vendor', 'outside', *cases.NAMES], list(last)
        )
        self.assertEqual(
            [('d', 'yes', 'no')] + [(f'c{n}', 'no', 'yes') for n in range(3)],
            [(row['host'], row['outside'], row['vapic']) for row in rows],
        )
        self.assertIn('| d    | Intel  | 0 of 21  | yes     | relaxed', people)
        self.assertIn('| c0   | Intel  | 4 of 21  | no      | -  ', people)
        self.assertGreater(80, max(map(len, people.splitlines())))

    def test_nothing_in_common(self):
        path = self.save('c', ())

        result = self.call('fleet', 'baseline', path, *self.paths)

        self.assertIn('Every host (3): nothing.', result.err)

    def test_people_see_the_first_hosts(self):
        paths = [self.save(f'c{place}', ()) for place in range(7)]

        table = self.call('fleet', 'baseline', *paths).out
        read = self.call('fleet', 'baseline', *paths, '-f', 'yaml').out

        self.assertIn('| c0, c1, c2, c3, c4 and 2 more |', table)
        self.assertEqual(
            [f'c{place}' for place in range(7)],
            yaml.safe_load(read)[0]['missing'],
        )

    def test_csv(self):
        out = self.call('fleet', 'baseline', *self.paths, '-f', 'csv').out

        rows = list(csv.DictReader(out.splitlines()))
        self.assertEqual(['name', 'hosts', 'missing'], list(rows[0]))
        self.assertEqual(len(cases.NAMES), len(rows))

    def test_print_config(self):
        result = self.call('fleet', 'baseline', *self.paths, '--print-config')

        self.assertEqual((0, ''), (result.code, result.err))
        self.assertEqual(
            [
                '# In nova.conf, for all 2 hosts:',
                '[hyperv_enlight]',
                'profile = baseline',
                'force_off = synic,stimer,stimer.direct',
            ],
            result.out.splitlines()[:4],
        )
        self.assertIn('\nopenstack flavor set --property ', result.out)

    def test_print_config_in_a_format(self):
        result = self.call(
            'fleet', 'baseline', *self.paths, '--print-config', '-f', 'json'
        )

        lines = [row['line'] for row in json.loads(result.out)]
        self.assertIn('profile = baseline', lines)

    def test_vendor(self):
        odd = self.save('c', cases.MINIMAL, vendor=None)

        result = self.call(
            'fleet',
            'baseline',
            *self.paths,
            odd,
            '--vendor',
            'Intel',
            '-f',
            'json',
        )

        rows = {row['name']: row['hosts'] for row in json.loads(result.out)}
        self.assertEqual(1, rows['evmcs'])
        self.assertIn(
            'Passed over, for their vendor is not known: c', result.err
        )
        self.assertIn('Every host (1): ', result.err)

    def test_documents_without_a_description(self):
        # The name is the file's, the vendor is not known.
        path = self.save('c', cases.MINIMAL, describe=False)

        rows = self.call_rows('baseline', *self.paths, path)
        said = self.call('fleet', 'baseline', path).err

        self.assertEqual(['b', 'c'], rows['stimer']['missing'])
        self.assertIn(
            'Every host of which the vendor is not known (1): the same.', said
        )

    def test_a_newer_plugin(self):
        paths = []
        for name in ('c', 'd'):
            rows = hosts.rows(cases.make_host())
            rows += [
                {'name': novelty, 'offered': 'yes'}
                for novelty in ('novel', 'newer')
            ]
            paths.append(self.write(f'{name}.json', json.dumps(rows)))

        result = self.call('fleet', 'baseline', *self.paths, *paths)

        self.assertEqual(0, result.code)
        self.assertIn(
            "Not known here, and passed over: 'newer', 'novel' (in "
            f'{paths[0]}, {paths[1]})',
            result.err,
        )

    def test_the_same_host_twice(self):
        other = self.write('other.json', hosts.text(name='a'))

        self.assertRefused(
            self.call('fleet', 'baseline', *self.paths, other),
            f"The host 'a' is there twice: {self.paths[0]} and {other}.",
        )

    @ddt.unpack
    @ddt.data(
        ('', 'it is empty'),
        ('{', 'it is not JSON'),
        ('{"relaxed": "yes"}', 'it is neither a document nor a list of rows'),
    )
    def test_malformed(self, text, reason):
        path = self.write('bad.json', text)

        self.assertRefused(
            self.call('fleet', 'baseline', *self.paths, path),
            f'{path} cannot be read: {reason}',
        )

    def test_no_file(self):
        self.assertRefused(
            self.call('fleet', 'baseline', 'absent.json'),
            'absent.json cannot be read: No such file or directory',
        )

    @ddt.unpack
    @ddt.data(
        ((), 'Name either files or, by --os-cloud, a cloud.'),
        (('a.json', '--os-cloud', 'c'), 'Name either files or'),
        (('a.json', '--aggregate', 'x'), 'go with --os-cloud.'),
        (('a.json', '--availability-zone', 'x'), 'go with --os-cloud.'),
    )
    def test_what_does_not_go_together(self, argv, reason):
        self.assertRefused(self.call('fleet', 'baseline', *argv), reason)

    def test_a_vendor_without_hosts(self):
        self.assertRefused(
            self.call('fleet', 'baseline', self.paths[0], '--vendor', 'AMD'),
            'There are no hosts.',
        )


class OthersTestCase(FleetTestCase):
    def test_what_is_no_qemu_host_is_named(self):
        host = hosts.make('compute1', cases.BASELINE)
        found = cloud.CloudHosts(
            hosts=(host,), others=('esx', 'metal'), silent=(), unknown=()
        )
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_hyperv_enlight.fleet.cloud.Cloud',
                lambda name: types.SimpleNamespace(
                    read=lambda aggregate, zone: found
                ),
            )
        )

        result = self.call('fleet', 'baseline', '--os-cloud', 'mine')

        self.assertEqual(0, result.code)
        self.assertIn(
            'Passed over, for they are no QEMU hosts: esx, metal', result.err
        )
        self.assertIn('Every host (1): ', result.err)


class NoSDKTestCase(base.CommandTestCase):
    """A cloud needs openstacksdk, and all else does not."""

    def setUp(self):
        super().setUp()
        self.useFixture(base.InstalledModule('openstack', None))

    def test_a_cloud(self):
        for argv in (('baseline',), ('check', 'a', 'b')):
            self.assertRefused(
                self.call('fleet', *argv, '--os-cloud', 'mine'),
                'The cloud mine cannot be asked: the Python package '
                'openstacksdk is missing',
                'nova-hyperv-enlight[cloud]',
            )

    def test_documents(self):
        path = self.write('a.json', hosts.text())

        self.assertEqual(0, self.call('fleet', 'baseline', path).code)
