# SPDX-License-Identifier: Apache-2.0
"""``domain audit`` on real libvirt: many guests, and real QEMU's."""

import collections
import contextlib
import io
import json
import os
import pathlib

import testtools

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.cmd import main
from nova_hyperv_enlight.domains import audit
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.policy import settings
from tests.real import cases
from tests.real import guests
from tests.real import kvm

_MANY = 300
_DOMCAPS = str(
    pathlib.Path(__file__).parents[1]
    / 'data/domaincaps/intel-libvirt12.4-qemu10.1-composed.xml'
)
_OSINFO = """
<metadata>
  <l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
    <l:os id='http://microsoft.com/win/2k22'/>
  </l:libosinfo>
</metadata>
"""
_DOMAIN = """
<domain type='{virt_type}'>
  <name>{name}</name>{metadata}
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='{machine}'>hvm</type></os>
  <features><acpi/><hyperv>{features}</hyperv></features>
  <clock offset='{offset}'>{timers}</clock>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""
_NO_HPET = "<timer name='hpet' present='no'/>"
_CLOCK = f"{_NO_HPET}<timer name='hypervclock' present='yes'/>"
_BASELINE = """
<relaxed state='on'/><vapic state='on'/><spinlocks state='on' retries='8191'/>
<vpindex state='on'/><runtime state='on'/><synic state='on'/>
<stimer state='on'><direct state='on'/></stimer><reset state='on'/>
<frequencies state='on'/><tlbflush state='on'/><ipi state='on'/>
"""


def _document(name, **changes):
    """Return a Windows guest at which nothing is to be found."""
    whole = {
        'virt_type': 'kvm',
        'metadata': _OSINFO,
        'machine': 'pc',
        'features': _BASELINE,
        'offset': 'localtime',
        'timers': _CLOCK,
    }
    return _DOMAIN.format(name=name, **{**whole, **changes})


def _call(*argv):
    """Run the program.

    :returns: its exit code, the rows, and what it said
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main.main(['domain', 'audit', '--long', '-f', 'json', *argv])
    return code, json.loads(out.getvalue() or 'null'), err.getvalue()


def _codes(rows):
    """Return how often each code was found."""
    return collections.Counter(row['code'] for row in rows)


def _offers(arch, machine, virt_type):
    return evaluation.evaluate(
        capabilities.Sources(virt_type=virt_type, arch=arch)
    )


class AuditManyTest(testtools.TestCase):
    """On libvirt's driver for tests, which starts nothing."""

    URI = 'test:///default'

    def setUp(self):
        super().setUp()
        try:
            import libvirt
        except ImportError as err:
            if os.environ.get('CI') == 'true':
                raise
            self.skipTest(str(err))
        libvirt.registerErrorHandler(lambda *args: None, None)
        # As long as it is open, whoever opens another one sees its guests.
        self.connection = libvirt.open(self.URI)
        self.addCleanup(self.connection.close)

    def define(self, name, **changes):
        return self.connection.defineXML(_document(name, **changes))

    def call(self, *argv):
        return _call('--connect', self.URI, '--domcaps', _DOMCAPS, *argv)

    def test_many_guests(self):
        faults = (
            {},
            {'features': ''},
            {'offset': 'utc'},
            {'timers': ''},
            {'metadata': '', 'features': ''},
            {'features': "<evmcs state='on'/><vapic state='on'/>"},
        )
        for number in range(_MANY):
            self.define(f'win-{number}', **faults[number % len(faults)])

        code, rows, err = self.call()

        each = _MANY // len(faults)
        baseline = len(guests.BASELINE)
        self.assertEqual(3, code)
        self.assertEqual(
            {
                'missing': each * (baseline - 1 + 1 + baseline - 2),
                'clock-utc': each,
                'hpet': each,
                'unmet-dependency': each,
                'no-nesting': each,
            },
            _codes(rows),
        )
        # libvirt's own domain "test" is there too.
        self.assertIn(
            f'{_MANY - each} of {_MANY + 1} domains are Windows guests', err
        )

    def test_nothing_is_found(self):
        self.define('good')

        code, rows, err = self.call('good')

        self.assertEqual((0, []), (code, rows))
        self.assertIn('1 of 1 domains are Windows guests', err)

    def test_windows(self):
        self.define('unknown', metadata='', offset='utc')

        self.assertEqual(0, self.call('unknown')[0])
        code, rows, _ = self.call('--windows', 'unknown')
        self.assertEqual(3, code)
        self.assertEqual({'clock-utc': 1}, _codes(rows))

    def test_a_guest_that_vanishes(self):
        for name in ('first', 'second', 'third'):
            self.define(name)
        chosen = audit.select(self.connection, ('first', 'second', 'third'))
        auditor = audit.Auditor(settings.Settings(profile='none'), _offers)

        self.connection.lookupByName('second').undefine()
        results = [auditor.audit(guest) for guest in chosen]

        self.assertEqual(
            [True, None, True], [each.windows for each in results]
        )
        self.assertEqual(
            ['vanished'], [each.kind.code for each in results[1].found]
        )

    def test_a_guest_that_was_never_there(self):
        code, rows, err = self.call('bogus')

        self.assertEqual((2, None), (code, rows))
        self.assertIn("no domain 'bogus'", err)


class AuditTest(cases.EmbeddedCase):
    """On the embedded driver, whose guests are those of QEMU."""

    def call(self, *argv):
        return _call('--connect', self.driver.uri, *argv)

    def define(self, name, **changes):
        changes = {'virt_type': 'qemu', **changes}
        return self.driver.connection.defineXML(_document(name, **changes))

    def test_the_emulator_delivers_nothing(self):
        self.define('win')

        code, rows, _ = self.call()

        self.assertEqual(3, code)
        self.assertEqual(
            [n for n in enlightenments.ENLIGHTENMENTS if n in guests.BASELINE],
            [row['name'] for row in rows],
        )
        self.assertEqual({'not-delivered': len(guests.BASELINE)}, _codes(rows))

    def test_what_libvirt_fills_in(self):
        """A guest that somebody has written down in a hurry."""
        domain = self.define('win', features='', timers='', offset='utc')
        before = domain.XMLDesc()

        code, rows, _ = self.call('win')

        self.assertEqual(3, code)
        self.assertEqual(['clock-utc', 'hpet'], [row['code'] for row in rows])
        self.assertEqual(before, domain.XMLDesc())

    def test_the_hpet_that_is_found_is_there(self):
        """libvirt tells QEMU to leave it out where the timer says so."""
        for timers, option in (('', False), (_NO_HPET, True)):
            document = _document(
                'win', virt_type='qemu', features='', timers=timers
            )
            argv = self.driver.connection.domainXMLToNative(
                'qemu-argv', document
            )
            told = '-no-hpet' in argv or 'hpet=off' in argv
            self.assertIs(option, told, argv)

    def test_a_guest_that_runs(self):
        document = _document(
            'win', virt_type='qemu', features="<relaxed state='on'/>"
        )
        domain = self.driver.connection.createXML(
            document.replace("<timer name='hypervclock' present='yes'/>", '')
        )
        self.addCleanup(domain.destroy)
        before = domain.XMLDesc()

        code, rows, _ = self.call()

        self.assertEqual(3, code)
        self.assertEqual(
            [('win', 'not-delivered', 'relaxed')],
            [(row['domain'], row['code'], row['name']) for row in rows],
        )
        self.assertTrue(domain.isActive())
        self.assertEqual(before, domain.XMLDesc())

    def test_a_guest_on_kvm(self):
        """What is not offered is found, and nothing else."""
        if kvm.missing():
            self.skipTest(kvm.missing())
        self.define('win', virt_type='kvm')

        code, rows, _ = self.call('--profile', 'baseline')

        asked = _call_host(self.driver.uri)
        lacked = [
            row['name']
            for row in asked
            if row['offered'] == 'no' and row['name'] in guests.BASELINE
        ]
        self.assertEqual(3 if lacked else 0, code)
        self.assertEqual(lacked, [row['name'] for row in rows])


def _call_host(uri):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main.main(['host', 'show', '-f', 'json', '--connect', uri])
    return json.loads(out.getvalue())
