/* SPDX-License-Identifier: GPL-2.0-only */
/* The policies that the packet table is judged by, declared in C: no file is read here. */
#ifndef VARIANTS_H
#define VARIANTS_H

#include <stdbool.h>

#include "policy/compile.h"
#include "policy/policy.h"

const char *variant_name(size_t index); /* NULL behind the last */

/* Each ends the program where it can't: then no test would mean anything. */
struct policy *variant_policy(const char *name);
struct tables *variant_tables(const struct policy *policy);

/* Is it no fault of ours that this kernel has no engine: no rights, or no BTF? errno stays `error`.
 */
bool kernel_is_closed(int error);

#endif
