# SPDX-License-Identifier: Apache-2.0
"""The plugin's element in a guest's metadata, on real libvirt."""

from lxml import etree
import testtools

from nova_hyperv_enlight.domxml import overrides
from tests.real import cases

#: What a guest of Nova's has, in short.
_NOVA = 'http://openstack.org/xmlns/libvirt/nova/1.1'
_METADATA = f"<nova:instance xmlns:nova='{_NOVA}'/>"
_DOMAIN = """
<domain type='qemu'>
  <name>win</name>
  <metadata>{metadata}</metadata>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/><hyperv><relaxed state='on'/></hyperv></features>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""
_OURS = etree.tostring(
    overrides.build(
        overrides.Overrides(image_properties={'hyperv_enlight_ipi': 'off'})
    ),
    encoding='unicode',
)


class MetadataTest(cases.EmbeddedCase):
    """A migration's destination has other metadata, or none of ours.

    What a saved guest may be given is what a live migrated one may be:
    libvirt asks virDomainDefCheckABIStability of src/conf/domain_conf.c
    about both.
    """

    def setUp(self):
        super().setUp()
        self._path = str(self.driver.root / 'saved')

    def save(self, metadata):
        """Start a guest with these metadata, and save it."""
        domain = self.driver.connection.createXML(
            _DOMAIN.format(metadata=metadata)
        )
        domain.save(self._path)

    def saved(self):
        """Return the document of the guest that is saved."""
        text = self.driver.connection.saveImageGetXMLDesc(self._path)
        return etree.fromstring(text)

    def give(self, document):
        self.driver.connection.saveImageDefineXML(
            self._path, etree.tostring(document, encoding='unicode')
        )

    def told(self, document):
        return dict(overrides.read(document).image_properties)

    def test_it_comes(self):
        self.save(_METADATA)
        document = self.saved()
        document.find('metadata').append(etree.fromstring(_OURS))

        self.give(document)

        self.driver.connection.restore(self._path)
        running = self.driver.connection.lookupByName('win')
        self.assertEqual(
            {'hyperv_enlight_ipi': 'off'},
            self.told(etree.fromstring(running.XMLDesc())),
        )

    def test_it_goes(self):
        self.save(_METADATA + _OURS)
        document = self.saved()
        self.assertEqual({'hyperv_enlight_ipi': 'off'}, self.told(document))
        document.find('metadata').remove(document.find('metadata')[-1])

        self.give(document)

        self.assertEqual({}, self.told(self.saved()))

    def test_an_enlightenment_neither_comes_nor_goes(self):
        """The check looks: what is not metadata is refused."""
        import libvirt

        self.save(_METADATA)
        document = self.saved()
        document.find('features/hyperv/relaxed').set('state', 'off')

        with testtools.ExpectedException(libvirt.libvirtError, '.*relaxed.*'):
            self.give(document)

    def test_it_can_be_asked_for_by_its_name(self):
        import libvirt

        domain = self.driver.connection.defineXML(
            _DOMAIN.format(metadata=_METADATA + _OURS)
        )
        # As Nova does when an interface comes or goes.
        domain.setMetadata(
            libvirt.VIR_DOMAIN_METADATA_ELEMENT,
            '<instance><package/></instance>',
            'instance',
            _NOVA,
        )

        found = domain.metadata(
            libvirt.VIR_DOMAIN_METADATA_ELEMENT, overrides.NAMESPACE
        )

        self.assertIn('hyperv_enlight_ipi', found)
