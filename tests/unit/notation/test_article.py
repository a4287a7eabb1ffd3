# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.notation import convert
from tests.unit import base

# Cole Robinson's recommendation, as each notation has it.
ARTICLE = {
    'qemu': '-cpu qemu64,hv_relaxed,hv_spinlocks=0x1fff,hv_vapic,hv_time',
    'libvirt': """
<features>
  <hyperv>
    <relaxed state='on'/>
    <vapic state='on'/>
    <spinlocks state='on' retries='8191'/>
  </hyperv>
</features>
<clock offset='localtime'>
  <timer name='hypervclock' present='yes'/>
</clock>
""",
    'virt-xml': (
        '--features hyperv_relaxed=on,hyperv_vapic=on,hyperv_spinlocks=on,'
        'hyperv_spinlocks_retries=8191 --clock hypervclock_present=yes'
    ),
    'kubevirt': """
spec:
  domain:
    clock:
      timer:
        hyperv: {}
    features:
      hyperv:
        relaxed: {}
        vapic: {}
        spinlocks:
          spinlocks: 8191
""",
    'names': 'relaxed vapic spinlocks hypervclock',
}
WRITTEN = {
    'qemu': 'hv-relaxed,hv-vapic,hv-spinlocks=0x1fff,hv-time',
    'libvirt': """\
<features>
  <hyperv>
    <relaxed state="on"/>
    <vapic state="on"/>
    <spinlocks state="on" retries="8191"/>
  </hyperv>
</features>
<clock offset="utc">
  <timer name="hypervclock" present="yes"/>
</clock>""",
    'virt-xml': """\
--features hyperv.relaxed.state=on,hyperv.vapic.state=on,\
hyperv.spinlocks.state=on,hyperv.spinlocks.retries=8191
--clock hypervclock_present=yes""",
    'kubevirt': """\
domain:
  features:
    hyperv:
      relaxed: {}
      vapic: {}
      spinlocks:
        spinlocks: 8191
  clock:
    timer:
      hyperv:
        present: true""",
    'names': 'relaxed vapic spinlocks.retries=8191 hypervclock',
    'proxmox': 'flags=+hv-relaxed;+hv-vapic;+hv-time',
}


@ddt.ddt
class ArticleTestCase(base.TestCase):
    @ddt.idata((source, target) for source in ARTICLE for target in WRITTEN)
    @ddt.unpack
    def test_each_to_each(self, source, target):
        converted = convert.convert(ARTICLE[source], None, target)

        self.assertEqual(source, converted.source)
        self.assertEqual(WRITTEN[target], converted.text)
        lost = {loss.word for loss in converted.losses}
        # A flag of Proxmox's has no value.
        self.assertEqual(
            {'spinlocks.retries=8191'} if target == 'proxmox' else set(), lost
        )
        self.assertEqual(
            ('qemu64',) if source == 'qemu' else (), converted.aside
        )

    @ddt.data(*WRITTEN)
    def test_what_is_written_is_read(self, source):
        converted = convert.convert(WRITTEN[source], None, 'names')

        self.assertEqual(source, converted.source)
        missing = {'spinlocks.retries=8191'} if source == 'proxmox' else set()
        self.assertEqual(
            {'relaxed', 'vapic', 'spinlocks.retries=8191', 'hypervclock'}
            - missing,
            set(converted.text.split()),
        )

    def test_from_proxmox(self):
        # There a guest has it by its ostype, with six more.
        converted = convert.convert('ostype: win10\n', None, 'names')

        self.assertEqual(
            'relaxed vapic spinlocks.retries=8191 vpindex runtime synic '
            'stimer reset ipi hypervclock',
            converted.text,
        )
        self.assertEqual((), converted.losses)
