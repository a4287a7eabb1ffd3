# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from tests.unit.notation import cases

_SCRIPT = r"""
qemu-system-x86_64 \
  -name "a guest" -machine q35,accel=kvm \
  -cpu 'EPYC,+topoext,kvm=off,hv_relaxed,hv_vendor_id=KVM Hv' \
  -m 4096 --enable-kvm
"""
_PROC = '\0'.join(
    ('/usr/bin/qemu', '-cpu', 'host,hv-time=on,hv-vendor-id=KVM Hv', '-S', '')
)
_SWITCHES = tuple(
    entry
    for entry in enlightenments.ENLIGHTENMENTS.values()
    if entry.value is None
)


@ddt.ddt
class QemuTestCase(cases.NotationTestCase):
    notation = 'qemu'

    @ddt.data(*(entry.name for entry in _SWITCHES))
    def test_every_spelling(self, name):
        flag = enlightenments.ENLIGHTENMENTS[name].qemu_flag
        for on in ('', '=on', '=yes', '=true', '=y'):
            for spelled in (flag, flag.replace('-', '_')):
                self.assertReads(name, f'host,{spelled}{on}')
        for off in ('=off', '=no', '=false', '=n'):
            self.assertReads(f'{name}=off', f'host,{flag}{off}')
        self.assertReads(name, f'host,+{flag}')
        self.assertReads(f'{name}=off', f'host,-{flag}')

    @ddt.data(
        ('host', ''),
        ('-cpu host', ''),
        ('host,hv-apicv', 'avic'),
        ('hv_time,hv_vapic', 'vapic hypervclock'),
        ('+hv_time', 'hypervclock'),
        ('-cpu host,hv_time -smp 4', 'hypervclock'),
        ('--cpu host,hv_time', 'hypervclock'),
        ('host,hv-spinlocks=8191', 'spinlocks.retries=8191'),
        ('host,hv_spinlocks=0x1fff', 'spinlocks.retries=8191'),
        ('host,hv_spinlocks=0X1FFF', 'spinlocks.retries=8191'),
        ('host,hv_spinlocks=017777', 'spinlocks.retries=8191'),
        ('host,hv-spinlocks=0xffffffff', 'spinlocks.retries=4294967295'),
        ('host,hv-passthrough', 'mode=passthrough'),
        ('host,hv_passthrough=on,hv-time', 'hypervclock mode=passthrough'),
        ('host,hv-passthrough=off', ''),
        (
            'host,hv-reenlightenment,tsc-frequency=2794748000',
            'reenlightenment tsc.frequency=2794748000',
        ),
        (
            'host,hv-reenlightenment,tsc-freq=2G',
            'reenlightenment tsc.frequency=2000000000',
        ),
        # What QEMU itself makes of contradictions.
        ('host,hv-synic=off,hv-synic', 'synic'),
        ('host,hv-synic,hv-synic=off', 'synic=off'),
        ('host,-hv-synic,hv-synic=on', 'synic=off'),
        ('host,-hv-synic,+hv-synic', 'synic=off'),
        ('host,+hv-synic,hv-synic=off', 'synic'),
        ('-cpu host,hv-synic -cpu host,hv-ipi', 'ipi'),
        (_SCRIPT, 'relaxed vendor_id.value=KVM Hv'),
        (_PROC, 'vendor_id.value=KVM Hv hypervclock'),
    )
    @ddt.unpack
    def test_read(self, text, expected):
        self.assertReads(expected, text)

    @ddt.data(
        ('host,hv-novelty', "'hv-novelty' is not known; there are hv-relaxed"),
        ('host,hv_novelty=3', "'hv_novelty=3' is not known"),
        ('host,-hv-novelty', "'-hv-novelty' is not known"),
        ('host,hv-relaxed=maybe', "'hv-relaxed=maybe' is not valid"),
        ('host,hv-spinlocks', "'hv-spinlocks' needs a value"),
        ('host,+hv-spinlocks', "'+hv-spinlocks' needs a value"),
        ('host,hv-spinlocks=off', 'allowed is a whole number from 4095'),
        ('host,hv-spinlocks=0xfff0000000', 'allowed is a whole number'),
        ('host,hv-spinlocks=4094', 'allowed is a whole number'),
        ('host,hv-spinlocks=089999', 'allowed is a whole number'),
        ('host,hv-vendor-id', "'hv-vendor-id' needs a value"),
        ('host,hv-vendor-id=', 'allowed is 1 to 12 printable'),
        ('host,hv-vendor-id=1234567890abc', 'allowed is 1 to 12 printable'),
        ('host,hv-reenlightenment,tsc-frequency=fast', 'is not a frequency'),
        ('qemu-system-x86_64 -m 4096', 'there is no -cpu in it'),
        ("-cpu 'host", 'No closing quotation'),
    )
    @ddt.unpack
    def test_refused(self, text, reason):
        self.assertRefused(text, reason)

    def test_what_is_left_aside(self):
        read = self.read('host,kvm=off,+topoext,hv-time,l3-cache=on,-vmx')

        self.assertEqual(
            ('host', 'kvm=off', '+topoext', 'l3-cache=on', '-vmx'), read.aside
        )

    def test_of_a_command_line_options_are_left_aside(self):
        self.assertEqual(
            ('EPYC', '+topoext', 'kvm=off', '-name', '-machine', '-m',
             '--enable-kvm'),
            self.read(_SCRIPT).aside,
        )  # fmt: skip

    def test_a_tsc_frequency_that_nothing_needs_is_left_aside(self):
        read = self.read('host,hv-time,tsc-frequency=5')

        self.assertEqual(('host', 'tsc-frequency=5'), read.aside)
        self.assertIsNone(read.selection.tsc_frequency)

    @ddt.data(
        'hv-crash',
        'hv_syndbg=on',
        'hv-no-nonarch-coresharing=auto',
        'hv-enforce-cpuid',
        'hv_version_id_build=0x4563',
        'x-hv-synic-kvm-only=on',
    )
    def test_what_is_qemus_alone_is_named(self, flag):
        read = self.read(f'host,{flag},hv-time')

        self.assertEqual([flag], [loss.word for loss in read.losses])
        self.assertEqual({'hypervclock'}, read.selection.features)

    @ddt.data('hv-crash=off', 'hv_syndbg=n', '-hv-crash')
    def test_what_is_off_of_that_is_no_loss(self, flag):
        read = self.read(f'host,{flag},hv-time')

        self.assertEqual(((), ('host',)), (read.losses, read.aside))

    @ddt.data(
        ('-cpu a,hv-ipi -cpu b,hv-time', 'a,hv-ipi'),
        ('-cpu b,hv-time -global cpu.hv-ipi=on', 'cpu.hv-ipi=on'),
    )
    @ddt.unpack
    def test_what_is_elsewhere_is_named(self, text, expected):
        read = self.read(text)

        self.assertEqual([expected], [loss.word for loss in read.losses])
        self.assertEqual({'hypervclock'}, read.selection.features)

    @ddt.data(
        ('', ''),
        ('relaxed', 'hv-relaxed'),
        ('stimer.direct synic=off', 'hv-synic=off,hv-stimer-direct'),
        ('avic tlbflush.extended', 'hv-avic,hv-tlbflush-ext'),
        ("vendor_id.value='KVM Hv'", "'hv-vendor-id=KVM Hv'"),
        ('mode=passthrough hypervclock', 'hv-time,hv-passthrough'),
        (
            'reenlightenment tsc.frequency=5',
            'hv-reenlightenment,tsc-frequency=5',
        ),
    )
    @ddt.unpack
    def test_write(self, text, expected):
        self.assertWrites(expected, text)

    def test_what_cannot_be_said(self):
        self.assertWrites(
            'hv-time', 'hypervclock mode=host-model', 'mode=host-model'
        )

    @ddt.data('spinlocks=off', 'vendor_id=off')
    def test_what_is_off_and_has_no_off(self, word):
        self.assertWrites('hv-time', f'hypervclock {word}')
        # There QEMU turns on what is not named.
        self.assertWrites(
            'hv-time,hv-passthrough',
            f'hypervclock {word} mode=passthrough',
            word,
        )
