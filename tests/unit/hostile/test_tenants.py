# SPDX-License-Identifier: Apache-2.0

"""Images of tenants who mean no good."""

import ddt
from hypothesis import strategies as st

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.catalogue import facts
from tests.unit.hostile import tenants
from tests.unit.policy import cases
from tests.unit.policy import strategies

_NAME = 'hyperv_enlight_stimer'
#: What a message would show of it, were it shown as it is.
_FORGED = 'x\n2026-01-01 INFO nova.compute.manager all is well'


class AnyImageTestCase(base.TestCase):
    @strategies.for_any(st.binary(max_size=400))
    def test_any_bytes(self, data):
        tenants.check(tenants.read(data))

    @strategies.for_any(
        st.dictionaries(
            st.one_of(
                st.text(max_size=255), st.text(max_size=240).map(_NAME.__add__)
            ),
            st.text(max_size=255),
            max_size=5,
        ),
        st.sampled_from(tenants.SETTINGS),
        st.sampled_from(tenants.HOSTS),
    )
    def test_any_text(self, properties, conf, host):
        tenants.check(
            tenants.Case(properties=properties, conf=conf, host=host)
        )

    @strategies.for_any(
        st.sampled_from([release.distro for release in windows.RELEASES]),
        st.sampled_from(['bios', 'uefi']),
        st.sampled_from(sorted(profiles.PROFILES.keys() - {'stock'})),
    )
    def test_a_release_only_takes_away(self, distro, firmware, profile):
        # Nothing has to allow an image to say what is in it.
        def names(**properties):
            return tenants.decide(
                tenants.Case(
                    properties=properties,
                    conf=settings.Settings(
                        profile=profile, image_overridable=frozenset()
                    ),
                    host=cases.HOST,
                ),
                properties,
            ).selection.features

        before = names()
        if profiles.PROFILES[profile].mode is not profiles.Mode.CUSTOM:
            before = names() | cases.BASELINE
        self.assertLessEqual(
            names(os_distro=distro, hw_firmware_type=firmware), before
        )


@ddt.ddt
class FoundTestCase(base.TestCase):
    """What was found, each once more."""

    def check(self, properties, conf=settings.Settings()):
        return tenants.check(
            tenants.Case(properties=properties, conf=conf, host=cases.HOST)
        )

    @ddt.data(*tenants.VALUES)
    def test_value(self, value):
        for key in (_NAME, 'hyperv_enlight_profile', 'os_version'):
            self.check({key: value})
        # The default profile stays what it is, whatever stands beside it.
        self.assertIsNotNone(self.check({'hyperv_enlight': value}))

    def test_a_value_that_is_several_lines(self):
        error = self.assertRaises(
            exception.InvalidRequest, cases.decide, image={'stimer': _FORGED}
        )
        self.assertIn(r'stimer=x\n2026-01-01 INFO', str(error))

    def test_a_name_that_is_several_lines(self):
        error = self.assertRaises(
            exception.InvalidRequest, cases.decide, image={_FORGED: 'on'}
        )
        self.assertNotIn('\n', str(error))

    def test_a_profile_that_is_several_lines(self):
        error = self.assertRaises(
            exception.InvalidRequest, cases.decide, image={'profile': _FORGED}
        )
        self.assertIn(r'profile=x\n2026', str(error))

    def test_an_os_type_that_is_several_lines(self):
        decided = resolve.resolve(
            settings.Settings(),
            cases.make_request(os_type=_FORGED),
            cases.HOST,
        )
        for outcome in decided.outcomes:
            self.assertTrue(outcome.text.isprintable(), outcome.text)

    @ddt.data('\x1b[2J', '\N{RIGHT-TO-LEFT OVERRIDE}', '\ud800', '\x85')
    def test_what_terminals_obey(self, value):
        error = self.assertRaises(
            exception.InvalidRequest, cases.decide, image={'ipi': value}
        )
        self.assertTrue(str(error).isprintable())

    def test_letters_stay_as_they_are(self):
        error = self.assertRaises(
            exception.InvalidRequest, cases.decide, image={'ipi': 'für uns'}
        )
        self.assertIn('ipi=für uns is not valid', str(error))

    @ddt.data(
        # Off takes along what stands on it.
        ('baseline', {'synic'}, {'synic': 'off'}, 'stimer, stimer.direct'),
        # On brings what it stands on.
        ('minimal', {'stimer'}, {'stimer': 'on'}, 'synic, vpindex'),
        ('none', {'ipi', 'stimer'}, {'ipi': 'on'}, 'vpindex'),
    )
    @ddt.unpack
    def test_by_what_requires_what(self, profile, allowed, image, reached):
        error = self.assertRaises(
            exception.InvalidRequest,
            cases.decide,
            image=image,
            profile=profile,
            image_overridable=frozenset(allowed),
        )
        (name,) = image
        self.assertIn(f'(hyperv_enlight_{name}) is not allowed', str(error))
        self.assertIn(f'it would switch {reached} too;', str(error))

    @ddt.data('host-model', 'passthrough')
    def test_away_from_what_the_host_chooses(self, profile):
        # Found by atheris: all that the host had chosen would be off.
        error = self.assertRaises(
            exception.InvalidRequest,
            cases.decide,
            image={'profile': 'none'},
            profile=profile,
            image_overridable=cases.ALL - {'evmcs'},
        )
        self.assertIn('it would switch evmcs;', str(error))

    @ddt.data(('minimal', 'stock'), ('stock', 'minimal'))
    @ddt.unpack
    def test_to_and_from_novas_own_list(self, profile, wanted):
        # The names of that are not in the profile, and switched all the same.
        error = self.assertRaises(
            exception.InvalidRequest,
            cases.decide,
            image={'profile': wanted},
            profile=profile,
            image_overridable=cases.MINIMAL,
        )
        self.assertIn('it would switch frequencies, ipi, ', str(error))

    @ddt.data(('baseline', 'fast'), ('fast', 'slow'), ('slow', 'baseline'))
    @ddt.unpack
    def test_to_another_value(self, profile, wanted):
        # The names are the same.
        error = self.assertRaises(
            exception.InvalidRequest,
            cases.decide,
            image={'profile': wanted},
            profile=profile,
            known_profiles=tenants.KNOWN,
            image_overridable=cases.ALL - {'spinlocks'},
        )
        self.assertIn('it would switch spinlocks;', str(error))

    @ddt.data(
        ({'spinlocks_retries': '4096', 'synic': 'off'}, 'stimer, stimer.dire'),
        ({'spinlocks': 'off', 'synic': 'off'}, 'stimer, stimer.direct'),
        ({'spinlocks': 'off', 'stimer': 'on'}, 'synic, vpindex'),
    )
    @ddt.unpack
    def test_where_the_host_refuses_all_others(self, image, reached):
        # The operator's number of retries is too new for this libvirt.
        error = self.assertRaises(
            exception.InvalidRequest,
            cases.decide,
            image=image,
            host=tenants.HOSTS[1],
            spinlock_retries='4294967295',
            image_overridable=frozenset(image) | {'spinlocks'},
        )
        self.assertIn(reached, str(error))

    def test_where_the_host_refuses_all_others_allowed(self):
        decided = cases.decide(
            image={'spinlocks_retries': '4096', 'synic': 'off'},
            host=tenants.HOSTS[1],
            spinlock_retries='4294967295',
            image_overridable=cases.ALL,
        )
        self.assertNotIn('stimer', decided.selection.features)

    @ddt.data('a,b', ',hv-evmcs', 'x,hv-all', ',')
    def test_a_comma_would_be_another_option_of_qemu(self, value):
        error = self.assertRaises(
            exception.InvalidRequest,
            cases.decide,
            image={'vendor_id_value': value},
        )
        self.assertIn('is not valid', str(error))

    def test_a_release_that_must_not_be_given_all(self):
        (rule, *_) = [rule for rule in windows.RULES if rule.removes]
        (release, *_) = [r for r in windows.RELEASES if r.nt in rule.nt]
        decided = self.check(
            {
                'os_distro': release.distro,
                'hw_firmware_type': rule.firmware or 'bios',
            },
            settings.Settings(profile='nested'),
        )
        self.assertEqual(set(), decided.selection.features & rule.removes)

    @ddt.data('on', 'off')
    def test_a_name_that_is_not_listed(self, state):
        for name in cases.NAMES:
            error = self.assertRaises(
                exception.InvalidRequest,
                cases.decide,
                image={name.replace('.', '_'): state},
                image_overridable=cases.ALL - {name},
            )
            self.assertIn(f'may not switch {name!r}', str(error))

    @ddt.data('nested', 'host-model', 'passthrough')
    def test_a_profile_that_must_be_listed(self, profile):
        error = self.assertRaises(
            exception.InvalidRequest,
            cases.decide,
            image={'profile': profile},
            image_overridable=cases.ALL,
        )
        self.assertIn(f'only where profile:{profile} is listed', str(error))

    def test_a_record_excuses_its_own_profile_only(self):
        def go_on(recorded):
            return resolve.resolve(
                settings.Settings(image_overridable=frozenset()),
                cases.make_request(image={'profile': 'minimal'}, started=True),
                cases.HOST,
                record.Record(
                    profile=recorded,
                    selection=cases.decide(profile='minimal').selection,
                ),
            )

        self.assertEqual((), go_on('minimal').passed_over)
        other = go_on('performance')
        self.assertEqual('performance', other.profile)
        self.assertIn('it would switch', *other.passed_over)

    def test_what_host_model_has_off(self):
        # Beside host-model, what is off is written, and counts.
        error = self.assertRaises(
            exception.InvalidRequest,
            cases.decide,
            image={'synic': 'off'},
            profile='host-model',
            image_overridable=frozenset({'synic'}),
        )
        others = ', '.join(sorted(facts.dependents('synic')))
        self.assertIn(f'it would switch {others} too;', str(error))

    def test_hidden_in_novas_own_list(self):
        # Found by atheris, and fine.
        image = {'img_hide_hypervisor_id': 'on'}
        decided = self.check({**image, 'hyperv_enlight_profile': 'stock'})
        self.assertFalse(decided.acts)

    @ddt.data(
        ('minimal', {'stimer', 'synic', 'vpindex'}, {'stimer': 'on'}),
        # What is on already is not switched.
        ('baseline', {'stimer'}, {'stimer': 'on'}),
        ('minimal', {'synic'}, {'synic': 'off'}),
    )
    @ddt.unpack
    def test_by_what_requires_what_allowed(self, profile, allowed, image):
        decided = cases.decide(
            image=image, profile=profile, image_overridable=frozenset(allowed)
        )
        ((name, state),) = image.items()
        self.assertEqual(state == 'on', name in decided.selection.features)
