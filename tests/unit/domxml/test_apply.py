# SPDX-License-Identifier: Apache-2.0

import os
import pathlib

import ddt
from lxml import etree

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from tests.unit import base
from tests.unit.domxml import domains
from tests.unit.policy import cases

GOLDEN = pathlib.Path(__file__).parent / 'golden'
#: Set, it writes the golden documents anew; look at the difference then.
REGENERATE = 'REGENERATE_GOLDEN'

SELECTIONS = {
    'none': selections.Selection(),
    'minimal': domains.selection(*cases.MINIMAL),
    'baseline': domains.selection(*cases.BASELINE),
    'everything': domains.selection(*domains.ENTRIES),
    'passthrough': selections.Selection(
        mode=profiles.Mode.PASSTHROUGH, features=frozenset(['hypervclock'])
    ),
    'host-model': selections.Selection(
        mode=profiles.Mode.HOST_MODEL,
        features=frozenset(['hypervclock']),
        off=frozenset(['reenlightenment']),
    ),
}
DOCUMENTS = {
    'whole': domains.WHOLE,
    'bare': domains.BARE,
    'empty': '<domain/>',
    'without_clock': '<domain><features><acpi/></features></domain>',
    'self_closed': '<domain><features/><clock offset="utc"/></domain>',
    'twice': (
        '<domain><features><hyperv><relaxed state="on"/></hyperv><hyperv>'
        '<vapic state="on"/></hyperv></features><clock offset="utc"><timer '
        'name="hypervclock" present="no"/><timer name="hypervclock" '
        'present="yes"/></clock></domain>'
    ),
}
PAIRS = [(d, s) for d in DOCUMENTS for s in SELECTIONS]


def is_owned(element):
    """Whether an element is an enlightenment's."""
    parent = element.getparent()
    if parent is None:
        return False
    if parent.tag == 'features':
        return element.tag == 'hyperv'
    return parent.tag == 'clock' and element.get('name') in (
        'hypervclock',
        'tsc',
    )


def others(document):
    """Return everything that is not an enlightenment's, piece by piece."""
    pieces = []
    for node in document.iter():
        if any(is_owned(each) for each in (node, *node.iterancestors())):
            continue
        pieces.append((node.tag, node.text, node.tail, dict(node.attrib)))
    return pieces


@ddt.ddt
class ApplyTestCase(base.TestCase):
    """A domain is given its enlightenments."""

    @ddt.unpack
    @ddt.data(*PAIRS)
    def test_apply_reads_back(self, document, chosen):
        domain = domains.parse(DOCUMENTS[document])
        hyperv.apply(domain, SELECTIONS[chosen])
        # From the text, as libvirt gets it.
        again = domains.parse(etree.tostring(domain))
        self.assertEqual(SELECTIONS[chosen], hyperv.read(again))

    @ddt.unpack
    @ddt.data(*PAIRS)
    def test_apply_idempotent(self, document, chosen):
        domain = domains.parse(DOCUMENTS[document])
        hyperv.apply(domain, SELECTIONS[chosen])
        once = etree.tostring(domain)
        hyperv.apply(domain, SELECTIONS[chosen])
        self.assertEqual(once, etree.tostring(domain))

    @ddt.data(*SELECTIONS)
    def test_apply_over_another(self, chosen):
        # What was there before leaves no trace.
        expected = domains.parse(domains.WHOLE)
        hyperv.apply(expected, SELECTIONS[chosen])
        for before in SELECTIONS.values():
            domain = domains.parse(domains.WHOLE)
            hyperv.apply(domain, before)
            if before.tsc_frequency is not None:
                # Nobody can tell who pinned the frequency: it stays.
                timer = domain.find("./clock/timer[@name='tsc']")
                timer.getparent().remove(timer)
            hyperv.apply(domain, SELECTIONS[chosen])
            self.assertEqual(etree.tostring(expected), etree.tostring(domain))

    @ddt.data(*SELECTIONS)
    def test_apply_keeps_everything_else(self, chosen):
        domain = domains.parse(domains.WHOLE)
        before = others(domain)
        hyperv.apply(domain, SELECTIONS[chosen])
        self.assertEqual(before, others(domain))

    @ddt.data(*SELECTIONS)
    def test_apply_keeps_the_other_children_to_the_byte(self, chosen):
        domain = domains.parse(domains.WHOLE)
        touched = ('features', 'clock')

        def rest():
            return [
                etree.tostring(child)
                for child in domain
                if child.tag not in touched
            ]

        before = rest()
        hyperv.apply(domain, SELECTIONS[chosen])
        self.assertEqual(before, rest())

    def test_apply_keeps_comments_in_place(self):
        domain = domains.parse(domains.WHOLE)
        hyperv.apply(domain, SELECTIONS['baseline'])
        features = [
            child.text.strip() if child.tag is etree.Comment else child.tag
            for child in domain.find('./features')
        ]
        self.assertEqual(
            ['acpi', 'before', 'after', 'apic', 'hyperv'], features
        )

    def test_apply_keeps_namespaces(self):
        domain = domains.parse(domains.WHOLE)
        hyperv.apply(domain, SELECTIONS['baseline'])
        arguments = domain.findall(
            './q:commandline/q:arg',
            {'q': 'http://libvirt.org/schemas/domain/qemu/1.0'},
        )
        self.assertEqual(
            ['-cpu', 'host,hv-enforce-cpuid'],
            [argument.get('value') for argument in arguments],
        )
        self.assertIn(b'xmlns:qemu=', etree.tostring(domain))

    def test_apply_owns_hyperv_whole(self):
        domain = domains.parse(domains.WHOLE)
        hyperv.apply(domain, SELECTIONS['minimal'])
        tags = [child.tag for child in domain.find('./features/hyperv')]
        self.assertEqual(['relaxed', 'vapic', 'spinlocks'], tags)

    def test_apply_removes_all_of_them(self):
        domain = domains.parse(DOCUMENTS['twice'])
        hyperv.apply(domain, SELECTIONS['minimal'])
        self.assertEqual(1, len(domain.findall('./features/hyperv')))
        self.assertEqual(1, len(domain.findall('./clock/timer')))

    def test_apply_nothing_to_nothing(self):
        domain = domains.parse(domains.BARE)
        hyperv.apply(domain, selections.Selection())
        self.assertEqual(domains.BARE.strip().encode(), etree.tostring(domain))

    def test_apply_replaces_the_tsc_timer(self):
        domain = domains.domain(
            clock='<timer name="tsc" frequency="1"/><timer name="pit"/>'
        )
        hyperv.apply(domain, domains.selection('reenlightenment'))
        timers = domain.findall("./clock/timer[@name='tsc']")
        self.assertEqual(
            ['2794748000'], [timer.get('frequency') for timer in timers]
        )

    def test_apply_leaves_a_foreign_tsc_timer(self):
        timer = '<timer name="tsc" frequency="1" mode="native"/>'
        domain = domains.domain(clock=timer)
        hyperv.apply(domain, SELECTIONS['minimal'])
        self.assertIn(timer, etree.tostring(domain).decode())

    def test_apply_verifies(self):
        # A value without the enlightenment that carries it is not written.
        chosen = selections.Selection(
            features=frozenset(['relaxed']),
            values=frozenset([('spinlocks.retries', '8191')]),
        )
        error = self.assertRaises(
            exception.VerifyError,
            hyperv.apply,
            domains.parse(domains.BARE),
            chosen,
        )
        self.assertIn('spinlocks.retries', str(error))

    def test_apply_wrong_root(self):
        self.assertRaises(
            exception.MalformedDocument,
            hyperv.apply,
            etree.Element('domainsnapshot'),
            SELECTIONS['minimal'],
        )


@ddt.ddt
class EveryEntryTestCase(base.TestCase):
    """Walks the catalogue: resolved, written, read back."""

    @ddt.data(*domains.ENTRIES)
    def test_every_entry(self, name):
        for vendor in (*model.Vendor, None):
            decided = cases.decide(
                force_on=(name,),
                profile='none',
                host=cases.make_host(vendor=vendor),
            )
            chosen = decided.selection
            self.assertEqual(domains.close([name], vendor), chosen.features)
            for document in (domains.WHOLE, domains.BARE):
                domain = domains.parse(document)
                hyperv.apply(domain, chosen)
                again = domains.parse(etree.tostring(domain))
                self.assertEqual(chosen, hyperv.read(again))

    @ddt.data(*domains.ENTRIES)
    def test_every_entry_has_its_own_element(self, name):
        chosen = domains.selection(name)
        domain = domains.parse(domains.BARE)
        hyperv.apply(domain, chosen)
        path = (
            "./clock/timer[@name='hypervclock'][@present='yes']"
            if name == 'hypervclock'
            else f"./features/hyperv/{name.replace('.', '/')}[@state='on']"
        )
        self.assertEqual(1, len(domain.findall(path)))


@ddt.ddt
class GoldenTestCase(base.TestCase):
    """Documents before and after, to look at."""

    @ddt.data(*SELECTIONS)
    def test_golden(self, chosen):
        domain = domains.parse((GOLDEN / 'before.xml').read_bytes())
        hyperv.apply(domain, SELECTIONS[chosen])
        path = GOLDEN / f'{chosen}.xml'
        if os.environ.get(REGENERATE):
            etree.indent(domain)
            path.write_bytes(etree.tostring(domain) + b'\n')
        self.assertEqual(
            domains.canonical(domains.parse(path.read_bytes())),
            domains.canonical(domain),
        )

    def test_golden_all_used(self):
        stored = {path.stem for path in GOLDEN.glob('*.xml')}
        self.assertEqual({'before', *SELECTIONS}, stored)
