# SPDX-License-Identifier: Apache-2.0

"""Whether guests can be live migrated from one host to another.

By the rules that the plugin's driver applies on the destination of a live
migration, in :mod:`nova_hyperv_enlight.policy.record`.
"""

import collections.abc
import dataclasses

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.host import protocols
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings

_CATALOGUE = enlightenments.ENLIGHTENMENTS


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing that keeps a guest from a host.

    :ivar name: the enlightenment; empty where it is all of them together.
    :ivar text: why, one sentence for people.
    """

    name: str
    text: str


def read_guest(connection: protocols.Connection, name: str) -> domain.Domain:
    """Read a guest of a host.

    :param connection: to the host's libvirt.
    :param name: the domain's name.
    :raises InvalidRequest: there is none, it cannot be read, or its type is
        not understood.
    :raises MalformedDocument: its document is not one of a guest.
    """
    text = protocols.document(connection, name)
    guest = domain.parse(text, f'domain {name}')
    domain.check_type(guest)
    return guest


def of_profile(
    conf: settings.Settings, source: documents.Host
) -> record.Record:
    """Return what a host starts a plain Windows guest with.

    Whatever such a guest's own CPU and release of Windows may be: those only
    take away.

    :param conf: the options, with the profile in question.
    :param source: the host that it is started on.
    :raises InvalidRequest: the profile leaves that to Nova.
    :raises HostCannotDeliver: the host cannot start it.
    """
    decided = resolve.resolve(
        conf, request.Request(os_type='windows'), source.capabilities
    )
    if not decided.acts:
        raise exception.InvalidRequest(
            reason=(
                f'What a guest is started with is left to Nova (profile '
                f'{conf.profile!r}): name a domain instead.'
            )
        )
    return record.Record(profile=conf.profile, selection=decided.selection)


def of_guest(guest: domain.Domain) -> record.Record:
    """Return what a guest was started with, by its document."""
    return record.Record(profile=record.ADOPTED, selection=guest.hyperv)


def _named(guest: record.Record, source: documents.Host) -> record.Record:
    """Name what a mode leaves to libvirt.

    When such a guest starts, libvirt puts the names of the host in the
    mode's place, and the destination must have them.
    """
    return dataclasses.replace(
        guest, selection=record.named(guest.selection, source.capabilities)
    )


def _alone(guest: record.Record, name: str) -> record.Record:
    selection = dataclasses.replace(
        guest.selection,
        features=frozenset((name,)),
        values=frozenset(
            (key, value)
            for key, value in guest.selection.values
            if enlightenments.VALUES[key].name == name
        ),
    )
    return dataclasses.replace(guest, selection=selection)


def obstacles(
    guest: record.Record, source: documents.Host, destination: documents.Host
) -> list[Obstacle]:
    """Return what keeps a guest from another host; nothing where it moves.

    :param guest: what it was started with.
    :param source: the host that it was started on.
    :param destination: the host that it moves to.
    """
    if guest.selection.mode is profiles.Mode.PASSTHROUGH:
        return [
            Obstacle(name='', text=text)
            for text in record.obstacles(guest, destination.capabilities)
        ]
    named = _named(guest, source)
    return [
        Obstacle(name=name, text=text)
        for name in _in_order(named)
        for text in record.obstacles(
            _alone(named, name), destination.capabilities
        )
    ]


def untold(
    guest: record.Record, source: documents.Host, destination: documents.Host
) -> list[str]:
    """Return what a guest has on that is not known of the destination.

    The driver takes no exception to that.
    """
    features = destination.capabilities.features
    return [
        name
        for name in _in_order(_named(guest, source))
        if features[name].offered is None
    ]


def slow_clock(
    guest: record.Record, source: documents.Host, destination: documents.Host
) -> str | None:
    """Say why a guest's look at its clock exits on the destination.

    :returns: None where nothing says so.
    """
    if not any(
        _CATALOGUE[name].is_clock for name in _in_order(_named(guest, source))
    ):
        return None
    return destination.capabilities.sources.slow_clock


def doubts(
    source: documents.Host, destination: documents.Host
) -> list[Obstacle]:
    """Return why it cannot be said that any guest moves between two hosts.

    No enlightenment decides that: their processors are not alike, or one of
    the hosts could not be asked.
    """
    found = [
        f'{host.name} could not be asked what it offers.'
        for host in (source, destination)
        if all(
            # The processor alone may rule out the others.
            host.capabilities.features[name].offered is None
            for name, entry in _CATALOGUE.items()
            if entry.is_portable
        )
    ]
    vendors = (source.vendor, destination.vendor)
    if None not in vendors and vendors[0] is not vendors[1]:
        words = ' and '.join(each.value for each in vendors if each)
        found.append(
            f'The processors are of different vendors, {words}: a guest '
            'rarely moves between them, whatever its enlightenments.'
        )
    return [Obstacle(name='', text=text) for text in found]


def _in_order(guest: record.Record) -> collections.abc.Iterator[str]:
    return (name for name in _CATALOGUE if name in guest.selection.features)
