# SPDX-License-Identifier: Apache-2.0
"""``domain apply`` on real libvirt: many guests, and real QEMU's."""

import contextlib
import io
import pathlib
import shutil
import subprocess

import fixtures
from lxml import etree
import testtools

from nova_hyperv_enlight.cmd import main
from nova_hyperv_enlight.domxml import hyperv
from tests.real import cases
from tests.real import guests

_MANY = 200
_DATA = pathlib.Path(__file__).parents[1] / 'data' / 'domaincaps'
#: A host with all that libvirt 9.0 knows of the baseline profile.
_DOMCAPS = str(_DATA / 'amd-libvirt9.0-qemu7.2-lab-pc.xml')
#: One with more than that.
_NEWER = str(_DATA / 'amd-libvirt12.8-qemu11.1-lab-pc.xml')
_SECRET = 'mellon'
_DOMAIN = f"""
<domain type='{{virt_type}}'>
  <name>{{name}}</name>
  <metadata>
    <l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
      <l:os id='{{system}}'/>
    </l:libosinfo>
    <site:note xmlns:site='urn:site'><![CDATA[<hyperv>]]> &amp; co</site:note>
  </metadata>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/>{{features}}<vmport state='off'/></features>
  <clock offset='localtime'>
    <timer name='rtc' tickpolicy='catchup'/>
    <timer name='hpet' present='no'/>
  </clock>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <graphics type='vnc' passwd='{_SECRET}'>
      <listen type='none'/>
    </graphics>
  </devices>
</domain>
"""
_WINDOWS = 'http://microsoft.com/win/11'
_LINUX = 'http://debian.org/debian/13'
INACTIVE, SECURE = 2, 1


def _document(name, **changes):
    whole = {'virt_type': 'kvm', 'system': _WINDOWS, 'features': ''}
    return _DOMAIN.format(name=name, **{**whole, **changes})


def _call(*argv):
    """Run the program.

    :returns: its exit code and what it printed
    """
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main.main(['domain', 'apply', *argv])
    return code, out.getvalue()


def _names(domain, flags=INACTIVE):
    return hyperv.read(etree.fromstring(domain.XMLDesc(flags))).features


class TestDriverCase(testtools.TestCase):
    """Base of the tests on libvirt's driver for tests.

    It starts nothing.
    """

    URI = 'test:///default'

    def setUp(self):
        super().setUp()
        try:
            import libvirt
        except ImportError as err:
            cases.require(self, str(err))
        libvirt.registerErrorHandler(lambda *args: None, None)
        # As long as it is open, whoever opens another one sees its guests.
        self.connection = libvirt.open(self.URI)
        self.addCleanup(self.connection.close)
        self.kept = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def define(self, name, **changes):
        """Define a guest that is there until the test ends."""
        domain = self.connection.defineXML(_document(name, **changes))
        self.addCleanup(domain.undefine)
        return domain

    def call(self, *argv):
        return _call(
            *('--connect', self.URI, '--domcaps', _DOMCAPS),
            *('--backup-dir', str(self.kept)),
            *argv,
        )


class ApplyManyTest(TestDriverCase):
    """On the guests of that driver."""

    def test_its_own_guest(self):
        # Its type is test, which no KVM emulates anything for.
        domain = self.connection.lookupByName('test')
        before = domain.XMLDesc(INACTIVE)

        self.assertEqual((0, ''), self.call('test'))
        self.assertEqual(2, self.call('test', '--on', 'stimer')[0])
        self.assertEqual(before, domain.XMLDesc(INACTIVE))

    def test_all_of_many(self):
        domains = [self.define(f'win-{n}') for n in range(_MANY)]
        linux = self.define('linux', system=_LINUX)
        before = [each.XMLDesc(INACTIVE | SECURE) for each in domains]

        code, shown = self.call('--all')
        self.assertEqual((0, _MANY), (code, shown.count('+++ win-')))
        self.assertNotIn(_SECRET, shown)
        self.assertEqual(
            before, [each.XMLDesc(INACTIVE | SECURE) for each in domains]
        )

        code, out = self.call('--all', '--define', '--yes')

        self.assertEqual((0, _MANY), (code, out.count(': defined; ')))
        self.assertEqual({guests.BASELINE}, {_names(each) for each in domains})
        self.assertEqual(frozenset(), _names(linux))
        self.assertEqual(_MANY, len(list(self.kept.iterdir())))
        for domain, former in zip(domains, before, strict=True):
            (kept,) = self.kept.glob(f'{domain.name()}.*')
            self.assertEqual(former, kept.read_text())

        self.assertEqual((0, ''), self.call('--all'))

    def test_there_and_back(self):
        domain = self.define('win')
        before = domain.XMLDesc(INACTIVE | SECURE)

        self.call('win', '--define', '--profile', 'minimal')
        self.assertEqual(guests.MINIMAL, _names(domain))
        self.call('win', '--define', '--profile', 'none')

        self.assertEqual(before, domain.XMLDesc(INACTIVE | SECURE))

    def test_a_diff_that_patch_takes(self):
        cases.require(
            self, None if shutil.which('patch') else 'there is no patch'
        )
        domain = self.define('win')
        path = self.kept / 'win.xml'
        path.write_text(domain.XMLDesc(INACTIVE))
        _, wanted = self.call('win', '--print-xml')
        _, diff = self.call('win')

        subprocess.run(['patch', path], input=diff, text=True, check=True)

        self.assertEqual(wanted, path.read_text())

    def test_a_read_only_connection_hides_passwords(self):
        self.define('win')

        _, out = self.call('win', '--print-xml')

        self.assertIn('type=', out)
        self.assertNotIn(_SECRET, out)


class ApplyTest(cases.EmbeddedCase):
    """On real QEMU's guests."""

    def setUp(self):
        super().setUp()
        self.kept = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def define(self, **changes):
        changes = {'virt_type': 'qemu', **changes}
        return self.driver.connection.defineXML(_document('win', **changes))

    def call(self, *argv):
        return _call(
            *('win', '--connect', self.driver.uri),
            *('--backup-dir', str(self.kept)),
            *argv,
        )

    def assertKept(self, former):
        (kept,) = self.kept.iterdir()
        self.assertEqual(former, kept.read_text())
        self.assertEqual(0o600, kept.stat().st_mode & 0o777)

    def test_the_emulator_delivers_nothing(self):
        domain = self.define(features="<hyperv><relaxed state='on'/></hyperv>")

        self.assertEqual(2, self.call('--on', 'stimer')[0])
        code, out = self.call()

        self.assertEqual(0, code)
        self.assertIn("-      <relaxed state='on'/>", out)
        self.assertEqual({'relaxed'}, _names(domain))

    def test_everything_else_stays(self):
        features = "<hyperv><relaxed state='on'/><vapic state='on'/></hyperv>"
        domain = self.define(features=features)
        former = domain.XMLDesc(INACTIVE | SECURE)

        code, out = self.call('--off', 'relaxed', '--define')

        self.assertEqual(0, code)
        self.assertIn('is shut off: this takes effect at its next', out)
        self.assertKept(former)
        self.assertIn(_SECRET, former)
        self.assertEqual(
            former.replace("      <relaxed state='on'/>\n", ''),
            domain.XMLDesc(INACTIVE | SECURE),
        )

    def test_a_guest_that_runs(self):
        domain = self.define(features="<hyperv><relaxed state='on'/></hyperv>")
        domain.create()
        live, number = domain.XMLDesc(SECURE), domain.ID()
        former = domain.XMLDesc(INACTIVE | SECURE)

        code, out = self.call('--off', 'relaxed', '--define')

        self.assertEqual(0, code)
        self.assertIn('is running and stays as it is', out)
        self.assertEqual((live, number), (domain.XMLDesc(SECURE), domain.ID()))
        self.assertEqual({'relaxed'}, _names(domain, 0))
        self.assertEqual(frozenset(), _names(domain))
        self.assertKept(former)
        domain.destroy()
        domain.create()
        self.assertEqual(frozenset(), _names(domain, 0))

    def test_a_transient_guest(self):
        domain = self.driver.connection.createXML(
            _document('win', virt_type='qemu')
        )
        self.addCleanup(domain.destroy)

        self.assertEqual((2, ''), self.call('--off', 'relaxed', '--define'))
        self.assertFalse(domain.isPersistent())

    def test_fix(self):
        domain = self.define(features="<hyperv><relaxed state='on'/></hyperv>")

        code, _ = self.call('--fix', 'not-delivered', '--define')

        self.assertEqual(0, code)
        self.assertEqual(frozenset(), _names(domain))

    def test_a_guest_of_kvm(self):
        try:
            domain = self.define(virt_type='kvm')
        except Exception as err:
            # the one thing that no CI can be made to have
            self.skipTest(str(err))
        former = domain.XMLDesc(INACTIVE | SECURE)

        code, _ = self.call('--domcaps', _DOMCAPS, '--define')
        self.assertEqual(0, code)
        self.assertEqual(guests.BASELINE, _names(domain))
        self.assertKept(former)
        code, _ = self.call('--profile', 'none', '--define')

        self.assertEqual(0, code)
        self.assertEqual(former, domain.XMLDesc(INACTIVE | SECURE))

    def test_what_this_libvirt_refuses(self):
        if self.driver.connection.getLibVersion() >= 10007000:
            self.skipTest('this libvirt knows xmm_input')
        try:
            domain = self.define(virt_type='kvm')
        except Exception as err:
            # the one thing that no CI can be made to have
            self.skipTest(str(err))
        former = domain.XMLDesc(INACTIVE | SECURE)

        code, out = self.call(
            '--domcaps', _NEWER, '--on', 'xmm_input', '--define'
        )

        self.assertEqual(2, code)
        self.assertNotIn('defined;', out)
        self.assertEqual(former, domain.XMLDesc(INACTIVE | SECURE))
