/* SPDX-License-Identifier: Apache-2.0 */

/* What the hypervisor shows; names and numbers are those of the Hypervisor
 * Top-Level Functional Specification.
 */

#include "probe.h"

#define MSR_GUEST_OS_ID 0x40000000
#define MSR_HYPERCALL 0x40000001
#define MSR_REFERENCE_TSC 0x40000021
#define MSR_VP_ASSIST_PAGE 0x40000073
#define ENABLE_PAGE 1

#define NEVER_NOTIFY 0xffffffff

u32 offers;
u32 spin_retries;

u8 hypercall_page[4096] __attribute__((aligned(4096)));
/* Each processor's assist page is in hyperv_assist, for end_interrupt(). */
u8 hyperv_assist[2][4096] __attribute__((aligned(4096)));

static volatile struct {
    u32 sequence;
    u32 reserved;
    u64 scale;
    u64 offset;
} reference __attribute__((aligned(4096)));

struct leaf {
    u32 eax, ebx, ecx, edx;
};

static struct leaf cpuid(u32 number)
{
    struct leaf leaf;

    __asm__ volatile("cpuid"
                     : "=a"(leaf.eax), "=b"(leaf.ebx), "=c"(leaf.ecx),
                       "=d"(leaf.edx)
                     : "a"(number), "c"(0));
    return leaf;
}

static void offer(u32 word, u32 bit, enum offer what)
{
    if (word >> bit & 1)
        offers |= what;
}

static void read_offers(void)
{
    struct leaf features = cpuid(0x40000003);
    struct leaf hints = cpuid(0x40000004);

    offer(features.eax, 1, REFERENCE_COUNTER);
    offer(features.eax, 9, REFERENCE_PAGE);
    offer(features.eax, 4, ASSIST_PAGE);
    offer(features.eax, 2, SYNIC);
    offer(features.eax, 3, STIMER);
    offer(features.edx, 19, STIMER_DIRECT);
    offer(hints.eax, 3, APIC_MSRS);
    offer(hints.eax, 2, FLUSH);
    offer(hints.eax, 10, CLUSTER_IPI);
    offer(~hints.eax, 9, KEEP_AUTO_EOI);
    spin_retries = hints.ebx;
    if (spin_retries && spin_retries != NEVER_NOTIFY)
        offers |= SPINLOCKS;
}

/* Multiply and keep the upper half. */
static u64 multiply_high(u64 a, u64 b)
{
    u64 low = (u64)(u32)a * (u32)b;
    u64 one = (a >> 32) * (u32)b + (low >> 32);
    u64 two = (u64)(u32)a * (b >> 32) + (u32)one;

    return (a >> 32) * (b >> 32) + (one >> 32) + (two >> 32);
}

/* Read the clock from the reference page; 0 where KVM left that invalid. */
int page_time(u64 *time)
{
    u32 sequence;

    do {
        sequence = reference.sequence;
        if (!sequence)
            return 0;
        *time = multiply_high(read_tsc(), reference.scale) + reference.offset;
    } while (reference.sequence != sequence);
    return 1;
}

u64 hypercall(u32 code, u64 input, u64 output)
{
    u64 result;
    u32 out_high = output >> 32;
    u32 out_low = output;

    /* EDX:EAX control, EBX:ECX input, EDI:ESI output */
    __asm__ volatile("call hypercall_page"
                     : "=A"(result)
                     : "A"((u64)code), "b"((u32)(input >> 32)),
                       "c"((u32)input), "D"(out_high), "S"(out_low)
                     : "memory");
    return result;
}

void hyperv_start_processor(u32 cpu)
{
    if (offers & ASSIST_PAGE)
        write_msr(MSR_VP_ASSIST_PAGE, (u32)hyperv_assist[cpu] | ENABLE_PAGE);
}

void hyperv_start(void)
{
    struct leaf leaf = cpuid(0x40000001);

    if (leaf.eax != 0x31237648) /* Hv#1 */
        return;
    read_offers();
    /* Anything but zero; who is asked for hypercalls has to say who he is. */
    write_msr(MSR_GUEST_OS_ID, 0x8000000000000001);
    write_msr(MSR_HYPERCALL, (u32)hypercall_page | ENABLE_PAGE);
    if (offers & REFERENCE_PAGE)
        write_msr(MSR_REFERENCE_TSC, (u32)&reference | ENABLE_PAGE);
    hyperv_start_processor(0);
}
