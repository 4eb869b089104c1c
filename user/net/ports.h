/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports and sets of ports, and how they are written. Parsers return 0 or -EINVAL. On failure
 * they leave their output unchanged, and *problem says what is wrong; it must not be freed.
 */
#ifndef NET_PORTS_H
#define NET_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both ends are included; host byte order; 1 to 65535. */
struct port_range {
	uint16_t low;
	uint16_t high;
};

/* Once it is normalized, the ranges are sorted, disjoint and not adjacent. */
struct port_set {
	struct port_range *range;
	size_t count;
};

/* Parses "8087" or "1025-65535". */
int port_range_parse(const char *text, struct port_range *range, const char **problem);
void port_set_add(struct port_set *set, struct port_range range);
/* Sorts and merges the ranges; must be called after the last one was added. */
void port_set_normalize(struct port_set *set);
bool port_set_has(const struct port_set *set, uint16_t port);
unsigned int port_set_size(const struct port_set *set);
/* Returns "8086,8087" or "50000-50100"; the caller frees it. */
char *port_set_text(const struct port_set *set);

#endif
