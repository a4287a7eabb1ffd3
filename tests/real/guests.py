# SPDX-License-Identifier: Apache-2.0
"""The guests that are booted side by side to see what each is shown."""

import dataclasses

from tests import sets

MINIMAL, BASELINE = sets.MINIMAL, sets.BASELINE
PERFORMANCE, NESTED = sets.PERFORMANCE, sets.NESTED
STOCK = sets.STOCK

# The spinlock retries of a guest that is told never to notify its host.
NEVER = 0xFFFFFFFF


@dataclasses.dataclass(frozen=True, kw_only=True)
class Guest:
    """One guest, and what it must be shown.

    :ivar name: what to call it.
    :ivar specs: the flavor's words without their prefix.
    :ivar os_type: the image's.
    :ivar least: what must be on, on every host with a Hyper-V.
    :ivar most: what may be on beside that, where the host can deliver it.
    :ivar vendor: the hypervisor's vendor that it reads.
    :ivar retries: the spinlock retries that it reads.
    :ivar is_stock: whether Nova's own driver boots it.
    """

    name: str
    specs: dict[str, str] = dataclasses.field(default_factory=dict)
    os_type: str = 'windows'
    least: frozenset[str] = frozenset()
    most: frozenset[str] = frozenset()
    vendor: str = 'Microsoft Hv'
    retries: int | None = 8191
    is_stock: bool = False

    @property
    def extra_specs(self):
        """The flavor's extra specs."""
        return {f'hyperv_enlight:{key}': on for key, on in self.specs.items()}


DEFAULT = Guest(name='default', least=BASELINE)
MINIMAL_PROFILE = Guest(
    name='minimal', specs={'profile': 'minimal'}, least=MINIMAL
)
NONE = Guest(
    name='none', specs={'profile': 'none'}, vendor='KVMKVMKVM', retries=None
)
PERFORMANCE_PROFILE = Guest(
    name='performance',
    specs={'profile': 'performance'},
    least=BASELINE,
    most=PERFORMANCE,
)
NESTED_PROFILE = Guest(
    name='nested', specs={'profile': 'nested'}, least=BASELINE, most=NESTED
)
STIMER_OFF = Guest(
    name='stimer=off',
    specs={'stimer': 'off'},
    least=BASELINE - {'stimer', 'stimer.direct'},
)
# tlbflush and ipi share a bit, which must stay.
OTHERS_OFF = Guest(
    name='others=off',
    specs={'tlbflush': 'off', 'spinlocks': 'off', 'vapic': 'off'},
    least=BASELINE - {'tlbflush', 'spinlocks', 'vapic'},
    retries=NEVER,
)
VALUES = Guest(
    name='values',
    specs={
        'profile': 'minimal',
        'spinlocks.retries': '16383',
        'vendor_id': 'on',
        'vendor_id.value': 'Not Hyper-V!',
    },
    least=MINIMAL | {'vendor_id'},
    vendor='Not Hyper-V!',
    retries=16383,
)
STOCK_PROFILE = Guest(name='stock', specs={'profile': 'stock'}, least=STOCK)
# In the XML is the mode and the timer, and in the guest all that KVM has.
PASSTHROUGH = Guest(
    name='passthrough',
    specs={'profile': 'passthrough'},
    least=frozenset(('hypervclock',)),
    vendor='Linux KVM Hv',
    # KVM_GET_SUPPORTED_HV_CPUID recommends it: arch/x86/kvm/hyperv.c.
    retries=4095,
)
LINUX = Guest(name='linux', os_type='linux', vendor='KVMKVMKVM', retries=None)
STOCK_NOVA = Guest(name='stock Nova', least=STOCK, is_stock=True)

#: Stock Nova's guest is there first, as on a host that is to get the plugin.
ALL = (
    STOCK_NOVA,
    DEFAULT,
    MINIMAL_PROFILE,
    NONE,
    PERFORMANCE_PROFILE,
    NESTED_PROFILE,
    STIMER_OFF,
    OTHERS_OFF,
    VALUES,
    STOCK_PROFILE,
    PASSTHROUGH,
    LINUX,
)
