# SPDX-License-Identifier: Apache-2.0

"""Writes the ``pit`` timer of ``<clock>``."""

import typing

from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.hooks import base
from nova_hyperv_enlight.hooks import timers


class PitHook(base.GuestConfigHook):
    """Lets the guest's PIT discard lost ticks, where that was decided."""

    def apply(self, config: typing.Any, context: base.Context) -> None:
        """Replace the guest's PIT timer, or leave Nova's own."""
        selection = context.decision.selection
        if config.clock is not None and selection.pit_discards:
            timers.replace(config.clock, selection, frozenset((hyperv.PIT,)))
