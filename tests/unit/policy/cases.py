# SPDX-License-Identifier: Apache-2.0

"""Guests and hosts for tests of the decision."""

import types

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests import sets
from tests.unit import base

NAMES = tuple(enlightenments.ENLIGHTENMENTS)
ALL = frozenset(NAMES)
AMD, INTEL = model.Vendor.AMD, model.Vendor.INTEL

MINIMAL, BASELINE = sets.MINIMAL, sets.BASELINE
PERFORMANCE, NESTED = sets.PERFORMANCE, sets.NESTED

#: What an image may switch unless the operator says otherwise.
ANYTHING = ALL | {
    'profile:nested',
    'profile:host-model',
    'profile:passthrough',
}

LACKED = 'libvirt does not list it'
UNKNOWN = 'no source says whether the host has it'

_WITNESS = {
    True: (capabilities.CapabilitySource.DOMCAPS, 'libvirt lists it'),
    False: (capabilities.CapabilitySource.DOMCAPS, LACKED),
    None: (capabilities.CapabilitySource.NONE, UNKNOWN),
}


def make_host(
    names=ALL,
    *,
    unknown=(),
    vendor=INTEL,
    libvirt=(12, 4, 0),
    tsc_frequency=2794748000,
    tsc_scaling=None,
):
    """Return a host that offers these names and no others.

    :param unknown: names of which nobody can say whether it offers them.
    """
    features = {}
    for name in NAMES:
        offered = None if name in unknown else name in names
        source, evidence = _WITNESS[offered]
        features[name] = capabilities.Capability(
            name=name, offered=offered, source=source, evidence=evidence
        )
    return capabilities.HostCapabilities(
        sources=capabilities.Sources(
            virt_type='kvm',
            arch='x86_64',
            libvirt=libvirt,
            qemu=(10, 1, 0),
            kernel=kvm.KernelFacts(vendor=vendor),
            tsc_frequency=tsc_frequency,
            tsc_scaling=tsc_scaling,
        ),
        features=types.MappingProxyType(features),
    )


HOST = make_host()


def make_request(
    flavor=None, image=None, os_type='windows', nested=None, started=False
):
    """Return what a guest asks for.

    :param flavor: extra specs without ``hyperv_enlight:``.
    :param image: properties without ``hyperv_enlight_``.
    :param started: whether it was started before.
    """
    return request.from_properties(
        os_type=os_type,
        extra_specs={
            f'hyperv_enlight:{key}': value
            for key, value in (flavor or {}).items()
        },
        image_properties={
            f'hyperv_enlight_{key}': value
            for key, value in (image or {}).items()
        },
        nested=nested,
        started=started,
    )


def decide(flavor=None, image=None, host=HOST, nested=None, **options):
    """Decide about a Windows guest; the image may ask for anything."""
    conf = settings.Settings(**{'image_overridable': ANYTHING, **options})
    req = make_request(flavor, image, nested=nested)
    return resolve.resolve(conf, req, host)


class ResolveTestCase(base.TestCase):
    """Looks at decisions."""

    def check_on(self, names, decided):
        self.assertEqual(set(names), set(decided.selection.features))
        self.assertEqual(set(names), {outcome.name for outcome in decided.on})

    def outcome(self, decided, name):
        (found,) = (v for v in decided.outcomes if v.name == name)
        return found

    def check_outcome(self, decided, name, state, reason, source, text):
        outcome = self.outcome(decided, name)
        self.assertEqual(
            (
                decision.State(state),
                decision.Reason(reason),
                request.Source(source),
                text,
            ),
            (outcome.state, outcome.reason, outcome.source, outcome.text),
        )

    def check_refused(self, error, message, *args, **kwargs):
        raised = self.assertRaises(error, decide, *args, **kwargs)
        self.assertEqual(message, str(raised))
