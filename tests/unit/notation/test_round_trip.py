# SPDX-License-Identifier: Apache-2.0

import dataclasses

import ddt
from hypothesis import strategies as st

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.notation import convert
from nova_hyperv_enlight.notation import names
from tests.unit import base
from tests.unit.catalogue import facts
from tests.unit.notation import strategies

_NOTATIONS = tuple(convert.NOTATIONS)
_NESTED = {name for name in enlightenments.ENLIGHTENMENTS if '.' in name}
# All that a set of names may lose; a sub-element only without its parent.
_LOST = {
    'names': set(),
    'qemu': set(),
    'libvirt': _NESTED,
    'virt-xml': _NESTED,
    'kubevirt': _NESTED | facts.NOT_IN_KUBEVIRT,
    'proxmox': {'vendor_id=off', 'spinlocks=off', 'spinlocks.retries=8191'},
}


@ddt.ddt
class RoundTripTestCase(base.TestCase):
    """What is written and read again is what was written, or is named."""

    def assertSaid(self, selection, words, found):
        """Check that these words of a selection were found again."""
        found = strategies.words(found)
        silent = strategies.may_go_without_saying(selection)
        self.assertLessEqual(found, words)
        self.assertLessEqual(words - silent, found)

    @ddt.data(*_NOTATIONS)
    def test_nothing_is_lost_silently(self, name):
        notation = convert.NOTATIONS[name]

        def check(selection):
            written = notation.write(selection)
            lost = {loss.word for loss in written.losses}
            said = strategies.words(selection)
            self.assertEqual(set(), lost - said)

            read = notation.read(written.text)

            self.assertSaid(selection, said - lost, read.selection)
            self.assertEqual(((), ()), (read.aside, read.losses))

        strategies.for_any(strategies.SELECTIONS, check)

    @ddt.data(*_NOTATIONS)
    def test_from_names_and_back(self, name):
        def check(selection):
            text = convert.NOTATIONS['names'].write(selection).text
            there = convert.convert(text, 'names', name)

            back = convert.convert(there.text, name, 'names')

            lost = {loss.word for loss in there.losses}
            self.assertSaid(
                selection,
                set(text.split()) - lost,
                names.read(back.text).selection,
            )
            self.assertLessEqual(lost, _LOST[name])

        strategies.for_any(strategies.PLAIN_SELECTIONS, check)

    def test_from_any_to_any(self):
        def check(selection, source, target):
            text = convert.NOTATIONS[source].write(selection).text
            read = convert.NOTATIONS[source].read(text).selection

            there = convert.convert(text, source, target)

            lost = {loss.word for loss in there.losses}
            self.assertSaid(
                read,
                strategies.words(read) - lost,
                convert.NOTATIONS[target].read(there.text).selection,
            )

        strategies.for_any(
            (strategies.SELECTIONS, *[st.sampled_from(_NOTATIONS)] * 2), check
        )

    @ddt.data('libvirt', 'virt-xml', 'kubevirt')
    def test_nothing_is_beside_passthrough(self, name):
        # Whatever its source could say beside it.
        def check(selection):
            selection = dataclasses.replace(
                selection, mode=profiles.Mode.PASSTHROUGH
            )
            written = convert.NOTATIONS[name].write(selection)

            read = convert.NOTATIONS[name].read(written.text).selection

            self.assertLessEqual(read.features | read.off, {'hypervclock'})

        strategies.for_any(strategies.SELECTIONS, check)

    @ddt.data(*_NOTATIONS)
    def test_it_is_recognised(self, name):
        def check(selection):
            text = convert.NOTATIONS[name].write(selection).text
            # A vendor by itself is the same in two of them.
            if text in ('', '{}') or text.startswith('hv-vendor-id='):
                return

            self.assertEqual(name, convert.recognise(text))

        strategies.for_any(strategies.PLAIN_SELECTIONS, check)

    @ddt.data(*_NOTATIONS)
    def test_nothing_at_all(self, name):
        nothing = selections.Selection()
        written = convert.NOTATIONS[name].write(nothing)

        self.assertEqual((), written.losses)
        self.assertEqual(
            nothing, convert.NOTATIONS[name].read(written.text).selection
        )

    @ddt.data(*_NOTATIONS)
    def test_nested_elements_have_their_parents(self, name):
        # Whole, nothing of them is lost.
        names = {'stimer', 'stimer.direct', 'tlbflush', 'tlbflush.direct'}
        selection = selections.Selection(features=frozenset(names))

        written = convert.NOTATIONS[name].write(selection)

        self.assertEqual((), written.losses)
