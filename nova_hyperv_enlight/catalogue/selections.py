# SPDX-License-Identifier: Apache-2.0

"""The features that a guest has, or is given."""

import dataclasses

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The enlightenments of a guest: what is written, and what is read.

    :ivar features: those that are on.
    :ivar off: those that a mode other than custom must not turn on.
    :ivar values: the values they carry, by the value's name.
    :ivar mode: who names them.
    :ivar tsc_frequency: the pinned TSC frequency in Hz, where one of them
        needs it.
    """

    features: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    values: frozenset[tuple[str, str]] = frozenset()
    mode: profiles.Mode = profiles.Mode.CUSTOM
    tsc_frequency: int | None = None


def pinning(selection: Selection) -> list[str]:
    """Return the names that need a pinned TSC frequency."""
    return [
        name
        for name, entry in enlightenments.ENLIGHTENMENTS.items()
        if name in selection.features and entry.pins_tsc
    ]


def unpinned(selection: Selection) -> list[str]:
    """Return the names that need a pinned TSC frequency and lack it."""
    return [
        name for name in pinning(selection) if selection.tsc_frequency is None
    ]
