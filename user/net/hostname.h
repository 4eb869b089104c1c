/* SPDX-License-Identifier: GPL-2.0-only */
/* Host names. */
#ifndef NET_HOSTNAME_H
#define NET_HOSTNAME_H

#include <stdbool.h>

/* Is the text a host name by RFC 1123: letters, digits, hyphens and dots, at most 253 bytes? */
bool hostname_is_valid(const char *text);

#endif
