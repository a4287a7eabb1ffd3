# SPDX-License-Identifier: Apache-2.0

import contextlib

import ddt

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.notation import convert
from tests.unit import base


@ddt.ddt
class RecogniseTestCase(base.TestCase):
    @ddt.data(
        ('qemu', '-cpu host,hv_time'),
        ('qemu', 'qemu-system-x86_64\0-cpu\0host\0'),
        ('qemu', 'qemu-system-x86_64 -m 4096 -cpu host -S'),
        ('qemu', 'host,hv_time'),
        ('qemu', 'hv-time,hv-relaxed'),
        ('libvirt', '<domain/>'),
        ('libvirt', '\n<?xml version="1.0"?>\n<domain/>'),
        ('virt-xml', '--features hyperv_relaxed=on'),
        ('virt-xml', 'virt-xml win --edit --clock hypervclock_present=yes'),
        ('virt-xml', 'hyperv.relaxed.state=on'),
        ('kubevirt', '{"spec": {"domain": {}}}'),
        ('kubevirt', 'apiVersion: kubevirt.io/v1\nkind: VirtualMachine'),
        ('kubevirt', 'features:\n  hyperv:\n    relaxed: {}'),
        ('proxmox', 'cpu: host,flags=+hv-evmcs'),
        ('proxmox', 'agent: 1\ncpu: host\nostype: win11'),
        ('proxmox', 'flags=+hv-evmcs'),
        ('proxmox', '+hv-evmcs;+hv-tlbflush'),
        ('proxmox', 'host,flags=+aes,hv-vendor-id=abc'),
        ('proxmox', 'cpu: host\nargs: -cpu host,hv_time'),
        ('names', 'relaxed vapic'),
        ('names', 'relaxed,stimer.direct=off,spinlocks.retries=8191'),
        ('names', 'mode=passthrough'),
    )
    @ddt.unpack
    def test_recognise(self, expected, text):
        self.assertEqual(expected, convert.recognise(text))

    @ddt.data(
        ('', 'no notation that is known'),
        ('relaxed novelty', 'no notation that is known'),
        ("'", 'no notation that is known'),
        ('windows', 'no notation that is known'),
        ('--features hyperv_ipi=on -cpu host', 'qemu and virt-xml'),
    )
    @ddt.unpack
    def test_cannot_be_told(self, text, what):
        error = self.assertRaises(
            exception.InvalidRequest, convert.recognise, text
        )
        self.assertEqual(
            f'The text looks like {what}: say by --from which notation it is '
            'in, qemu, libvirt, virt-xml, kubevirt, proxmox, names.',
            str(error),
        )

    def test_what_is_told_is_not_recognised(self):
        converted = convert.convert('hv-vendor-id=abc', 'proxmox', 'names')

        self.assertEqual('vendor_id.value=abc', converted.text)

    @ddt.data('\n', ' ', '+\n', '+', 'a:\n', ' flags\n', '-cpu ', 'x', '[')
    def test_long_texts_take_no_longer_than_they_are(self, part):
        # Where a pattern is tried from each place on, this takes for ever.
        text = part * (60000 // len(part)) + 'x'

        for notation in convert.NOTATIONS.values():
            notation.recognises(text)
            with contextlib.suppress(exception.MalformedDocument):
                notation.read(text)
