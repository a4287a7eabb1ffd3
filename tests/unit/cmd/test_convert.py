# SPDX-License-Identifier: Apache-2.0

import io

import ddt
import fixtures

from tests.unit.cmd import base
from tests.unit.notation import test_article

_ARTICLE = 'qemu64,hv_relaxed,hv_spinlocks=0x1fff,hv_vapic,hv_time'
_NAMES = 'relaxed vapic spinlocks.retries=8191 hypervclock\n'
_XML = test_article.WRITTEN['libvirt'] + '\n'


@ddt.ddt
class ConvertTestCase(base.CommandTestCase):
    def call_with(self, data, *argv):
        """Run the command with this on its standard input."""
        stdin = io.TextIOWrapper(io.BytesIO(data))
        with fixtures.MonkeyPatch('sys.stdin', stdin):
            return self.call('convert', *argv)

    def test_the_article(self):
        result = self.call('convert', '--to', 'libvirt', _ARTICLE)

        self.assertEqual((0, _XML), (result.code, result.out))
        self.assertEqual(
            'Left aside, as they are no enlightenments: qemu64\n'
            'A guest that has a <clock> keeps its own offset.\n',
            result.err,
        )

    def test_quietly(self):
        result = self.call('--quiet', 'convert', '--to', 'libvirt', _ARTICLE)

        self.assertEqual((0, _XML, ''), (result.code, result.out, result.err))

    @ddt.data((), ('-',), ('--from', 'libvirt'), ('--from', 'libvirt', '-'))
    def test_standard_input(self, argv):
        result = self.call_with(_XML.encode(), '--to', 'names', *argv)

        self.assertEqual(
            (0, _NAMES, ''), (result.code, result.out, result.err)
        )

    def test_a_process(self):
        words = (b'/usr/bin/qemu-system-x86_64', b'-cpu', _ARTICLE.encode())

        result = self.call_with(b'\0'.join(words) + b'\0', '--to', 'names')

        self.assertEqual((0, _NAMES), (result.code, result.out))

    @ddt.data(
        (f'-cpu {_ARTICLE}',),
        ('-cpu', _ARTICLE),
        ('qemu-system-x86_64', '-name', 'a guest', '-cpu', _ARTICLE),
    )
    def test_a_text_with_dashes(self, words):
        result = self.call('convert', '--to', 'names', '--', *words)

        self.assertEqual((0, _NAMES), (result.code, result.out))

    def test_several_words_are_one_text(self):
        result = self.call('convert', '--to', 'qemu', 'ipi', 'vendor_id')

        self.assertEqual(
            (0, 'hv-vendor-id=1234567890ab,hv-ipi\n'),
            (result.code, result.out),
        )

    def test_words_stay_words(self):
        flag = 'host,hv-vendor-id=KVM Hv'

        result = self.call('convert', '--to', 'names', '--', '-cpu', flag)

        self.assertEqual("'vendor_id.value=KVM Hv'\n", result.out)

    def test_what_is_missing_is_a_finding(self):
        result = self.call('convert', '--to', 'kubevirt', 'ipi', 'avic')

        self.assertEqual(3, result.code)
        self.assertEqual(
            'domain:\n  features:\n    hyperv:\n      ipi: {}\n', result.out
        )
        self.assertEqual(
            'Not in it: avic: KubeVirt has no name for it\n', result.err
        )

    def test_what_the_source_alone_has_is_a_finding(self):
        result = self.call('convert', '--to', 'names', 'host,hv-syndbg')

        self.assertEqual((3, '\n'), (result.code, result.out))
        self.assertIn('Not in it: hv-syndbg: ', result.err)

    def test_a_note(self):
        result = self.call('convert', '--to', 'virt-xml', 'ipi hypervclock')

        self.assertEqual(
            (0, 'virt-xml takes one of these options at a time.\n'),
            (result.code, result.err),
        )

    @ddt.data(
        (('--to', 'names', 'host,hv-novelty'), "'hv-novelty' is not known"),
        (('--to', 'qemu', 'windows'), 'say by --from which notation it is in'),
        (('--from', 'names', '--to', 'qemu', 'hv-ipi'), "'hv-ipi' is not"),
    )
    @ddt.unpack
    def test_refused(self, argv, reason):
        self.assertRefused(self.call('convert', *argv), reason)

    @ddt.data(
        (b'\xff\xfe', 'the standard input cannot be read'),
        (b'<' + b' ' * (1 << 20), 'it is longer than 1048576 bytes'),
        (b'', 'say by --from which notation'),
    )
    @ddt.unpack
    def test_input_refused(self, data, reason):
        self.assertRefused(self.call_with(data, '--to', 'names'), reason)

    @ddt.data((), ('--to', 'bhyve'), ('--from', 'xen', '--to', 'names', 'x'))
    def test_wrong_usage(self, argv):
        result = self.call('convert', *argv)

        self.assertEqual((2, ''), (result.code, result.out))
        self.assertIn('usage: nova-hyperv-enlight convert', result.err)
