# SPDX-License-Identifier: Apache-2.0

import csv
import io
import json

import ddt
import fixtures
import yaml

from nova_hyperv_enlight.host import kvm
from tests.unit.cmd import base
from tests.unit.domains import guests

COLUMNS = ['domain', 'code', 'name', 'text', 'severity']
#: What the saved document's host offers of the baseline.
KERNEL = kvm.KernelFacts(hyperv=True, time=True)
FAULTY = guests.document('faulty', hpet='yes')
GOOD = guests.document('good')
UNKNOWN = guests.document('unknown', metadata='', hpet='yes')
FORMATS = {
    'csv': lambda text: list(csv.DictReader(text.splitlines())),
    'json': json.loads,
    'yaml': yaml.safe_load,
}


class Connection(base.FakeConnection, guests.Connection):
    """A connection to a host that has these guests."""

    def __init__(self, documents, answer=None):
        base.FakeConnection.__init__(self, answer or base.document())
        guests.Connection.__init__(self, documents)


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self):
        return True


class AuditTestCase(base.CommandTestCase):
    def setUp(self):
        super().setUp()
        self.use_kernel(KERNEL)

    def use(self, answer=None, **documents):
        """Let libvirt have these guests; a value may be an exception."""
        connection = Connection(documents, answer)
        self.libvirt = self.useFixture(base.FakeLibvirt(connection))
        return connection

    def audit(self, *argv):
        """Run the command.

        :returns: its result, and the rows.
        """
        result = self.call('domain', 'audit', '--long', *argv, '-f', 'json')
        return result, json.loads(result.out or 'null')

    def codes(self, *argv):
        """Return what is found, as names of domains and codes."""
        return [(r['domain'], r['code']) for r in self.audit(*argv)[1]]


@ddt.ddt
class FoundTestCase(AuditTestCase):
    def test_nothing_is_found(self):
        connection = self.use(good=GOOD)

        result, rows = self.audit()

        self.assertEqual((0, []), (result.code, rows))
        self.assertEqual(
            '1 of 1 domains are Windows guests; findings: 0.\n', result.err
        )
        self.assertTrue(connection.closed)

    def test_something_is_found(self):
        connection = self.use(faulty=FAULTY, good=GOOD, unknown=UNKNOWN)

        result, rows = self.audit()

        self.assertEqual(3, result.code)
        self.assertEqual(
            [
                {
                    'domain': 'faulty',
                    'code': 'hpet',
                    'name': 'hpet',
                    'text': 'The HPET is on: Windows may tick on it, at the '
                    'cost of host CPU.',
                    'severity': 'costs-cpu',
                }
            ],
            rows,
        )
        self.assertIn('2 of 3 domains are Windows guests', result.err)
        self.assertTrue(connection.closed)

    @ddt.data(*FORMATS)
    def test_format(self, name):
        self.use(faulty=FAULTY)

        result = self.call('domain', 'audit', '--long', '-f', name)

        (row,) = FORMATS[name](result.out)
        self.assertEqual(3, result.code)
        self.assertEqual(set(COLUMNS), set(row))

    def test_table(self):
        self.use(faulty=FAULTY)

        result = self.call('domain', 'audit', '--long')

        header = result.out.splitlines()[1]
        self.assertEqual(
            COLUMNS, [cell.strip() for cell in header.strip('|').split('|')]
        )

    def test_what_cannot_be_read_is_a_row(self):
        self.use(
            gone=guests.Failed('Domain not found', code=42),
            odd='<domain/>',
            good=GOOD,
            secret=guests.Failed('access denied'),
        )

        result, rows = self.audit()

        self.assertEqual(3, result.code)
        self.assertEqual(
            [
                ('gone', 'vanished'),
                ('odd', 'unreadable'),
                ('secret', 'unreadable'),
            ],
            [(row['domain'], row['code']) for row in rows],
        )
        self.assertIn('1 of 4 domains are Windows guests', result.err)


class SeverityTestCase(AuditTestCase):
    """Two guests that lack runtime and have the HPET; one is unreadable."""

    def setUp(self):
        super().setUp()
        self.use(
            lacking=guests.document(
                'lacking',
                features=guests.BASELINE.replace('<runtime state="on"/>', ''),
                hpet='yes',
            ),
            secret=guests.Failed('access denied'),
        )

    def severities(self, *argv):
        result, rows = self.audit(*argv)
        return result, {row['code']: row['severity'] for row in rows}

    def test_all_are_shown(self):
        result, found = self.severities()

        self.assertEqual(3, result.code)
        self.assertEqual(
            {
                'missing': 'no-effect',
                'hpet': 'costs-cpu',
                'unreadable': 'unknown',
            },
            found,
        )
        self.assertIn(
            'findings: 3 (unknown 1, costs-cpu 1, no-effect 1).\n', result.err
        )

    def test_as_bad_or_worse(self):
        result, found = self.severities('--severity', 'costs-cpu')

        self.assertEqual(3, result.code)
        self.assertEqual({'hpet', 'unreadable'}, set(found))
        self.assertIn('; less severe and not shown: 1.\n', result.err)

    def test_what_could_not_be_looked_at_is_never_hidden(self):
        result, found = self.severities('--severity', 'breaks-guest')

        self.assertEqual(3, result.code)
        self.assertEqual({'unreadable'}, set(found))

    def test_what_is_not_shown_does_not_count(self):
        result, rows = self.audit('lacking', '--severity', 'breaks-migration')

        self.assertEqual((0, []), (result.code, rows))
        self.assertIn('; less severe and not shown: 2.\n', result.err)

    def test_a_level_that_is_not_there(self):
        result = self.call('domain', 'audit', '--severity', 'high')

        self.assertEqual((2, ''), (result.code, result.out))
        self.assertIn('breaks-migration', result.err)


class ChosenTestCase(AuditTestCase):
    def test_some_domains(self):
        connection = self.use(faulty=FAULTY, good=GOOD)

        self.assertEqual([], self.codes('good'))
        self.assertEqual(0, connection.guests['faulty'].read)

    def test_a_domain_that_is_not_there(self):
        connection = self.use(good=GOOD)

        result = self.call('domain', 'audit', 'good', 'bogus')

        self.assertRefused(result, "no domain 'bogus'", 'not found')
        self.assertEqual(0, connection.guests['good'].read)
        self.assertTrue(connection.closed)

    def test_windows(self):
        self.use(unknown=UNKNOWN, faulty=FAULTY)

        self.assertEqual([('faulty', 'hpet')], self.codes())
        self.assertEqual(
            [('faulty', 'hpet'), ('unknown', 'hpet')],
            self.codes('--windows', 'unknown'),
        )

    def test_windows_beside_others(self):
        self.use(faulty=FAULTY, unknown=UNKNOWN, good=GOOD)

        self.assertEqual(
            [('unknown', 'hpet')], self.codes('good', '--windows', 'unknown')
        )

    def test_windows_that_is_not_there(self):
        self.use(good=GOOD)

        result = self.call('domain', 'audit', '--windows', 'bogus')

        self.assertRefused(result, "no domain 'bogus'")

    def test_a_domain_that_is_not_known_to_be_windows(self):
        self.use(unknown=UNKNOWN)

        result, rows = self.audit('unknown')

        self.assertEqual((0, []), (result.code, rows))
        self.assertIn(
            'Nothing says that unknown is a Windows guest', result.err
        )


class ComparedTestCase(AuditTestCase):
    def test_profile(self):
        bare = guests.document('bare', features='', timers='')
        self.use(bare=bare)

        self.assertEqual([], self.codes('--profile', 'none'))
        self.assertEqual(
            [('bare', 'missing')] * 4, self.codes('--profile', 'minimal')
        )

    def test_a_profile_that_is_not_there(self):
        connection = self.use(good=GOOD)

        result = self.call('domain', 'audit', '--profile', 'bogus')

        self.assertRefused(result, "Unknown profile 'bogus'", 'baseline')
        self.assertEqual(0, connection.guests['good'].read)

    def test_option(self):
        bare = guests.document('bare', features='', timers='')
        self.use(bare=bare)

        self.assertEqual([], self.codes('--option', 'profile=none'))

    def test_what_nova_conf_leaves_to_nova_is_audited(self):
        bare = guests.document('bare', features='', timers='')
        self.use(bare=bare)

        self.assertNotEqual([], self.codes('--option', 'enabled=false'))

    def test_not_delivered(self):
        self.use(base.document(names=('relaxed', 'spinlocks')), good=GOOD)

        found = self.codes()

        self.assertIn(('good', 'not-delivered'), found)

    def test_the_host_is_asked_once(self):
        connection = self.use(good=GOOD, faulty=FAULTY)

        self.audit()

        self.assertEqual(
            [(None, 'x86_64', 'pc-q35-10.1', 'kvm', 0)], connection.asked
        )

    def test_a_host_that_cannot_be_asked_is_asked_once(self):
        failed = self.libvirt_error('not supported')
        connection = self.use(failed, good=GOOD, faulty=FAULTY)

        result, _ = self.audit()

        self.assertEqual(1, len(connection.asked))
        self.assertIn('not supported', result.err)

    def libvirt_error(self, text):
        return base.FakeLibvirt.libvirtError(text)

    def test_a_saved_document(self):
        connection = self.use(good=GOOD)
        asked = self.use_kernel()
        path = self.write_document(names=('relaxed', 'spinlocks'))

        found = self.codes('--domcaps', path)

        self.assertIn(('good', 'not-delivered'), found)
        self.assertEqual(([], []), (connection.asked, asked))
        self.assertEqual(['qemu:///system'], self.libvirt.read_only)

    def test_a_saved_document_that_cannot_be_read(self):
        self.use(good=GOOD)

        result = self.call('domain', 'audit', '--domcaps', '/no/such')

        self.assertRefused(result, '/no/such')

    def test_no_libvirt(self):
        self.libvirt = self.useFixture(base.FakeLibvirt())
        self.libvirt.connection = self.libvirt.libvirtError('no socket')

        result = self.call('domain', 'audit', '--connect', 'qemu:///session')

        self.assertRefused(result, 'qemu:///session', 'no socket')


@ddt.ddt
class ProgressTestCase(AuditTestCase):
    def bar(self, *argv, err=None, out=None, delay=0.0):
        """Return what is written to standard error.

        :param delay: how long nothing is shown.
        """
        self.use(faulty=FAULTY, good=GOOD)
        name = 'nova_hyperv_enlight.cmd.audit._DELAY_SECONDS'
        with fixtures.MonkeyPatch(name, delay):
            return self.call(
                'domain', 'audit', *argv, out=out, err=err or Terminal()
            ).err

    def test_on_a_terminal(self):
        self.assertIn('0/2 [', self.bar())

    def test_the_last_line_is_not_the_bar(self):
        self.assertTrue(
            self.bar().endswith(
                '2 of 2 domains are Windows guests; findings: 1 '
                '(costs-cpu 1).\n'
            )
        )

    def test_not_within_the_first_second(self):
        self.assertNotIn('/2 [', self.bar(delay=1.0))

    def test_not_where_it_is_no_terminal(self):
        self.assertNotIn('/2 [', self.bar(err=io.StringIO()))

    @ddt.unpack
    @ddt.data(('csv', False), ('value', False), ('json', True))
    def test_not_among_rows_on_the_same_terminal(self, format, shown):
        err = self.bar('-f', format, out=Terminal())

        self.assertIs(shown, '0/2 [' in err)

    def test_beside_rows_that_go_elsewhere(self):
        self.assertIn('0/2 [', self.bar('-f', 'csv'))
