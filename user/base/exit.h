/* SPDX-License-Identifier: GPL-2.0-only */
/* Exit statuses, and how a command fails. */
#ifndef BASE_EXIT_H
#define BASE_EXIT_H

#include "base/diag.h"

#define EXIT_DONE    0
#define EXIT_FAILED  1 /* or the answer of the command is "no" */
#define EXIT_MISUSED 2

/* Prints "bkxdp: attach eth1: ..." to standard error. Returns EXIT_FAILED. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for wrong usage: the sentence refers to --help. Returns EXIT_MISUSED. */
int misuse(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints and frees them; the status of a failure, or EXIT_DONE where there are none. */
int exit_with(struct diagnostics *diag);

#endif
