# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from tests.unit import base
from tests.unit.catalogue import facts

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
        (None, ()),
        (None, ('stimer.direct',)),
        (None, ('hypervclock',)),
        (AMD, ('synic',)),
        (AMD, ('vapic',)),
        (None, ('vapic',)),
        (INTEL, ('vapic',)),
        (INTEL, ('hypervclock', 'vapic')),
    )
    @ddt.unpack
    def test_dependents(self, vendor, features):
        self.assertEqual(
            set(features).union(
                *(facts.dependents(name, vendor) for name in features)
            ),
            graph.dependents(set(features), vendor),
        )

    @ddt.data(
        ('tlbflush', (AMD,)),
        ('synic', (AMD,)),
        ('evmcs', (AMD,)),
        ('evmcs', (None,)),
        ('evmcs', (AMD, INTEL)),
    )
    @ddt.unpack
    def test_closed_part(self, lacking, vendors):
        fall = {lacking}.union(
            *(facts.dependents(lacking, vendor) for vendor in vendors)
        )
        self.assertEqual(
            ALL - fall, graph.closed_part(ALL - {lacking}, frozenset(vendors))
        )

    def test_closed_part_of_everything(self):
        self.assertEqual(ALL, graph.closed_part(ALL, frozenset([None])))

    @ddt.data(None, *model.Vendor)
    def test_what_falls_is_what_depends(self, vendor):
        for name in ALL:
            left = ALL - graph.dependents({name}, vendor)

            self.assertEqual(
                left,
                graph.closed_part(ALL - {name}, frozenset([vendor])),
                name,
            )
