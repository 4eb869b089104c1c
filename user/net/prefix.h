/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address prefixes and sets of prefixes, and how they are written. Parsers return 0 or -EINVAL.
 * On failure they leave their output unchanged, and *problem says what is wrong; it must not be
 * freed.
 */
#ifndef NET_PREFIX_H
#define NET_PREFIX_H

#include <bkxdp/layout.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once it is normalized, it is sorted by address, then by length, without duplicates. */
struct prefix_set {
	struct bkxdp_prefix *prefix;
	size_t count;
};

/*
 * Parses an address without a length to network byte order, IPv4 mapped. Returns AF_INET,
 * AF_INET6, or 0 if the text is no address.
 */
int address_parse(const char *text, uint32_t address[static 4]);
/*
 * Parses "10.20.30.5", "10.20.31.0/24" or "2001:db8::/64". If host bits are set, *problem says the
 * right prefix.
 */
int prefix_parse(const char *text, struct bkxdp_prefix *prefix, const char **problem);
/* Does the text look like an address or prefix, valid or not, rather than a host name? */
bool looks_like_prefix(const char *text);
void prefix_set_add(struct prefix_set *set, const struct bkxdp_prefix *prefix);
/* Adds 0.0.0.0/0 and ::/0. */
void prefix_set_add_any(struct prefix_set *set);
void prefix_set_normalize(struct prefix_set *set);
/*
 * Returns the first prefix of `set` that has an address which is not in `outer`, or NULL if
 * there is none. Both sets must be normalized. No IPv4 address is in an IPv6 prefix.
 */
const struct bkxdp_prefix *prefix_set_uncovered(const struct prefix_set *set,
						const struct prefix_set *outer);
/*
 * Returns the first part of the prefix with which `outer` has no address in common. The prefix must
 * not be covered, see above.
 */
struct bkxdp_prefix prefix_gap(const struct bkxdp_prefix *prefix, const struct prefix_set *outer);

#define PREFIX_TEXT_MAX 48
/* Writes "10.0.0.0/8", or "10.20.30.5" for a single address. */
void prefix_text(const struct bkxdp_prefix *prefix, char text[static PREFIX_TEXT_MAX]);
bool prefix_is_ipv4(const struct bkxdp_prefix *prefix);
/* Is `inner` within `outer`? Compares only bits, so ::/0 covers the mapped IPv4 addresses. */
bool prefix_covers(const struct bkxdp_prefix *outer, const struct bkxdp_prefix *inner);
/*
 * Is the address (network byte order, IPv4 mapped) in the prefix? No IPv4 address is in an IPv6
 * prefix, however short the prefix is.
 */
bool prefix_contains(const struct bkxdp_prefix *prefix, const uint32_t address[static 4]);

#endif
