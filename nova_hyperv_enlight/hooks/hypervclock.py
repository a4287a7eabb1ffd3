# SPDX-License-Identifier: Apache-2.0

"""Writes the ``hypervclock`` timer of ``<clock>``."""

import typing

from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.hooks import base
from nova_hyperv_enlight.hooks import timers


class HypervclockHook(base.GuestConfigHook):
    """Writes the hypervclock timer as decided, in place of Nova's own."""

    def apply(self, config: typing.Any, context: base.Context) -> None:
        """Replace the guest's hypervclock timer, or remove it."""
        if config.clock is None:
            return
        # Windows keeps the RTC in local time. Nova knows that, but only for
        # an os_type that is spelled 'windows'.
        config.clock.offset = 'localtime'
        selection = context.decision.selection
        owned = hyperv.owned_timers(selection) - {hyperv.PIT}
        timers.replace(config.clock, selection, owned)
