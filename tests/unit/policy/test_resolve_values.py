# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.policy import cases

NEVER = '4294967295'
OLD = cases.make_host(libvirt=(11, 8, 0))


def site(**values):
    """Return the profiles, with one of the site that gives values."""
    profile = profiles.Profile(
        name='site',
        features=frozenset(('spinlocks', 'vendor_id')),
        values=tuple(
            (key.replace('__', '.'), value) for key, value in values.items()
        ),
        summary='Of this site.',
    )
    return {**profiles.PROFILES, 'site': profile}


@ddt.ddt
class ValuesTestCase(cases.ResolveTestCase):
    """The numbers and texts that enlightenments carry."""

    def check_value(self, key, text, *args, **kwargs):
        decided = cases.decide(*args, **kwargs)
        name = key.partition('.')[0]
        self.assertEqual(text, dict(decided.selection.values).get(key))
        self.assertEqual(text, self.outcome(decided, name).value)

    @ddt.unpack
    @ddt.data(
        ('8191', {}),
        ('4096', {'spinlock_retries': '4096'}),
        (
            '5000',
            {
                'spinlock_retries': '4096',
                'profile': 'site',
                'known_profiles': site(spinlocks__retries='5000'),
            },
        ),
        (
            '6000',
            {
                'profile': 'site',
                'known_profiles': site(spinlocks__retries='5000'),
                'image': {'spinlocks_retries': '6000'},
            },
        ),
        (
            '7000',
            {
                'spinlock_retries': '4096',
                'image': {'spinlocks_retries': '6000'},
                'flavor': {'spinlocks.retries': '7000'},
            },
        ),
        (
            '6000',
            {
                'image': {'spinlocks_retries': '6000'},
                'flavor': {'spinlocks': 'on'},
            },
        ),
        (
            '6000',
            {
                'image': {'spinlocks_retries': '6000'},
                'force_on': ('spinlocks',),
            },
        ),
    )
    def test_resolve_retries(self, text, kwargs):
        self.check_value('spinlocks.retries', text, **kwargs)

    @ddt.unpack
    @ddt.data(
        ('1234567890ab', {}),
        ('KVM Hv', {'vendor_id': 'KVM Hv'}),
        (
            'of the site',
            {
                'vendor_id': 'KVM Hv',
                'profile': 'site',
                'known_profiles': site(vendor_id__value='of the site'),
            },
        ),
        ('image', {'image': {'vendor_id_value': 'image'}}),
        (
            'flavor',
            {
                'image': {'vendor_id_value': 'image'},
                'flavor': {'vendor_id.value': 'flavor'},
            },
        ),
    )
    def test_resolve_vendor_id(self, text, kwargs):
        kwargs = {'force_on': ('vendor_id',), **kwargs}
        self.check_value('vendor_id.value', text, **kwargs)

    @ddt.data(
        {'profile': 'none'},
        {'force_off': ('spinlocks',)},
        {'force_off': ('spinlocks',), 'flavor': {'spinlocks.retries': '7000'}},
        {'host': cases.make_host(cases.ALL - {'spinlocks'})},
    )
    def test_resolve_off_carries_nothing(self, kwargs):
        self.check_value('spinlocks.retries', None, **kwargs)

    @ddt.data(*sorted(cases.ALL - {'spinlocks', 'vendor_id'}))
    def test_resolve_others_carry_nothing(self, name):
        decided = cases.decide(force_on=(name,))
        self.assertIsNone(self.outcome(decided, name).value)

    def test_resolve_value_turns_on(self):
        decided = cases.decide({'spinlocks.retries': '7000'}, profile='none')
        self.check_on(['spinlocks'], decided)

    @ddt.unpack
    @ddt.data(
        (
            {'flavor': {'spinlocks.retries': NEVER}},
            'hyperv_enlight:spinlocks.retries=4294967295',
        ),
        (
            {'image': {'spinlocks_retries': NEVER}},
            'hyperv_enlight_spinlocks_retries=4294967295',
        ),
        ({'spinlock_retries': NEVER}, '[hyperv_enlight] spinlock_retries'),
        (
            {
                'profile': 'site',
                'known_profiles': site(spinlocks__retries=NEVER),
            },
            "profile 'site'",
        ),
    )
    def test_resolve_retries_too_new(self, kwargs, requester):
        self.check_refused(
            exception.HostCannotDeliver,
            f'spinlocks.retries=4294967295, which {requester} gives, needs '
            'libvirt 11.9.0: this host has 11.8.0.',
            host=OLD,
            **kwargs,
        )

    @ddt.data('2147483648', '4294967294')
    def test_resolve_retries_that_turn_negative(self, retries):
        self.check_refused(
            exception.HostCannotDeliver,
            f'spinlocks.retries={retries}, which '
            f'hyperv_enlight:spinlocks.retries={retries} gives, needs '
            'libvirt 11.9.0: this host has 9.0.0.',
            {'spinlocks.retries': retries},
            host=cases.make_host(libvirt=(9, 0, 0)),
        )

    def test_resolve_the_most_retries_of_any_libvirt(self):
        self.check_value(
            'spinlocks.retries',
            '2147483647',
            {'spinlocks.retries': '2147483647'},
            host=cases.make_host(libvirt=(9, 0, 0)),
        )

    @ddt.data((11, 9, 0), (12, 0, 0), None)
    def test_resolve_retries_new_enough(self, libvirt):
        # A libvirt that is not known may be new enough: it will say.
        self.check_value(
            'spinlocks.retries',
            NEVER,
            {'spinlocks.retries': NEVER},
            host=cases.make_host(libvirt=libvirt),
        )


@ddt.ddt
class AutoTestCase(cases.ResolveTestCase):
    """spinlock_retries = auto: by the guest's CPU policy."""

    def decide(self, libvirt=(12, 0, 0), specs=None, **properties):
        req = request.from_properties(
            os_type='windows',
            extra_specs=specs or {},
            image_properties=properties,
        )
        decided = resolve.resolve(
            settings.Settings(spinlock_retries=settings.AUTO),
            req,
            cases.make_host(libvirt=libvirt),
        )
        return dict(decided.selection.values)['spinlocks.retries']

    def test_resolve_dedicated(self):
        specs = {'hw:cpu_policy': 'dedicated'}
        self.assertEqual(NEVER, self.decide(specs=specs))

    def test_resolve_dedicated_by_the_image(self):
        self.assertEqual(NEVER, self.decide(hw_cpu_policy='dedicated'))

    def test_resolve_shared(self):
        self.assertEqual('8191', self.decide(hw_cpu_policy='shared'))

    def test_resolve_without_policy(self):
        self.assertEqual('8191', self.decide())

    @ddt.data((11, 8, 0), None)
    def test_resolve_dedicated_too_old(self, libvirt):
        # Nobody asked for never: what the host takes is given.
        self.assertEqual(
            '8191', self.decide(libvirt, hw_cpu_policy='dedicated')
        )

    def test_resolve_dedicated_with_a_number(self):
        specs = {
            'hw:cpu_policy': 'dedicated',
            'hyperv_enlight:spinlocks.retries': '5000',
        }
        self.assertEqual('5000', self.decide(specs=specs))


class TscTestCase(cases.ResolveTestCase):
    """reenlightenment pins the TSC frequency."""

    def test_resolve_reenlightenment(self):
        decided = cases.decide({'reenlightenment': 'on'})
        self.assertEqual(2794748000, decided.selection.tsc_frequency)

    def test_resolve_others_pin_nothing(self):
        decided = cases.decide(profile='nested')
        self.assertIsNone(decided.selection.tsc_frequency)
