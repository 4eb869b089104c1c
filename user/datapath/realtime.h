/* SPDX-License-Identifier: GPL-2.0-only */
/* PREEMPT_RT kernels. In some of them, packets on the same CPU can interrupt each other. */
#ifndef DATAPATH_REALTIME_H
#define DATAPATH_REALTIME_H

#include "base/diag.h"

/*
 * Returns 0 if packets on one CPU are judged one after the other, as the program's per-CPU memory
 * requires. Returns -1 with diagnostics if they may not be, or if this can't be told.
 */
int realtime_check(struct diagnostics *diag);

#endif
