# SPDX-License-Identifier: Apache-2.0

import functools
import os
import pathlib

import ddt
from lxml import etree

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from tests.unit import base
from tests.unit.domxml import domains
from tests.unit.policy import cases

# Debian's libvirt0 has them, at the release that is installed.
SCHEMAS = pathlib.Path('/usr/share/libvirt/schemas')
RNG = {'r': 'http://relaxng.org/ns/structure/1.0'}

MODES = (profiles.Mode.HOST_MODEL, profiles.Mode.PASSTHROUGH)


@functools.cache
def schema():
    return etree.RelaxNG(etree.parse(SCHEMAS / 'domain.rng'))


@functools.cache
def grammar():
    return etree.parse(SCHEMAS / 'domaincommon.rng').getroot()


def children(pattern):
    """Return the elements that a pattern has, through its references."""
    found = {}
    for node in pattern:
        if node.tag == f'{{{RNG["r"]}}}element':
            found[node.get('name')] = node
        elif node.tag == f'{{{RNG["r"]}}}ref':
            for define in defines(node.get('name')):
                found.update(children(define))
        else:
            found.update(children(node))
    return found


def defines(name):
    return grammar().findall(f"./r:define[@name='{name}']", RNG)


@functools.cache
def known():
    """Return the names that the installed schema knows."""
    (define,) = defines('hyperv')
    names = set()
    for name, element in children(children(define)['hyperv']).items():
        names |= {name, *(f'{name}.{child}' for child in children(element))}
    timers = grammar().xpath(
        "./r:define[@name='timer']//r:attribute[@name='name']//r:value/text()",
        namespaces=RNG,
    )
    return names | {'hypervclock'} & set(timers)


@functools.cache
def known_modes():
    (define,) = defines('hyperv')
    return set(
        define.xpath(
            ".//r:attribute[@name='mode']//r:value/text()", namespaces=RNG
        )
    )


@ddt.ddt
class SchemaTestCase(base.TestCase):
    """What is written is valid for libvirt, where its schema knows it."""

    def setUp(self):
        super().setUp()
        if (SCHEMAS / 'domain.rng').exists():
            return
        if os.environ.get('CI') == 'true':
            self.fail(f'{SCHEMAS} is missing: libvirt0 brings it')
        self.skipTest(f'{SCHEMAS} is missing: libvirt0 brings it')

    def check_valid(self, chosen, valid):
        domain = domains.parse(domains.WHOLE)
        hyperv.apply(domain, chosen)
        # As text and back: the schema sees what libvirt sees.
        found = schema().validate(domains.parse(etree.tostring(domain)))
        self.assertEqual(valid, found, str(schema().error_log))

    def test_known(self):
        # Else the schema is not understood; libvirt 8.0 is older than any
        # system that this Python is on.
        oldest = {
            name
            for name, entry in domains.ENTRIES.items()
            if entry.min_libvirt <= (8, 0, 0)
        }
        self.assertEqual(set(), oldest - known())

    def test_known_to_us(self):
        self.assertEqual(set(), known() - set(domains.ENTRIES))

    @ddt.data(*domains.ENTRIES)
    def test_valid_entry(self, name):
        chosen = domains.selection(name)
        self.check_valid(chosen, chosen.features <= known())

    @ddt.data('none', 'minimal', 'baseline', 'performance', 'nested')
    def test_valid_profile(self, name):
        for vendor in (cases.AMD, cases.INTEL):
            host = cases.make_host(known(), vendor=vendor)
            decided = cases.decide(profile=name, host=host)
            self.check_valid(decided.selection, True)

    def test_valid_everything_known(self):
        self.check_valid(domains.selection(*known()), True)

    @ddt.data(*(name for name in domains.ENTRIES if '.' not in name))
    def test_valid_off(self, name):
        chosen = selections.Selection(off=frozenset([name]))
        self.check_valid(chosen, name in known())

    @ddt.data('4095', '8191', '4294967295')
    def test_valid_retries(self, text):
        values = {'spinlocks.retries': text}
        chosen = domains.selection('spinlocks', values=values)
        self.check_valid(chosen, True)

    @ddt.data('a', '1234567890ab', 'Microsoft Hv', '"<&>\'', '!+-.~', ' x ')
    def test_valid_vendor_id(self, text):
        values = {'vendor_id.value': text}
        chosen = domains.selection('vendor_id', values=values)
        self.check_valid(chosen, True)

    def test_not_valid_vendor_id(self):
        # So that the tests above are known to look at it.
        values = {'vendor_id.value': 'a,b'}
        chosen = domains.selection('vendor_id', values=values)
        self.check_valid(chosen, False)

    @ddt.data(*MODES)
    def test_valid_mode(self, mode):
        chosen = selections.Selection(
            mode=mode, features=frozenset(['hypervclock'])
        )
        self.check_valid(chosen, mode.value in known_modes())
