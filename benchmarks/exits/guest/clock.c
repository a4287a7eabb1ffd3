/* SPDX-License-Identifier: Apache-2.0 */

/* Reading the clock, and spinning. */

#include "probe.h"

#define READS 10000
#define SPINS 100
#define SPIN_TRIES 8191

#define PM_TIMER 0x608 /* where SeaBIOS puts it on both machine types */
#define MSR_TIME_REF_COUNT 0x40000020
#define HVCALL_LONG_SPIN 0x10008 /* fast: the input is in registers */
#define TOLERATED 100000         /* ten milliseconds: KVM is emulated */

static void read_pm_timer(u32 count)
{
    while (count--)
        in32(PM_TIMER);
}

static void read_counter(u32 count)
{
    while (count--)
        read_msr(MSR_TIME_REF_COUNT);
}

static void read_page(u32 count)
{
    u64 time;

    while (count--)
        page_time(&time);
}

static void pause_only(u32 count)
{
    u32 i;

    while (count--)
        for (i = 0; i < SPIN_TRIES; i++)
            PAUSE();
}

static void pause_and_notify(u32 count)
{
    u32 i;

    while (count--) {
        for (i = 0; i < spin_retries; i++)
            PAUSE();
        hypercall(HVCALL_LONG_SPIN, spin_retries, 0);
    }
}

/* Whether the reference page is there and tells the counter's time. */
static int check_page(void)
{
    u64 time, counter;

    if (!(offers & REFERENCE_PAGE))
        return 0;
    if (!page_time(&time)) {
        note("KVM left the reference TSC page invalid");
        return 0;
    }
    counter = read_msr(MSR_TIME_REF_COUNT);
    if (counter - time > TOLERATED)
        note("the reference TSC page and the counter disagree");
    return 1;
}

void clock_phases(void)
{
    const char *read = "read the clock";
    const char *spin = "spin";
    int page = check_page();
    int counter = !!(offers & REFERENCE_COUNTER);
    u32 before = in32(PM_TIMER);

    read_pm_timer(100);
    if (in32(PM_TIMER) == before)
        note("the PM timer stands still");
    phase(read, "ACPI PM timer", !page && !counter, READS, read_pm_timer);
    if (counter)
        phase(read, "reference counter MSR", !page, READS, read_counter);
    if (page)
        phase(read, "reference TSC page", 1, READS, read_page);

    phase(spin, "PAUSE", !(offers & SPINLOCKS), SPINS, pause_only);
    if (offers & SPINLOCKS)
        phase(spin, "PAUSE and hypercall", 1, SPINS, pause_and_notify);
}
