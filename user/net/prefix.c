// SPDX-License-Identifier: GPL-2.0-only
#include "net/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define IPV4_OFFSET 96 /* an IPv4 address is the last 32 bits of ::ffff:0:0/96 */
#define ADDRESS_MAX 64 /* more than any address with its zone */

/* A reason that shows what would be right; good until the next call. */
static __thread char reason[160];

static int refuse(const char **why, const char *text)
{
	*why = text;
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
	unsigned int whole = outer->bits / 8, rest = outer->bits % 8;

	if (outer->bits > inner->bits || memcmp(a, b, whole) != 0)
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}

bool prefix_holds(const struct bkxdp_prefix *prefix, const uint32_t address[static 4])
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

static void keep_bits(__u32 address[4], unsigned int bits)
{
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int here = bits > i * 32 ? bits - i * 32 : 0;

		if (here < 32)
			address[i] &= htonl((__u32)(0xffffffff00000000ull >> here));
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

static int parse_address(const char *text, struct bkxdp_prefix *prefix, const char **why)
{
	int family = address_parse(text, prefix->address);

	if (family) {
		prefix->bits = family == AF_INET ? IPV4_OFFSET : 0;
		return 0;
	}
	if (strchr(text, '%'))
		return refuse(why, "has a zone (%): the file is for one interface, write the "
				   "address alone");
	return refuse(why, "is not an IPv4 or IPv6 address or prefix");
}

/* prefix->bits is what the family adds. */
static int parse_length(const char *text, struct bkxdp_prefix *prefix, const char **why)
{
	unsigned int most = 128 - prefix->bits, value = 0;
	size_t length = strlen(text);

	if (length > 1 && text[0] == '0')
		return refuse(why, "has a leading zero in its length");
	if (!length || length > 3 || strspn(text, "0123456789") < length)
		value = 129;
	else
		value = (unsigned int)atoi(text);
	if (value > most)
		return refuse(why, most == 32 ? "has a length outside 0-32"
					      : "has a length outside 0-128");
	prefix->bits += value;
	return 0;
}

static int check_prefix(const struct bkxdp_prefix *prefix, bool ipv4, const char **why)
{
	struct bkxdp_prefix network = *prefix;
	char right[PREFIX_TEXT_MAX];

	keep_bits(network.address, network.bits);
	prefix_text(&network, right);
	if (memcmp(&network, prefix, sizeof(network))) {
		snprintf(reason, sizeof(reason), "has host bits set: write %s", right);
		return refuse(why, reason);
	}
	if (!ipv4 && prefix_is_ipv4(prefix)) {
		snprintf(reason, sizeof(reason), "is an IPv4 address in IPv6 form: write %s",
			 right);
		return refuse(why, reason);
	}
	return 0;
}

int prefix_parse(const char *text, struct bkxdp_prefix *prefix, const char **why)
{
	size_t length = strcspn(text, "/");
	struct bkxdp_prefix found = {};
	char address[ADDRESS_MAX];
	bool ipv4;

	if (length >= sizeof(address))
		return refuse(why, "is not an IPv4 or IPv6 address or prefix");
	memcpy(address, text, length);
	address[length] = '\0';
	if (parse_address(address, &found, why))
		return -EINVAL;
	ipv4 = found.bits;
	if (!text[length])
		found.bits = 128;
	else if (parse_length(text + length + 1, &found, why))
		return -EINVAL;
	if (check_prefix(&found, ipv4, why))
		return -EINVAL;
	*prefix = found;
	return 0;
}

/* No host name ends in a label of digits only (RFC 1123, 2.1), and none has these characters. */
bool prefix_is_like(const char *text)
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

static bool is_settled(const struct prefix_set *set)
{
	for (size_t i = 1; i < set->count; i++)
		if (by_address(&set->prefix[i - 1], &set->prefix[i]) >= 0)
			return false;
	return true;
}

void prefix_set_settle(struct prefix_set *set)
{
	size_t kept = 0;

	if (is_settled(set))
		return;
	qsort(set->prefix, set->count, sizeof(*set->prefix), by_address);
	for (size_t i = 1; i < set->count; i++)
		if (by_address(&set->prefix[kept], &set->prefix[i]))
			set->prefix[++kept] = set->prefix[i];
	set->count = kept + 1;
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

/* Addresses without a gap. */
struct run {
	unsigned __int128 first, last;
	bool any;
};

/* Adds what begins no later than `until`, in order; what lies behind a gap begins a new run. */
static void extend(struct run *run, const struct prefix_set *set, size_t *next, bool ipv4,
		   unsigned __int128 until)
{
	for (; *next < set->count; ++*next) {
		const struct bkxdp_prefix *prefix = &set->prefix[*next];
		unsigned __int128 first = first_address(prefix), last = last_address(prefix);
		bool joins = run->any && (first <= run->last || first == run->last + 1);

		if (ipv4 && !prefix_is_ipv4(prefix))
			continue;
		if (!joins && first > until)
			return;
		if (!joins)
			*run = (struct run){first, last, true};
		else if (last > run->last)
			run->last = last;
	}
}

static const struct bkxdp_prefix *outside(const struct prefix_set *set,
					  const struct prefix_set *outer, bool ipv4)
{
	struct run run = {};
	size_t next = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct bkxdp_prefix *prefix = &set->prefix[i];
		unsigned __int128 first = first_address(prefix);

		if (prefix_is_ipv4(prefix) != ipv4)
			continue;
		extend(&run, outer, &next, ipv4, first);
		if (!run.any || first < run.first || last_address(prefix) > run.last)
			return prefix;
	}
	return NULL;
}

const struct bkxdp_prefix *prefix_set_outside(const struct prefix_set *set,
					      const struct prefix_set *outer)
{
	const struct bkxdp_prefix *found = outside(set, outer, true);

	return found ? found : outside(set, outer, false);
}
