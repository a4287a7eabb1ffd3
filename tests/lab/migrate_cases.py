# SPDX-License-Identifier: Apache-2.0
"""The guests that shall migrate, and why most of them had better not."""

import collections.abc
import dataclasses

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.lab import ask_host
from tests.lab import migrate_guest

_CATALOGUE = enlightenments.ENLIGHTENMENTS


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A guest that shall migrate.

    :ivar guest: the guest.
    :ivar recorded: the record that Nova would hold of it, as text.
    :ivar newer: both hosts speak as with a libvirt that knows every name.
    :ivar starts: whether it can be started on the source.
    """

    guest: migrate_guest.Guest
    recorded: str
    newer: bool = False
    starts: bool = True


def newer(
    host: capabilities.HostCapabilities,
) -> capabilities.HostCapabilities:
    """What ask_host.newer() says, of all names that are too new here."""
    found = host.sources
    return ask_host.newer(
        host,
        {
            name
            for name, entry in _CATALOGUE.items()
            if found.libvirt and entry.min_libvirt > found.libvirt
        },
    )


def _decide(
    host: capabilities.HostCapabilities, profile: str, *off: str
) -> selections.Selection:
    """Decide as nova-compute does for a Windows guest."""
    asked = request.from_properties(
        os_type='windows',
        extra_specs={
            'hyperv_enlight:profile': profile,
            **{f'hyperv_enlight:{name}': 'off' for name in off},
        },
        image_properties={},
        nested=True,
    )
    return resolve.resolve(settings.Settings(), asked, host).selection


def _record(profile: str, selection: selections.Selection) -> str:
    return record.encode(record.Record(profile=profile, selection=selection))


def _decided(host: capabilities.HostCapabilities, profile: str) -> Case:
    """A guest that this host decides about."""
    selection = _decide(host, profile)
    return Case(
        guest=migrate_guest.Guest(name=profile, selection=selection),
        recorded=_record(profile, selection),
    )


def _adopted(
    name: str,
    selection: selections.Selection,
    *,
    disk: str = migrate_guest.READS,
    starts: bool = True,
) -> Case:
    """A guest that was started without the package."""
    return Case(
        guest=migrate_guest.Guest(name=name, selection=selection, disk=disk),
        recorded=_record(record.ADOPTED, selection),
        starts=starts,
    )


def _nested(host: capabilities.HostCapabilities) -> Case:
    """A guest with what needs nested virtualization.

    This libvirt has no name for any of that, so QEMU is told directly.
    """
    selection = _decide(newer(host), 'nested', 'avic')
    unnamed = {
        name
        for name in selection.features
        if host.features[name].offered is False
    }
    return Case(
        guest=migrate_guest.Guest(
            name='nested',
            selection=dataclasses.replace(
                selection, features=selection.features - unnamed
            ),
            unnamed=tuple(
                sorted(_CATALOGUE[name].qemu_flag for name in unnamed)
            ),
            svm=True,
        ),
        recorded=_record('nested', selection),
        newer=True,
    )


def cases(
    host: capabilities.HostCapabilities, tsc_frequency: int
) -> collections.abc.Iterator[Case]:
    """Return the guests.

    :param host: the source.
    :param tsc_frequency: its own, in Hz.
    """
    yield _decided(host, 'baseline')
    yield _decided(host, 'performance')
    yield _decided(host, 'passthrough')
    yield _nested(host)
    baseline = _decide(host, 'baseline')
    # What Nova 26 to 28 left in their guests.
    left = dataclasses.replace(
        baseline, features=baseline.features | {'reenlightenment'}
    )
    yield _adopted('unpinned', left, disk=migrate_guest.REENLIGHTENS)
    yield _adopted(
        'pinned',
        dataclasses.replace(left, tsc_frequency=tsc_frequency),
        disk=migrate_guest.REENLIGHTENS,
    )
    yield _adopted(
        'intel',
        dataclasses.replace(baseline, features=baseline.features | {'evmcs'}),
        starts=False,
    )
