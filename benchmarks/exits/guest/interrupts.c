/* SPDX-License-Identifier: Apache-2.0 */

/* Interrupts: where they go, and how they end. */

#include "probe.h"

#define SELF_INTERRUPTS 1000

#define APIC 0xfee00000
#define APIC_ID 0x20
#define APIC_TPR 0x80
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_ENABLED 0x100
#define APIC_ICR 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LINT0 0x350
#define APIC_SELF 0x40000 /* a command for this processor itself */
#define IOAPIC 0xfec00000
#define MASKED 0x10000

#define PINS 24
#define PIC_MASK_1 0x21
#define PIC_MASK_2 0xa1
#define FAULTS 32
#define FAULT_STUB 16

#define MSR_EOI 0x40000070
#define MSR_ICR 0x40000071

extern u8 hyperv_assist[2][4096];
extern u8 fault_stubs[];

static struct {
    u32 low, high;
} idt[256];

static const struct {
    u16 limit;
    void *base;
} __attribute__((packed)) idt_pointer = {sizeof(idt) - 1, idt};

static enum { BY_APIC, BY_MSR, BY_PAGE } ending;
static volatile u32 self_interrupts;

void apic_write(u32 offset, u32 value)
{
    *(volatile u32 *)(APIC + offset) = value;
}

static u32 apic_read(u32 offset)
{
    return *(volatile u32 *)(APIC + offset);
}

static void ioapic_write(u32 index, u32 value)
{
    *(volatile u32 *)IOAPIC = index;
    *(volatile u32 *)(IOAPIC + 0x10) = value;
}

/* Send a pin's interrupts, by edge, to the first processor. */
void route(u32 pin, u32 vector)
{
    ioapic_write(0x11 + 2 * pin, apic_read(APIC_ID));
    ioapic_write(0x10 + 2 * pin, vector);
}

void unroute(u32 pin)
{
    ioapic_write(0x10 + 2 * pin, MASKED);
}

static void set_address(u32 vector, u32 address)
{
    idt[vector].low = 0x08 << 16 | (address & 0xffff);
    idt[vector].high = (address & 0xffff0000) | 0x8e00;
}

void set_gate(u32 vector, void (*handler)(struct frame *))
{
    set_address(vector, (u32)handler);
}

/* End an interrupt on a processor, by the way that is in force. */
void end_interrupt(u32 cpu)
{
    u8 no_eoi;

    if (ending == BY_APIC) {
        apic_write(APIC_EOI, 0);
        return;
    }
    if (ending == BY_PAGE) {
        __asm__ volatile("btrl $0, %1; setc %0"
                         : "=q"(no_eoi), "+m"(*(u32 *)hyperv_assist[cpu]));
        if (no_eoi)
            return;
    }
    write_msr(MSR_EOI, 0);
}

INTERRUPT static void on_self(struct frame *frame)
{
    (void)frame;
    self_interrupts++;
    end_interrupt(0);
}

INTERRUPT static void on_spurious(struct frame *frame)
{
    (void)frame;
}

/* Have the APIC send what the command says to a processor, or to oneself. */
void send_by_apic(u32 apic_id, u32 command)
{
    if (!(command & APIC_SELF))
        apic_write(APIC_ICR_HIGH, apic_id << 24);
    apic_write(APIC_ICR, command);
}

void send_by_msr(u32 apic_id, u32 command)
{
    write_msr(MSR_ICR, (u64)apic_id << 56 | command);
}

static void interrupt_self(u32 count)
{
    u32 want;

    ENABLE();
    while (count--) {
        want = self_interrupts + 1;
        if (offers & APIC_MSRS)
            send_by_msr(0, APIC_SELF | SELF_VECTOR);
        else
            send_by_apic(0, APIC_SELF | SELF_VECTOR);
        while (self_interrupts != want)
            PAUSE();
    }
    DISABLE();
}

/* The last way stays in force: it is the one that Windows would take. */
void end_phases(void)
{
    const char *operation = "interrupt oneself";
    int page = !!(offers & ASSIST_PAGE);
    int msrs = !!(offers & APIC_MSRS);

    ending = BY_APIC;
    phase(operation, "APIC", !page && !msrs, SELF_INTERRUPTS, interrupt_self);
    if (msrs) {
        ending = BY_MSR;
        phase(operation, "EOI MSR", !page, SELF_INTERRUPTS, interrupt_self);
    }
    if (page) {
        ending = BY_PAGE;
        phase(operation, "VP assist page", 1, SELF_INTERRUPTS,
              interrupt_self);
    }
}

/* Each processor for itself: the APIC takes interrupts of any priority. */
void apic_start(void)
{
    __asm__ volatile("lidt %0" : : "m"(idt_pointer));
    apic_write(APIC_TPR, 0);
    apic_write(APIC_SPURIOUS, APIC_ENABLED | SPURIOUS_VECTOR);
    apic_write(APIC_LINT0, MASKED);
}

void interrupts_start(void)
{
    u32 i;

    for (i = 0; i < FAULTS; i++)
        set_address(i, (u32)fault_stubs + i * FAULT_STUB);
    set_gate(SELF_VECTOR, on_self);
    set_gate(SPURIOUS_VECTOR, on_spurious);
    out8(PIC_MASK_1, 0xff);
    out8(PIC_MASK_2, 0xff);
    for (i = 0; i < PINS; i++)
        unroute(i);
    apic_start();
}
