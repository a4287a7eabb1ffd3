/* SPDX-License-Identifier: Apache-2.0 */

/* All phases, one after the other. */

#include "probe.h"

void probe_main(void)
{
    interrupts_start();
    hyperv_start();
    clock_phases();
    end_phases();
    tick_phases();
    smp_phases();
    finish();
}
