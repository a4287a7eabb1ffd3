/* SPDX-License-Identifier: Apache-2.0 */

/* How the probe tells the host where it is.
 *
 * Both look at the same memory, so neither speaking nor waiting exits.
 */

#include "probe.h"

#define FEW 10

static void copy(char *target, const char *text)
{
    u32 i;

    for (i = 0; i < sizeof(mailbox.way) - 1 && text[i]; i++)
        target[i] = text[i];
    target[i] = 0;
}

/* Speak, and wait until the host has heard it. */
static void post(enum kind kind)
{
    mailbox.kind = kind;
    __asm__ volatile("" ::: "memory");
    mailbox.guest++;
    while (mailbox.host != mailbox.guest)
        PAUSE();
}

/* The first run is for memory that is new to KVM. The second one has all the
 * exits of starting and stopping, and FEW operations; the third one has as
 * many more as shall be counted.
 */
void phase(const char *operation, const char *way, int taken, u32 count,
           work run)
{
    run(FEW);
    copy(mailbox.operation, operation);
    copy(mailbox.way, way);
    mailbox.count = count;
    mailbox.taken = taken;
    post(BEGIN);
    run(FEW);
    post(MIDDLE);
    run(FEW + count);
    post(END);
}

void note(const char *text)
{
    copy(mailbox.way, text);
    post(NOTE);
}

void finish(void)
{
    post(FINISHED);
}

/* An exception of the processor: none is expected. */
void fault(u32 vector, u32 first, u32 second, u32 third)
{
    static const u32 with_error_code = 0x27d00; /* bits: vectors */

    (void)third;
    mailbox.count = vector;
    mailbox.taken = with_error_code >> vector & 1 ? second : first;
    post(FAULT);
}
