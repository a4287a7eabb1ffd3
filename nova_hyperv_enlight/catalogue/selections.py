# SPDX-License-Identifier: Apache-2.0

"""A set of features with their values, as a guest has or is given it."""

import collections.abc
import dataclasses

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles

#: What needs the guest's TSC frequency pinned.
PINNING = frozenset(
    name
    for name, entry in enlightenments.ENLIGHTENMENTS.items()
    if entry.pins_tsc
)
# What a guest's PIT can keep from having an effect: it is looked for in each
# decision.
_INHIBITED = tuple(
    (name, entry.pit_inhibits)
    for name, entry in enlightenments.ENLIGHTENMENTS.items()
    if entry.pit_inhibits
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The enlightenments that a guest's XML has, or is to have.

    :ivar features: the names that are on.
    :ivar off: the names that are off explicitly, beside a mode other than
        custom.
    :ivar values: pairs of a value's name, such as ``spinlocks.retries``, and
        the value.
    :ivar mode: custom, or who chooses the features instead.
    :ivar tsc_frequency: the pinned TSC frequency in Hz, None where it is not
        pinned.
    :ivar pit_discards: the guest's PIT discards lost ticks for one of them:
        KVM does not make up for them.
    """

    features: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    values: frozenset[tuple[str, str]] = frozenset()
    mode: profiles.Mode = profiles.Mode.CUSTOM
    tsc_frequency: int | None = None
    pit_discards: bool = False


def pinning(selection: Selection) -> list[str]:
    """Return the names that need a pinned TSC frequency."""
    return [
        name
        for name in enlightenments.ENLIGHTENMENTS
        if name in selection.features & PINNING
    ]


def unpinned(selection: Selection) -> list[str]:
    """Return the names that need a pinned TSC frequency and lack it."""
    return [
        name for name in pinning(selection) if selection.tsc_frequency is None
    ]


def inhibited_by_pit(
    features: collections.abc.Collection[str], vendor: model.Vendor | None
) -> list[str]:
    """Return the names that need a PIT which discards lost ticks.

    :param features: the names that are on.
    :param vendor: the vendor of the host's processor.
    """
    return [
        name
        for name, vendors in _INHIBITED
        if name in features and vendor in vendors
    ]
