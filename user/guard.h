/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a policy would lock its own administrator out, or cut the host's way to the world. */
#ifndef GUARD_H
#define GUARD_H

#include "complain.h"
#include "policy.h"

/* 0, or -1 with a complaint that names the flow to add. */
int guard_check(const char *interface, const struct policy *policy, struct complaints *complaints);

#endif
