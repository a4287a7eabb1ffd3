# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from tests.unit.notation import cases

_COMMAND = (
    'virt-install --name win --os-variant win11 '
    '--features kvm.hidden.state=on,hyperv_relaxed=on '
    '--clock=offset=localtime,hypervclock_present=yes --disk size=40'
)
_FEATURES = tuple(set(enlightenments.ENLIGHTENMENTS) - {'hypervclock'})


@ddt.ddt
class VirtXmlTestCase(cases.NotationTestCase):
    notation = 'virt-xml'

    @ddt.data(*sorted(_FEATURES))
    def test_every_spelling(self, name):
        value = {
            'spinlocks': ',hyperv_spinlocks_retries=8191',
            'vendor_id': ',hyperv.vendor_id.value=x',
        }.get(name, '')
        word = {
            'spinlocks': 'spinlocks.retries=8191',
            'vendor_id': 'vendor_id.value=x',
        }.get(name, name)
        for spelled in (
            f'hyperv.{name}.state=on',
            f'hyperv_{name.replace(".", "_")}=yes',
            f'xpath1.set=./hyperv/{name.replace(".", "/")}/@state,'
            'xpath1.value=on',
        ):
            self.assertReads(word, f'--features {spelled}{value}')

    @ddt.data(
        ('', ''),
        ('hyperv_relaxed=on', 'relaxed'),
        ('hypervclock_present=yes', 'hypervclock'),
        (_COMMAND, 'relaxed hypervclock'),
        ('--features hyperv.synic.state=off', 'synic=off'),
        ('--features hyperv_relaxed=1,hyperv_ipi=F', 'relaxed ipi=off'),
        ('--clock hypervclock_present=no', 'hypervclock=off'),
        (
            '--features hyperv_spinlocks=on,hyperv_spinlocks_retries=4096',
            'spinlocks.retries=4096',
        ),
        ('--features hyperv_spinlocks=on', 'spinlocks.retries=4294967295'),
        (
            '--features xpath7.value=passthrough,xpath7.set=./hyperv/@mode',
            'mode=passthrough',
        ),
        (
            """--features 'xpath1.set="./hyperv/vendor_id/@value","""
            """xpath1.value="it'"'"'s",hyperv_vendor_id=on'""",
            "vendor_id.value=it's",
        ),
        (
            '--features hyperv.reenlightenment.state=on --clock '
            """'xpath1.set="./timer[@name='"'tsc'"']/@frequency","""
            "xpath1.value=5'",
            'reenlightenment tsc.frequency=5',
        ),
        # The last one counts, but the first place of a name.
        ('--features hyperv_ipi=on,hyperv_ipi=off', 'ipi=off'),
        ('--features hyperv_ipi=off,hyperv.ipi.state=on', 'ipi'),
        (
            '--features hyperv.ipi.state=off,hyperv_ipi=on,'
            'hyperv.ipi.state=off',
            'ipi',
        ),
        ('--features hyperv_ipi=on --features hyperv_ipi=off', 'ipi=off'),
        (
            '--features hyperv_spinlocks=on,hyperv_spinlocks_retries=5,'
            'hyperv_spinlocks_retries=4096',
            'spinlocks.retries=4096',
        ),
        # XPaths after all names, in the order of their numbers.
        (
            '--features xpath1.set=./hyperv/ipi/@state,xpath1.value=on,'
            'hyperv_ipi=off',
            'ipi',
        ),
        (
            '--features xpath2.set=./hyperv/ipi/@state,xpath2.value=on,'
            'xpath10.set=./hyperv/ipi/@state,xpath10.value=off',
            'ipi=off',
        ),
        (
            '--clock timer.name=hypervclock,timer.present=yes,'
            'timer1.name=rtc,timer1.present=no',
            'hypervclock',
        ),
        (
            '--clock hypervclock_present=yes,timer0.name=hypervclock,'
            'timer0.present=no',
            'hypervclock=off',
        ),
        (
            '--features hyperv_reenlightenment=on '
            '--clock timer3.name=tsc,timer3.frequency=5',
            'reenlightenment tsc.frequency=5',
        ),
        ('--clock hypervclock_tickpolicy=catchup', ''),
        # The other quotes.
        (
            '--clock \'xpath1.set="./timer[@name=\\"hypervclock\\"]/@present"'
            ",xpath1.value=yes'",
            'hypervclock',
        ),
    )
    @ddt.unpack
    def test_read(self, text, expected):
        self.assertReads(expected, text)

    @ddt.data(
        ('--features hyperv_novelty=on', "'hyperv_novelty' is not known"),
        ('--features hyperv.relaxed=on', "'hyperv.relaxed' is not known"),
        ('--features hyperv_relaxed=maybe', 'must be on or off'),
        ('--features hyperv_relaxed', 'must be on or off'),
        (
            '--clock timer0.name=hypervclock',
            'timer0.name=hypervclock needs timer0.present',
        ),
        ('--features hyperv_vendor_id=on', "has no 'vendor_id.value'"),
        ('--features xpath1.delete=./hyperv', 'what is read is xpath1.set'),
        ('--features xpath1.set=./hyperv/ipi/@state', 'what is read is'),
        (
            '--features xpath1.set=./hyperv/x/@state,xpath1.value=on',
            "'./hyperv/x/@state' is not known",
        ),
        (
            '--features xpath1.set=./hyperv/@mode,xpath1.value=best',
            "mode 'best' is not known",
        ),
        (
            '--clock \'xpath1.set="./timer[@name=\\"tsc\\"]/@frequency"'
            ",xpath1.value=fast'",
            'is not a frequency',
        ),
        ('virt-xml win --edit', 'there is no --features and no --clock in'),
        ("--features 'hyperv", 'No closing quotation'),
        ("--features '\"hyperv'", 'No closing quotation'),
    )
    @ddt.unpack
    def test_refused(self, text, reason):
        self.assertRefused(text, reason)

    def test_what_is_left_aside(self):
        self.assertEqual(
            ('kvm.hidden.state=on', 'offset=localtime'),
            self.read(_COMMAND).aside,
        )

    def test_timers_that_are_left_aside(self):
        read = self.read(
            '--clock hypervclock_tickpolicy=catchup,timer0.name=rtc,'
            'timer0.present=no,timer1.name=hypervclock,timer1.present=yes'
        )

        self.assertEqual(
            (
                'hypervclock_tickpolicy=catchup',
                'timer0.present=no',
                'timer0.name=rtc',
            ),
            read.aside,
        )

    def test_what_other_options_say_is_named(self):
        read = self.read(
            '--features hyperv_ipi=on --xml ./features/hyperv/x/@state=on'
        )

        self.assertEqual(
            ['./features/hyperv/x/@state=on'],
            [loss.word for loss in read.losses],
        )

    @ddt.data(
        ('', ''),
        ('hypervclock', '--clock hypervclock_present=yes'),
        ('reset synic=off', '--features hyperv.synic.state=off,'
         'hyperv.reset.state=on'),
        ('runtime', '--features xpath1.set=./hyperv/runtime/@state,'
         'xpath1.value=on'),
        ("vendor_id.value='KVM Hv'",
         "--features 'xpath1.set=./hyperv/vendor_id/@state,xpath1.value=on,"
         "xpath2.set=./hyperv/vendor_id/@value,xpath2.value=KVM Hv'"),
    )  # fmt: skip
    @ddt.unpack
    def test_write(self, text, expected):
        self.assertWrites(expected, text)

    @ddt.data('&', '<', '>', '"')
    def test_what_virt_xml_would_mangle(self, character):
        word = f'vendor_id.value=a{character}b'

        self.assertWrites(
            '--clock hypervclock_present=yes', f"hypervclock '{word}'", word
        )

    def test_a_sub_element_without_its_parent(self):
        self.assertWrites('', 'stimer.direct', 'stimer.direct')
        self.assertWrites('', 'stimer.direct=off')

    def test_nothing_is_beside_passthrough(self):
        self.assertWrites(
            self.write('mode=passthrough').text,
            'mode=passthrough relaxed',
            'relaxed',
        )
