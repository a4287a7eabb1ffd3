# SPDX-License-Identifier: Apache-2.0

import dataclasses

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight import exception
from tests.unit import base
from tests.unit.domxml import domains

# As Nova 34 writes it, in short.
NOVA = """
<nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/{release}'>
  <nova:package version='34.0.0'/>
  <nova:name>web</nova:name>
  <nova:flavor name='big' id='7'>
    <nova:memory>8192</nova:memory>
    <nova:extraSpecs>
      <nova:extraSpec name='hyperv_enlight:ipi'>off</nova:extraSpec>
      <nova:extraSpec name='empty'/>
    </nova:extraSpecs>
  </nova:flavor>
  <nova:owner>
    <nova:user uuid='u1'>admin</nova:user>
    <nova:project uuid='p1'>demo</nova:project>
  </nova:owner>
  <nova:image uuid=''>
    <nova:minDisk>1</nova:minDisk>
    <nova:properties>
      <nova:property name='os_distro'>win2k22</nova:property>
      <nova:property name='os_type'>windows</nova:property>
    </nova:properties>
  </nova:image>
</nova:instance>
"""
# As Nova 26 writes it, in short.
OLD_NOVA = """
<nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'>
  <nova:package version='26.1.0'/>
  <nova:flavor name='big'><nova:memory>8192</nova:memory></nova:flavor>
  <nova:root type='image' uuid='a'/>
</nova:instance>
"""
OSINFO = """
<libosinfo:libosinfo
    xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
  <libosinfo:os id='http://microsoft.com/win/11'/>
</libosinfo:libosinfo>
"""


def document(
    inside='', attributes="type='kvm'", system="<type arch='i686'>hvm</type>"
):
    return (
        f'<domain {attributes}><name>one</name><os>{system}</os>'
        f'{inside}</domain>'
    )


@ddt.ddt
class DomainTestCase(base.TestCase):
    def test_a_whole_document(self):
        found = domain.parse(domains.WHOLE)

        self.assertEqual('instance-00000001', found.name)
        self.assertEqual('c7a5fdbd-edaf-9455-926a-d65c16db1809', found.uuid)
        self.assertEqual('kvm', found.virt_type)
        self.assertEqual(('x86_64', 'pc'), (found.arch, found.machine))
        self.assertEqual('/usr/bin/qemu-system-x86_64', found.emulator)
        self.assertEqual(frozenset(('relaxed',)), found.hyperv.features)
        self.assertEqual('localtime', found.clock_offset)
        self.assertIsNotNone(found.nova)

    def test_a_document_with_little_in_it(self):
        self.assertEqual(
            domain.Domain(
                name='one',
                uuid=None,
                virt_type='kvm',
                arch='i686',
                machine=None,
                emulator=None,
                firmware='bios',
                nova=None,
                osinfo=None,
                hyperv=domains.selection(),
                clock_offset=None,
                hpet=None,
                kernel_pit=True,
                tsc_frequency=None,
                nested=False,
            ),
            domain.parse(document()),
        )

    @ddt.data('1.0', '1.1')
    def test_nova(self, release):
        found = domain.parse(
            document(f'<metadata>{NOVA.format(release=release)}</metadata>')
        )

        self.assertEqual(
            domain.Nova(
                release='34.0.0',
                server='web',
                project='demo',
                flavor='big',
                image={'os_distro': 'win2k22', 'os_type': 'windows'},
                extra_specs={'hyperv_enlight:ipi': 'off', 'empty': ''},
            ),
            found.nova,
        )
        self.assertEqual(
            ('windows', 'win2k22'), (found.os_type, found.os_distro)
        )

    def test_an_older_nova(self):
        found = domain.parse(document(f'<metadata>{OLD_NOVA}</metadata>'))

        self.assertEqual(
            domain.Nova(release='26.1.0', flavor='big'), found.nova
        )
        self.assertEqual((None, None), (found.os_type, found.os_distro))

    def test_a_project_without_a_name(self):
        text = NOVA.format(release='1.1').replace('>demo<', '><')
        found = domain.parse(document(f'<metadata>{text}</metadata>'))

        self.assertEqual('p1', found.nova.project)

    @ddt.data(
        "<instance xmlns='http://example.org/nova/1.1'/>",
        '<instance/>',
        '<other><instance/></other>',
        "<n:other xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.1'/>",
    )
    def test_not_nova(self, metadata):
        found = domain.parse(document(f'<metadata>{metadata}</metadata>'))

        self.assertIsNone(found.nova)
        self.assertEqual((None, None), (found.os_type, found.os_distro))

    def test_osinfo(self):
        both = f'<metadata>{OLD_NOVA}{OSINFO}</metadata>'

        self.assertEqual(
            'http://microsoft.com/win/11', domain.parse(document(both)).osinfo
        )

    @ddt.unpack
    @ddt.data(
        ("<loader>/usr/share/seabios/bios.bin</loader>", 'bios'),
        ("<loader type='rom'>/x</loader>", 'bios'),
        ("<loader readonly='yes' type='pflash'>/x</loader>", 'uefi'),
    )
    def test_firmware_by_its_loader(self, loader, firmware):
        found = domain.parse(document(system=f'<type>hvm</type>{loader}'))

        self.assertEqual(firmware, found.firmware)

    @ddt.unpack
    @ddt.data(('efi', 'uefi'), ('bios', 'bios'))
    def test_firmware_by_name(self, name, firmware):
        text = document().replace('<os>', f"<os firmware='{name}'>")

        self.assertEqual(firmware, domain.parse(text).firmware)

    @ddt.unpack
    @ddt.data(
        ('', None),
        ("<timer name='hpet'/>", None),
        ("<timer name='rtc' present='no'/>", None),
        ("<timer name='hpet' present='no'/>", False),
        ("<timer name='hpet' present='yes'/>", True),
    )
    def test_hpet(self, timer, hpet):
        text = document(f"<clock offset='utc'>{timer}</clock>")

        self.assertIs(hpet, domain.parse(text).hpet)

    @ddt.unpack
    @ddt.data(
        ('', True),
        ("<clock offset='utc'/>", True),
        ("<clock offset='utc'><timer name='pit'/></clock>", True),
        ("<clock><timer name='rtc' present='no'/></clock>", True),
        ("<clock><timer name='pit' present='no'/></clock>", False),
        ("<features><ioapic driver='kvm'/></features>", True),
        ("<features><ioapic driver='qemu'/></features>", False),
    )
    def test_kernel_pit(self, there, expected):
        self.assertIs(expected, domain.parse(document(there)).kernel_pit)

    @ddt.unpack
    @ddt.data(
        ('', None),
        ("<timer name='tsc'/>", None),
        ("<timer name='tsc' frequency='fast'/>", None),
        ("<timer name='tsc' frequency='2794748000'/>", 2794748000),
    )
    def test_tsc_frequency(self, timer, frequency):
        found = domain.parse(document(f"<clock offset='utc'>{timer}</clock>"))

        self.assertEqual(frequency, found.tsc_frequency)
        # It is not one of the enlightenments that nothing pins it for.
        self.assertIsNone(found.hyperv.tsc_frequency)

    @ddt.unpack
    @ddt.data(
        ('<cpu/>', False),
        ("<cpu mode='custom'><model>EPYC</model></cpu>", False),
        ("<cpu mode='host-passthrough'/>", True),
        ("<cpu mode='host-model'/>", True),
        ("<cpu mode='maximum'/>", True),
        ("<cpu><feature name='vmx'/></cpu>", True),
        ("<cpu><feature policy='require' name='svm'/></cpu>", True),
        ("<cpu><feature policy='optional' name='svm'/></cpu>", False),
        (
            "<cpu mode='host-model'><feature policy='disable' name='vmx'/>"
            '</cpu>',
            False,
        ),
        (
            "<cpu mode='host-model'><feature policy='disable' name='x2apic'/>"
            '</cpu>',
            True,
        ),
    )
    def test_nested(self, cpu, nested):
        self.assertIs(nested, domain.parse(document(cpu)).nested)

    def test_modes(self):
        found = domain.parse(
            document("<features><hyperv mode='passthrough'/></features>")
        )

        self.assertIs(profiles.Mode.PASSTHROUGH, found.hyperv.mode)

    @ddt.data(
        'no XML at all',
        '<domain>',
        '<domainsnapshot/>',
        domains.BARE,
        document("<features><hyperv mode='newest'/></features>"),
        '<!DOCTYPE domain [<!ENTITY x SYSTEM "file:///dev/null">]>'
        '<domain>&x;</domain>',
    )
    def test_what_is_no_guest(self, text):
        error = self.assertRaises(
            exception.MalformedDocument, domain.parse, text
        )

        self.assertIn('domain cannot be read: ', str(error))

    def test_nothing_is_changed(self):
        root = domains.parse(domains.WHOLE)
        before = domains.canonical(root)

        domain.read(root)

        self.assertEqual(before, domains.canonical(root))

    def test_what_was_read_cannot_be_changed(self):
        found = domain.parse(document())

        self.assertRaises(
            dataclasses.FrozenInstanceError, setattr, found, 'name', 'two'
        )
