# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.notation import convert
from tests.unit.domains import guests
from tests.unit.domxml import domains
from tests.unit.notation import cases

_HYPERV = '<hyperv><relaxed state="on"/></hyperv>'
_CLOCK = '<clock><timer name="hypervclock" present="yes"/></clock>'
_LAUGHS = """<!DOCTYPE x [
<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<domain><name>&c;</name></domain>"""


@ddt.ddt
class LibvirtTestCase(cases.NotationTestCase):
    notation = 'libvirt'

    @ddt.data(
        ('<domain/>', ''),
        ('<features/>', ''),
        ('<hyperv/>', ''),
        (_HYPERV, 'relaxed'),
        (f'<features><acpi/>{_HYPERV}</features>', 'relaxed'),
        (f'<features/>{_CLOCK}', 'hypervclock'),
        (f'{_HYPERV}\n<!-- and -->\n{_CLOCK}', 'relaxed hypervclock'),
        (
            f'{_HYPERV}<timer name="hypervclock" present="no"/>',
            'relaxed hypervclock=off',
        ),
        (
            f"<?xml version='1.0' encoding='utf-8'?>\n<domain>{_CLOCK}"
            f'<features>{_HYPERV}</features></domain>',
            'relaxed hypervclock',
        ),
        (domains.BARE, ''),
        (
            '<hyperv><stimer state="on"><direct state="off"/></stimer>'
            '<!-- x --></hyperv>',
            'stimer stimer.direct=off',
        ),
        (
            '<hyperv><spinlocks state="on" retries="0x1fff"/></hyperv>',
            'spinlocks.retries=8191',
        ),
        # Since 11.9 it says "never notify".
        (
            '<hyperv><spinlocks state="on"/></hyperv>',
            'spinlocks.retries=4294967295',
        ),
        ('<hyperv><spinlocks state="off"/></hyperv>', 'spinlocks=off'),
        ('<hyperv mode="passthrough"/>', 'mode=passthrough'),
        (
            '<hyperv mode="host-model"><evmcs state="off"/></hyperv>',
            'evmcs=off mode=host-model',
        ),
        (
            '<hyperv><reenlightenment state="on"/></hyperv>'
            '<clock><timer name="tsc" frequency="5"/></clock>',
            'reenlightenment tsc.frequency=5',
        ),
        (f'{_HYPERV}<timer name="tsc" frequency="5"/>', 'relaxed'),
    )
    @ddt.unpack
    def test_read(self, text, expected):
        self.assertReads(expected, text)

    @ddt.data(
        ('<hyperv><novelty state="on"/></hyperv>', '<novelty> of <hyperv>'),
        (domains.WHOLE, '<novelty> of <hyperv> is not known'),
        (
            '<hyperv><synic state="on"><direct state="on"/></synic></hyperv>',
            '<direct> of <synic> is not known',
        ),
        ('<hyperv><hypervclock state="on"/></hyperv>', 'is not known'),
        ('<hyperv><relaxed/></hyperv>', 'needs state=on or off, it has'),
        ('<hyperv><relaxed state="yes"/></hyperv>', "it has 'yes'"),
        ('<timer name="hypervclock"/>', 'needs present=yes or no'),
        ('<timer name="hypervclock" present="on"/>', "it has 'on'"),
        (f'{_HYPERV}{_HYPERV}', '<hyperv> is there twice'),
        (f'{_CLOCK}{_CLOCK}', '<clock> is there twice'),
        (
            '<hyperv><ipi state="on"/><ipi state="off"/></hyperv>',
            '<ipi> is there twice',
        ),
        (
            '<hyperv><spinlocks state="on" retries="5"/></hyperv>',
            "spinlocks.retries='5' is not valid",
        ),
        (
            '<hyperv><vendor_id state="on"/></hyperv>',
            "'vendor_id' has no 'vendor_id.value'",
        ),
        ('', 'there is no element in it'),
        ('<cpu/>', '<cpu> is not domain, features, clock, hyperv, timer'),
        ('<domain/><domain/>', 'there are several domains in it'),
        ('<domain/><features/>', 'there are several domains in it'),
        ('relaxed', "'relaxed' is no element"),
        ('<features/> &lt;', "'<' is no element"),
        ('<!-- nothing -->', 'there is no element in it'),
        ('<features>', 'cannot be read'),
        ('</parts><x/><parts>', 'cannot be read'),
        (_LAUGHS, 'cannot be read'),
        ('<hyperv>' * 5000, 'cannot be read'),
    )
    @ddt.unpack
    def test_refused(self, text, reason):
        self.assertRefused(text, reason)

    def test_an_unknown_mode(self):
        error = self.assertRaises(
            exception.MalformedDocument, self.read, '<hyperv mode="stock"/>'
        )
        self.assertIn("<hyperv mode='stock'> is not known", str(error))

    def test_arguments_for_qemu_are_named(self):
        text = domains.WHOLE.replace('<novelty state="on"/>', '')

        read = self.read(text)

        self.assertEqual(
            ['host,hv-enforce-cpuid'], [loss.word for loss in read.losses]
        )

    @ddt.data('hyperv', 'pvpanic')
    def test_the_panic_device_of_hyperv_is_named(self, model):
        text = f'<domain><devices><panic model="{model}"/></devices></domain>'

        lost = [loss.word for loss in self.read(text).losses]

        self.assertEqual(
            ["<panic model='hyperv'/>"] if model == 'hyperv' else [], lost
        )

    def test_what_is_beside_passthrough_is_passed_over(self):
        read = self.read(
            '<hyperv mode="passthrough"><relaxed state="on"/><ipi '
            'state="off"/></hyperv><timer name="hypervclock" present="yes"/>'
        )

        self.assertEqual({'hypervclock'}, read.selection.features)
        self.assertEqual(
            ['relaxed', 'ipi=off'], [loss.word for loss in read.losses]
        )

    def test_the_offset_is_explained(self):
        (note,) = self.write('hypervclock').notes
        self.assertIn('keeps its own', note)
        self.assertEqual((), self.write('relaxed').notes)

    @ddt.data(
        ('', '<features/>'),
        ('hypervclock=off', '<clock offset="utc">\n  <timer '
         'name="hypervclock" present="no"/>\n</clock>'),
        ('mode=host-model', '<features>\n  <hyperv mode="host-model"/>\n'
         '</features>'),
    )  # fmt: skip
    @ddt.unpack
    def test_write(self, text, expected):
        self.assertWrites(expected, text)

    def test_nothing_is_beside_passthrough(self):
        self.assertWrites(
            '<features>\n  <hyperv mode="passthrough"/>\n</features>',
            'mode=passthrough relaxed ipi=off reenlightenment tsc.frequency=5',
            *('relaxed', 'reenlightenment', 'ipi=off', 'tsc.frequency=5'),
        )

    def test_a_sub_element_without_its_parent(self):
        self.assertWrites('<features/>', 'stimer.direct', 'stimer.direct')
        self.assertWrites('<features/>', 'stimer.direct=off')
        # It turns stimer on by itself.
        self.assertWrites(
            '<features>\n  <hyperv mode="host-model"/>\n</features>',
            'mode=host-model stimer.direct=off',
            'stimer.direct=off',
        )

    def test_what_nova_was_asked_for_is_no_matter(self):
        ours = guests.of_plugin({'hyperv_enlight_reset': 'off'})
        with_ours, without = (
            guests.document(metadata=guests.of_nova() + metadata)
            for metadata in (ours, '')
        )

        for target in convert.NOTATIONS:
            self.assertEqual(
                convert.convert(without, self.notation, target),
                convert.convert(with_ours, self.notation, target),
            )
