# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from tests.unit.catalogue import facts
from tests.unit.policy import cases

Invalid, NotHere = exception.InvalidRequest, exception.HostCannotDeliver

FEATURES = tuple(name for name in cases.NAMES if name != 'hypervclock')
V11_9 = cases.make_host(libvirt=(11, 9, 0))
V12_1 = cases.make_host(libvirt=(12, 1, 0))


@ddt.ddt
class DelegatedTestCase(cases.ResolveTestCase):
    """libvirt or QEMU name the enlightenments."""

    @ddt.unpack
    @ddt.data(
        ('host-model', profiles.Mode.HOST_MODEL, True),
        ('passthrough', profiles.Mode.PASSTHROUGH, False),
    )
    def test_resolve_mode(self, profile, mode, migratable):
        decided = cases.decide(profile=profile, host=V11_9)
        self.assertTrue(decided.acts)
        self.assertIs(mode, decided.selection.mode)
        self.assertIs(migratable, decided.migratable)
        # No mode covers the timer.
        self.check_on(['hypervclock'], decided)
        self.assertEqual(frozenset(), decided.selection.off)

    @ddt.unpack
    @ddt.data(
        ('host-model', "is left to libvirt by profile 'host-model'."),
        (
            'passthrough',
            "is left to QEMU by profile 'passthrough', and the guest cannot "
            'be live migrated.',
        ),
    )
    def test_resolve_mode_says_so(self, profile, text):
        decided = cases.decide(profile=profile, host=V11_9)
        for name in FEATURES:
            self.check_outcome(
                decided, name, 'unset', 'left', 'libvirt', f'{name!r} {text}'
            )

    def test_resolve_host_model_never_reenlightenment(self):
        # From libvirt 12.1 on it can be told what not to turn on.
        decided = cases.decide(profile='host-model', host=V12_1)
        self.assertEqual({'reenlightenment'}, decided.selection.off)

    def test_resolve_host_model_unless_asked_for(self):
        decided = cases.decide(
            {'reenlightenment': 'on'}, profile='host-model', host=V12_1
        )
        self.assertEqual(frozenset(), decided.selection.off)
        self.assertIn('reenlightenment', decided.selection.features)

    @ddt.data('host-model', 'passthrough')
    def test_resolve_nothing_to_hand_on(self, profile):
        decided = cases.decide(profile=profile, host=cases.make_host(()))
        self.assertIs(profiles.Mode.CUSTOM, decided.selection.mode)
        self.check_on((), decided)
        self.assertEqual(
            set(cases.NAMES), {outcome.name for outcome in decided.left_out}
        )


@ddt.ddt
class OverridesTestCase(cases.ResolveTestCase):
    """host-model with names switched beside it."""

    def test_resolve_override_on(self):
        decided = cases.decide(
            {'stimer': 'on'}, profile='host-model', host=V12_1
        )
        self.check_on(['stimer', 'synic', 'vpindex', 'hypervclock'], decided)
        self.assertIs(profiles.Mode.HOST_MODEL, decided.selection.mode)

    def test_resolve_override_off(self):
        decided = cases.decide(
            {'xmm_input': 'off'}, profile='host-model', host=V12_1
        )
        self.assertEqual(
            {'xmm_input', 'reenlightenment'}, decided.selection.off
        )

    def test_resolve_override_off_takes_along(self):
        # libvirt would turn them on.
        decided = cases.decide(
            {'synic': 'off'}, profile='host-model', host=V12_1
        )
        self.assertEqual(
            {'synic', 'reenlightenment'} | facts.dependents('synic'),
            decided.selection.off,
        )

    def test_resolve_override_value(self):
        decided = cases.decide(
            {'spinlocks.retries': '5000'}, profile='host-model', host=V12_1
        )
        self.assertEqual(
            {('spinlocks.retries', '5000')}, decided.selection.values
        )

    @ddt.unpack
    @ddt.data(
        (
            {'flavor': {'synic': 'off'}},
            "and the flavor switches 'synic' (hyperv_enlight:synic=off)",
        ),
        (
            {'image': {'synic': 'on'}},
            "and the image switches 'synic' (hyperv_enlight_synic=on)",
        ),
        (
            {'force_off': ('synic',)},
            "and the operator switches 'synic' ([hyperv_enlight] force_off)",
        ),
    )
    def test_resolve_override_too_new(self, kwargs, who):
        # Another host may have a newer libvirt.
        self.check_refused(
            NotHere,
            "Profile 'host-model', which the operator chose, leaves the "
            f'choice to libvirt, {who}: the two exclude each other '
            'before libvirt 12.1.0: this host has 11.9.0.',
            profile='host-model',
            host=V11_9,
            **kwargs,
        )

    @ddt.unpack
    @ddt.data(('passthrough', 'QEMU'), ('stock', 'Nova'))
    def test_resolve_never_beside_the_others(self, profile, who):
        self.check_refused(
            Invalid,
            f'Profile {profile!r}, which the flavor chose, leaves the choice '
            f"to {who}, and the image switches 'synic' "
            '(hyperv_enlight_synic=on): the two exclude each other.',
            {'profile': profile},
            {'synic': 'on'},
            V12_1,
        )


@ddt.ddt
class TooOldTestCase(cases.ResolveTestCase):
    """Modes that the host's libvirt does not know."""

    @ddt.unpack
    @ddt.data(
        ('host-model', (11, 8, 9), '11.9.0', '11.8.9'),
        ('passthrough', (7, 10, 0), '8.0.0', '7.10.0'),
        ('host-model', None, '11.9.0', 'a libvirt of unknown release'),
    )
    def test_resolve_too_old(self, profile, libvirt, wanted, found):
        for kwargs, who in (
            ({'profile': profile}, 'the operator'),
            ({'flavor': {'profile': profile}}, 'the flavor'),
            ({'image': {'profile': profile}}, 'the image'),
        ):
            self.check_refused(
                NotHere,
                f'Profile {profile!r}, which {who} chose, needs libvirt '
                f'{wanted}: this host has {found}.',
                host=cases.make_host(libvirt=libvirt),
                **kwargs,
            )
