# SPDX-License-Identifier: Apache-2.0

"""What Windows gets on several hosts, through the whole of Nova."""

import ddt

from tests.functional import base
from tests.functional import guest

WINDOWS = {'os_type': 'windows'}
LINUX = {'os_type': 'linux'}
NOTHING = frozenset()
_NEW = guest.BASELINE | {
    'avic',
    'emsr_bitmap',
    'tlbflush.direct',
    'tlbflush.extended',
    'xmm_input',
}
INTEL_NEW = _NEW | {'evmcs'}

# The document, the kernel beside it, and what the profiles baseline and
# nested come to there.
HOSTS = (
    (
        'intel-libvirt12.4-qemu10.1-composed',
        guest.INTEL,
        guest.BASELINE,
        INTEL_NEW,
    ),
    ('amd-libvirt12.8-qemu11.1-lab-pc', guest.AMD, guest.BASELINE, _NEW),
    # No <hyperv> in the document: the releases decide.
    (
        'intel-libvirt8.0-qemu6.2-composed',
        guest.INTEL,
        guest.BASELINE,
        guest.BASELINE | {'evmcs'},
    ),
    (
        'amd-libvirt9.0-qemu7.2-lab-pc',
        guest.AMD,
        guest.BASELINE,
        guest.BASELINE | {'avic'},
    ),
    # A kernel that cannot be asked: the document decides. It shows vmx, which
    # proves nested virtualization; nothing tells of APICv.
    (
        'intel-libvirt12.4-qemu10.1-composed',
        guest.SILENT,
        guest.BASELINE,
        INTEL_NEW - {'avic'},
    ),
    ('amd-libvirt9.0-qemu7.2-machine-pc', guest.PLAIN, NOTHING, NOTHING),
    ('amd-libvirt9.0-qemu7.2-machine-pc', guest.SILENT, NOTHING, NOTHING),
)


@ddt.ddt
class HostsTestCase(guest.PluginTestCase):
    @ddt.data(*HOSTS)
    @ddt.unpack
    def test_host(self, name, kernel, baseline, nested):
        self.start_document(name, kernel=kernel)

        windows = self.boot(WINDOWS)
        flavored = self.boot(WINDOWS, {'hyperv_enlight:profile': 'nested'})
        linux = self.boot(LINUX)

        self.assertSwitchedOn(baseline, windows)
        self.assertSwitchedOn(nested, flavored)
        self.assertStockXML(linux)
        self.assertEqual([], self.plugin_lines(linux))
        self.check_line(windows, baseline)

    def check_line(self, server, baseline):
        """Check the one line that the log has of a guest."""
        (line,) = self.plugin_lines(server)
        on, _, left_out = line.partition('; left out: ')
        self.assertTrue(
            on.startswith('Hyper-V enlightenments: profile baseline; on: ')
        )
        for name in guest.BASELINE:
            self.assertIn(name, on if name in baseline else left_out)
        # A reason for what is left out, and no more than that.
        self.assertEqual(baseline != guest.BASELINE, bool(left_out))

    def test_a_host_of_which_nothing_is_known(self):
        # Traits would ask when the host starts.
        self.plugin_flags(report_traits=False)
        # Libvirt answers Nova when it starts, and fails afterwards.
        self.start_host(kernel=guest.SILENT)
        self.useFixture(
            base.DomainCapabilities(base.libvirt_error('internal error'))
        )

        windows = self.boot(WINDOWS)

        # By the releases: Nova's minimum of both knows the whole baseline.
        self.assertSwitchedOn(guest.BASELINE, windows)

    def test_a_document_that_is_no_xml(self):
        self.plugin_flags(report_traits=False)
        self.start_host(kernel=guest.SILENT)
        self.useFixture(base.DomainCapabilities('<domainCapabilities'))

        windows = self.boot(WINDOWS)
        again = self.boot(WINDOWS)

        self.assertSwitchedOn(guest.BASELINE, windows)
        self.assertSwitchedOn(guest.BASELINE, again)
        # Of the host, not of a guest: one warning for both.
        warnings = [
            record.getMessage()
            for record in self._plugin_log.records
            if record.levelname == 'WARNING'
            and 'domainCapabilities' in record.getMessage()
        ]
        self.assertEqual(1, len(warnings), warnings)


class ProbeTestCase(guest.GuestTestCase):
    def test_witnesses_are_asked_once_for_each_kind_of_guest(self):
        self.start_host()
        kernel = self.useFixture(guest.Kernel(guest.AMD))
        driver = self.driver()
        calls = self.useFixture(
            base.DomainCapabilities(base.hyperv_document('relaxed'))
        ).calls

        self.config(driver, LINUX)
        asked_for_linux = (kernel.asked, list(calls))
        for machine in ('pc', 'q35', 'pc'):
            self.config(driver, {**WINDOWS, 'hw_machine_type': machine})

        self.assertEqual((0, []), asked_for_linux)
        self.assertEqual(1, kernel.asked)
        self.assertEqual(
            [('x86_64', 'pc', 'kvm'), ('x86_64', 'q35', 'kvm')],
            [call[1:4] for call in calls],
        )


class EmulationTestCase(guest.PluginTestCase):
    """Hosts without KVM: stock Nova's Windows servers end in ERROR there."""

    VIRT_TYPE = 'qemu'

    def test_virt_type_qemu(self):
        kernel = self.start_host(base.hyperv_document('relaxed', 'synic'))

        windows, linux = self.boot(WINDOWS), self.boot(LINUX)

        self.assertSwitchedOn((), windows)
        domain = self.domain_xml(windows)
        self.assertIsNone(domain.find('features/hyperv'))
        self.assertEqual('localtime', domain.find('clock').get('offset'))
        self.assertIn(
            'only KVM emulates Hyper-V, and virt_type is qemu',
            self.plugin_lines(windows)[0],
        )
        self.assertStockXML(linux)
        self.assertEqual(0, kernel.asked)
