# SPDX-License-Identifier: Apache-2.0

"""A hook that notes in each guest's metadata what was decided."""

from nova.virt.libvirt import config as vconfig

from nova_hyperv_enlight.hooks import base

NAMESPACE = 'https://site.example/hyperv'


class _Note(vconfig.LibvirtConfigObject):
    def __init__(self, decision):
        super().__init__(
            root_name='decision', ns_prefix='site', ns_uri=NAMESPACE
        )
        self._decision = decision

    def format_dom(self):
        note = super().format_dom()
        note.set('profile', self._decision.profile)
        note.text = ' '.join(outcome.name for outcome in self._decision.on)
        return note


class NoteHook(base.GuestConfigHook):
    """Notes the decision in the guest's <metadata>."""

    def apply(self, config, context):
        """Add the note."""
        config.metadata.append(_Note(context.decision))
