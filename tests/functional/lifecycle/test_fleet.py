# SPDX-License-Identifier: Apache-2.0

"""The fleet commands, against the real API of Nova and the real placement."""

import io
import json
import logging
import shlex

import fixtures

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.cmd import main
from tests.functional import cloud
from tests.functional import guest
from tests.functional.lifecycle import base
from tests.functional.lifecycle import migration

#: What a host that lists nothing newer offers beside what it lists.
POOR = {*base.POOR, 'hypervclock'}


class FleetMixin:
    """Runs the program on the cloud that the test's Nova is."""

    def setUp(self):
        super().setUp()
        # cliff adds handlers for its streams, and never takes them away.
        root = logging.getLogger()
        self.addCleanup(setattr, root, 'handlers', list(root.handlers))

    def log_in(self, user=cloud.ADMIN):
        return self.useFixture(
            cloud.Cloud(self.api_fixture, self.placement.fixture, user)
        )

    def call(self, *argv, **kwargs):
        """Run one of the fleet commands; see run_program()."""
        return self.run_program('fleet', *argv, **kwargs)

    def run_program(self, *argv, name=cloud.NAME):
        """Run the program.

        :returns: its exit code, and what it writes, for people and not
        """
        out, err = io.StringIO(), io.StringIO()
        with (
            cloud.RealSDK(),
            fixtures.MonkeyPatch('sys.stdout', out),
            fixtures.MonkeyPatch('sys.stderr', err),
        ):
            code = main.main([*argv, '--os-cloud', name])
        return code, out.getvalue(), err.getvalue()


class FleetTestCase(FleetMixin, base.LifeTestCase):
    """Three hosts: one that has everything, one that has little, one none."""

    def start_three(self):
        self.start('one')
        self.start('two', base.POOR, guest.AMD)
        self.start('three', base.RICH, guest.PLAIN)

    def baseline(self, *argv):
        """Return who is short of what."""
        code, out, _ = self.call('baseline', '-f', 'json', *argv)
        self.assertEqual(0, code)
        return {row['name']: row['missing'] for row in json.loads(out)}

    def assertRefused(self, result, *parts):
        code, out, err = result
        self.assertEqual((2, ''), (code, out), err)
        for part in parts:
            self.assertIn(part, err)

    def aggregate(self, name, *hosts, **metadata):
        """Make a host aggregate."""
        made = self.admin_api.post_aggregate({'aggregate': {'name': name}})
        for host in hosts:
            self.admin_api.add_host_to_aggregate(made['id'], host)
        if metadata:
            self.admin_api.post_aggregate_action(
                made['id'], {'set_metadata': {'metadata': metadata}}
            )

    def test_who_is_short_of_what(self):
        self.log_in()
        self.start_three()

        missing = self.baseline()

        self.assertEqual(
            list(enlightenments.ENLIGHTENMENTS), list(missing), missing
        )
        for name, hosts in missing.items():
            if name == 'reenlightenment':  # needs a frequency nobody tells
                expected = ['one', 'two', 'three']
            else:
                expected = ['three'] if name in POOR else ['two', 'three']
            self.assertEqual(expected, hosts, name)

    def test_a_host_that_reports_nothing_is_named(self):
        self.log_in()
        self.start_three()

        _, _, err = self.call('baseline')

        self.assertIn(
            'Short of everything, for they report no CUSTOM_HYPERV_* trait: '
            'three.',
            err,
        )

    def test_an_aggregate(self):
        self.log_in()
        self.start_three()
        self.aggregate('windows', 'one', 'two')
        self.aggregate('empty')

        missing = self.baseline('--aggregate', 'windows')

        self.assertEqual([], missing['vpindex'])
        self.assertEqual(['two'], missing['stimer'])
        self.assertRefused(
            self.call('baseline', '--aggregate', 'linux'),
            "The cloud 'functional' has no aggregate 'linux'; it has empty, "
            'windows.',
        )
        self.assertRefused(
            self.call('baseline', '--aggregate', 'empty'), 'no hosts'
        )

    def test_an_availability_zone(self):
        self.log_in()
        self.start_three()
        self.aggregate('east', 'one', availability_zone='east')
        self.aggregate('all', 'one', 'two', 'three')

        self.assertEqual(
            [], self.baseline('--availability-zone', 'east')['evmcs']
        )
        self.assertEqual(
            ['two', 'three'],
            self.baseline('--availability-zone', 'nova')['ipi'],
        )
        self.assertEqual(
            [],
            self.baseline('--availability-zone', 'east', '--aggregate', 'all')[
                'ipi'
            ],
        )
        self.assertRefused(
            self.call('baseline', '--availability-zone', 'west'),
            "has no availability zone 'west'; it has east, nova.",
        )

    def test_many_pages(self):
        self.flags(max_limit=1, group='api')
        self.log_in()
        self.start_three()

        self.assertEqual(
            ['one', 'two', 'three'], self.baseline()['reenlightenment']
        )

    def test_the_lowest_microversions(self):
        asked = self.log_in().asked
        self.start('one')
        self.aggregate('windows', 'one')

        self.baseline('--aggregate', 'windows', '--availability-zone', 'nova')

        self.assertEqual({'2.1', '2.53'}, set(asked['compute']))
        self.assertEqual({'1.6', '1.18'}, set(asked['placement']))

    def test_traits_of_others(self):
        self.log_in()
        self.start('one')
        provider = self.compute_rp_uuids['one']
        self._create_trait('CUSTOM_HYPERV_SITE')
        self._create_trait('CUSTOM_HYPERV_NOWHERE')
        self._set_provider_traits(
            provider,
            [*self._get_provider_traits(provider), 'CUSTOM_HYPERV_SITE'],
        )

        _, _, err = self.call('baseline')

        self.assertIn(
            "Not known here, and passed over: 'CUSTOM_HYPERV_SITE' (in cloud "
            'functional)',
            err,
        )

    def test_check(self):
        self.log_in()
        self.start_three()

        code, out, _ = self.call('check', 'one', 'two', '-f', 'json')
        back = self.call('check', 'two', 'one', '--profile', 'minimal')

        self.assertEqual(3, code)
        rows = {row['name']: row['text'] for row in json.loads(out)}
        self.assertEqual(guest.BASELINE - POOR, set(rows))
        self.assertEqual(
            "'ipi' is missing there: placement does not have "
            'CUSTOM_HYPERV_IPI of it.',
            rows['ipi'],
        )
        self.assertEqual(0, back[0])
        self.assertIn('would migrate from two to one', back[2])
        self.assertRefused(
            self.call('check', 'one', 'four'),
            "The cloud 'functional' has no host 'four'; it has one, two, "
            'three.',
        )

    def test_the_vendor_comes_from_nova(self):
        self.log_in()
        self.start('one')

        # Nova's fake host has an Intel processor.
        _, _, err = self.call('baseline', '--vendor', 'Intel')

        self.assertIn('Every Intel host (1): the same.', err)

    def test_what_it_prints(self):
        self.log_in()
        self.start('one')
        self.start('two', base.POOR)

        code, out, _ = self.call('baseline', '--print-config')

        self.assertEqual(0, code)
        (command,) = [
            line for line in out.splitlines() if line.startswith('openstack ')
        ]
        words = shlex.split(command)
        # Nova's API accepts it.
        specs = dict(word.split('=') for word in words[4:-1:2])
        self.assertEqual('baseline', specs['hyperv_enlight:profile'])
        self.assertEqual('off', specs['hyperv_enlight:stimer.direct'])
        self.assertSwitchedOn(POOR, self.boot(base.WINDOWS, specs))

    def test_no_such_user(self):
        self.log_in('somebody')
        self.start('one')

        self.assertRefused(
            self.call('baseline'),
            'The cloud functional cannot be asked: ',
            "Policy doesn't allow os_compute_api:os-hypervisors",
        )

    def test_no_such_cloud(self):
        self.log_in()

        self.assertRefused(
            self.call('baseline', name='other'),
            'The cloud other cannot be asked: ',
            'other',
        )


class SameRulesTestCase(FleetMixin, migration.LiveMigrationTestCase):
    """What the program foretells is what the driver does."""

    def test_live_migrations(self):
        self.log_in()
        self.start('one')
        self.start('two')
        self.start('three', base.POOR)
        server = self.boot(base.WINDOWS)

        for host, code, status in (
            ('three', 3, 'error'),
            ('two', 0, 'completed'),
        ):
            foretold = self.call('check', 'one', host, '-f', 'json')
            migrated, action = self.live_migrate(server, host)

            self.assertEqual((code, status), (foretold[0], migrated['status']))
            said = str(action['events'])
            for row in json.loads(foretold[1]):
                self.assertIn(repr(row['name']), said)
