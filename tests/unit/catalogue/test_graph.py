# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from tests.unit import base

AMD, INTEL = model.Vendor.AMD, model.Vendor.INTEL
ALL = frozenset(enlightenments.ENLIGHTENMENTS)


@ddt.ddt
class GraphTestCase(base.TestCase):
    """Each walk, over more than one step and for each vendor."""

    @ddt.data(
        ((), ()),
        (('relaxed',), ()),
        (('synic',), ('vpindex',)),
        (
            ('stimer.direct', 'evmcs'),
            ('stimer', 'synic', 'vpindex', 'hypervclock', 'vapic'),
        ),
        # Only Intel's hosts want evmcs beside it.
        (('emsr_bitmap',), ()),
    )
    @ddt.unpack
    def test_closure(self, features, required):
        self.assertEqual(
            {*features, *required}, graph.closure(frozenset(features))
        )

    def test_closure_on_one_vendor(self):
        for vendor, required in (
            (None, set()),
            (AMD, set()),
            (INTEL, {'evmcs', 'vapic'}),
        ):
            self.assertEqual(
                {'emsr_bitmap', *required},
                graph.closure({'emsr_bitmap'}, vendor),
            )

    def test_requiring(self):
        self.assertEqual(
            {
                'synic': ['vpindex'],
                'stimer': ['hypervclock'],
                'tlbflush': ['vpindex'],
            },
            graph.requiring(
                {'tlbflush', 'stimer', 'synic', 'relaxed'},
                {'vpindex', 'hypervclock', 'vapic'},
            ),
        )

    def test_unmet(self):
        features = {'stimer', 'emsr_bitmap'}

        self.assertEqual(
            {'stimer': graph.in_order({'hypervclock', 'synic'})},
            graph.unmet(features, AMD),
        )
        self.assertEqual(
            ['evmcs'], graph.unmet(features, INTEL)['emsr_bitmap']
        )
        self.assertEqual({}, graph.unmet(ALL, INTEL))

    @ddt.data(
        ((), None, ()),
        (('stimer.direct',), None, ()),
        (('hypervclock',), None, ('stimer', 'stimer.direct')),
        (('synic',), AMD, ('stimer', 'stimer.direct', 'avic')),
        (('vapic',), AMD, ('evmcs', 'tlbflush.direct')),
        (('vapic',), None, ('evmcs', 'tlbflush.direct')),
        (('vapic',), INTEL, ('evmcs', 'tlbflush.direct', 'emsr_bitmap')),
    )
    @ddt.unpack
    def test_dependents(self, features, vendor, others):
        self.assertEqual(
            {*features, *others}, graph.dependents(set(features), vendor)
        )

    @ddt.data(
        ((), (None,), ()),
        (('tlbflush',), (AMD,), ('tlbflush.direct', 'tlbflush.extended')),
        (('synic',), (AMD,), ('stimer', 'stimer.direct', 'avic')),
        (('evmcs',), (AMD,), ()),
        (('evmcs',), (None,), ()),
        (('evmcs',), (AMD, INTEL), ('emsr_bitmap', 'tlbflush.direct')),
    )
    @ddt.unpack
    def test_closed_part(self, lacking, vendors, fall):
        self.assertEqual(
            ALL - {*lacking, *fall},
            graph.closed_part(ALL - set(lacking), frozenset(vendors)),
        )

    @ddt.data(None, *model.Vendor)
    def test_what_falls_is_what_depends(self, vendor):
        for name in ALL:
            left = ALL - graph.dependents({name}, vendor)

            self.assertEqual(
                left,
                graph.closed_part(ALL - {name}, frozenset([vendor])),
                name,
            )
