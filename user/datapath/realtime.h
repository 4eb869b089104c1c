/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels built with PREEMPT_RT, of which some interrupt the program on its own CPU. */
#ifndef DATAPATH_REALTIME_H
#define DATAPATH_REALTIME_H

#include "base/diag.h"

/*
 * 0 where packets on one CPU are judged one after another, as the program's
 * per-CPU memory needs; -1 with complaints where they may not be, or where that can't be told.
 */
int realtime_check(struct diagnostics *diag);

#endif
