/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel: the program, its maps and pins, attaching. The only room that
 * knows libbpf and libxdp; nothing outside sees a file descriptor of theirs.
 */
#ifndef DATAPATH_H
#define DATAPATH_H

#include "compile.h"
#include "engine.h"
#include "policy.h"

/* A filtered interface's policy and program, in a test run that leaves its counters alone. */
struct engine *engine_attached(const char *interface); /* NULL with errno */

/* What was loaded, as described when it was; groups have only their first prefixes. NULL with errno. */
struct policy *attached_policy(const char *interface);

#endif
