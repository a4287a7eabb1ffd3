# SPDX-License-Identifier: Apache-2.0

import ddt
from hypothesis import strategies as st
from lxml import etree

from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight.domxml import overrides
from tests.unit import base
from tests.unit.domxml import test_domain
from tests.unit.policy import strategies

SPECS = {'hyperv_enlight:stimer': 'off'}
PROPERTIES = {
    'hyperv_enlight_reset': 'off',
    'hyperv_enlight_profile': 'minimal',
}
#: What Glance takes, and system_metadata holds.
TEXTS = st.text(st.characters(codec='utf-8'), max_size=255)
DOCUMENT = """\
<overrides xmlns="urn:nova-hyperv-enlight:overrides:1">\
<flavor>\
<extraSpec name="hyperv_enlight:stimer">off</extraSpec>\
</flavor>\
<image>\
<property name="hyperv_enlight_profile">minimal</property>\
<property name="hyperv_enlight_reset">off</property>\
</image>\
</overrides>"""


def built(specs=None, properties=None):
    """Return the element, as libvirt is given it."""
    element = overrides.build(
        overrides.Overrides(
            extra_specs=specs or {}, image_properties=properties or {}
        )
    )
    return etree.tostring(element, encoding='unicode')


def document(*metadata):
    return test_domain.document(f'<metadata>{"".join(metadata)}</metadata>')


def read(text):
    return overrides.read(etree.fromstring(document(text)))


def nova_of(*metadata):
    """Return what a domain with these metadata says of its instance."""
    return domain.parse(document(*metadata)).nova


@ddt.ddt
class OverridesTestCase(base.TestCase):
    def test_the_document(self):
        self.assertEqual(
            etree.canonicalize(DOCUMENT, rewrite_prefixes=True),
            etree.canonicalize(
                built(SPECS, PROPERTIES), rewrite_prefixes=True
            ),
        )

    @ddt.unpack
    @ddt.data((SPECS, PROPERTIES), (SPECS, {}), ({}, PROPERTIES), ({}, {}))
    def test_what_is_written_is_read(self, specs, properties):
        found = read(built(specs, properties))

        self.assertEqual(
            (specs, properties), (found.extra_specs, found.image_properties)
        )

    def test_only_the_direct_child_of_metadata_counts(self):
        other = f'<o:other xmlns:o="urn:o">{DOCUMENT}</o:other>'

        self.assertEqual(overrides.Overrides(), read(other))

    def test_another_format(self):
        newer = DOCUMENT.replace('overrides:1', 'overrides:2')

        self.assertEqual(overrides.Overrides(), read(newer))

    @strategies.for_any(st.dictionaries(TEXTS, TEXTS, max_size=3))
    def test_tenants_write_what_they_like(self, properties):
        """No text of theirs fails, nor gets out of its place."""
        found = domain.parse(
            document(test_domain.OLD_NOVA, built({}, properties))
        ).nova

        for key, text in properties.items():
            if key.isprintable() and text.isprintable():
                self.assertEqual(text, found.image[key])
        self.assertLessEqual(len(found.image), len(properties))
        self.assertEqual({}, found.extra_specs)

    @ddt.data('\x00', '\x1b', '\x7f\x0b', '\ud800', '\ufffe', '\uffff')
    def test_what_is_not_xml_stays_invalid(self, character):
        (found,) = read(
            built({}, {'hyperv_enlight_ipi': f'on{character}'})
        ).image_properties.values()

        self.assertIn('\N{REPLACEMENT CHARACTER}', found)


class ReadByDomainTestCase(base.TestCase):
    def test_beside_an_older_nova(self):
        found = nova_of(test_domain.OLD_NOVA, DOCUMENT)

        self.assertEqual((SPECS, PROPERTIES), (found.extra_specs, found.image))

    def test_beside_what_nova_writes(self):
        found = nova_of(test_domain.NOVA.format(release='1.1'), DOCUMENT)

        self.assertEqual(
            {'hyperv_enlight:ipi': 'off', 'empty': '', **SPECS},
            found.extra_specs,
        )
        self.assertEqual(
            {'os_distro': 'win2k22', 'os_type': 'windows', **PROPERTIES},
            found.image,
        )

    def test_a_guest_that_is_not_novas(self):
        self.assertIsNone(nova_of(DOCUMENT))
