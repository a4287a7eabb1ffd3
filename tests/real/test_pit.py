# SPDX-License-Identifier: Apache-2.0
"""What libvirt makes QEMU do with the lost ticks of a guest's PIT."""

from lxml import etree

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from tests.real import cases

_DOMAIN = """
<domain type='kvm'>
  <name>pit</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <clock offset='localtime'><timer name='pit' tickpolicy='delay'/></clock>
</domain>
"""
_NATIVE = 'qemu-argv'
_POLICY = 'kvm-pit.lost_tick_policy'


class PitTestCase(cases.DriverCase):
    """Nova's own timer, and that of the hook: only the policy changes.

    KVM uses AVIC where the policy is discard and Hyper-V's AutoEOI is off;
    this machine has no AVIC.
    """

    def native(self, domain):
        """Return the arguments that libvirt starts QEMU with."""
        return self.driver.connection.domainXMLToNative(
            _NATIVE, etree.tostring(domain, encoding='unicode'), 0
        ).split()

    def test_discard(self):
        domain = etree.fromstring(_DOMAIN)
        before = self.native(domain)
        (timer,) = hyperv.build_timers(selections.Selection(pit_discards=True))
        clock = domain.find('clock')
        clock.remove(clock.find('timer'))
        clock.append(timer)

        after = self.native(domain)

        self.assertEqual([f'{_POLICY}=delay'], self.policies(before))
        self.assertEqual([f'{_POLICY}=discard'], self.policies(after))

    @staticmethod
    def policies(argv):
        return [word for word in argv if word.startswith(_POLICY)]
