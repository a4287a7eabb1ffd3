# SPDX-License-Identifier: Apache-2.0

import ddt

from tests.unit.notation import cases


@ddt.ddt
class NamesTestCase(cases.NotationTestCase):
    notation = 'names'

    @ddt.data(
        ('', ''),
        ('relaxed', 'relaxed'),
        ('vapic,relaxed', 'relaxed vapic'),
        ('  vapic ,\n relaxed=on ', 'relaxed vapic'),
        ('synic=off stimer', 'synic=off stimer'),
        ('stimer.direct stimer', 'stimer stimer.direct'),
        ('spinlocks', 'spinlocks.retries=8191'),
        ('spinlocks spinlocks.retries=4096', 'spinlocks.retries=4096'),
        ('spinlocks.retries=0x1000', 'spinlocks.retries=4096'),
        ('vendor_id', 'vendor_id.value=1234567890ab'),
        ("vendor_id.value='KVM Hv'", 'vendor_id.value=KVM Hv'),
        ('relaxed mode=custom', 'relaxed'),
        ('mode=passthrough hypervclock', 'hypervclock mode=passthrough'),
        (
            'tsc.frequency=2794748000 reenlightenment',
            'reenlightenment tsc.frequency=2794748000',
        ),
    )
    @ddt.unpack
    def test_read(self, text, expected):
        self.assertReads(expected, text)

    @ddt.data(
        ('syndbg', "'syndbg' is not known; there are relaxed, vapic, "),
        ('hv-relaxed', "'hv-relaxed' is not known"),
        ('relaxed=yes', "'relaxed=yes' is not valid: allowed are on and off"),
        ('relaxed=', 'allowed are on and off'),
        ('relaxed relaxed=off', "'relaxed' is both on and off"),
        ('spinlocks=off spinlocks.retries=8191', 'both on and off'),
        ('spinlocks.retries=1', 'allowed is a whole number from 4095 to'),
        ('spinlocks.retries=4096 spinlocks.retries=4097', 'two values'),
        ('spinlocks.retries=0x', "spinlocks.retries='0x' is not valid"),
        ('vendor_id.value=1234567890abc', 'allowed is 1 to 12 printable'),
        ('vendor_id.value', "vendor_id.value='' is not valid"),
        ('mode=stock', "'mode=stock' is not known"),
        ('mode=best', "'mode=best' is not known"),
        ('tsc.frequency=5', 'needs it, reenlightenment'),
        ('reenlightenment tsc.frequency=1GHz', 'is not known'),
        ("'relaxed", 'No closing quotation'),
        ('x' * 100000, 'xxx...'),
    )
    @ddt.unpack
    def test_refused(self, text, reason):
        self.assertRefused(text, reason)
