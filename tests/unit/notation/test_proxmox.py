# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.notation import names
from tests.unit.notation import cases

_WINDOWS = (
    'relaxed vapic spinlocks.retries=8191 vpindex runtime synic stimer reset '
    'ipi hypervclock'
)
_VISTA = 'vapic spinlocks.retries=8191 vpindex runtime reset hypervclock'
_VENDOR = 'vendor_id.value=proxmox'
_GUEST = """\
#a guest
agent: 1
bios: ovmf
cpu: x86-64-v2-AES,hidden=1,flags=+hv-tlbflush;-pcid
memory: 4096
ostype: win10
parent: before

[before]
cpu: host,flags=+hv-evmcs
ostype: l26
"""
_MODEL = """\
cpu-model: windows
    flags +hv-avic;+aes;-hv-reset
    hv-vendor-id 0123
    reported-model host
"""


@ddt.ddt
class ProxmoxTestCase(cases.NotationTestCase):
    notation = 'proxmox'

    @ddt.data(
        ('', ''),
        ('host', ''),
        ('cpu: host', ''),
        ('flags=+hv-tlbflush;+hv-evmcs', 'tlbflush evmcs'),
        ('+hv-tlbflush;-hv-evmcs', 'tlbflush evmcs=off'),
        ('+hv-tlbflush', 'tlbflush'),
        ('cpu: host,flags=+hv_tlbflush;+hv-apicv', 'tlbflush avic'),
        ('host,hv-vendor-id=0123', 'vendor_id.value=0123'),
        ('flags=+hv-passthrough', 'mode=passthrough'),
        ('flags=-hv-passthrough', ''),
        ('ostype: win7', _WINDOWS),
        ('ostype: win8', _WINDOWS),
        ('ostype: win11', _WINDOWS),
        ('ostype: wvista', _VISTA),
        ('ostype: w2k8', _VISTA),
        ('ostype: wxp', ''),
        ('ostype: l26', ''),
        ('cpu:\nostype:   wvista  \n', _VISTA),
        ('bios: ovmf\nostype: win7', ''),
        ('bios: ovmf\nostype: win8', _WINDOWS),
        (_GUEST, _WINDOWS.replace(' ipi', ' tlbflush ipi')),
        (_MODEL, 'reset=off vendor_id.value=0123 avic'),
        # The flags override what the ostype brings.
        (
            'ostype: win10\ncpu: host,flags=-hv-ipi',
            _WINDOWS.replace(' ipi', ' ipi=off'),
        ),
    )
    @ddt.unpack
    def test_read(self, text, expected):
        self.assertReads(expected, text)

    @ddt.data(
        ('ostype: win10\nkvm: 0', ''),
        ('ostype: win10\nkvm: 1', _WINDOWS),
        ('ostype: win10\nkvm: off\ncpu: max,flags=+hv-ipi', 'ipi'),
        ('ostype: win10\nhostpci0: 01:00,pcie=1', _WINDOWS),
        ('ostype: win10\nhostpci0: 01:00,x-vga=0', _WINDOWS),
        ('ostype: win10\nhostpci3: 01:00,x-vga=1', f'{_WINDOWS} {_VENDOR}'),
        (
            'ostype: win10\nhostpci0: host=01:00,x-vga=on\n'
            'cpu: host,hv-vendor-id=abc',
            f'{_WINDOWS} vendor_id.value=abc',
        ),
        ('ostype: l26\nhostpci0: 01:00,x-vga=1', ''),
        ('ostype: win7\nbios: ovmf\nhostpci0: 01:00,x-vga=1', ''),
        ('cpu: custom-windows\nostype: win10', _WINDOWS),
    )
    @ddt.unpack
    def test_of_a_guest(self, text, expected):
        words = sorted(expected.split())
        read = names.words(self.read(text).selection)
        self.assertEqual(words, sorted(read))

    @ddt.data(
        ('flags=+hv-novelty', "'+hv-novelty' is not known; there are hv-rel"),
        ('flags=hv-ipi', "'hv-ipi' begins with neither + nor -"),
        ('host,hv-ipi', "'hv-ipi' is not known; flags are flags=+NAME"),
        ('flags=+hv-ipi;-hv-ipi', "'ipi' is both on and off"),
        ('flags=+hv-spinlocks', "'+hv-spinlocks' is not known"),
        ('host,hv-vendor-id=1234567890abc', 'allowed is 1 to 12 printable'),
        ('cpu: host\ncpu: max', 'cpu is there twice'),
        ('ostype: win10\nkvm: maybe', 'kvm is neither 0 nor 1'),
        (
            'ostype: win10\nhostpci0: 01:00,x-vga=maybe',
            'x-vga of hostpci0 is neither 0 nor 1',
        ),
        (_MODEL + _MODEL, 'cpu-model is there twice'),
    )
    @ddt.unpack
    def test_refused(self, text, reason):
        self.assertRefused(text, reason)

    def test_what_is_left_aside(self):
        self.assertEqual(
            ('x86-64-v2-AES', 'hidden=1', '-pcid'), self.read(_GUEST).aside
        )

    @ddt.data(
        ('flags=+hv-crash', '+hv-crash'),
        ('ostype: win11', 'ostype: win11'),
        ('ostype: win11\nmachine: q35', 'ostype: win11'),
        ('ostype: win11\nmachine: pc-q35-11.0+pve2', 'ostype: win11'),
        ('ostype: win11\nmachine: pc-i440fx-11.1', 'ostype: win11'),
        ('cpu: custom-a,flags=+pcid', 'cpu: custom-a'),
        ('cpu: cputype=custom-a', 'cpu: custom-a'),
        ('ostype: l26\ncpu: host,hv-vendor-id=abc', 'hv-vendor-id=abc'),
        (
            'ostype: win10\nkvm: 0\ncpu: max,hv-vendor-id=abc',
            'hv-vendor-id=abc',
        ),
        ('args: -cpu host,hv_evmcs', 'args: -cpu host,hv_evmcs'),
    )
    @ddt.unpack
    def test_what_is_not_read_is_named(self, text, expected):
        self.assertEqual(
            [expected], [loss.word for loss in self.read(text).losses]
        )

    @ddt.data(
        'ostype: win11\nmachine: pc-q35-11.0',
        'ostype: win11\nmachine: pc-q35-11.0+pve1',
        'ostype: win11\nmachine: type=pc-i440fx-9.2.0,viommu=intel',
        'flags=-hv-crash',
    )
    def test_what_makes_no_difference_is_not_named(self, text):
        self.assertEqual((), self.read(text).losses)

    @ddt.data(
        ('', ''),
        ('tlbflush evmcs=off', 'flags=+hv-tlbflush;-hv-evmcs'),
        (
            'tlbflush vendor_id.value=abc',
            'flags=+hv-tlbflush,hv-vendor-id=abc',
        ),
        ('mode=passthrough', 'flags=+hv-passthrough'),
    )
    @ddt.unpack
    def test_write(self, text, expected):
        self.assertWrites(expected, text)

    @ddt.data(
        'spinlocks.retries=8191',
        'spinlocks=off',
        'vendor_id=off',
        'vendor_id.value=a-b',
        'mode=host-model',
    )
    def test_what_cannot_be_said(self, word):
        self.assertWrites('flags=+hv-ipi', f'ipi {word}', word)

    def test_what_a_guests_own_line_takes(self):
        self.assertEqual((), self.write('tlbflush evmcs').notes)
        (note,) = self.write('tlbflush ipi').notes
        self.assertIn('takes hv-tlbflush and hv-evmcs only', note)
