/* SPDX-License-Identifier: GPL-2.0-only */
/* Exit statuses, and the sentence that goes with a bad one. */
#ifndef BASE_EXIT_H
#define BASE_EXIT_H

#include "base/diag.h"

#define EXIT_DONE    0
#define EXIT_FAILED  1 /* or a verdict of "no" */
#define EXIT_MISUSED 2

/* "bkxdp: attach eth1: ..." to standard error; the status of a failure. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for wrong usage, with a pointer to --help. */
int misuse(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints and frees them; the status of a failure, or EXIT_DONE where there are none. */
int exit_with(struct diagnostics *diag);

#endif
