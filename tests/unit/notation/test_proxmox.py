# SPDX-License-Identifier: Apache-2.0

import ddt

from tests.unit.notation import cases

_WINDOWS = (
    'relaxed vapic spinlocks.retries=8191 vpindex runtime synic stimer reset '
    'ipi hypervclock'
)
_VISTA = 'vapic spinlocks.retries=8191 vpindex runtime reset hypervclock'
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
        ('flags=+hv-novelty', "'+hv-novelty' is not known; there are hv-rel"),
        ('flags=hv-ipi', "'hv-ipi' begins with neither + nor -"),
        ('host,hv-ipi', "'hv-ipi' is not known; flags are flags=+NAME"),
        ('flags=+hv-ipi;-hv-ipi', "'ipi' is both on and off"),
        ('flags=+hv-spinlocks', "'+hv-spinlocks' is not known"),
        ('host,hv-vendor-id=1234567890abc', 'allowed is 1 to 12 printable'),
        ('cpu: host\ncpu: max', 'cpu is there twice'),
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
        ('args: -cpu host,hv_evmcs', 'args: -cpu host,hv_evmcs'),
    )
    @ddt.unpack
    def test_what_is_not_read_is_named(self, text, expected):
        self.assertEqual(
            [expected], [loss.word for loss in self.read(text).losses]
        )

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
