# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import admission
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.policy import cases

BUILTIN = (
    'none, stock, minimal, baseline, performance, nested, host-model, '
    'passthrough'
)
SITE = profiles.Profile(
    name='site', features=frozenset(('relaxed',)), summary='Of this site.'
)


class ChoiceTestCase(base.TestCase):
    """Chooses for a flavor and an image."""

    def choose(self, flavor=None, image=None, **options):
        profile, by = admission.choose(
            settings.Settings(**options),
            cases.make_request(
                {'profile': flavor} if flavor else {},
                {'profile': image} if image else {},
            ),
        )
        return profile.name, by

    def check_refused(self, message, **kwargs):
        error = self.assertRaises(
            exception.InvalidRequest, self.choose, **kwargs
        )
        self.assertEqual(message, str(error))


@ddt.ddt
class ChooseTestCase(ChoiceTestCase):
    """The profile that applies."""

    def test_choose_default(self):
        self.assertEqual(('baseline', 'the operator'), self.choose())

    @ddt.data(*profiles.PROFILES)
    def test_choose_operator(self, name):
        self.assertEqual((name, 'the operator'), self.choose(profile=name))

    @ddt.data(*profiles.PROFILES)
    def test_choose_flavor(self, name):
        self.assertEqual((name, 'the flavor'), self.choose(flavor=name))

    @ddt.data('none', 'stock', 'minimal', 'baseline', 'performance')
    def test_choose_image(self, name):
        self.assertEqual((name, 'the image'), self.choose(image=name))

    def test_choose_flavor_before_image(self):
        self.assertEqual(
            ('none', 'the flavor'),
            self.choose(flavor='none', image='performance'),
        )

    @ddt.data('flavor', 'image')
    def test_choose_of_the_site(self, source):
        known = {**profiles.PROFILES, 'site': SITE}
        self.assertEqual(
            ('site', f'the {source}'),
            self.choose(**{source: 'site', 'known_profiles': known}),
        )

    @ddt.unpack
    @ddt.data(
        ('flavor', 'hyperv_enlight:profile'),
        ('image', 'hyperv_enlight_profile'),
    )
    def test_choose_unknown(self, source, key):
        meant = ' Did you mean baseline?'
        for name, hint in (
            ('fast', ''),
            ('Baseline', meant),
            (' baseline', meant),
        ):
            self.check_refused(
                f"The {source}'s {key}={name} is not valid.{hint} The "
                f'profiles are {BUILTIN}, and those of [hyperv_enlight] '
                'profiles_file.',
                **{source: name},
            )

    def test_choose_unknown_image_behind_a_flavor(self):
        self.check_refused(
            "The image's hyperv_enlight_profile=fast is not valid. The "
            f'profiles are {BUILTIN}, and those of [hyperv_enlight] '
            'profiles_file.',
            flavor='none',
            image='fast',
        )


@ddt.ddt
class ImageProfileTestCase(ChoiceTestCase):
    """What an image may choose."""

    @ddt.data('nested', 'host-model', 'passthrough')
    def test_choose_listed(self, name):
        self.assertEqual(
            (name, 'the image'),
            self.choose(
                image=name, image_overridable=frozenset([f'profile:{name}'])
            ),
        )

    @ddt.data('nested', 'host-model', 'passthrough')
    def test_choose_not_listed(self, name):
        # Though every name of it is one that images may switch.
        self.check_refused(
            f'The image property hyperv_enlight_profile={name} is not '
            'allowed: an image may choose it only where '
            f'profile:{name} is listed; [hyperv_enlight] image_overridable '
            f'allows {", ".join(sorted(cases.ALL))}.',
            image=name,
            image_overridable=cases.ALL,
        )

    def test_choose_not_listed_behind_a_flavor(self):
        self.assertRaises(
            exception.InvalidRequest,
            self.choose,
            flavor='none',
            image='passthrough',
        )

    def test_choose_switches_too_much(self):
        self.check_refused(
            'The image property hyperv_enlight_profile=performance is not '
            'allowed: it would switch avic, xmm_input; [hyperv_enlight] '
            'image_overridable allows tlbflush.extended.',
            image='performance',
            image_overridable=frozenset(['tlbflush.extended']),
        )

    def test_choose_switches_off_too_much(self):
        # A profile takes away, too.
        self.check_refused(
            'The image property hyperv_enlight_profile=minimal is not '
            'allowed: it would switch tlbflush.direct; [hyperv_enlight] '
            'image_overridable allows '
            f'{", ".join(sorted(cases.ALL - {"tlbflush.direct"}))}.',
            image='minimal',
            profile='nested',
            image_overridable=cases.ALL - {'tlbflush.direct'},
        )

    def test_choose_where_nothing_is_allowed(self):
        self.check_refused(
            'The image property hyperv_enlight_profile=none is not allowed: '
            'it would switch hypervclock, relaxed, spinlocks, vapic; '
            '[hyperv_enlight] image_overridable allows nothing.',
            image='none',
            profile='minimal',
            image_overridable=frozenset(),
        )

    def test_choose_the_default_where_nothing_is_allowed(self):
        self.assertEqual(
            ('baseline', 'the image'),
            self.choose(image='baseline', image_overridable=frozenset()),
        )

    def test_choose_listed_where_names_are_not(self):
        self.assertEqual(
            ('none', 'the image'),
            self.choose(
                image='none', image_overridable=frozenset(['profile:none'])
            ),
        )


@ddt.ddt
class CheckImageTestCase(base.TestCase):
    """What an image may switch."""

    def check(self, image, allowed):
        admission.check_image(
            settings.Settings(image_overridable=frozenset(allowed)),
            cases.make_request(image=image).image,
        )

    @ddt.data('on', 'off')
    def test_check_image_allowed(self, state):
        self.check({'synic': state}, ['synic'])

    def test_check_image_value_allowed(self):
        self.check({'spinlocks_retries': '4096'}, ['spinlocks'])

    @ddt.unpack
    @ddt.data(
        ('synic', 'on', 'synic'),
        ('synic', 'off', 'synic'),
        ('stimer_direct', 'on', 'stimer.direct'),
        ('spinlocks_retries', '4096', 'spinlocks'),
    )
    def test_check_image_refused(self, word, text, name):
        error = self.assertRaises(
            exception.InvalidRequest,
            self.check,
            {word: text},
            ['relaxed', 'stimer'],
        )
        self.assertEqual(
            f'The image property hyperv_enlight_{word} is not allowed: an '
            f'image may not switch {name!r} here; [hyperv_enlight] '
            'image_overridable allows relaxed, stimer.',
            str(error),
        )

    @ddt.data('vendor_id', 'evmcs', 'emsr_bitmap', 'reenlightenment')
    def test_check_image_refused_by_default(self, name):
        self.assertRaises(
            exception.InvalidRequest,
            admission.check_image,
            settings.Settings(),
            cases.make_request(image={name: 'on'}).image,
        )

    @ddt.data(*sorted(cases.PERFORMANCE))
    def test_check_image_allowed_by_default(self, name):
        word = name.replace('.', '_')
        admission.check_image(
            settings.Settings(), cases.make_request(image={word: 'off'}).image
        )
