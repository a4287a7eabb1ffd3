# SPDX-License-Identifier: Apache-2.0
"""The values that a real libvirt can read back from its own documents."""

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.host import probe
from tests.real import cases

_DOMAIN = """
<domain type='qemu'>
  <name>values</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features>
    <hyperv><spinlocks state='on' retries='{retries}'/></hyperv>
  </features>
</domain>
"""
_INACTIVE = 2


class SpinlockRetriesTestCase(cases.DriverCase):
    """What libvirt prints of a guest must define it again.

    Where it does not, the guest cannot be started, and libvirt does not find
    it after a restart.
    """

    def _survives(self, retries):
        """Whether libvirt takes its own document of a guest."""
        import libvirt

        connection = self.driver.connection
        try:
            defined = connection.defineXML(_DOMAIN.format(retries=retries))
        except libvirt.libvirtError:
            return False
        try:
            connection.defineXML(defined.XMLDesc(_INACTIVE))
        except libvirt.libvirtError as err:
            self.assertIn('spinlock', str(err))
            return False
        finally:
            defined.undefine()
        return True

    def test_the_catalogue_knows_which_are_taken(self):
        found = probe.split_version(self.driver.connection.getLibVersion())
        value = enlightenments.ENLIGHTENMENTS['spinlocks'].value
        for retries in (
            '4095',
            '2147483647',
            '2147483648',
            '4294967294',
            '4294967295',
        ):
            needed = value.needs_libvirt(retries) or (0, 0, 0)
            self.assertEqual(found >= needed, self._survives(retries), retries)
