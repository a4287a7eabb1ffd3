# SPDX-License-Identifier: Apache-2.0

"""Writes ``<features><hyperv>``."""

import copy
import typing

from lxml import etree
from nova.virt.libvirt import config as vconfig

from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.hooks import base


class _Feature(vconfig.LibvirtConfigGuestFeature):
    """A ``<hyperv>`` element as one of Nova's config objects."""

    def __init__(self, element: etree._Element) -> None:
        super().__init__(hyperv.HYPERV)
        self._element = element

    def format_dom(self) -> etree._Element:
        return copy.copy(self._element)


class HypervHook(base.GuestConfigHook):
    """Writes the decided set as <hyperv>, in place of Nova's own list."""

    def apply(self, config: typing.Any, context: base.Context) -> None:
        """Replace the guest's ``<hyperv>``, or remove it."""
        element = hyperv.build_features(context.decision.selection)
        ours = [] if element is None else [_Feature(element)]
        position = len(config.features)
        for index, feature in enumerate(config.features):
            if feature.root_name == hyperv.HYPERV:
                position = index
                break
        kept = [
            feature
            for feature in config.features
            if feature.root_name != hyperv.HYPERV
        ]
        config.features = kept[:position] + ours + kept[position:]
