# SPDX-License-Identifier: Apache-2.0

"""What it costs a Windows guest to do without an enlightenment."""

import types

#: The cost by the enlightenment's name, to be read after a colon.
COSTS = types.MappingProxyType(
    {
        'relaxed': 'watchdogs may end in a blue screen on a busy host',
        'vapic': 'most interrupts end with an exit to the host',
        'spinlocks': 'vCPUs spin for locks whose holder does not run',
        'vpindex': 'nothing stands that needs it: synic, tlbflush, ipi',
        'runtime': 'the guest does not know of stolen time',
        'synic': 'no synthetic timers',
        'stimer': 'host CPU is burnt while the guest is idle',
        'reset': 'next to nothing',
        'vendor_id': 'drivers that refuse to run on Hyper-V refuse',
        'frequencies': 'Windows measures the TSC and APIC frequencies',
        'reenlightenment': (
            'a Hyper-V inside is not told of another TSC frequency'
        ),
        'tlbflush': 'vCPUs that do not run are woken to flush their TLBs',
        'ipi': 'more exits for an interrupt to many vCPUs',
        'evmcs': 'far more exits for a Hyper-V inside the guest',
        'avic': 'synic keeps the processor from virtualizing interrupts',
        'emsr_bitmap': "KVM reads a nested guest's MSR bitmap at every entry",
        'xmm_input': 'hypercalls pass their arguments in memory',
        'stimer.direct': (
            'timers expire as messages, which a nested Hyper-V cannot use'
        ),
        'tlbflush.direct': (
            'TLB flushes of nested guests go through the Hyper-V inside'
        ),
        'tlbflush.extended': 'whole TLBs are flushed, not ranges',
        'hypervclock': 'an exit to the host whenever Windows reads the clock',
    }
)
