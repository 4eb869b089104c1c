// SPDX-License-Identifier: GPL-2.0-only
#include "net/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define IPV4_OFFSET 96 /* an IPv4 address is in the last 32 bits of ::ffff:0:0/96 */
#define ADDRESS_MAX 64 /* more than any address with its zone */

/* The text of *problem if it quotes a value; valid until the thread's next call. */
static __thread char problem_text[160];

static int refuse(const char **problem, const char *text)
{
	*problem = text;
	return -EINVAL;
}

static bool is_mapped(const __u32 address[4])
{
	return !address[0] && !address[1] && address[2] == htonl(0xffff);
}

bool prefix_is_ipv4(const struct bkxdp_prefix *prefix)
{
	return prefix->bits >= IPV4_OFFSET && is_mapped(prefix->address);
}

bool prefix_covers(const struct bkxdp_prefix *outer, const struct bkxdp_prefix *inner)
{
	const uint8_t *a = (const uint8_t *)outer->address, *b = (const uint8_t *)inner->address;
	unsigned int whole_bytes = outer->bits / 8, remaining_bits = outer->bits % 8;

	if (outer->bits > inner->bits || memcmp(a, b, whole_bytes) != 0)
		return false;
	return !remaining_bits || !((a[whole_bytes] ^ b[whole_bytes]) >> (8 - remaining_bits));
}

bool prefix_contains(const struct bkxdp_prefix *prefix, const uint32_t address[static 4])
{
	const struct bkxdp_prefix host = {128, {address[0], address[1], address[2], address[3]}};

	return prefix_is_ipv4(prefix) == prefix_is_ipv4(&host) && prefix_covers(prefix, &host);
}

void prefix_text(const struct bkxdp_prefix *prefix, char text[static PREFIX_TEXT_MAX])
{
	bool ipv4 = prefix_is_ipv4(prefix);
	size_t length;

	inet_ntop(ipv4 ? AF_INET : AF_INET6, &prefix->address[ipv4 ? 3 : 0], text, PREFIX_TEXT_MAX);
	length = strlen(text);
	if (prefix->bits < 128)
		snprintf(text + length, PREFIX_TEXT_MAX - length, "/%u",
			 prefix->bits - (ipv4 ? IPV4_OFFSET : 0));
}

static void mask_host_bits(__u32 address[4], unsigned int bits)
{
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int bits_here = bits > i * 32 ? bits - i * 32 : 0;

		if (bits_here < 32)
			address[i] &= htonl((__u32)(0xffffffff00000000ull >> bits_here));
	}
}

int address_parse(const char *text, uint32_t address[static 4])
{
	uint32_t parsed[4] = {0, 0, htonl(0xffff)};
	int family = AF_INET;

	if (inet_pton(AF_INET, text, &parsed[3]) != 1) {
		family = AF_INET6;
		if (inet_pton(AF_INET6, text, parsed) != 1)
			return 0;
	}
	memcpy(address, parsed, sizeof(parsed));
	return family;
}

static int parse_address(const char *text, struct bkxdp_prefix *prefix, const char **problem)
{
	int family = address_parse(text, prefix->address);

	if (family) {
		prefix->bits = family == AF_INET ? IPV4_OFFSET : 0;
		return 0;
	}
	if (strchr(text, '%'))
		return refuse(
			problem,
			"has a zone (%): the file is for one interface, so write only the address");
	return refuse(problem, "is not an IPv4 or IPv6 address or prefix");
}

/* prefix->bits is 96 for IPv4 and 0 for IPv6; the length is added to it. */
static int parse_length(const char *text, struct bkxdp_prefix *prefix, const char **problem)
{
	unsigned int max_length = 128 - prefix->bits, value = 0;
	size_t length = strlen(text);

	if (length > 1 && text[0] == '0')
		return refuse(problem, "has a leading zero in its length");
	if (!length || length > 3 || strspn(text, "0123456789") < length)
		value = 129;
	else
		value = (unsigned int)atoi(text);
	if (value > max_length)
		return refuse(problem, max_length == 32 ? "has a length outside 0-32"
							: "has a length outside 0-128");
	prefix->bits += value;
	return 0;
}

static int check_prefix(const struct bkxdp_prefix *prefix, bool ipv4, const char **problem)
{
	struct bkxdp_prefix network = *prefix;
	char corrected[PREFIX_TEXT_MAX];

	mask_host_bits(network.address, network.bits);
	prefix_text(&network, corrected);
	if (memcmp(&network, prefix, sizeof(network))) {
		snprintf(problem_text, sizeof(problem_text), "has host bits set: write %s",
			 corrected);
		return refuse(problem, problem_text);
	}
	if (!ipv4 && prefix_is_ipv4(prefix)) {
		snprintf(problem_text, sizeof(problem_text),
			 "is an IPv4 address in IPv6 form: write %s", corrected);
		return refuse(problem, problem_text);
	}
	return 0;
}

int prefix_parse(const char *text, struct bkxdp_prefix *prefix, const char **problem)
{
	size_t length = strcspn(text, "/");
	struct bkxdp_prefix parsed = {};
	char address[ADDRESS_MAX];
	bool ipv4;

	if (length >= sizeof(address))
		return refuse(problem, "is not an IPv4 or IPv6 address or prefix");
	memcpy(address, text, length);
	address[length] = '\0';
	if (parse_address(address, &parsed, problem))
		return -EINVAL;
	ipv4 = parsed.bits;
	if (!text[length])
		parsed.bits = 128;
	else if (parse_length(text + length + 1, &parsed, problem))
		return -EINVAL;
	if (check_prefix(&parsed, ipv4, problem))
		return -EINVAL;
	*prefix = parsed;
	return 0;
}

/* No host name ends with a label of digits only (RFC 1123, 2.1) or has one of these characters. */
bool looks_like_prefix(const char *text)
{
	const char *dot = strrchr(text, '.'), *last = dot ? dot + 1 : text;

	return strpbrk(text, ":/%") || (*last && !last[strspn(last, "0123456789")]);
}

void prefix_set_add(struct prefix_set *set, const struct bkxdp_prefix *prefix)
{
	*APPEND(set->prefix, set->count) = *prefix;
}

void prefix_set_add_any(struct prefix_set *set)
{
	static const struct bkxdp_prefix ipv6 = {};
	struct bkxdp_prefix ipv4 = {.bits = IPV4_OFFSET, .address = {0, 0, htonl(0xffff), 0}};

	prefix_set_add(set, &ipv6);
	prefix_set_add(set, &ipv4);
}

static int by_address(const void *a, const void *b)
{
	const struct bkxdp_prefix *left = a, *right = b;
	int order = memcmp(left->address, right->address, sizeof(left->address));

	return order ? order : (left->bits > right->bits) - (left->bits < right->bits);
}

static bool is_normalized(const struct prefix_set *set)
{
	for (size_t i = 1; i < set->count; i++)
		if (by_address(&set->prefix[i - 1], &set->prefix[i]) >= 0)
			return false;
	return true;
}

void prefix_set_normalize(struct prefix_set *set)
{
	size_t last = 0;

	if (is_normalized(set))
		return;
	qsort(set->prefix, set->count, sizeof(*set->prefix), by_address);
	for (size_t i = 1; i < set->count; i++)
		if (by_address(&set->prefix[last], &set->prefix[i]))
			set->prefix[++last] = set->prefix[i];
	set->count = last + 1;
}

static unsigned __int128 first_address(const struct bkxdp_prefix *prefix)
{
	unsigned __int128 address = 0;

	for (int i = 0; i < 4; i++)
		address = address << 32 | ntohl(prefix->address[i]);
	return address;
}

static unsigned __int128 last_address(const struct bkxdp_prefix *prefix)
{
	const unsigned __int128 all = ~(unsigned __int128)0;

	if (prefix->bits == 128)
		return first_address(prefix);
	return first_address(prefix) | all >> prefix->bits;
}

/* A range of addresses without a gap. */
struct address_range {
	unsigned __int128 first, last;
	bool any;
};

/*
 * Extends the range by the prefixes of the set, in order, that begin no later than `until`. If
 * there is a gap, a new range begins behind it.
 */
static void extend_range(struct address_range *range, const struct prefix_set *set, size_t *next,
			 bool ipv4, unsigned __int128 until)
{
	for (; *next < set->count; ++*next) {
		const struct bkxdp_prefix *prefix = &set->prefix[*next];
		unsigned __int128 first = first_address(prefix), last = last_address(prefix);
		bool joins = range->any && (first <= range->last || first == range->last + 1);

		if (ipv4 && !prefix_is_ipv4(prefix))
			continue;
		if (!joins && first > until)
			return;
		if (!joins)
			*range = (struct address_range){first, last, true};
		else if (last > range->last)
			range->last = last;
	}
}

static const struct bkxdp_prefix *find_uncovered(const struct prefix_set *set,
						 const struct prefix_set *outer, bool ipv4)
{
	struct address_range range = {};
	size_t next = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct bkxdp_prefix *prefix = &set->prefix[i];
		unsigned __int128 first = first_address(prefix);

		if (prefix_is_ipv4(prefix) != ipv4)
			continue;
		extend_range(&range, outer, &next, ipv4, first);
		if (!range.any || first < range.first || last_address(prefix) > range.last)
			return prefix;
	}
	return NULL;
}

const struct bkxdp_prefix *prefix_set_uncovered(const struct prefix_set *set,
						const struct prefix_set *outer)
{
	const struct bkxdp_prefix *found = find_uncovered(set, outer, true);

	return found ? found : find_uncovered(set, outer, false);
}

static bool overlaps(const struct bkxdp_prefix *prefix, const struct prefix_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (prefix_is_ipv4(prefix) == prefix_is_ipv4(&set->prefix[i]) &&
		    (prefix_covers(prefix, &set->prefix[i]) ||
		     prefix_covers(&set->prefix[i], prefix)))
			return true;
	return false;
}

struct bkxdp_prefix prefix_gap(const struct bkxdp_prefix *prefix, const struct prefix_set *outer)
{
	struct bkxdp_prefix gap = *prefix;

	/* the half that is not covered, until nothing in it is */
	while (gap.bits < 128 && overlaps(&gap, outer)) {
		uint32_t bit = gap.bits++;

		if (!prefix_set_uncovered(&(struct prefix_set){&gap, 1}, outer))
			gap.address[bit / 32] |= htonl(1u << (31 - bit % 32));
	}
	return gap;
}
