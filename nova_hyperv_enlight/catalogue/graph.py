# SPDX-License-Identifier: Apache-2.0

"""The graph of what features require: every walk over it.

Pure functions of sets of features. What a feature requires may depend on the
vendor of the host's processor.
"""

import collections.abc
import functools

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model

_CATALOGUE = enlightenments.ENLIGHTENMENTS


def closure(features: frozenset[str]) -> frozenset[str]:
    """Return names with all that they require on every host."""
    found: set[str] = set()
    waiting = list(features)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += enlightenments.ENLIGHTENMENTS[name].requires
    return frozenset(found)


def dependents(
    features: collections.abc.Set[str], vendor: model.Vendor | None
) -> set[str]:
    """Return names and all that requires one of them.

    :param features: the names.
    :param vendor: the host's vendor, None where it is not known.
    """
    found = set(features)
    while True:
        more = {
            name
            for name, entry in _CATALOGUE.items()
            if found.intersection(entry.requirements(vendor))
        }
        if more <= found:
            return found
        found |= more


@functools.lru_cache(maxsize=4096)
def closed_part(
    features: frozenset[str], vendors: frozenset[model.Vendor | None]
) -> frozenset[str]:
    """Return names less those that lack what they require.

    :param features: the names that can be had.
    :param vendors: the vendors of the hosts that they shall work on; None is
        one that is not known.
    """
    kept = frozenset(
        name
        for name in features
        if all(
            features.issuperset(_CATALOGUE[name].requirements(vendor))
            for vendor in vendors
        )
    )
    # What stood on a name that fell falls too.
    return kept if kept == features else closed_part(kept, vendors)
