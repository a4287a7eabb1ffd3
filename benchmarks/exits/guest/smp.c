/* SPDX-License-Identifier: Apache-2.0 */

/* Two processors: interrupting the other one, and flushing its TLB. */

#include "probe.h"

#define TIMES 100
#define TRAMPOLINE 0x8000
#define COMMAND_INIT 0x4500
#define COMMAND_STARTUP (0x4600 | TRAMPOLINE >> 12)
#define SECOND_APIC_ID 1
#define SECOND_VP 1
/* In cycles: until the other processor sleeps, or runs, again. */
#define SLEEPS 3000000ull
#define RUNS 300000ull

#define HVCALL_FLUSH_SPACE 0x2
#define HVCALL_SEND_IPI 0x1000b /* fast: the input is in registers */
#define FLUSH_ALL_SPACES 2

extern u8 trampoline[], trampoline_end[];

static volatile u32 ready, busy, answers;
static void (*send)(u32 apic_id, u32 command);

static struct {
    u64 space, flags, processors;
} flush_input __attribute__((aligned(32))) = {
    0, FLUSH_ALL_SPACES, 1 << SECOND_VP};

/* What Windows does when it is told to flush: nothing here exits. */
INTERRUPT static void on_call(struct frame *frame)
{
    u32 root;

    (void)frame;
    __asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(root) : : "memory");
    end_interrupt(1);
    answers++;
}

void second_main(void)
{
    apic_start();
    hyperv_start_processor(1);
    ready = 1;
    for (;;) {
        if (!busy) {
            IDLE();
            continue;
        }
        ENABLE();
        while (busy)
            PAUSE();
        DISABLE();
    }
}

static void settle(void)
{
    u64 begin = read_tsc();

    while (read_tsc() - begin < (busy ? RUNS : SLEEPS))
        PAUSE();
}

static void send_by_hypercall(u32 apic_id, u32 command)
{
    (void)apic_id;
    hypercall(HVCALL_SEND_IPI, command, 1 << SECOND_VP);
}

/* Returns the status; zero is success. */
static u32 flush_once(void)
{
    return hypercall(HVCALL_FLUSH_SPACE, (u32)&flush_input, 0) & 0xffff;
}

/* Interrupt the other processor and wait for its answer. */
static void call(u32 count)
{
    u32 want;

    while (count--) {
        want = answers + 1;
        send(SECOND_APIC_ID, CALL_VECTOR);
        while (answers != want)
            PAUSE();
        settle();
    }
}

static void flush(u32 count)
{
    while (count--) {
        flush_once();
        settle();
    }
}

static void start_second(void)
{
    u32 i;

    for (i = 0; i < (u32)(trampoline_end - trampoline); i++)
        ((volatile u8 *)TRAMPOLINE)[i] = trampoline[i];
    set_gate(CALL_VECTOR, on_call);
    send_by_apic(SECOND_APIC_ID, COMMAND_INIT);
    settle();
    send_by_apic(SECOND_APIC_ID, COMMAND_STARTUP);
    while (!ready)
        PAUSE();
    settle();
}

static void ipi_phases(void)
{
    const char *operation = "wake another vCPU";
    int hypercalls = !!(offers & CLUSTER_IPI);
    int msrs = !!(offers & APIC_MSRS);

    send = send_by_apic;
    phase(operation, "APIC", !hypercalls && !msrs, TIMES, call);
    if (msrs) {
        send = send_by_msr;
        phase(operation, "ICR MSR", !hypercalls, TIMES, call);
    }
    if (hypercalls) {
        send = send_by_hypercall;
        phase(operation, "hypercall", 1, TIMES, call);
    }
}

/* The IPI is sent by the way that Windows would take: ipi_phases() left it. */
static void flush_phases(const char *operation)
{
    int hypercalls = !!(offers & FLUSH);

    if (hypercalls && flush_once())
        note("KVM refuses HvCallFlushVirtualAddressSpace");
    phase(operation, "IPI", !hypercalls, TIMES, call);
    if (hypercalls)
        phase(operation, "hypercall", 1, TIMES, flush);
}

void smp_phases(void)
{
    start_second();
    ipi_phases();
    flush_phases("flush one that sleeps");
    busy = 1;
    call(1); /* it wakes up, and sees that it is busy */
    flush_phases("flush one that runs");
}
