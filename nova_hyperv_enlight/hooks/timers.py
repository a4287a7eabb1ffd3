# SPDX-License-Identifier: Apache-2.0

"""Timers of ``<clock>`` as Nova's config objects."""

import copy
import typing

from lxml import etree
from nova.virt.libvirt import config as vconfig

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv


class _Timer(vconfig.LibvirtConfigGuestTimer):
    """A ``<timer>`` element as one of Nova's config objects."""

    def __init__(self, element: etree._Element) -> None:
        super().__init__()
        self.name = element.get('name')
        self.tickpolicy = element.get('tickpolicy')
        present = element.get('present')
        self.present = None if present is None else present == 'yes'
        self._element = element

    def format_dom(self) -> etree._Element:
        return copy.copy(self._element)


def replace(
    clock: typing.Any, selection: selections.Selection, names: frozenset[str]
) -> None:
    """Replace timers of a guest by what was decided, or remove them.

    :param clock: Nova's LibvirtConfigGuestClock.
    :param selection: what was decided.
    :param names: the names of the timers; all others stay as they are.
    """
    clock.timers = [
        timer for timer in clock.timers if timer.name not in names
    ] + [
        _Timer(element)
        for element in hyperv.build_timers(selection)
        if element.get('name') in names
    ]
