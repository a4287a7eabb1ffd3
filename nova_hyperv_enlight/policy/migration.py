# SPDX-License-Identifier: Apache-2.0

"""Whether a guest can be live migrated to a host."""

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import record


def missing(
    recorded: record.Record, host: capabilities.HostCapabilities
) -> list[str]:
    """Return the names that a guest was started with and a host lacks."""
    return [
        name
        for name in enlightenments.ENLIGHTENMENTS
        if name in recorded.selection.names
        and host.offers[name].offered is False
    ]


def unpinned(selection: decision.Selection) -> list[str]:
    """Return the names that need a pinned TSC frequency and lack it."""
    return [
        name
        for name, entry in enlightenments.ENLIGHTENMENTS.items()
        if name in selection.names
        and entry.pins_tsc
        and selection.tsc_frequency is None
    ]


def obstacles(
    recorded: record.Record,
    destination: capabilities.HostCapabilities,
    for_tenants: bool = False,
) -> list[str]:
    """Return what keeps a guest from a host, a sentence for each reason.

    :param recorded: what the guest was started with.
    :param destination: what the host offers to such a guest.
    :param for_tenants: leave out what the host is like.
    """
    selection = recorded.selection
    if selection.mode is profiles.Mode.PASSTHROUGH:
        return [
            "It was started with mode='passthrough', and QEMU does not "
            'migrate such a guest.'
        ]
    found = [
        f'{name!r} is on without a pinned TSC frequency: QEMU fails on the '
        'destination once the guest uses it.'
        for name in unpinned(selection)
    ]
    # What is missing for the same reason is said at once: Nova shows 255
    # characters in the event of the instance's action.
    reasons: dict[str, list[str]] = {}
    for name in missing(recorded, destination):
        evidence = ''
        if not for_tenants:
            evidence = f': {destination.offers[name].evidence}'
        reasons.setdefault(evidence, []).append(repr(name))
    found += [
        f'{", ".join(names)} {"is" if len(names) == 1 else "are"} missing '
        f'there{evidence}.'
        for evidence, names in reasons.items()
    ]
    return found
