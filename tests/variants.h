/* SPDX-License-Identifier: GPL-2.0-only */
/* The policies that the packet table is judged by, declared in C: no file is read here. */
#ifndef VARIANTS_H
#define VARIANTS_H

#include "compile.h"
#include "policy.h"

extern const char *const variant_names[];
extern const size_t variant_count;

/* Ends the program where there is no such variant or it doesn't compile: then no test means anything. */
struct policy *variant_policy(const char *name);
struct tables *variant_tables(const struct policy *policy);

#endif
