# SPDX-License-Identifier: Apache-2.0
"""The sets of enlightenments that are compared, as flags of QEMU."""

import collections.abc

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from tests import sets

#: Names of enlightenments by the set's name, the smallest set first.
SETS: dict[str, frozenset[str]] = {
    'none': profiles.PROFILES['none'].features,
    'minimal': profiles.PROFILES['minimal'].features,
    # The profile names nothing: it leaves Nova's list alone, whatever that is.
    'stock': sets.STOCK,
    'baseline': profiles.PROFILES['baseline'].features,
}


def flags(names: collections.abc.Collection[str]) -> str:
    """Write a set as QEMU's -cpu has it, in the catalogue's order.

    :returns: each flag with a comma before it: what follows the model.
    """
    words = []
    for name, entry in enlightenments.ENLIGHTENMENTS.items():
        if name not in names:
            continue
        value = f'={entry.value.default}' if entry.value else ''
        words.append(f',{entry.qemu_flag}{value}')
    return ''.join(words)
