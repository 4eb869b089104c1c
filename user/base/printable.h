/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes text of others (names of interfaces, programs and files, values in files) safe to show.
 * Whatever it contains, it can't control a terminal or break JSON or metrics. Control
 * characters and bytes that are not UTF-8 become \xHH. So does a backslash before an x, so that
 * two different texts never look the same.
 */
#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

#include <net/if.h>

/* Returns the printable text, which the caller frees. */
char *printable(const char *text) __attribute__((warn_unused_result));

/* Bytes that the printable name of an interface takes at most, with its NUL. */
#define PRINTABLE_DEVICE_MAX (4 * (IF_NAMESIZE - 1) + 1)
/*
 * Writes the printable text to `to`: at most four bytes for each byte of `text`, and a NUL.
 * Returns the place of that NUL.
 */
char *printable_put(char *to, const char *text);

#endif
