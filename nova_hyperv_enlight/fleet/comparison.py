# SPDX-License-Identifier: Apache-2.0

"""What a guest has, beside what it should have."""

import dataclasses

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight.fleet import findings
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import decision

#: What Nova 26 to 28 gave to every Windows guest.
LEFT = 'evmcs'
# What no Nova gives.
_NEVER_STOCK = 'stimer'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One guest, and what it is compared with.

    :ivar guest: the guest.
    :ivar host: what the host offers to such a guest.
    :ivar rule: what its release of Windows must not be given.
    :ivar decided: what it should have, None where that cannot be had.
    """

    guest: domain.Domain
    host: capabilities.HostCapabilities
    rule: windows.Rule | None
    decided: decision.Decision | None

    @property
    def names(self) -> frozenset[str]:
        """What is on in the guest, by its name."""
        return self.guest.hyperv.names

    @property
    def delegated(self) -> bool:
        """Whether libvirt or QEMU names what is on."""
        return self.guest.hyperv.mode is not profiles.Mode.CUSTOM

    @property
    def wanted(self) -> frozenset[str]:
        """What the guest should have, by its name."""
        if self.decided is None:
            return frozenset()
        return self.decided.selection.names

    @property
    def means(self) -> findings.Means:
        """What a fix can be made of."""
        removed = self.rule.removes if self.rule else frozenset()
        return findings.Means(
            names=frozenset(
                name
                for name, offer in self.host.offers.items()
                if offer.offered
                and name not in removed
                and (
                    self.guest.nested
                    or not enlightenments.ENLIGHTENMENTS[name].nests
                )
            ),
            vendor=self.host.witnesses.vendor,
        )

    @property
    def left(self) -> bool:
        """Whether an older Nova's evmcs is still there.

        No Nova gives stimer: a guest that has it was started with this
        plugin, and somebody may have asked for evmcs.
        """
        return (
            self.guest.nova is not None
            and LEFT in self.names - self.wanted
            and _NEVER_STOCK not in self.names
        )
