# SPDX-License-Identifier: Apache-2.0

"""Hosts that were not asked, and what is taken for granted of them."""

import functools
import types

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.host import capabilities


def unasked(
    witnesses: capabilities.Witnesses,
) -> capabilities.HostCapabilities:
    """Return a host of which nobody knows what it offers.

    :param witnesses: what is known of it all the same.
    """
    return capabilities.HostCapabilities(
        witnesses=witnesses,
        offers=types.MappingProxyType(
            {
                name: capabilities.Offer(
                    name=name,
                    offered=None,
                    witness=capabilities.Witness.NONE,
                    evidence='the host was not asked',
                )
                for name in enlightenments.ENLIGHTENMENTS
            }
        ),
    )


# A host's guests are of few kinds.
@functools.lru_cache(maxsize=128)
def offering(
    host: capabilities.HostCapabilities, names: frozenset[str], evidence: str
) -> capabilities.HostCapabilities:
    """Return a host that offers some names whatever its witnesses say.

    :param host: the host.
    :param names: the names.
    :param evidence: why they are taken for granted, to be read after a name.
    """
    granted = {
        name: capabilities.Offer(
            name=name,
            offered=True,
            witness=capabilities.Witness.NONE,
            evidence=evidence,
        )
        for name in enlightenments.ENLIGHTENMENTS
        if name in names
    }
    return capabilities.HostCapabilities(
        witnesses=host.witnesses,
        offers=types.MappingProxyType({**host.offers, **granted}),
    )


def portable(host: capabilities.HostCapabilities) -> frozenset[str]:
    """Return what nobody denies, and what needs no particular hardware."""
    return frozenset(
        name
        for name, entry in enlightenments.ENLIGHTENMENTS.items()
        if host.offers[name].offered is not False
        and not (entry.hardware or entry.vendors or entry.pins_tsc)
    )


def closed(names: frozenset[str]) -> frozenset[str]:
    """Return names with all that they require on every host."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += enlightenments.ENLIGHTENMENTS[name].requires
    return frozenset(found)
