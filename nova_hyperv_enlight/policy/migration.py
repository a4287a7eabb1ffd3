# SPDX-License-Identifier: Apache-2.0

"""Whether a guest can be live migrated to a host."""

import dataclasses

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import record

_CATALOGUE = enlightenments.ENLIGHTENMENTS
# How far the host's may be from a pinned one without scaling, in parts of a
# million: QEMU target/i386/kvm/kvm.c, kvm_arch_set_tsc_khz.
_TSC_TOLERANCE_PPM = 250


def _goes_on(
    entry: model.Enlightenment, host: capabilities.HostCapabilities
) -> bool:
    """Whether a running guest goes on with what a host does not offer."""
    listed = host.witnesses.domcaps.names
    return (
        entry.benefit_only
        and host.offers[entry.name].witness is capabilities.Witness.SYSFS
        and (listed is None or entry.name in listed)
    )


def missing(
    recorded: record.Record, host: capabilities.HostCapabilities
) -> list[str]:
    """Return the names that a guest runs with and a host lacks.

    What would only lose its benefit there is not missing.
    """
    return [
        name
        for name, entry in _CATALOGUE.items()
        if name in recorded.selection.names
        and host.offers[name].offered is False
        and not _goes_on(entry, host)
    ]


def unpinned(selection: decision.Selection) -> list[str]:
    """Return the names that need a pinned TSC frequency and lack it."""
    return [
        name for name in _pinning(selection) if selection.tsc_frequency is None
    ]


def _pinning(selection: decision.Selection) -> list[str]:
    return [
        name
        for name, entry in _CATALOGUE.items()
        if name in selection.names and entry.pins_tsc
    ]


def _untaken(
    selection: decision.Selection, host: capabilities.HostCapabilities
) -> list[str]:
    """Say which values a host's libvirt does not take."""
    found = host.witnesses.libvirt
    sentences = []
    for key, text in sorted(selection.values):
        value = enlightenments.VALUES[key].value
        needed = value.needs_libvirt(text) if value is not None else None
        if needed is not None and found is not None and found < needed:
            sentences.append(
                f'{key}={text} needs libvirt {model.version_text(needed)}, '
                f'and the host has {model.version_text(found)}.'
            )
    return sentences


def _out_of_tune(
    selection: decision.Selection, host: capabilities.HostCapabilities
) -> list[str]:
    """Say which pinned TSC frequency a host cannot keep."""
    pinned = selection.tsc_frequency
    here, scaling = host.witnesses.tsc_frequency, host.witnesses.tsc_scaling
    if pinned is None or here is None or scaling is not False:
        return []
    if abs(pinned - here) * 1000000 <= pinned * _TSC_TOLERANCE_PPM:
        return []
    return [
        f'{name!r} is on with a TSC frequency of {pinned} Hz, and the host '
        f'has {here} Hz and cannot scale it.'
        for name in _pinning(selection)
    ]


def named(
    selection: decision.Selection, host: capabilities.HostCapabilities
) -> decision.Selection:
    """Name what a mode leaves to libvirt.

    When a guest with host-model starts, libvirt puts the names of the host
    in the mode's place, and they stay with the guest.

    :param selection: what is written.
    :param host: the host that the guest is started on.
    """
    if selection.mode is not profiles.Mode.HOST_MODEL:
        return selection
    offered = frozenset(
        name
        for name, offer in host.offers.items()
        if offer.offered and not _CATALOGUE[name].pins_tsc
    )
    return dataclasses.replace(
        selection, names=selection.names | offered - selection.off
    )


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
    found += _untaken(selection, destination)
    found += _out_of_tune(selection, destination)
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
