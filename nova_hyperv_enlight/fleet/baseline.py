# SPDX-License-Identifier: Apache-2.0

"""What every host of a fleet delivers, and what each is short of.

For enlightenments, what libvirt's cpu-baseline is for processors. A host
delivers a name that it offers together with all that the name requires; of
a name that is unknown counts as not delivered.
"""

import collections.abc
import dataclasses
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import documents

_CATALOGUE = enlightenments.ENLIGHTENMENTS
_ALL = frozenset(_CATALOGUE)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Hosts, and what every one of them delivers.

    :ivar vendor: the vendor of their processors; None where it is not known,
        and for all hosts together.
    :ivar hosts: how many they are.
    :ivar features: what every one of them delivers, whole: with all that it
        requires on any of them.
    """

    vendor: model.Vendor | None
    hosts: int
    features: frozenset[str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A fleet.

    :ivar everyone: all of its hosts.
    :ivar groups: the same hosts by the vendors of their processors, for each
        vendor that there is; those of which it is not known come last.
    :ivar missing: the hosts that are short of a name, in the order in which
        they came, for every name of the catalogue.
    """

    everyone: Group
    groups: tuple[Group, ...]
    missing: typing.Mapping[str, tuple[str, ...]]

    def delivering(self, name: str) -> int:
        """Return how many hosts deliver a name."""
        return self.everyone.hosts - len(self.missing[name])


def delivered(host: documents.Host) -> frozenset[str]:
    """Return what a host delivers: what it offers, as far as it is whole."""
    offered = frozenset(
        name
        for name, capability in host.capabilities.features.items()
        if capability.offered
    )
    return graph.closed_part(offered, frozenset((host.vendor,)))


def find(hosts: collections.abc.Iterable[documents.Host]) -> Baseline:
    """Find what every host delivers.

    :param hosts: the hosts; of each only little is kept.
    :raises InvalidRequest: there is none, or the same one twice.
    """
    sources: dict[str, str] = {}
    counts: dict[model.Vendor | None, int] = {}
    common: dict[model.Vendor | None, frozenset[str]] = {}
    missing: dict[str, list[str]] = {name: [] for name in _CATALOGUE}
    for host in hosts:
        if host.name in sources:
            raise exception.InvalidRequest(
                reason=(
                    f'The host {host.name!r} is there twice: '
                    f'{sources[host.name]} and {host.source}.'
                )
            )
        sources[host.name] = host.source
        features = delivered(host)
        counts[host.vendor] = counts.get(host.vendor, 0) + 1
        common[host.vendor] = common.get(host.vendor, _ALL) & features
        for name in _ALL - features:
            missing[name].append(host.name)
    if not sources:
        raise exception.InvalidRequest(reason='There are no hosts.')
    vendors = sorted(counts, key=lambda v: (v is None, v and v.value))
    return Baseline(
        everyone=_group(None, sum(counts.values()), common, vendors),
        groups=tuple(
            _group(vendor, counts[vendor], common, (vendor,))
            for vendor in vendors
        ),
        missing={name: tuple(short) for name, short in missing.items()},
    )


def _group(
    vendor: model.Vendor | None,
    hosts: int,
    common: typing.Mapping[model.Vendor | None, frozenset[str]],
    vendors: collections.abc.Collection[model.Vendor | None],
) -> Group:
    features = frozenset.intersection(*(common[each] for each in vendors))
    return Group(
        vendor=vendor,
        hosts=hosts,
        features=graph.closed_part(features, frozenset(vendors)),
    )
