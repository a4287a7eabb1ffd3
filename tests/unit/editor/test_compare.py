# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.editor import compare
from tests.unit import base
from tests.unit.domxml import domains

WRITTEN = """\
<domain type="kvm">
  <name>win</name>
  <features>
    <acpi/>
    <hyperv>
      <relaxed state="on"/>
      <spinlocks state="on" retries="8191"/>
      <novelty state="on"/>
    </hyperv>
  </features>
  <clock offset="utc">
    <timer name="hypervclock" present="yes"/>
    <timer name="rtc" tickpolicy="catchup"/>
  </clock>
  <devices>
    <disk type="file"/>
    <disk type="block"><target dev="vda"/></disk>
    <graphics type="vnc" passwd="secret"/>
  </devices>
</domain>
"""
SELECTION = domains.selection('relaxed', 'spinlocks', 'hypervclock')


def difference(found, written=WRITTEN, selection=SELECTION):
    return compare.difference(
        selection, domains.parse(written), domains.parse(found)
    )


@ddt.ddt
class DifferenceTestCase(base.TestCase):
    @ddt.data(
        ('', ''),
        ('\n  ', ''),
        ('"', "'"),
        ('<features>', '<!-- libvirt --><features>'),
        ('<hyperv>', '<hyperv mode="custom">'),
        ('<relaxed state="on"/>', '<vapic state="off"/><relaxed state="on"/>'),
        ('<acpi/>\n', '<acpi></acpi>\n'),
    )
    @ddt.unpack
    def test_none(self, old, new):
        self.assertIsNone(difference(WRITTEN.replace(old, new)))

    def test_another_order(self):
        timer = '<timer name="hypervclock" present="yes"/>'
        rtc = '<timer name="rtc" tickpolicy="catchup"/>'
        found = WRITTEN.replace(f'{timer}\n    {rtc}', rtc + timer)

        self.assertNotEqual(WRITTEN, found)
        self.assertIsNone(difference(found))

    def test_libvirt_leaves_out_what_is_empty(self):
        written = '<domain><features><hyperv/></features></domain>'
        selection = domains.selection()

        self.assertIsNone(difference('<domain/>', written, selection))

    @ddt.data(
        ('<relaxed state="on"/>', '', 'relaxed is not there'),
        ('"on" retries', '"off" retries', 'spinlocks is not there'),
        ('<novelty', '<ipi state="on"/><novelty', 'ipi is there too'),
        ('8191', '4095', "'4095'"),
        ('present="yes"', 'present="no"', 'hypervclock is not there'),
        ('<hyperv>', '<hyperv mode="host-model">', 'HOST_MODEL'),
        ('<hyperv>', '<hyperv mode="new">', "mode='new'"),
        (
            '<novelty state="on"/>',
            '',
            'domain/features[1]/hyperv[1]/novelty[1]',
        ),
        ('utc', 'localtime', 'domain/clock[1]/@offset changed'),
        ('catchup', 'delay', 'domain/clock[1]/timer[1]/@tickpolicy changed'),
        ('>win<', '>lin<', 'domain/name[1] changed'),
        ('vda', 'vdb', 'domain/devices[1]/disk[2]/target[1]/@dev changed'),
        ('<acpi/>', '', 'domain/features[1]/acpi[1] changed'),
        (
            '<devices>',
            '<devices><video/><input/><sound/><tpm/>',
            'domain/devices[1]/input[1], domain/devices[1]/sound[1], '
            'domain/devices[1]/tpm[1] and more changed',
        ),
    )
    @ddt.unpack
    def test_difference(self, old, new, text):
        self.assertIn(text, difference(WRITTEN.replace(old, new, 1)))

    def test_passwords_are_not_told(self):
        found = difference(WRITTEN.replace('secret', 'another'))

        self.assertEqual(
            'domain/devices[1]/graphics[1]/@passwd changed', found
        )
