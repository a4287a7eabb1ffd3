# SPDX-License-Identifier: Apache-2.0

"""What a refusal tells a tenant of the host and of its operator."""

import types

import ddt
from hypothesis import strategies as st

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.hostile import tenants
from tests.unit.policy import cases
from tests.unit.policy import strategies

# Releases that are in no catalogue, and words of nobody's else.
LIBVIRT, QEMU = (9, 87, 65), (7, 76, 54)
HOST_SECRETS = ('9.87.65', '7.76.54', 'secret-evidence')
OPERATOR_SECRET = 'secret-profile'  # noqa: S105
KNOWN = types.MappingProxyType(
    {
        **profiles.PROFILES,
        OPERATOR_SECRET: profiles.Profile(
            name=OPERATOR_SECRET,
            features=cases.MINIMAL,
            summary='Nobody has asked for it.',
        ),
    }
)
RECORD = record.Record(profile='baseline', selection=cases.decide().selection)


def secretive(names, unknown=()):
    """Return a host with something to hide."""
    host = cases.make_host(names, unknown=unknown, libvirt=LIBVIRT)
    return capabilities.HostCapabilities(
        sources=host.sources,
        features=types.MappingProxyType(
            {
                name: capabilities.Capability(
                    name=name,
                    offered=capability.offered,
                    source=capability.source,
                    evidence='secret-evidence',
                )
                for name, capability in host.features.items()
            }
        ),
    )


HOSTS = (
    secretive(frozenset()),
    secretive(cases.MINIMAL),
    secretive(frozenset(), unknown=cases.NAMES),
    secretive(cases.ALL),
)


def refusal(conf, host, specs, properties, recorded=None):
    """Return what a guest is refused with, None where it is not."""
    try:
        asked = request.from_properties(
            os_type='windows',
            extra_specs=specs,
            image_properties=properties,
            nested=False,
            started=recorded is not None,
        )
        resolve.resolve.__wrapped__(conf, asked, host, recorded)
    except exception.EnlightException as err:
        return err
    return None


def settings_of(**kwargs):
    return settings.Settings(known_profiles=KNOWN, **kwargs)


_KEYS = sorted({*cases.NAMES, 'profile', 'spinlocks.retries'})
_TEXTS = st.sampled_from(
    ['on', 'off', '4294967295', *profiles.PROFILES, 'no such thing']
)
_DEMANDS = st.dictionaries(st.sampled_from(_KEYS), _TEXTS, max_size=3)
_NAMES = st.frozensets(st.sampled_from(cases.NAMES), max_size=3).map(
    lambda names: tuple(sorted(names))
)


@ddt.ddt
class ToldTestCase(base.TestCase):
    @strategies.for_any(
        _DEMANDS,
        _DEMANDS,
        _NAMES,
        st.sampled_from(sorted(profiles.PROFILES)),
        st.sampled_from([cases.ANYTHING, cases.PERFORMANCE, frozenset()]),
        st.sampled_from(HOSTS),
        st.sampled_from([None, RECORD]),
    )
    def test_any_refusal(
        self, specs, properties, force_on, profile, allowed, host, recorded
    ):
        error = refusal(
            settings_of(
                profile=profile,
                force_on=force_on,
                image_overridable=allowed,
                fail_on_host_change=True,
                spinlock_retries='4294967295',
            ),
            host,
            {f'hyperv_enlight:{key}': text for key, text in specs.items()},
            {
                f'hyperv_enlight_{key}'.replace('.', '_'): text
                for key, text in properties.items()
            },
            recorded,
        )
        if error is None:
            return
        told = error.for_tenants
        for secret in (*HOST_SECRETS, OPERATOR_SECRET):
            self.assertNotIn(secret, told)
        tenants._check_refusal(told)

    @ddt.data(
        # What is asked for is not there.
        ({'stimer': 'on'}, {}, HOSTS[0], 'secret-evidence'),
        # What that requires is not there.
        ({'stimer.direct': 'on'}, {}, HOSTS[0], 'secret-evidence'),
        # The libvirt of the host is too old: for a value, for a profile.
        ({'spinlocks.retries': '4294967295'}, {}, HOSTS[3], '9.87.65'),
        ({'profile': 'host-model'}, {}, HOSTS[3], '9.87.65'),
        # The operator does not want a guest to lose any of its record.
        ({}, {'fail_on_host_change': True}, HOSTS[0], 'secret-evidence'),
    )
    @ddt.unpack
    def test_the_log_has_the_rest(self, specs, options, host, secret):
        error = refusal(
            settings_of(**options),
            host,
            {f'hyperv_enlight:{key}': text for key, text in specs.items()},
            {},
            RECORD if options else None,
        )
        self.assertIsInstance(error, exception.HostCannotDeliver)
        self.assertIn(secret, str(error))
        self.assertNotIn(secret, error.for_tenants)
        # The two begin alike, and what is told is a sentence.
        self.assertTrue(str(error).startswith(error.for_tenants[:-1]))
        self.assertTrue(error.for_tenants.endswith('.'))

    @ddt.data('hyperv_enlight:profile', 'hyperv_enlight_profile')
    def test_the_operators_profiles_are_not_listed(self, key):
        wrong = {key: 'x'}
        error = refusal(
            settings_of(), cases.HOST, wrong, wrong if '_p' in key else {}
        )
        self.assertIsInstance(error, exception.InvalidRequest)
        self.assertNotIn(OPERATOR_SECRET, error.for_tenants)
