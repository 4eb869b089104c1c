/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address prefixes and sets of them, and how they are written. Parsers return 0 or -EINVAL, leave
 * their output untouched on failure and say what is wrong in *why (a static string).
 */
#ifndef NET_PREFIX_H
#define NET_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bkxdp/layout.h>

/* Sorted by address, then by length; no duplicates. */
struct prefix_set {
	struct bkxdp_prefix *prefix;
	size_t count;
};

/* An address alone, IPv4 mapped. AF_INET, AF_INET6, or 0 where the text is none. */
int address_parse(const char *text, uint32_t address[static 4]);
/* "10.20.30.5", "10.20.31.0/24", "2001:db8::/64"; host bits set are an error that shows the prefix.
 */
int prefix_parse(const char *text, struct bkxdp_prefix *prefix, const char **why);
/* Looks like an address or prefix rather than a host name, right or wrong. */
bool prefix_is_like(const char *text);
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

#define PREFIX_TEXT_MAX 48
/* "10.0.0.0/8"; a host has no length: "10.20.30.5". */
void prefix_text(const struct bkxdp_prefix *prefix, char text[static PREFIX_TEXT_MAX]);
bool prefix_is_ipv4(const struct bkxdp_prefix *prefix);
/* By the bits alone: ::/0 covers the block of mapped IPv4 addresses. */
bool prefix_covers(const struct bkxdp_prefix *outer, const struct bkxdp_prefix *inner);
/* Is the address (IPv4 mapped) in the prefix? No IPv4 address is in an IPv6 prefix, however short.
 */
bool prefix_holds(const struct bkxdp_prefix *prefix, const uint32_t address[static 4]);

#endif
