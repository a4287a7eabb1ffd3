# SPDX-License-Identifier: Apache-2.0

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import spelling
from tests.unit import base

NAMES = tuple(enlightenments.ENLIGHTENMENTS)


class SpellingTestCase(base.TestCase):
    def test_a_word_with_a_slip_is_found(self):
        self.assertEqual('stimer', spelling.alike('stimr', NAMES))
        self.assertEqual(
            ' Did you mean vpindex?', spelling.hint('vp_index', NAMES)
        )

    def test_a_word_like_none_of_them_is_not_guessed(self):
        self.assertIsNone(spelling.alike('banana', NAMES))
        self.assertIsNone(spelling.alike('site', ('none', 'nested')))
        self.assertEqual('', spelling.hint('banana', NAMES))

    def test_the_message_has_the_hint_and_all_that_there_is(self):
        self.assertEqual(
            "Unknown profile 'minmal'. Did you mean minimal? Available "
            'profiles: none, minimal.',
            spelling.unknown('profile', 'minmal', ('none', 'minimal')),
        )
