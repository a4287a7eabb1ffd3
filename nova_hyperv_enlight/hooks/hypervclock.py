# SPDX-License-Identifier: Apache-2.0

"""Writes the ``hypervclock`` timer of ``<clock>``."""

import copy
import typing

from lxml import etree
from nova.virt.libvirt import config as vconfig

from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.hooks import base


class _Timer(vconfig.LibvirtConfigGuestTimer):
    """A ``<timer>`` element as one of Nova's config objects."""

    def __init__(self, element: etree._Element) -> None:
        super().__init__()
        self.name = element.get('name')
        present = element.get('present')
        self.present = None if present is None else present == 'yes'
        self._element = element

    def format_dom(self) -> etree._Element:
        return copy.copy(self._element)


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
        owned = hyperv.owned_timers(selection)
        config.clock.timers = [
            timer for timer in config.clock.timers if timer.name not in owned
        ] + [_Timer(element) for element in hyperv.build_timers(selection)]
