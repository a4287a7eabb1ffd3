# SPDX-License-Identifier: Apache-2.0

"""Writing beside what a domain has, or lacks, of its own."""

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from tests.unit import base
from tests.unit.domxml import domains
from tests.unit.domxml import test_schema


class ApplyBesideTestCase(base.TestCase):
    def test_domain_without_clock_stays_valid(self):
        text = domains.WHOLE
        start, end = text.index('  <clock'), text.index('  <devices')
        domain = domains.parse(text[:start] + text[end:])
        hyperv.apply(domain, domains.selection('hypervclock'))
        schema = test_schema.schema()
        self.assertTrue(schema.validate(domain), str(schema.error_log))

    def test_read_mode_stock(self):
        self.assertRaises(
            exception.MalformedDocument,
            hyperv.read,
            domains.domain('<hyperv mode="stock"/>'),
        )

    def test_reenlightenment_beside_a_foreign_tsc_timer(self):
        domain = domains.domain(clock='<timer name="tsc" frequency="9"/>')
        chosen = selections.Selection(features=frozenset(['reenlightenment']))
        hyperv.apply(domain, chosen)
