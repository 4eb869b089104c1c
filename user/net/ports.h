/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports and sets of them, and how they are written. Parsers return 0 or -EINVAL, leave their output
 * untouched on failure and say what is wrong in *why (a static string).
 */
#ifndef NET_PORTS_H
#define NET_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Inclusive, host byte order, 1 to 65535. */
struct port_range {
	uint16_t low;
	uint16_t high;
};

/* Sorted, disjoint, not adjacent. */
struct port_set {
	struct port_range *range;
	size_t count;
};

/* "8087" or "1025-65535". */
int port_range_parse(const char *text, struct port_range *range, const char **why);
void port_set_add(struct port_set *set, struct port_range range);
/* Sorts and merges; call it when all ranges are added. */
void port_set_settle(struct port_set *set);
bool port_set_has(const struct port_set *set, uint16_t port);
unsigned int port_set_size(const struct port_set *set);
/* "8086,8087" or "50000-50100"; the caller frees it. */
char *port_set_text(const struct port_set *set);

#endif
