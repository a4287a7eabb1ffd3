# SPDX-License-Identifier: Apache-2.0

import dataclasses

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.policy import cases


@ddt.ddt
class EncryptedTestCase(base.TestCase):
    """SEV, SEV-ES, SEV-SNP and TDX."""

    def decide(self, flavor=None, **options):
        return resolve.resolve(
            settings.Settings(**options),
            dataclasses.replace(cases.make_request(flavor), encrypted=True),
            cases.HOST,
        )

    @ddt.data(*sorted(profiles.PROFILES.keys() - {'stock'}))
    def test_resolve_nothing(self, profile):
        decided = self.decide(profile=profile)

        self.assertTrue(decided.acts)
        self.assertEqual(selections.Selection(), decided.selection)
        for outcome in decided.left_out:
            self.assertEqual(decision.Reason.GUEST, outcome.reason)
            self.assertIn("the guest's memory is encrypted", outcome.text)

    def test_resolve_stock_is_novas(self):
        self.assertFalse(self.decide(profile='stock').acts)

    def test_resolve_explicit(self):
        error = self.assertRaises(
            exception.HostCannotDeliver, self.decide, {'relaxed': 'on'}
        )

        self.assertIn("the guest's memory is encrypted", str(error))
