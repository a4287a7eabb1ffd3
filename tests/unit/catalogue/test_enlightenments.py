# SPDX-License-Identifier: Apache-2.0

import dataclasses
import operator
import re

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from tests import sets
from tests.unit import base
from tests.unit.catalogue import facts

ENTRIES = enlightenments.ENLIGHTENMENTS


class CatalogueTestCase(base.TestCase):
    """The catalogue as a whole."""

    def test_names_published_keep_their_order(self):
        self.assertEqual(sets.PUBLISHED, tuple(ENTRIES)[: len(sets.PUBLISHED)])

    def test_names_all_published(self):
        # A new entry is published here, in the commit that brings it.
        self.assertEqual([], list(ENTRIES)[len(sets.PUBLISHED) :])

    def test_versions_table_holds_every_name(self):
        self.assertEqual(
            set(sets.PUBLISHED), {row[0] for row in facts.VERSIONS}
        )

    def test_placement_features(self):
        features = {
            name
            for name, entry in ENTRIES.items()
            if entry.placement is model.Placement.FEATURE and not entry.parent
        }
        self.assertEqual(set(sets.LIBVIRT), features)

    def test_placement_timers(self):
        timers = [
            name
            for name, entry in ENTRIES.items()
            if entry.placement is model.Placement.TIMER
        ]
        self.assertEqual(['hypervclock'], timers)

    def test_qemu_flags_unique(self):
        flags = {entry.qemu_flag for entry in ENTRIES.values()}
        self.assertEqual(len(ENTRIES), len(flags))

    def test_traits_unique(self):
        traits = {entry.trait for entry in ENTRIES.values()}
        self.assertEqual(len(ENTRIES), len(traits))

    def test_vendors(self):
        bound = {
            name: entry.vendors
            for name, entry in ENTRIES.items()
            if entry.vendors
        }
        self.assertEqual({'evmcs': (model.Vendor.INTEL,)}, bound)

    def test_hardware(self):
        needed = {
            name: dict(entry.hardware)
            for name, entry in ENTRIES.items()
            if entry.hardware
        }
        self.assertEqual(facts.HARDWARE, needed)

    def test_reported_always(self):
        always = {n for n, entry in ENTRIES.items() if entry.reported_always}
        self.assertEqual({'avic', 'emsr_bitmap', 'tlbflush.direct'}, always)

    def test_read_only(self):
        self.assertRaises(TypeError, operator.setitem, ENTRIES, 'new', None)
        self.assertRaises(
            dataclasses.FrozenInstanceError,
            setattr,
            ENTRIES['synic'],
            'name',
            'other',
        )

    def test_values(self):
        self.assertEqual(
            {'spinlocks.retries': 'spinlocks', 'vendor_id.value': 'vendor_id'},
            {key: entry.name for key, entry in enlightenments.VALUES.items()},
        )

    def test_default_value(self):
        self.assertEqual('8191', enlightenments.default_value('spinlocks'))

    def test_default_value_without_value(self):
        self.assertRaises(KeyError, enlightenments.default_value, 'synic')

    def test_default_value_unknown_name(self):
        self.assertRaises(KeyError, enlightenments.default_value, 'syndbg')


@ddt.ddt
class VersionsTestCase(base.TestCase):
    """The facts of libvirt's and QEMU's documentation."""

    @ddt.unpack
    @ddt.data(*facts.VERSIONS)
    def test_versions(self, name, flag, libvirt, qemu):
        entry = ENTRIES[name]
        self.assertEqual(
            (flag, libvirt, qemu),
            (
                entry.qemu_flag,
                model.version_text(entry.min_libvirt),
                model.version_text(entry.min_qemu),
            ),
        )


@ddt.ddt
class EntryTestCase(base.TestCase):
    """Walks every entry."""

    @ddt.data(*ENTRIES)
    def test_cost_ends_a_sentence(self, name):
        self.assertRegex(ENTRIES[name].cost, r'\A[^.].*[^.]\Z')

    @ddt.data(*ENTRIES)
    def test_name(self, name):
        self.assertEqual(name, ENTRIES[name].name)
        self.assertRegex(name, r'\A[a-z]+(_[a-z]+)?(\.[a-z]+)?\Z')

    @ddt.data(*ENTRIES)
    def test_qemu_flag(self, name):
        self.assertRegex(ENTRIES[name].qemu_flag, r'\Ahv-[a-z]+(-[a-z]+)?\Z')

    @ddt.data(*ENTRIES)
    def test_trait(self, name):
        # What placement takes; and the name can be told from it.
        trait = ENTRIES[name].trait
        self.assertRegex(trait, r'\ACUSTOM_HYPERV_[A-Z0-9_]+\Z')
        self.assertIn(trait[14:].lower(), (name, name.replace('.', '_')))

    @ddt.data(*ENTRIES)
    def test_kubevirt(self, name):
        self.assertEqual(
            name in facts.NOT_IN_KUBEVIRT, ENTRIES[name].kubevirt is None
        )

    @ddt.data(*ENTRIES)
    def test_requires(self, name):
        self.assertEqual(
            facts.REQUIRES.get(name, set()), set(ENTRIES[name].requires)
        )

    @ddt.data(*ENTRIES)
    def test_requires_on(self, name):
        further = {'evmcs'} if name in facts.NEEDS_EVMCS_ON_INTEL else set()
        entry = ENTRIES[name]
        always = set(entry.requires)
        self.assertEqual(
            always | further, set(entry.requirements(model.Vendor.INTEL))
        )
        self.assertEqual(always, set(entry.requirements(model.Vendor.AMD)))
        self.assertEqual(always, set(entry.requirements(None)))

    @ddt.data(*ENTRIES)
    def test_requirements_exist_and_end(self, name):
        seen, todo = set(), {name}
        while todo:
            needs = {
                needed
                for known in todo
                for vendor in (*model.Vendor, None)
                for needed in ENTRIES[known].requirements(vendor)
            }
            self.assertNotIn(name, needs, 'it requires itself')
            todo = needs - seen
            seen |= needs

    @ddt.data(*ENTRIES)
    def test_requirements_are_older(self, name):
        # Else a release that knows the one could not deliver the other.
        for needed in ENTRIES[name].requires:
            other = ENTRIES[needed]
            self.assertLessEqual(other.min_libvirt, ENTRIES[name].min_libvirt)
            self.assertLessEqual(other.min_qemu, ENTRIES[name].min_qemu)

    @ddt.data(*ENTRIES)
    def test_parent(self, name):
        entry = ENTRIES[name]
        if '.' not in name:
            self.assertIsNone(entry.parent)
            self.assertEqual(name, entry.element)
            return
        parent, _, element = name.partition('.')
        self.assertEqual((parent, element), (entry.parent, entry.element))
        self.assertIn(parent, ENTRIES)
        self.assertIn(parent, entry.requires)

    @ddt.data(*ENTRIES)
    def test_parent_written_before(self, name):
        entry = ENTRIES[name]
        names = list(ENTRIES)
        if entry.parent:
            self.assertLess(names.index(entry.parent), names.index(name))

    @ddt.data(*ENTRIES)
    def test_value_name(self, name):
        expected = {
            'spinlocks': 'spinlocks.retries',
            'vendor_id': 'vendor_id.value',
        }
        self.assertEqual(expected.get(name), ENTRIES[name].value_name)

    @ddt.data(*ENTRIES)
    def test_default_is_allowed(self, name):
        value = ENTRIES[name].value
        if value is not None:
            self.assertEqual(value.default, value.check(value.default))
            self.assertIsNone(value.needs_libvirt(value.default))

    @ddt.data(*ENTRIES)
    def test_sentences(self, name):
        entry = ENTRIES[name]
        for text in (entry.summary, entry.migration):
            self.assertRegex(text, r'\A[A-Z].*[a-z)A-Z]\.\Z')
            self.assertNotIn('\n', text)

    @ddt.data(*ENTRIES)
    def test_references(self, name):
        references = ENTRIES[name].ref
        self.assertNotEqual((), references)
        for reference in references:
            self.assertRegex(reference, r'\A(https://|QEMU |Linux |TLFS, )\S')
        self.assertEqual(len(references), len(set(references)))

    @ddt.data(*ENTRIES)
    def test_since(self, name):
        self.assertIsNotNone(
            re.fullmatch(r'[0-9]+\.[0-9]+\.[0-9]+', ENTRIES[name].since)
        )

    @ddt.data(*ENTRIES)
    def test_versions_are_triples(self, name):
        for version in (ENTRIES[name].min_libvirt, ENTRIES[name].min_qemu):
            self.assertEqual([int] * 3, [type(part) for part in version])
