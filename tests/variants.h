/* SPDX-License-Identifier: GPL-2.0-only */
/* The policies that judge the packet table. They are declared in C, so that no file is read. */
#ifndef VARIANTS_H
#define VARIANTS_H

#include <stdbool.h>

#include "policy/compile.h"
#include "policy/policy.h"

const char *variant_name(size_t index); /* Returns NULL behind the last. */

/* Both end the program on failure, because no test would mean anything then. */
struct policy *variant_policy(const char *name);
struct tables *variant_tables(const struct policy *policy);

/*
 * Returns whether the kernel engine is missing only because there are no rights or no BTF here.
 * errno stays `error`.
 */
bool kernel_is_closed(int error);

#endif
