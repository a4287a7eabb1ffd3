# SPDX-License-Identifier: Apache-2.0

import dataclasses
import json

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import check
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.domains import guests
from tests.unit.domxml import domains
from tests.unit.fleet import hosts
from tests.unit.policy import cases
from tests.unit.policy import recorded
from tests.unit.policy import strategies

RICH = hosts.make('rich')
POOR = hosts.make('poor', cases.MINIMAL, vendor=cases.AMD)
UNPINNED = (
    "'reenlightenment' is on without a pinned TSC frequency: QEMU fails on "
    'the destination once the guest uses it.'
)


def found(*args):
    """Return what is in the way, by name."""
    return {each.name: each.text for each in check.obstacles(*args)}


class Guests:
    """libvirt's connection, as far as it is asked."""

    def __init__(self, **documents):
        self._documents = documents

    def lookupByName(self, name):
        self._asked = name
        if name not in self._documents:
            raise RuntimeError('Domain not found')
        return self

    def XMLDesc(self, flags=0):
        return self._documents[self._asked]


@ddt.ddt
class CheckTestCase(base.TestCase):
    def test_to_a_host_that_has_it(self):
        guest = recorded.started_with(cases.NESTED)

        self.assertEqual({}, found(guest, RICH, hosts.make('other')))

    def test_each_has_a_sentence_of_its_own(self):
        guest = recorded.started_with(cases.BASELINE)

        sentences = found(guest, RICH, POOR)

        self.assertEqual(
            [
                name
                for name in cases.NAMES
                if name in cases.BASELINE - cases.MINIMAL
            ],
            list(sentences),
        )
        self.assertEqual(
            f"'synic' is missing there: {cases.LACKED}.", sentences['synic']
        )

    def test_what_nobody_knows_is_no_obstacle(self):
        guest = recorded.started_with(cases.BASELINE)
        unsure = hosts.make('unsure', unknown=('ipi', 'evmcs'))

        self.assertEqual({}, found(guest, RICH, unsure))
        self.assertEqual(['ipi'], check.untold(guest, RICH, unsure))

    @ddt.unpack
    @ddt.data(
        ('hpet', cases.BASELINE, True),
        ('tsc', cases.BASELINE, False),
        (None, cases.BASELINE, False),
        ('hpet', ('relaxed',), False),
    )
    def test_a_slow_clock_is_told(self, clocksource, names, told):
        guest = recorded.started_with(names)
        sources = dataclasses.replace(
            RICH.capabilities.sources,
            kernel=kvm.KernelFacts(clocksource=clocksource),
        )
        # By way of the document, which holds it.
        text = json.dumps(
            hosts.rows(dataclasses.replace(RICH.capabilities, sources=sources))
        )
        there = documents.parse(text.encode(), 'there', 'there.json')

        slow = check.slow_clock(guest, RICH, there)

        self.assertEqual({}, found(guest, RICH, there))
        self.assertIs(told, slow is not None)
        if told:
            self.assertIn('clocksource is hpet', slow)

    def test_a_value_is_said_once(self):
        guest = recorded.started_with(
            cases.MINIMAL, values=(('spinlocks.retries', '4294967295'),)
        )
        older = hosts.make('older', libvirt=(11, 8, 0))

        self.assertEqual(
            {
                'spinlocks': 'spinlocks.retries=4294967295 needs libvirt '
                '11.9.0, and the host has 11.8.0.'
            },
            found(guest, RICH, older),
        )

    def test_passthrough(self):
        guest = recorded.started_with((), mode=profiles.Mode.PASSTHROUGH)

        self.assertEqual(
            {
                '': "It was started with mode='passthrough', and QEMU does "
                'not migrate such a guest.'
            },
            found(guest, RICH, RICH),
        )

    def test_reenlightenment(self):
        names = {'reenlightenment'}
        pinned = recorded.started_with(names, tsc_frequency=2794748000)

        self.assertEqual(
            {'reenlightenment': UNPINNED},
            found(recorded.started_with(names), RICH, RICH),
        )
        self.assertEqual({}, found(pinned, RICH, RICH))

    def test_host_model_is_what_the_source_has(self):
        guest = recorded.started_with((), mode=profiles.Mode.HOST_MODEL)
        source = hosts.make('source', cases.BASELINE)

        self.assertEqual({}, found(guest, source, RICH))
        self.assertEqual(
            cases.BASELINE - cases.MINIMAL, set(found(guest, source, POOR))
        )
        self.assertEqual(
            cases.ALL - cases.MINIMAL - {'reenlightenment'},
            set(found(guest, RICH, POOR)),
        )

    def test_host_model_less_what_is_off(self):
        guest = recorded.started_with(
            (), mode=profiles.Mode.HOST_MODEL, off=frozenset(('evmcs',))
        )

        self.assertNotIn('evmcs', found(guest, RICH, POOR))

    @strategies.for_any(
        strategies.guests(('performance', 'nested')), strategies.HOSTS
    )
    def test_the_same_as_the_driver(self, case, capabilities):
        # A sentence more or less, but the same names and the same outcome.
        try:
            decided = case.resolve()
        except (exception.InvalidRequest, exception.HostCannotDeliver):
            return
        guest = recorded.started_with(decided.selection.features)
        destination = dataclasses.replace(RICH, capabilities=capabilities)

        mine = check.obstacles(guest, RICH, destination)
        drivers = ' '.join(record.obstacles(guest, capabilities))

        self.assertEqual(
            {
                name
                for name in enlightenments.ENLIGHTENMENTS
                if f'{name!r}' in drivers
            },
            {each.name for each in mine},
        )


@ddt.ddt
class GuestTestCase(base.TestCase):
    @ddt.data('minimal', 'baseline', 'performance', 'nested')
    def test_a_profile(self, name):
        conf = settings.Settings(profile=name)

        self.assertEqual(
            profiles.PROFILES[name].features,
            check.of_profile(conf, RICH).selection.features,
        )
        self.assertLessEqual(
            check.of_profile(conf, POOR).selection.features, cases.MINIMAL
        )

    def test_the_operators_options_count(self):
        conf = settings.Settings(force_off=('ipi',), force_on=('evmcs',))

        self.assertEqual(
            cases.BASELINE - {'ipi'} | {'evmcs'},
            check.of_profile(conf, RICH).selection.features,
        )
        self.assertRaises(
            exception.HostCannotDeliver, check.of_profile, conf, POOR
        )

    @ddt.data({'profile': 'stock'}, {'enabled': False})
    def test_what_is_left_to_nova(self, options):
        error = self.assertRaises(
            exception.InvalidRequest,
            check.of_profile,
            settings.Settings(**options),
            RICH,
        )

        self.assertIn('is left to Nova', str(error))

    def test_a_domain(self):
        guest = check.read_guest(Guests(whole=domains.WHOLE), 'whole')

        self.assertEqual(
            {'relaxed'}, set(check.of_guest(guest).selection.features)
        )

    @ddt.data('xen', 'hyperv')
    def test_a_type_that_is_not_understood(self, virt_type):
        text = guests.document(virt_type=virt_type)

        error = self.assertRaises(
            exception.InvalidRequest, check.read_guest, Guests(x=text), 'x'
        )

        self.assertIn(f'is of type {virt_type!r}', str(error))

    def test_no_domain(self):
        error = self.assertRaises(
            exception.InvalidRequest, check.read_guest, Guests(), 'absent'
        )

        self.assertEqual(
            "The domain 'absent' cannot be read: Domain not found", str(error)
        )

    @ddt.data('', '<domain/>', '<network/>')
    def test_no_document(self, text):
        self.assertRaises(
            exception.MalformedDocument,
            check.read_guest,
            Guests(odd=text),
            'odd',
        )

    def test_a_document(self):
        guest = domain.parse(domains.WHOLE)

        self.assertEqual('adopted', check.of_guest(guest).profile)
