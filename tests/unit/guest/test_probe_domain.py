# SPDX-License-Identifier: Apache-2.0

import uuid

import ddt
from lxml import etree

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import probe_domain
from tests.unit import base

PLACE = probe_domain.ProbeFiles(
    name='nova-hyperv-enlight-verify-0a1b2c3d',
    uuid=str(uuid.UUID(int=7)),
    disk='/tmp/a & b/disk',
    serial='/tmp/a & b/serial',
)
SELECTION = selections.Selection(
    features=frozenset(
        ('relaxed', 'spinlocks', 'vpindex', 'tlbflush', 'hypervclock')
    ),
    values=frozenset((('spinlocks.retries', '8191'),)),
)
# What a guest of Nova may well have.
GUEST = """
<domain type='kvm' id='7'>
  <name>instance-00000001</name>
  <uuid>5a8f4a52-0000-4000-8000-000000000001</uuid>
  <metadata><secret/></metadata>
  <memory unit='GiB'>64</memory>
  <vcpu>16</vcpu>
  <numatune><memory mode='strict' nodeset='0'/></numatune>
  <os firmware='efi'>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <loader readonly='yes' secure='yes'>/usr/share/OVMF.fd</loader>
    <nvram>/var/lib/nvram/7.fd</nvram>
  </os>
  <features>
    <acpi/>
    <apic/>
    <smm state='on'/>
    <vmcoreinfo state='on'/>
    <kvm><hidden state='on'/></kvm>
    <pmu state='off'/>
    <hyperv mode='custom'>
      <relaxed state='on'/>
      <spinlocks state='on' retries='4096'/>
      <runtime state='off'/>
      <newest state='on'/>
    </hyperv>
  </features>
  <cpu mode='custom' match='exact' check='full'>
    <model fallback='forbid'>EPYC</model>
    <topology sockets='2' cores='8' threads='1'/>
    <feature policy='require' name='svm'/>
    <numa><cell id='0' cpus='0-15' memory='64' unit='GiB'/></numa>
  </cpu>
  <clock offset='utc'>
    <timer name='hpet' present='no'/>
    <timer name='hypervclock' present='yes'/>
    <timer name='tsc' frequency='2000000000'/>
  </clock>
  <devices>
    <emulator>/usr/bin/special-qemu</emulator>
    <disk type='network'><source protocol='rbd' name='volumes/secret'/></disk>
    <interface type='ethernet'><target dev='tap0'/></interface>
    <graphics type='vnc' port='5900'/>
    <hostdev mode='subsystem' type='pci'/>
  </devices>
  <seclabel type='dynamic' model='dac'/>
</domain>
"""


@ddt.ddt
class DomainTestCase(base.TestCase):
    def build(self, question):
        return etree.fromstring(probe_domain.build(question, PLACE))

    def guest(self, text=GUEST):
        return probe_domain.from_domain(etree.fromstring(text))

    @ddt.data('xen', 'hyperv')
    def test_a_type_that_is_not_understood(self, virt_type):
        text = GUEST.replace("type='kvm'", f"type='{virt_type}'", 1)

        error = self.assertRaises(exception.InvalidRequest, self.guest, text)

        self.assertIn(f'is of type {virt_type!r}', str(error))

    def test_a_set_reads_back(self):
        found = self.build(probe_domain.from_selection(SELECTION))

        self.assertEqual(SELECTION, hyperv.read(found))

    @ddt.data(
        selections.Selection(),
        selections.Selection(mode=profiles.Mode.PASSTHROUGH),
        selections.Selection(
            features=frozenset(('reenlightenment',)), tsc_frequency=2000000000
        ),
    )
    def test_other_sets_read_back(self, selection):
        found = self.build(probe_domain.from_selection(selection))

        self.assertEqual(selection, hyperv.read(found))

    def test_whose_it_is(self):
        found = self.build(probe_domain.from_selection(SELECTION))

        self.assertEqual(PLACE.name, found.findtext('name'))
        self.assertEqual(PLACE.uuid, found.findtext('uuid'))
        self.assertEqual(
            PLACE.disk, found.find('devices/disk/source').get('file')
        )
        self.assertEqual(
            PLACE.serial, found.find('devices/serial/source').get('path')
        )

    @ddt.data('selection', 'domain')
    def test_it_is_small_and_alone(self, source):
        question = {
            'selection': lambda: probe_domain.from_selection(SELECTION),
            'domain': self.guest,
        }[source]()

        found = self.build(question)

        memory = found.find('memory')
        self.assertEqual(('16', 'MiB'), (memory.text, memory.get('unit')))
        self.assertEqual('1', found.findtext('vcpu'))
        devices = [each.tag for each in found.find('devices')]
        self.assertEqual(
            ['disk', 'serial', 'controller', 'memballoon'],
            [tag for tag in devices if tag != 'emulator'],
        )
        self.assertEqual(
            {'none'},
            {
                found.find('devices/controller').get('model'),
                found.find('devices/memballoon').get('model'),
            },
        )
        for event in ('on_poweroff', 'on_reboot', 'on_crash'):
            self.assertEqual('destroy', found.findtext(event))

    def test_kind(self):
        found = self.build(
            probe_domain.from_selection(
                SELECTION, virt_type='qemu', arch='i686', machine='q35'
            )
        )

        self.assertEqual('qemu', found.get('type'))
        self.assertEqual(
            {'arch': 'i686', 'machine': 'q35'},
            dict(found.find('os/type').attrib),
        )

    def test_no_machine_is_libvirts_default(self):
        found = self.build(probe_domain.from_selection(SELECTION))

        self.assertEqual(
            {'arch': 'x86_64'}, dict(found.find('os/type').attrib)
        )

    def test_a_guests_cpu_features_and_clock(self):
        theirs = etree.fromstring(GUEST)

        found = self.build(self.guest())

        self.assertEqual('kvm', found.get('type'))
        self.assertEqual('pc-q35-7.2', found.find('os/type').get('machine'))
        self.assertEqual(
            '/usr/bin/special-qemu', found.findtext('devices/emulator')
        )
        for path in (
            'features/hyperv',
            'features/kvm',
            'features/pmu',
            'cpu/model',
            'cpu/feature',
            'clock',
        ):
            self.assertEqual(
                etree.canonicalize(theirs.find(path), strip_text=True),
                etree.canonicalize(found.find(path), strip_text=True),
            )
        self.assertEqual(theirs.find('cpu').attrib, found.find('cpu').attrib)

    def test_nothing_else_of_a_guest(self):
        found = probe_domain.build(self.guest(), PLACE)

        for theirs in (
            'instance-00000001',
            '5a8f4a52',
            'secret',
            'topology',
            'numa',
            'OVMF',
            'nvram',
            'smm',
            'vmcoreinfo',
            'tap0',
            'graphics',
            'hostdev',
            'seclabel',
        ):
            self.assertNotIn(theirs, found)

    def test_a_guest_is_asked_for_what_it_has(self):
        question = self.guest()

        self.assertEqual(
            {'relaxed', 'spinlocks', 'hypervclock'},
            question.selection.features,
        )
        self.assertEqual(
            {('spinlocks.retries', '4096')}, question.selection.values
        )

    def test_a_guest_is_only_read(self):
        root = etree.fromstring(GUEST)

        probe_domain.build(probe_domain.from_domain(root), PLACE)

        self.assertEqual(
            GUEST.strip(), etree.tostring(root).decode().replace('"', "'")
        )

    def test_a_question_can_be_asked_again(self):
        question = self.guest()

        self.assertEqual(
            probe_domain.build(question, PLACE),
            probe_domain.build(question, PLACE),
        )

    def test_comments_are_passed_over(self):
        text = GUEST.replace('<acpi/>', '<!-- acpi --><acpi/>')

        self.assertIsNotNone(
            self.build(self.guest(text)).find('features/acpi')
        )

    def test_a_guest_without_anything(self):
        question = self.guest("<domain type='qemu'><os><type/></os></domain>")

        self.assertEqual(selections.Selection(), question.selection)
        found = self.build(question)
        self.assertIsNone(found.find('features'))

    @ddt.data('<domain/>', '<domain><os/></domain>', '<network/>')
    def test_no_guest(self, text):
        self.assertRaises(exception.MalformedDocument, self.guest, text)
