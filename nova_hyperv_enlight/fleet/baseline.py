# SPDX-License-Identifier: Apache-2.0

"""What every host of a fleet delivers, and what each is short of.

For enlightenments, what libvirt's cpu-baseline is for processors. A host
delivers a name that it offers together with all that the name requires; of
a name that is unknown counts as not delivered.

One host that is short of everything must not take it from all others. So the
baseline is the largest set that a quorum of the hosts shares, and the hosts
that are short of it are outside.
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
#: How many hosts share the baseline unless told otherwise, in percent.
QUORUM = 75


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


class Delivery(typing.NamedTuple):
    """What one host delivers.

    :ivar name: the host's name.
    :ivar vendor: the vendor of its processor, None where it is not known.
    :ivar features: what it delivers.
    """

    name: str
    vendor: model.Vendor | None
    features: frozenset[str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A fleet.

    :ivar everyone: all of its hosts.
    :ivar groups: the same hosts by the vendors of their processors, for each
        vendor that there is; those of which it is not known come last.
    :ivar missing: the hosts that are short of a name, in the order in which
        they came, for every name of the catalogue.
    :ivar hosts: what each host delivers, in the order in which they came.
    :ivar inside: the hosts of the quorum, and the largest set that so many
        share.
    :ivar inside_groups: the same hosts by vendor, as in groups.
    :ivar outside: the others, each of which is short of it.
    :ivar enough: whether these are as many as the quorum demands: where so
        many share nothing, the most that share something are inside.
    """

    everyone: Group
    groups: tuple[Group, ...]
    missing: typing.Mapping[str, tuple[str, ...]]
    hosts: tuple[Delivery, ...]
    inside: Group
    inside_groups: tuple[Group, ...]
    outside: tuple[Delivery, ...]
    enough: bool

    def delivering(self, name: str) -> int:
        """Return how many hosts deliver a name."""
        return self.everyone.hosts - len(self.missing[name])


def find(
    hosts: collections.abc.Iterable[documents.Host], quorum: int = QUORUM
) -> Baseline:
    """Find what every host delivers, and what a quorum of them does.

    :param hosts: the hosts; of each only little is kept.
    :param quorum: how many of them have to share a set, in percent.
    :raises InvalidRequest: there is none, or the same one twice.
    """
    sources: dict[str, str] = {}
    found: list[Delivery] = []
    missing: dict[str, list[str]] = {name: [] for name in _CATALOGUE}
    for host in hosts:
        documents.note(sources, host.name, host.source)
        features = host.capabilities.delivered
        found.append(Delivery(host.name, host.vendor, features))
        for name in _ALL - features:
            missing[name].append(host.name)
    if not found:
        raise exception.InvalidRequest(reason='There are no hosts.')
    needed = -(-len(found) * quorum // 100)
    shared, enough = _shared(found, needed)
    inside = [each for each in found if shared <= each.features]
    return Baseline(
        everyone=_group(None, found),
        groups=_by_vendor(found),
        missing={name: tuple(short) for name, short in missing.items()},
        hosts=tuple(found),
        inside=_group(None, inside),
        inside_groups=_by_vendor(inside),
        outside=tuple(each for each in found if not shared <= each.features),
        enough=enough,
    )


def _group(
    vendor: model.Vendor | None, hosts: collections.abc.Sequence[Delivery]
) -> Group:
    features = frozenset.intersection(*(each.features for each in hosts))
    vendors = frozenset(each.vendor for each in hosts)
    return Group(
        vendor=vendor,
        hosts=len(hosts),
        features=graph.closed_part(features, vendors),
    )


def _by_vendor(hosts: collections.abc.Sequence[Delivery]) -> tuple[Group, ...]:
    vendors = {each.vendor for each in hosts}
    return tuple(
        _group(vendor, [each for each in hosts if each.vendor is vendor])
        for vendor in sorted(vendors, key=lambda v: (v is None, v and v.value))
    )


def _shared(
    hosts: collections.abc.Sequence[Delivery], needed: int
) -> tuple[frozenset[str], bool]:
    """Return the largest set that so many hosts share.

    :returns: the set, and whether so many share it; where they share nothing,
        it is the set of the most hosts that share something.
    """
    # For each name, the hosts that have it, each as a bit.
    bits = {
        name: int(''.join('01'[name in each.features] for each in hosts), 2)
        for name in _CATALOGUE
    }
    most = max(having.bit_count() for having in bits.values())
    enough = needed <= most
    everyone = (1 << len(hosts)) - 1
    return _largest(bits, everyone, needed if enough else most), enough


def _largest(
    bits: collections.abc.Mapping[str, int], everyone: int, needed: int
) -> frozenset[str]:
    """Find the largest set of names that so many hosts have together.

    Of sets as large as each other it is the one that more hosts have.
    """
    if not needed:
        return frozenset()
    # What more hosts have comes first: so a large set is found early, and
    # what cannot grow beyond it is left alone.
    names = sorted(
        (name for name in bits if bits[name].bit_count() >= needed),
        key=lambda name: -bits[name].bit_count(),
    )
    best: tuple[int, int, frozenset[str]] = (0, 0, frozenset())
    waiting: list[tuple[int, int, frozenset[str]]] = [
        (0, everyone, frozenset())
    ]
    while waiting:
        place, having, chosen = waiting.pop()
        # Names that all of these hosts have cost nothing.
        while place < len(names) and having & ~bits[names[place]] == 0:
            chosen |= {names[place]}
            place += 1
        if len(chosen) + len(names) - place < best[0]:
            continue
        if place == len(names):
            best = max(
                best,
                (len(chosen), having.bit_count(), chosen),
                key=lambda each: each[:2],
            )
            continue
        waiting.append((place + 1, having, chosen))
        together = having & bits[names[place]]
        if together.bit_count() >= needed:
            waiting.append((place + 1, together, chosen | {names[place]}))
    return best[2]
