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


def closure(
    features: collections.abc.Iterable[str], vendor: model.Vendor | None = None
) -> frozenset[str]:
    """Return names and all that they require.

    :param features: the names.
    :param vendor: the host's vendor; None for what every host requires.
    """
    found: set[str] = set()
    waiting = list(features)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _CATALOGUE[name].requirements(vendor)
    return frozenset(found)


def dependents(
    features: collections.abc.Iterable[str], vendor: model.Vendor | None
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

    :param features: the names.
    :param vendors: the vendors of the hosts that they have to work on; None
        is a vendor that is not known.
    """
    kept = frozenset(
        name
        for name in features
        if all(
            features.issuperset(_CATALOGUE[name].requirements(vendor))
            for vendor in vendors
        )
    )
    # A name that fell takes along the names that require it.
    return kept if kept == features else closed_part(kept, vendors)


def requiring(
    features: collections.abc.Set[str],
    others: collections.abc.Set[str],
    vendor: model.Vendor | None = None,
) -> dict[str, list[str]]:
    """Return which names themselves require one of others, and which ones.

    :param features: the names.
    :param others: the names that they may require.
    :param vendor: the host's vendor; None for what every host requires.
    :returns: the others by name, all in the catalogue's order.
    """
    found = {}
    for name in in_order(features):
        if needed := others & set(_CATALOGUE[name].requirements(vendor)):
            found[name] = in_order(needed)
    return found


def unmet(
    features: collections.abc.Set[str], vendor: model.Vendor | None = None
) -> dict[str, list[str]]:
    """Return which names lack something that they require, and what.

    :param features: the names that are on.
    :param vendor: the host's vendor; None for what every host requires.
    """
    return requiring(features, _CATALOGUE.keys() - features, vendor)


def _required_first() -> collections.abc.Iterator[str]:
    waiting, passed = list(_CATALOGUE), set[str]()
    while waiting:
        name = waiting.pop(0)
        needed = {
            other
            for vendor in (None, *model.Vendor)
            for other in _CATALOGUE[name].requirements(vendor)
        }
        if needed <= passed:
            passed.add(name)
            yield name
        else:
            waiting.append(name)


#: Every name, after what it requires on a host of any vendor.
REQUIRED_FIRST = tuple(_required_first())


def in_order(features: collections.abc.Container[str]) -> list[str]:
    """Return names in the catalogue's order."""
    return [name for name in _CATALOGUE if name in features]
