# SPDX-License-Identifier: Apache-2.0

"""The names of enlightenments that tests expect, written down.

By hand, and not taken from the package: what the package says is held against
them. It imports nothing, for the lab's tests count every import.
"""

MINIMAL = frozenset(('relaxed', 'vapic', 'spinlocks', 'hypervclock'))
BASELINE = MINIMAL | {
    'vpindex',
    'runtime',
    'synic',
    'stimer',
    'stimer.direct',
    'reset',
    'frequencies',
    'tlbflush',
    'ipi',
}
PERFORMANCE = BASELINE | {'tlbflush.extended', 'xmm_input', 'avic'}
NESTED = PERFORMANCE | {'evmcs', 'emsr_bitmap', 'tlbflush.direct'}

#: What Nova's own driver has in its list since 2023.2 or longer.
STOCK = BASELINE - {'stimer', 'stimer.direct'}

#: What libvirt 9.0 lists on an AMD host whose KVM emulates Hyper-V.
LISTED_ON_AMD = (
    'relaxed',
    'vapic',
    'spinlocks',
    'vpindex',
    'runtime',
    'synic',
    'stimer',
    'reset',
    'vendor_id',
    'frequencies',
    'reenlightenment',
    'tlbflush',
    'ipi',
    'avic',
)
