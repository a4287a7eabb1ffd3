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

#: What Nova's own driver has in its list since 2023.2 or longer: Nova 34.0.0,
#: nova/virt/libvirt/driver.py, _set_features and the timer of _set_clock.
STOCK = BASELINE - {'stimer', 'stimer.direct'}

#: Names that flavors, images and recorded sets hold. Append only: a line is
#: never changed, moved or removed, and a new one goes to the end.
PUBLISHED = (
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
    'evmcs',
    'avic',
    'emsr_bitmap',
    'xmm_input',
    'stimer.direct',
    'tlbflush.direct',
    'tlbflush.extended',
    'hypervclock',
)

#: libvirt's enum virDomainHyperv: what ``<features><hyperv>`` may hold, and
#: what libvirt lists of a host that has everything.
LIBVIRT = tuple(
    name for name in PUBLISHED if '.' not in name and name != 'hypervclock'
)

#: What libvirt 9.0 lists on any host whose KVM emulates Hyper-V.
LISTED = LIBVIRT[: LIBVIRT.index('ipi') + 1]
LISTED_ON_AMD = (*LISTED, 'avic')
