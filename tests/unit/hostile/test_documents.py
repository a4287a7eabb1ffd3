# SPDX-License-Identifier: Apache-2.0

"""Documents of a libvirt that is broken, or of somebody else."""

import ddt
from hypothesis import strategies as st

from nova_hyperv_enlight.conf import profiles_file
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import hostcaps
from nova_hyperv_enlight.host import parsing
from nova_hyperv_enlight.notation import convert
from tests.unit import base
from tests.unit.domxml import domains
from tests.unit.host import connection
from tests.unit.host import samples
from tests.unit.policy import strategies

DOCUMENT = samples.read(connection.DOCUMENT)
#: The part that is read; the rest of such a document is devices.
PART = (
    DOCUMENT[: DOCUMENT.index(b'<os ')]
    + DOCUMENT[DOCUMENT.index(b'<features>') :]
)
#: What parsers of numbers have fallen over.
NUMBERS = ('9' * 5000, '-1', '1_0', '0x1', '\N{SUPERSCRIPT TWO}', '', ' 1')
_ENTITIES = "<!ENTITY a 'relaxed'>" + ''.join(
    f"<!ENTITY {name} '{f'&{former};' * 10}'>"
    for former, name in zip('abcdefgh', 'bcdefghi', strict=True)
)


def read(data):
    """Read a document and weigh it, as a probe does."""
    try:
        found = domaincaps.parse(data)
    except exception.MalformedDocument:
        return None
    return evaluation.evaluate(samples.sources(domcaps=found)).features


@ddt.ddt
class DocumentTestCase(base.TestCase):
    def test_cut_at_any_byte(self):
        self.assertTrue(read(PART))
        whole = len(PART.rstrip())
        for length in range(whole):
            self.assertIsNone(read(PART[:length]), length)

    @strategies.for_any(
        st.integers(0, len(PART) - 1), st.binary(max_size=8), st.integers(0, 8)
    )
    def test_changed_at_any_byte(self, place, data, cut):
        read(PART[:place] + data + PART[place + cut :])

    @strategies.for_any(st.binary(max_size=200) | st.text(max_size=200))
    def test_anything_else(self, data):
        self.assertIsNone(read(data))

    @ddt.data(None, 42, b'', '', '<a/>', '\ud800', '<domainCapabilities>\0')
    def test_no_document(self, data):
        self.assertIsNone(read(data))

    @ddt.data('&i;', '&a;')
    def test_entities_in_an_attribute(self, entity):
        # There a parser expands them that otherwise does not.
        self.assertIsNone(
            read(
                f'<!DOCTYPE domainCapabilities [{_ENTITIES}]>'
                f'<domainCapabilities><arch x="{entity}"/>'
                '</domainCapabilities>'
            )
        )

    def test_nested_without_end(self):
        self.assertIsNone(read('<domainCapabilities>' + '<a>' * 100000))

    def test_inclusions_are_not_followed(self):
        secret = self.make_dir() / 'secret'
        secret.write_text('kvm')
        found = domaincaps.parse(
            '<domainCapabilities xmlns:x="http://www.w3.org/2001/XInclude">'
            f'<domain><x:include href="{secret}" parse="text"/></domain>'
            '</domainCapabilities>'
        )
        self.assertIsNone(found.virt_type or None)


@ddt.ddt
class NumberTestCase(base.TestCase):
    @ddt.data(*NUMBERS)
    def test_no_number(self, text):
        self.assertIsNone(parsing.number(text))

    @ddt.data(('0', 0), ('007', 7), (str(2**64 - 1), 2**64 - 1))
    @ddt.unpack
    def test_number(self, text, number):
        self.assertEqual(number, parsing.number(text))

    @ddt.data(str(2**64), None)
    def test_too_much(self, text):
        self.assertIsNone(parsing.number(text))

    @ddt.data(*NUMBERS)
    def test_the_hosts_frequency(self, text):
        document = (
            "<capabilities><host><cpu><counter name='tsc' "
            f"frequency='{text}'/></cpu></host></capabilities>"
        )
        self.assertIsNone(hostcaps.tsc(document).frequency)

    @ddt.data(*NUMBERS)
    def test_a_guests_frequency(self, text):
        domain = domains.parse(
            f"<domain><clock><timer name='tsc' frequency='{text}'/></clock>"
            '</domain>'
        )
        self.assertIsNone(hyperv.read_tsc(domain.find('clock')))

    @ddt.data(
        *(
            (notation, form.format(text))
            for text in NUMBERS[:1]
            for notation, form in (
                ('names', 'reenlightenment tsc.frequency={}'),
                ('virt-xml', '--clock timer1.name=tsc,timer1.frequency={}'),
                ('qemu', '-cpu host,hv-spinlocks={}'),
                ('qemu', '-cpu host,tsc-frequency={}'),
                (
                    'libvirt',
                    "<clock><timer name='tsc' frequency='{}'/></clock>",
                ),
            )
        )
    )
    @ddt.unpack
    def test_convert(self, notation, text):
        try:
            convert.convert(text, notation, 'names')
        except exception.EnlightException as err:
            self.assertIn('cannot be read', str(err))


@ddt.ddt
class ProfilesTestCase(base.TestCase):
    """The operator's own profiles: a mistake there is one message."""

    @strategies.for_any(
        st.text(max_size=60)
        | st.text('ab:-[]{}&*!|>#\'"\n ?,', max_size=60)
        | st.text('ab:-[]&*\n ', max_size=60).map('a:\n  on:\n  - '.__add__)
    )
    def test_any_text(self, text):
        try:
            profiles_file.parse(text, 'profiles.yaml')
        except exception.InvalidOption as err:
            self.assertLess(len(str(err)), 2000)

    @ddt.data(
        'on: [{}]',
        'extends: {}',
        'summary: {}',
        'values: {}',
        'on: [spinlocks], values: {{spinlocks.retries: {}}}',
    )
    def test_a_tree_of_aliases(self, body):
        # Short to write down, and longer than any memory to show.
        tree = '&a0 [x]'
        for level in range(1, 40):
            former = ', '.join([f'*a{level - 1}'] * 9)
            tree = f'&a{level} [{tree}, {former}]'
        error = self.assertRaises(
            exception.InvalidOption,
            profiles_file.parse,
            f'site: {{{body.format(tree)}}}',
            'profiles.yaml',
        )
        self.assertLess(len(str(error)), 1000)

    def test_nested_without_end(self):
        error = self.assertRaises(
            exception.InvalidOption,
            profiles_file.parse,
            'site: ' + '[' * 20000,
            'profiles.yaml',
        )
        self.assertIn('nested too deep', str(error))
