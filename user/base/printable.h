/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text from elsewhere (names of interfaces and programs, of files, values in them) as it
 * may be shown: whatever it holds, it steers no terminal and spoils neither JSON nor
 * metrics. Control characters and bytes that are no UTF-8 become \xHH, and so does a
 * backslash before an x: no two texts look alike.
 */
#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

#include <net/if.h>

/* The caller frees it. */
char *printable(const char *text) __attribute__((warn_unused_result));

/* Of an interface's name. */
#define PRINTABLE_DEVICE_MAX (4 * (IF_NAMESIZE - 1) + 1)
/* At most four bytes for one, and a NUL; its place is returned. */
char *printable_put(char *to, const char *text);

#endif
