# SPDX-License-Identifier: Apache-2.0

"""Writes ``<features><hyperv>``."""

import typing

from lxml import etree
from nova.virt.libvirt import config as vconfig

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.hooks import base


class _Feature(vconfig.LibvirtConfigGuestFeatureHyperV):
    """A ``<hyperv>`` element as Nova's own config object for it.

    Its attributes tell other hooks what of Nova's list is on. They write
    nothing: Nova knows only some of the names.
    """

    def __init__(self, selection: selections.Selection) -> None:
        super().__init__()
        self._selection = selection
        for name in selection.features & vars(self).keys():
            setattr(self, name, True)
        self.vendorid_spoof = 'vendor_id' in selection.features
        values = dict(selection.values)
        if 'spinlocks.retries' in values:
            self.spinlock_retries = int(values['spinlocks.retries'])
        if 'vendor_id.value' in values:
            self.vendorid = values['vendor_id.value']

    def format_dom(self) -> etree._Element:
        return hyperv.build_features(self._selection)


class HypervHook(base.GuestConfigHook):
    """Writes the decided set as <hyperv>, in place of Nova's own list."""

    def apply(self, config: typing.Any, context: base.Context) -> None:
        """Replace the guest's ``<hyperv>``, or remove it."""
        selection = context.decision.selection
        ours = [_Feature(selection)] if hyperv.has_features(selection) else []
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
