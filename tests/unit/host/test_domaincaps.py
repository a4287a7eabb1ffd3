# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import domaincaps
from tests.unit import base


def document(hyperv='', head='', cpu=''):
    """Return a document with this in its <features>."""
    return (
        f'{head}<domainCapabilities><domain>kvm</domain>'
        '<machine>pc-q35-7.2</machine><arch>x86_64</arch>'
        f'<cpu>{cpu}</cpu>'
        f'<features>{hyperv}</features></domainCapabilities>'
    )


def hyperv(*names, more=''):
    """Return a <hyperv> element that lists these names."""
    values = ''.join(f'<value>{name}</value>' for name in names)
    return (
        "<hyperv supported='yes'>"
        f"<enum name='features'>{values}</enum>{more}</hyperv>"
    )


@ddt.ddt
class ParseTestCase(base.TestCase):
    """Odd documents."""

    def test_parse_text_and_bytes(self):
        text = document(hyperv('relaxed'))
        self.assertEqual(
            domaincaps.parse(text), domaincaps.parse(text.encode())
        )

    def test_parse_declaration(self):
        head = '<?xml version="1.0" encoding="UTF-8"?>'
        facts = domaincaps.parse(document(hyperv('relaxed'), head=head))
        self.assertEqual({'relaxed'}, facts.features)

    def test_parse_empty_document(self):
        self.assertEqual(
            domaincaps.DomainCapabilities(),
            domaincaps.parse('<domainCapabilities/>'),
        )

    def test_parse_without_hyperv(self):
        facts = domaincaps.parse(document())
        self.assertIsNone(facts.supported)
        self.assertIsNone(facts.features)
        self.assertEqual((), facts.defaults)

    @ddt.unpack
    @ddt.data(
        ("<hyperv supported='yes'/>", True),
        ("<hyperv supported='no'/>", False),
        ("<hyperv supported='perhaps'/>", None),
        ('<hyperv/>', None),
    )
    def test_parse_supported_without_enum(self, text, supported):
        facts = domaincaps.parse(document(text))
        self.assertIs(supported, facts.supported)
        self.assertIsNone(facts.features)

    def test_parse_foreign_enum(self):
        text = "<hyperv supported='yes'><enum name='x'><value>relaxed"
        facts = domaincaps.parse(document(text + '</value></enum></hyperv>'))
        self.assertIsNone(facts.features)

    def test_parse_empty_enum(self):
        facts = domaincaps.parse(document(hyperv()))
        self.assertEqual(frozenset(), facts.features)

    def test_parse_empty_value(self):
        facts = domaincaps.parse(document(hyperv('', 'relaxed')))
        self.assertEqual({'relaxed'}, facts.features)

    def test_parse_unknown_names_kept(self):
        facts = domaincaps.parse(document(hyperv('relaxed', 'novelty')))
        self.assertEqual({'relaxed', 'novelty'}, facts.features)

    @ddt.unpack
    @ddt.data(
        ('stimer_direct', 'stimer.direct'),
        ('tlbflush_direct', 'tlbflush.direct'),
        ('tlbflush_extended', 'tlbflush.extended'),
        ('vendor_id', 'vendor_id'),
        ('emsr_bitmap', 'emsr_bitmap'),
    )
    def test_parse_spelling(self, written, name):
        facts = domaincaps.parse(document(hyperv(written)))
        self.assertEqual({name}, facts.features)

    @ddt.unpack
    @ddt.data(
        ('<stimer_direct>on</stimer_direct>', (('stimer.direct', True),)),
        ('<stimer_direct>off</stimer_direct>', (('stimer.direct', False),)),
        ('<stimer_direct>maybe</stimer_direct>', ()),
        ('<stimer_direct/>', ()),
        ('<novelty>on</novelty>', ()),
        ('<spinlocks>4095</spinlocks>', ()),
        ('<!-- stimer_direct --><?stimer_direct on?>', ()),
        ('', ()),
    )
    def test_parse_defaults(self, text, defaults):
        more = f'<defaults>{text}</defaults>'
        facts = domaincaps.parse(document(hyperv('relaxed', more=more)))
        self.assertEqual(defaults, facts.defaults)
        self.assertIs(True, facts.has_defaults)

    def test_parse_no_defaults(self):
        facts = domaincaps.parse(document(hyperv('relaxed')))
        self.assertIs(False, facts.has_defaults)

    @ddt.unpack
    @ddt.data(
        ('host-model', 'require', 'vmx', True),
        ('host-model', 'require', 'svm', True),
        ('host-model', 'disable', 'svm', None),
        ('host-model', 'require', 'vme', None),
        ('maximum', 'require', 'vmx', None),
    )
    def test_parse_nested(self, mode, policy, name, nested):
        text = (
            f"<domainCapabilities><cpu><mode name='{mode}'>"
            f"<feature policy='{policy}' name='{name}'/>"
            '</mode></cpu></domainCapabilities>'
        )
        self.assertIs(nested, domaincaps.parse(text).nested)

    @ddt.unpack
    @ddt.data(
        ('Intel', model.Vendor.INTEL),
        ('AMD', model.Vendor.AMD),
        ('Hygon', None),
        ('', None),
    )
    def test_parse_vendor(self, text, vendor):
        mode = f"<mode name='host-model'><vendor>{text}</vendor></mode>"
        self.assertIs(vendor, domaincaps.parse(document(cpu=mode)).vendor)

    def test_parse_vendor_of_another_mode(self):
        mode = "<mode name='custom'><vendor>Intel</vendor></mode>"
        self.assertIsNone(domaincaps.parse(document(cpu=mode)).vendor)

    @ddt.data(
        '',
        ' ',
        'no XML',
        '<domainCapabilities>',
        '<domainCapabilities/><more/>',
        '<domainCapabilities a="&undefined;"/>',
        b'\xff\xfe\x00',
        b'<domainCapabilities>\xc3\x28</domainCapabilities>',
        '<domainCapabilities>\x00</domainCapabilities>',
        '<a>' * 300 + '</a>' * 300,
    )
    def test_parse_malformed(self, text):
        error = self.assertRaises(
            exception.MalformedDocument, domaincaps.parse, text
        )
        self.assertIn('domainCapabilities cannot be read: ', str(error))

    @ddt.unpack
    @ddt.data(
        ('<domain/>', 'domain'),
        ('<capabilities><domainCapabilities/></capabilities>', 'capabilities'),
        ('<domainCapabilities xmlns="urn:x"/>', '{urn:x}domainCapabilities'),
    )
    def test_parse_wrong_root(self, text, tag):
        error = self.assertRaises(
            exception.MalformedDocument, domaincaps.parse, text
        )
        self.assertEqual(
            f'domainCapabilities cannot be read: its root element is <{tag}>',
            str(error),
        )


class EntitiesTestCase(base.TestCase):
    """A document may come from a file that somebody else wrote."""

    def assertRefused(self, head, name='vapic', why='it has a document type'):
        raised = self.assertRaises(
            exception.MalformedDocument,
            domaincaps.parse,
            document(hyperv(name), head=head),
        )
        self.assertIn(why, str(raised))

    def test_parse_entity(self):
        head = "<!DOCTYPE domainCapabilities [<!ENTITY e 'relaxed'>]>"
        self.assertRefused(head, '&e;')

    def test_parse_document_type_without_declarations(self):
        self.assertRefused('<!DOCTYPE domainCapabilities>')

    def test_parse_entity_bomb(self):
        bomb = "<!ENTITY l0 'relaxed'>" + ''.join(
            f"<!ENTITY l{n} '{f'&l{n - 1};' * 100}'>" for n in range(1, 10)
        )
        # Expanded it would be longer than any memory. Newer releases of
        # libxml2 see what it is.
        head = f'<!DOCTYPE domainCapabilities [{bomb}]>'
        self.assertRefused(head, '&l9;', 'domainCapabilities cannot be read')

    def test_parse_external_entity(self):
        secret = self.make_dir() / 'secret'
        secret.write_text('relaxed')
        declaration = f"<!ENTITY e SYSTEM '{secret.as_uri()}'>"
        self.assertRefused(
            f'<!DOCTYPE domainCapabilities [{declaration}]>', '&e;'
        )

    def test_parse_external_dtd(self):
        dtd = self.make_dir() / 'hyperv.dtd'
        dtd.write_text("<!ENTITY e 'relaxed'>")
        head = f'<!DOCTYPE domainCapabilities SYSTEM "{dtd.as_uri()}">'
        self.assertRefused(head)
