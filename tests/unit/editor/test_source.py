# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.editor import source
from nova_hyperv_enlight import exception
from tests.unit import base

TEXT = '<domain><name>Größe €</name>\n</domain>'
DECLARED = "<?xml version='1.0' encoding='{}'?>\n"
BOM = '\ufeff'
ENCODED = {
    'utf-8': TEXT.encode(),
    'utf-8 declared': (DECLARED.format('UTF-8') + TEXT).encode(),
    'utf-8 with a mark': (BOM + TEXT).encode(),
    'utf-16 little': (BOM + TEXT).encode('utf-16-le'),
    'utf-16 big': (BOM + TEXT).encode('utf-16-be'),
    'utf-16 declared': (BOM + DECLARED.format('UTF-16') + TEXT).encode(
        'utf-16-le'
    ),
    'utf-16 without a mark': (DECLARED.format('UTF-16') + TEXT).encode(
        'utf-16-le'
    ),
    'latin': (DECLARED.format('ISO-8859-15') + TEXT).encode('iso-8859-15'),
    'windows': (DECLARED.format('windows-1252') + TEXT).encode('cp1252'),
}
BOMB = (
    '<!DOCTYPE domain [<!ENTITY a "aaaaaaaaaa">'
    + ''.join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'
        for n in range(9)
    )
    + ']><domain><name>&j;</name></domain>'
)


@ddt.ddt
class ParseTestCase(base.TestCase):
    @ddt.data(*ENCODED)
    def test_encoding(self, name):
        data = ENCODED[name]

        found = source.parse(data, 'x')

        self.assertEqual('Größe €', found.root.findtext('name'))
        self.assertEqual(data, found.data)
        self.assertIn('Größe €'.encode(), found.text)
        # Behind the name something is put, and taken away again.
        at = found.place.children[0].end
        more = found.spliced([(at, at, b'<memory/>')])
        again = source.parse(more, 'x')
        self.assertIsNotNone(again.root.find('memory'))
        place = again.place.children[1]
        self.assertEqual(data, again.spliced([(place.start, place.end, b'')]))

    @ddt.data(
        (b'', 'x cannot be read: '),
        (b'win11', 'x cannot be read: '),
        (b'<domain>', 'x cannot be read: '),
        (b'<network/>', 'its root element is <network>'),
        (b'\x00\xff\xfe', 'x cannot be read: '),
        (b'<!DOCTYPE domain SYSTEM "a.dtd"><domain/>', 'a document type'),
        (b'<!DOCTYPE domain><domain/>', 'a document type'),
        (b'<!DOCTYPE domain [<!ENTITY f "x">]><domain/>', 'document type'),
        (BOMB.encode(), 'x cannot be read: '),
        (
            b"<?xml version='1.0' encoding='utf-7'?><domain>+AGE-</domain>",
            'x cannot be read: ',
        ),
        (
            b"<?xml version='1.0' encoding='ISO-2022-JP'?><domain>"
            b'\x1b$B\x1b(B</domain>',
            'x cannot be read: ',
        ),
    )
    @ddt.unpack
    def test_refused(self, data, text):
        error = self.assertRaises(
            exception.MalformedDocument, source.parse, data, 'x'
        )

        self.assertIn(text, str(error))


@ddt.ddt
class PlaceTestCase(base.TestCase):
    def place(self, text):
        """Return the document, and the place of the root's only child."""
        found = source.parse(f'<domain>{text}</domain>'.encode(), 'x')
        (place,) = found.place.children
        return found.text, place

    @ddt.data(
        '<os/>',
        '<os />',
        "<os a='/' b='>'/>",
        '<os\n  a = "1"\n/>',
        '<os></os>',
        "<os a='/'></os>",
        '<os>/></os>',
        '<os></os >',
        '<os>><![CDATA[</os>]]><!-- </os> --></os>',
        '<os><?p </os>?><a/><b></b></os>',
        "<os a='\"' b=\"'>\">text</os\n>",
        '<größe>ß</größe>',
        '<x:os xmlns:x="urn:x" x:a="1"/>',
    )
    def test_whole(self, element):
        text, place = self.place(f'ü<!-- - -->{element}\n')

        self.assertEqual(element, text[place.start : place.end].decode())
        self.assertEqual(element.endswith('/>'), place.is_empty_tag)
        if not place.is_empty_tag:
            self.assertTrue(text[: place.inside].endswith(b'>'))
            self.assertTrue(text[place.close :].startswith(b'</'))

    def test_attributes(self):
        text, place = self.place('<os a="1>" c = \'2\'\n d=""/>')

        self.assertEqual(
            {'a': ' a="1>"', 'c': " c = '2'", 'd': '\n d=""'},
            {
                name: text[start:end].decode()
                for name, (start, end) in place.attributes.items()
            },
        )
        self.assertEqual(b'<os', text[place.start : place.name_end])

    @ddt.data(
        ('\n  <os/>', b'\n  '),
        ('\n\n\t<os/>', b'\n\t'),
        ('\r\n  <os/>', b'\r\n  '),
        ('  <os/>', b''),
        ('<os/>', b''),
        ('x\n<os/>', b'\n'),
    )
    @ddt.unpack
    def test_lead(self, text, lead):
        found = source.parse(f'<domain>{text}</domain>'.encode(), 'x')

        self.assertEqual(lead, found.lead(found.place.children[0].start))

    @ddt.data(
        ('\n <os>\n   <type/>\n </os>', b'\n   '),
        ('\n    <os/>', b'\n        '),
        ('\n\t<os/>', b'\n\t\t'),
        ('\n<os/>', b'\n  '),
        ('<os/>', b''),
        ('\n  <os><type/></os>', b''),
    )
    @ddt.unpack
    def test_lead_inside(self, text, lead):
        found = source.parse(f'<domain>{text}</domain>'.encode(), 'x')

        self.assertEqual(lead, found.lead_inside(found.place.children[0]))
