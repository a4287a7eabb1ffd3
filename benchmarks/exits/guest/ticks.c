/* SPDX-License-Identifier: Apache-2.0 */

/* Taking a timer's ticks, and sleeping in between. */

#include "probe.h"

#define TICKS 1000
#define RATE 128 /* a second; an emulated KVM can't do much more */

#define RTC_INDEX 0x70
#define RTC_DATA 0x71
#define RTC_A 0x0a
#define RTC_B 0x0b
#define RTC_C 0x0c
#define RTC_A_128 0x29 /* the usual time base, 32768 Hz / 2**8 */
#define RTC_B_24_HOURS 0x02
#define RTC_B_PERIODIC 0x40
#define RTC_PIN 8

#define PIT_COUNTER 0x40
#define PIT_CONTROL 0x43
#define PIT_RATE_GENERATOR 0x34
#define PIT_STOP 0x30 /* a new mode, and no count */
#define PIT_HZ 1193182
#define PIT_PIN 2

#define MSR_SCONTROL 0x40000080
#define MSR_SIMP 0x40000083
#define MSR_EOM 0x40000084
#define MSR_SINT2 0x40000092
#define SINT 2
#define SINT_MASKED (1 << 16)
#define SINT_AUTO_EOI (1 << 17)
#define MSR_STIMER0_CONFIG 0x400000b0
#define MSR_STIMER0_COUNT 0x400000b1
#define STIMER_PERIODIC (1 << 1)
#define STIMER_AUTO_ENABLE (1 << 3)
#define STIMER_VECTOR 4
#define STIMER_IS_DIRECT (1 << 12)
#define STIMER_SINT 16
#define STIMER_HZ 10000000

static volatile u32 ticks;
static int auto_eoi;

static volatile struct {
    u32 type;
    u8 size;
    u8 pending;
    u8 rest[250];
} messages[16] __attribute__((aligned(4096)));

static u8 rtc_read(u8 index)
{
    out8(RTC_INDEX, index);
    return in8(RTC_DATA);
}

static void rtc_write(u8 index, u8 value)
{
    out8(RTC_INDEX, index);
    out8(RTC_DATA, value);
}

INTERRUPT static void on_rtc(struct frame *frame)
{
    (void)frame;
    ticks++;
    rtc_read(RTC_C); /* or there will be no other tick */
    end_interrupt(0);
}

INTERRUPT static void on_tick(struct frame *frame)
{
    (void)frame;
    ticks++;
    end_interrupt(0);
}

INTERRUPT static void on_message(struct frame *frame)
{
    (void)frame;
    ticks++;
    messages[SINT].type = 0;
    if (messages[SINT].pending & 1)
        write_msr(MSR_EOM, 0);
    if (!auto_eoi)
        end_interrupt(0);
}

static void take(u32 count)
{
    ticks = 0;
    while (ticks < count)
        IDLE();
}

/* What came while the timer was being stopped. */
static void drain(void)
{
    ENABLE();
    PAUSE();
    DISABLE();
}

static void take_rtc(u32 count)
{
    set_gate(TICK_VECTOR, on_rtc);
    route(RTC_PIN, TICK_VECTOR);
    rtc_write(RTC_A, RTC_A_128);
    rtc_write(RTC_B, RTC_B_24_HOURS | RTC_B_PERIODIC);
    rtc_read(RTC_C);
    take(count);
    rtc_write(RTC_B, RTC_B_24_HOURS);
    drain();
    unroute(RTC_PIN);
}

static void take_pit(u32 count)
{
    u32 divisor = PIT_HZ / RATE;

    set_gate(TICK_VECTOR, on_tick);
    route(PIT_PIN, TICK_VECTOR);
    out8(PIT_CONTROL, PIT_RATE_GENERATOR);
    out8(PIT_COUNTER, divisor);
    out8(PIT_COUNTER, divisor >> 8);
    take(count);
    out8(PIT_CONTROL, PIT_STOP);
    drain();
    unroute(PIT_PIN);
}

static void take_stimer(u32 count, u64 config)
{
    write_msr(MSR_STIMER0_CONFIG,
              config | STIMER_PERIODIC | STIMER_AUTO_ENABLE);
    write_msr(MSR_STIMER0_COUNT, STIMER_HZ / RATE);
    take(count);
    write_msr(MSR_STIMER0_CONFIG, 0);
    drain();
}

static void take_direct(u32 count)
{
    set_gate(TICK_VECTOR, on_tick);
    take_stimer(count, STIMER_IS_DIRECT | TICK_VECTOR << STIMER_VECTOR);
}

static void take_messages(u32 count)
{
    set_gate(TICK_VECTOR, on_message);
    write_msr(MSR_SIMP, (u32)messages | 1);
    write_msr(MSR_SCONTROL, 1);
    write_msr(MSR_SINT2, TICK_VECTOR | (auto_eoi ? SINT_AUTO_EOI : 0));
    take_stimer(count, SINT << STIMER_SINT);
    write_msr(MSR_SINT2, SINT_MASKED);
}

void tick_phases(void)
{
    const char *operation = "take a tick";
    int message = (offers & SYNIC) && (offers & STIMER);
    int direct = (offers & STIMER) && (offers & STIMER_DIRECT);

    phase(operation, "PIT", 0, TICKS, take_pit);
    phase(operation, "RTC", !message && !direct, TICKS, take_rtc);
    if (message) {
        auto_eoi = !!(offers & KEEP_AUTO_EOI);
        phase(operation, "synthetic, message", !direct, TICKS,
              take_messages);
    }
    if (direct)
        phase(operation, "synthetic, direct", 1, TICKS, take_direct);
}
