# SPDX-License-Identifier: Apache-2.0

import dataclasses
import itertools

import ddt
from hypothesis import strategies as st

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import baseline
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.fleet import hosts
from tests.unit.policy import cases
from tests.unit.policy import strategies

AMD, INTEL = cases.AMD, cases.INTEL
#: Any few hosts.
FLEETS = st.lists(strategies.HOSTS, min_size=1, max_size=4).map(
    lambda found: [
        documents.Host(name=str(place), source='', capabilities=host)
        for place, host in enumerate(found)
    ]
)


def given(host, names):
    """Return what a guest is given that asks for names on a host."""
    profile = profiles.Profile(name='these', features=names, summary='')
    decided = resolve.resolve(
        settings.Settings(profile='these', known_profiles={'these': profile}),
        request.Request(os_type='windows'),
        host.capabilities,
    )
    return decided.selection.features


class BaselineTestCase(base.TestCase):
    def test_one_host(self):
        found = baseline.find([hosts.make(names=cases.MINIMAL)])

        self.assertEqual(cases.MINIMAL, found.everyone.features)
        self.assertEqual(1, found.everyone.hosts)
        self.assertEqual((), found.missing['relaxed'])
        self.assertEqual(('a',), found.missing['synic'])
        self.assertEqual(
            (1, 0), (found.delivering('relaxed'), found.delivering('synic'))
        )

    def test_what_all_have(self):
        found = baseline.find(
            [
                hosts.make('a', cases.ALL - {'ipi'}),
                hosts.make('b', cases.ALL - {'reset'}),
                hosts.make('c', cases.ALL - {'ipi'}),
            ]
        )

        self.assertEqual(cases.ALL - {'ipi', 'reset'}, found.everyone.features)
        self.assertEqual(('a', 'c'), found.missing['ipi'])
        self.assertEqual(('b',), found.missing['reset'])
        self.assertEqual((), found.missing['relaxed'])

    def test_all_names_are_there_in_order(self):
        found = baseline.find([hosts.make(names=())])

        self.assertEqual(list(cases.NAMES), list(found.missing))

    def test_what_stands_on_something_missing(self):
        found = baseline.find(
            [
                hosts.make('a'),
                hosts.make('b', cases.ALL - {'vpindex'}),
                hosts.make('c', cases.ALL - {'synic'}),
            ]
        )

        for name, short in (
            ('vpindex', ('b',)),
            ('synic', ('b', 'c')),
            ('stimer.direct', ('b', 'c')),
            ('tlbflush.extended', ('b',)),
            ('vapic', ()),
        ):
            self.assertEqual(short, found.missing[name], name)

    def test_what_nobody_knows_is_not_delivered(self):
        found = baseline.find([hosts.make(unknown=('synic',))])

        self.assertEqual(('a',), found.missing['stimer'])

    def test_vendors(self):
        amd = cases.ALL - {'evmcs', 'avic'}
        found = baseline.find(
            [
                hosts.make('a', vendor=INTEL),
                hosts.make('b', amd, vendor=AMD),
                hosts.make('c', amd - {'ipi'}, vendor=AMD),
                hosts.make('d', cases.BASELINE, vendor=None),
            ]
        )

        self.assertEqual(
            [(AMD, 2), (INTEL, 1), (None, 1)],
            [(group.vendor, group.hosts) for group in found.groups],
        )
        by_vendor = {group.vendor: group.features for group in found.groups}
        self.assertEqual(amd - {'ipi'}, by_vendor[AMD])
        self.assertEqual(cases.ALL, by_vendor[INTEL])
        self.assertEqual(cases.BASELINE - {'ipi'}, found.everyone.features)

    def test_what_requires_more_on_one_vendors_hosts(self):
        # An Intel host wants evmcs for it, which an AMD host has not.
        fleet = [
            hosts.make('a', vendor=INTEL),
            hosts.make('b', cases.ALL - {'evmcs'}, vendor=AMD),
        ]

        for found in (baseline.find(fleet), baseline.find(fleet[::-1])):
            self.assertEqual((), found.missing['emsr_bitmap'])
            self.assertEqual(
                cases.ALL - {'evmcs', 'emsr_bitmap', 'tlbflush.direct'},
                found.everyone.features,
            )

    def test_what_requires_more_than_on_hosts_of_an_unknown_vendor(self):
        found = baseline.find(
            [
                hosts.make('a', vendor=INTEL),
                hosts.make('b', cases.ALL - {'evmcs'}, vendor=None),
            ]
        )

        self.assertEqual((), found.missing['emsr_bitmap'])
        self.assertEqual(
            cases.ALL - {'evmcs', 'emsr_bitmap', 'tlbflush.direct'},
            found.everyone.features,
        )

    def test_the_same_host_twice(self):
        error = self.assertRaises(
            exception.InvalidRequest,
            baseline.find,
            [
                hosts.make('a'),
                hosts.make('b'),
                dataclasses.replace(hosts.make('a'), source='other.json'),
            ],
        )

        self.assertEqual(
            "The host 'a' is there twice: a.json and other.json.", str(error)
        )

    def test_no_host(self):
        self.assertRaises(exception.InvalidRequest, baseline.find, [])


@ddt.ddt
class QuorumTestCase(base.TestCase):
    def find(self, *sets, **kwargs):
        """Find the baseline of hosts that deliver these sets."""
        return baseline.find(
            [
                hosts.make(f'h{place}', names, vendor=AMD)
                for place, names in enumerate(sets)
            ],
            **kwargs,
        )

    def test_one_of_ten_is_outside(self):
        found = self.find((), *[cases.BASELINE] * 9)

        self.assertEqual(
            (9, cases.BASELINE), (found.inside.hosts, found.inside.features)
        )
        self.assertEqual(['h0'], [each.name for each in found.outside])
        self.assertTrue(found.enough)
        self.assertEqual(frozenset(), found.everyone.features)

    def test_all_are_inside(self):
        found = self.find(cases.BASELINE, cases.PERFORMANCE - {'avic'})

        self.assertEqual(found.everyone, found.inside)
        self.assertEqual((), found.outside)

    @ddt.unpack
    @ddt.data((50, 2, ()), (75, 3, ('ipi',)), (100, 4, ('ipi', 'reset')))
    def test_as_many_as_are_demanded(self, percent, hosts, less):
        full = cases.BASELINE
        found = self.find(
            full, full, full - {'ipi'}, full - {'ipi', 'reset'}, quorum=percent
        )

        self.assertEqual(hosts, found.inside.hosts)
        self.assertEqual(full - set(less), found.inside.features)

    def test_fewer_than_are_demanded(self):
        found = self.find(cases.MINIMAL, ())

        self.assertFalse(found.enough)
        self.assertEqual(
            (1, cases.MINIMAL), (found.inside.hosts, found.inside.features)
        )

    def test_nobody_has_anything(self):
        found = self.find((), ())

        self.assertEqual(
            (2, frozenset()), (found.inside.hosts, found.inside.features)
        )

    @strategies.for_any(FLEETS, st.integers(1, 100))
    def test_no_set_that_so_many_share_is_larger(self, fleet, percent):
        found = baseline.find(fleet, percent)
        needed = -(-len(fleet) * percent // 100)
        sets = [host.capabilities.delivered for host in fleet]

        self.assertEqual(len(fleet), found.inside.hosts + len(found.outside))
        largest = max(
            len(frozenset.intersection(*some))
            for some in itertools.combinations(sets, needed)
        )
        shared = frozenset.intersection(
            *(
                host.features
                for host in found.hosts
                if host not in found.outside
            )
        )
        # If any host delivers something, some hosts share a set.
        self.assertEqual(largest > 0, found.enough and any(sets))
        self.assertEqual(any(sets), bool(shared))
        if found.enough:
            self.assertEqual(largest, len(shared))
            self.assertLessEqual(needed, found.inside.hosts)


class PropertiesTestCase(base.TestCase):
    """What is found is what the policy gives."""

    @strategies.for_any(strategies.HOSTS)
    def test_a_host_gives_what_it_delivers(self, capabilities):
        host = documents.Host(name='a', source='', capabilities=capabilities)

        self.assertEqual(given(host, cases.ALL), host.capabilities.delivered)

    @strategies.for_any(FLEETS)
    def test_every_host_gives_the_whole_set(self, fleet):
        found = baseline.find(fleet)

        for host in fleet:
            self.assertEqual(
                found.everyone.features, given(host, found.everyone.features)
            )

    @strategies.for_any(FLEETS)
    def test_a_host_that_is_named_does_not_give_it(self, fleet):
        found = baseline.find(fleet)

        by_name = {host.name: given(host, cases.ALL) for host in fleet}
        for name, short in found.missing.items():
            self.assertEqual(
                [host for host, names in by_name.items() if name not in names],
                list(short),
            )

    @strategies.for_any(FLEETS)
    def test_groups(self, fleet):
        found = baseline.find(fleet)

        self.assertEqual(
            found.everyone.hosts, sum(group.hosts for group in found.groups)
        )
        for group in found.groups:
            self.assertLessEqual(found.everyone.features, group.features)
            mine = [host for host in fleet if host.vendor is group.vendor]
            self.assertEqual(
                baseline.find(mine).everyone.features, group.features
            )
