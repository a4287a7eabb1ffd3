/* SPDX-License-Identifier: Apache-2.0 */

/* The probe: does what Windows does, a phase at a time, so that the exits of
 * each phase can be counted. It is the only program on its machine, in 32-bit
 * protected mode without paging.
 */

#ifndef PROBE_H
#define PROBE_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

/* The page that both sides look at: mailbox.py has the same. */
enum kind { BEGIN = 1, MIDDLE, END, NOTE, FINISHED, FAULT };

struct mailbox {
    volatile u32 guest; /* how often the guest has spoken */
    volatile u32 host;  /* how often the host has heard it */
    u32 kind;
    u32 count; /* operations in the phase; a fault's vector */
    u32 taken; /* whether Windows would take this way; a fault's place */
    char operation[64];
    char way[64];
};

extern struct mailbox mailbox; /* the linker places it */

/* What the hypervisor shows, as bits of one word. */
enum offer {
    REFERENCE_COUNTER = 1 << 0,
    REFERENCE_PAGE = 1 << 1,
    ASSIST_PAGE = 1 << 2,
    APIC_MSRS = 1 << 3,
    SYNIC = 1 << 4,
    STIMER = 1 << 5,
    STIMER_DIRECT = 1 << 6,
    SPINLOCKS = 1 << 7,
    FLUSH = 1 << 8,
    CLUSTER_IPI = 1 << 9,
    KEEP_AUTO_EOI = 1 << 10,
};

extern u32 offers;
extern u32 spin_retries;

/* Vectors; the higher four bits are the priority. */
enum vector {
    TICK_VECTOR = 0x50,
    SELF_VECTOR = 0x60,
    CALL_VECTOR = 0x70,
    SPURIOUS_VECTOR = 0xff,
};

struct frame;
#define INTERRUPT __attribute__((interrupt))
#define PAUSE() __asm__ volatile("pause")
#define ENABLE() __asm__ volatile("sti")
#define DISABLE() __asm__ volatile("cli")
/* Nothing can come between the two: sti holds off for one instruction. */
#define IDLE() __asm__ volatile("sti; hlt; cli" ::: "memory")

static inline void out8(u32 port, u8 value)
{
    __asm__ volatile("outb %0, %w1" : : "a"(value), "Nd"(port));
}

static inline u8 in8(u32 port)
{
    u8 value;
    __asm__ volatile("inb %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline u32 in32(u32 port)
{
    u32 value;
    __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline u64 read_msr(u32 index)
{
    u64 value;
    __asm__ volatile("rdmsr" : "=A"(value) : "c"(index));
    return value;
}

static inline void write_msr(u32 index, u64 value)
{
    __asm__ volatile("wrmsr" : : "A"(value), "c"(index) : "memory");
}

static inline u64 read_tsc(void)
{
    u64 value;
    __asm__ volatile("rdtsc" : "=A"(value));
    return value;
}

/* mailbox.c */
typedef void (*work)(u32 count);
void phase(const char *operation, const char *way, int taken, u32 count,
           work run);
void note(const char *text);
void finish(void);

/* hyperv.c */
void hyperv_start(void);
void hyperv_start_processor(u32 cpu);
u64 hypercall(u32 code, u64 input, u64 output);
int page_time(u64 *time);

/* interrupts.c */
void interrupts_start(void);
void apic_start(void);
void route(u32 pin, u32 vector);
void unroute(u32 pin);
void set_gate(u32 vector, void (*handler)(struct frame *));
void end_interrupt(u32 cpu);
void send_by_apic(u32 apic_id, u32 command);
void send_by_msr(u32 apic_id, u32 command);
void end_phases(void);

/* clock.c, ticks.c, smp.c */
void clock_phases(void);
void tick_phases(void);
void smp_phases(void);

/* What start.S calls: smp.c, main.c, mailbox.c */
void second_main(void);
void probe_main(void);
void fault(u32 vector, u32 first, u32 second, u32 third);

#endif
