# SPDX-License-Identifier: Apache-2.0

"""VM exits of one operation, as they were counted with each set.

The figures are the second table of doc/source/admin/exits.rst, which says on
what they were counted. A test holds the two together.
"""

import dataclasses
import types

#: The sets that were counted, by the profiles of these names; ``stock`` is
#: the list of Nova 34.0.0.
SETS = ('none', 'minimal', 'stock', 'baseline')

_CLOCK = 'read the clock'
_SPIN = 'spin'
_INTERRUPT = 'interrupt oneself'
_TICK = 'take a tick'
_WAKE = 'wake another vCPU'
_SLEEPS = 'flush one that sleeps'
_RUNS = 'flush one that runs'

#: Exits for one operation, by the operation and the way to do it, with each
#: of :data:`SETS`; None where a set does not offer the way.
COUNTED = types.MappingProxyType(
    {
        (_CLOCK, 'ACPI PM timer'): (1.00, 1.00, 1.00, 1.00),
        (_CLOCK, 'reference counter MSR'): (None, 1.00, 1.00, 1.00),
        (_CLOCK, 'reference TSC page'): (None, 0.00, 0.00, 0.00),
        (_SPIN, 'PAUSE'): (0.00, 0.00, 0.00, 0.00),
        (_SPIN, 'PAUSE and hypercall'): (None, 1.00, 1.00, 1.00),
        (_INTERRUPT, 'APIC'): (2.00, 2.00, 2.00, 2.00),
        (_INTERRUPT, 'EOI MSR'): (None, 2.00, 2.00, 2.00),
        (_INTERRUPT, 'VP assist page'): (None, 1.00, 1.01, 1.00),
        (_TICK, 'PIT'): (2.00, 2.00, 2.00, 2.00),
        (_TICK, 'RTC'): (4.00, 4.00, 4.00, 4.00),
        (_TICK, 'synthetic, message'): (None, None, None, 1.00),
        (_TICK, 'synthetic, direct'): (None, None, None, 1.02),
        (_WAKE, 'APIC'): (4.00, 3.00, 3.01, 3.02),
        (_WAKE, 'ICR MSR'): (None, 2.02, 2.02, 2.01),
        (_WAKE, 'hypercall'): (None, None, 2.00, 2.03),
        (_SLEEPS, 'IPI'): (4.00, 2.02, 2.02, 2.02),
        (_SLEEPS, 'hypercall'): (None, None, 1.00, 1.00),
        (_RUNS, 'IPI'): (3.00, 1.00, 1.03, 1.01),
        (_RUNS, 'hypercall'): (None, None, 1.00, 1.00),
    }
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What an enlightenment that is off would save of a guest's exits.

    KVM's counters do not say what a guest did, so this is a bound: as if all
    that a counter counts were for this one operation.

    :ivar name: the enlightenment.
    :ivar counter: KVM's counter that grows by the operation.
    :ivar counts: how much it grows by each.
    :ivar operation: what the guest does.
    :ivar without: the way without the enlightenment.
    :ivar beside: the way with it.
    """

    name: str
    counter: str
    counts: int
    operation: str
    without: str
    beside: str

    def bound(self, counted: float) -> float:
        """Return how many exits it would save at most.

        :param counted: what the counter has counted.
        """
        before, after = (
            COUNTED[self.operation, way][SETS.index('baseline')]
            for way in (self.without, self.beside)
        )
        assert before is not None and after is not None
        return counted / self.counts * (before - after)


#: In the order of the catalogue. Of the others the counters say nothing.
SAVINGS = (
    # The end of each interrupt that KVM injects is an exit.
    Saving(
        name='vapic',
        counter='irq_injections',
        counts=1,
        operation=_INTERRUPT,
        without='APIC',
        beside='VP assist page',
    ),
    # Two of the four exits are the RTC's ports.
    Saving(
        name='stimer',
        counter='io_exits',
        counts=2,
        operation=_TICK,
        without='RTC',
        beside='synthetic, direct',
    ),
    # The ACPI PM timer is a port.
    Saving(
        name='hypervclock',
        counter='io_exits',
        counts=1,
        operation=_CLOCK,
        without='ACPI PM timer',
        beside='reference TSC page',
    ),
)
