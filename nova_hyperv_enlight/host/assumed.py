# SPDX-License-Identifier: Apache-2.0

"""Hosts that were not asked, and what is taken for granted of them."""

import functools
import types

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.host import capabilities


def unasked(sources: capabilities.Sources) -> capabilities.HostCapabilities:
    """Return a host whose offers are not known.

    :param sources: what is known of it all the same.
    """
    return capabilities.HostCapabilities(
        sources=sources,
        features=types.MappingProxyType(
            {
                name: capabilities.Capability(
                    name=name,
                    offered=None,
                    source=capabilities.CapabilitySource.NONE,
                    evidence='the host was not asked',
                )
                for name in enlightenments.ENLIGHTENMENTS
            }
        ),
    )


# A host's guests are of few kinds.
@functools.lru_cache(maxsize=128)
def offering(
    host: capabilities.HostCapabilities,
    features: frozenset[str],
    evidence: str,
) -> capabilities.HostCapabilities:
    """Return a host that offers some names whatever its sources say.

    :param host: the host.
    :param features: the names.
    :param evidence: why they are taken for granted, to be read after a name.
    """
    granted = {
        name: capabilities.Capability(
            name=name,
            offered=True,
            source=capabilities.CapabilitySource.NONE,
            evidence=evidence,
        )
        for name in enlightenments.ENLIGHTENMENTS
        if name in features
    }
    return capabilities.HostCapabilities(
        sources=host.sources,
        features=types.MappingProxyType({**host.features, **granted}),
    )


def portable(host: capabilities.HostCapabilities) -> frozenset[str]:
    """Return what no source denies, and what needs no particular hardware."""
    return frozenset(
        name
        for name, entry in enlightenments.ENLIGHTENMENTS.items()
        if host.features[name].offered is not False and entry.is_portable
    )
