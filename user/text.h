/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How values are written: ports, addresses, names. The one place for each
 * convention, shared by files, options and output. Parsers return 0 or -EINVAL,
 * leave their output untouched on failure and say what is wrong in *why (a
 * static string).
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bkxdp/policy.h>

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

/* Sorted by address, then by length; no duplicates. */
struct prefix_set {
	struct bkxdp_prefix *prefix;
	size_t count;
};

/* "8087" or "1025-65535". */
int text_port_range(const char *text, struct port_range *range, const char **why);
void port_set_add(struct port_set *set, struct port_range range);
/* Sorts and merges; call it when all ranges are added. */
void port_set_settle(struct port_set *set);
bool port_set_has(const struct port_set *set, uint16_t port);
unsigned int port_set_size(const struct port_set *set);
/* "8086,8087" or "50000-50100"; the caller frees it. */
char *port_set_text(const struct port_set *set);

/* "10.20.30.5", "10.20.31.0/24", "2001:db8::/64"; host bits set are an error that shows the prefix.
 */
int text_prefix(const char *text, struct bkxdp_prefix *prefix, const char **why);
/* Looks like an address or prefix rather than a host name, right or wrong. */
bool text_is_address(const char *text);
/* A host name by RFC 1123: letters, digits, hyphens and dots, at most 253 bytes. */
bool text_is_hostname(const char *text);
void prefix_set_add(struct prefix_set *set, const struct bkxdp_prefix *prefix);
/* 0.0.0.0/0 and ::/0. */
void prefix_set_add_any(struct prefix_set *set);
void prefix_set_settle(struct prefix_set *set);
/*
 * The first prefix of a settled set of which some address is not in `outer`, settled, too;
 * NULL: all are. No IPv4 address is in an IPv6 prefix.
 */
const struct bkxdp_prefix *prefix_set_outside(const struct prefix_set *set,
					      const struct prefix_set *outer);

#define TEXT_PREFIX_MAX 48
/* "10.0.0.0/8"; a host has no length: "10.20.30.5". */
void prefix_text(const struct bkxdp_prefix *prefix, char text[static TEXT_PREFIX_MAX]);
bool prefix_is_ipv4(const struct bkxdp_prefix *prefix);
/* By the bits alone: ::/0 covers the block of mapped IPv4 addresses. */
bool prefix_covers(const struct bkxdp_prefix *outer, const struct bkxdp_prefix *inner);
/* Is the address (IPv4 mapped) in the prefix? No IPv4 address is in an IPv6 prefix, however short.
 */
bool prefix_holds(const struct bkxdp_prefix *prefix, const uint32_t address[static 4]);

/* Names of profiles, roles, ports and flows: [a-z0-9-]{1,31}. */
bool text_is_name(const char *text);

/* The most similar of `count` words, or NULL when none is near: for "did you mean". */
const char *text_nearest(const char *word, const char *const *words, size_t count);

#endif
