/* SPDX-License-Identifier: GPL-2.0-only */
/* When the files that a policy was compiled from were last written. */
#ifndef CHANGED_H
#define CHANGED_H

#include "policy.h"

/*
 * Modification time of the newest of them, in s since the epoch. 0 where there is
 * no interface file (options, observation) or its time can't be had; a profile
 * whose time can't be had is left out.
 */
uint64_t policy_changed(const struct policy *policy);

#endif
