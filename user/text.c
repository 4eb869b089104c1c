// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define IPV4_OFFSET 96 /* an IPv4 address is the last 32 bits of ::ffff:0:0/96 */
#define ADDRESS_MAX 64 /* more than any address with its zone */

/* A reason that shows what would be right; good until the next call. */
static __thread char reason[160];

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

/* ---- ports ---------------------------------------------------------------- */

/* Digits only; YAML 1.1 would read a leading zero as octal, so there is none. */
static int parse_port(const char *text, size_t length, uint16_t *port, const char **why)
{
	unsigned long value = 0;

	if (!length || strspn(text, "0123456789") < length)
		return refuse(why, "is not a port or a range of ports such as 50000-50100");
	if (length > 1 && text[0] == '0')
		return refuse(why, "has a leading zero");
	for (size_t i = 0; i < length && value <= UINT16_MAX; i++)
		value = value * 10 + (unsigned long)(text[i] - '0');
	if (value < 1 || value > UINT16_MAX)
		return refuse(why, "is outside 1-65535");
	*port = (uint16_t)value;
	return 0;
}

int text_port_range(const char *text, struct port_range *range, const char **why)
{
	size_t first = strcspn(text, "-");
	struct port_range found;

	if (parse_port(text, first, &found.low, why))
		return -EINVAL;
	found.high = found.low;
	if (text[first] == '-' &&
	    parse_port(text + first + 1, strlen(text + first + 1), &found.high, why))
		return -EINVAL;
	if (found.high < found.low) {
		snprintf(reason, sizeof(reason), "is a range turned round: write %u-%u",
			 (unsigned int)found.high, (unsigned int)found.low);
		return refuse(why, reason);
	}
	*range = found;
	return 0;
}

void port_set_add(struct port_set *set, struct port_range range)
{
	*APPEND(set->range, set->count) = range;
}

static int by_low_port(const void *a, const void *b)
{
	const struct port_range *left = a, *right = b;

	return (int)left->low - (int)right->low;
}

void port_set_settle(struct port_set *set)
{
	size_t kept = 0;

	if (!set->count)
		return;
	qsort(set->range, set->count, sizeof(*set->range), by_low_port);
	for (size_t i = 1; i < set->count; i++) {
		struct port_range *last = &set->range[kept], next = set->range[i];

		if (next.low > (unsigned int)last->high + 1)
			set->range[++kept] = next;
		else if (next.high > last->high)
			last->high = next.high;
	}
	set->count = kept + 1;
}

bool port_set_has(const struct port_set *set, uint16_t port)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->range[i].low <= port && port <= set->range[i].high)
			return true;
	return false;
}

unsigned int port_set_size(const struct port_set *set)
{
	unsigned int size = 0;

	for (size_t i = 0; i < set->count; i++)
		size += (unsigned int)(set->range[i].high - set->range[i].low) + 1;
	return size;
}

char *port_set_text(const struct port_set *set)
{
	size_t room = set->count * sizeof("65535-65535,") + 1, used = 0;
	char *text = must_alloc(room, 1);

	for (size_t i = 0; i < set->count; i++) {
		struct port_range range = set->range[i];

		used += (size_t)snprintf(text + used, room - used, i ? ",%u" : "%u",
					 (unsigned int)range.low);
		if (range.high > range.low)
			used += (size_t)snprintf(text + used, room - used, "%c%u",
						 range.high - range.low > 1 ? '-' : ',',
						 (unsigned int)range.high);
	}
	return text;
}

/* ---- addresses ------------------------------------------------------------ */

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

void prefix_text(const struct bkxdp_prefix *prefix, char text[static TEXT_PREFIX_MAX])
{
	bool ipv4 = prefix_is_ipv4(prefix);
	size_t length;

	inet_ntop(ipv4 ? AF_INET : AF_INET6, &prefix->address[ipv4 ? 3 : 0], text, TEXT_PREFIX_MAX);
	length = strlen(text);
	if (prefix->bits < 128)
		snprintf(text + length, TEXT_PREFIX_MAX - length, "/%u",
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

static int parse_address(const char *text, struct bkxdp_prefix *prefix, const char **why)
{
	if (inet_pton(AF_INET, text, &prefix->address[3]) == 1) {
		prefix->address[2] = htonl(0xffff);
		prefix->bits = IPV4_OFFSET;
		return 0;
	}
	if (strchr(text, '%'))
		return refuse(why, "has a zone (%): the file is for one interface, write the "
				   "address alone");
	if (inet_pton(AF_INET6, text, prefix->address) != 1)
		return refuse(why, "is not an IPv4 or IPv6 address or prefix");
	return 0;
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
	char right[TEXT_PREFIX_MAX];

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

int text_prefix(const char *text, struct bkxdp_prefix *prefix, const char **why)
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
bool text_is_address(const char *text)
{
	const char *dot = strrchr(text, '.'), *last = dot ? dot + 1 : text;

	return strpbrk(text, ":/%") || (*last && !last[strspn(last, "0123456789")]);
}

static bool is_label(const char *text, size_t length)
{
	if (!length || length > 63 || text[0] == '-' || text[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isascii(text[i]) || (!isalnum((unsigned char)text[i]) && text[i] != '-'))
			return false;
	return true;
}

bool text_is_hostname(const char *text)
{
	if (strlen(text) > 253 || text_is_address(text))
		return false;
	for (;;) {
		size_t length = strcspn(text, ".");

		if (!is_label(text, length))
			return false;
		text += length;
		if (!*text || !*++text)
			return true;
	}
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

/* ---- names ---------------------------------------------------------------- */

bool text_is_name(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length && length < BKXDP_NAME_MAX && !text[length];
}

#define NEAR_LENGTH_MAX 40

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Typing errors between two words: a letter too many, missing, wrong, or two swapped. */
static unsigned int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned int row[3][NEAR_LENGTH_MAX + 1] = {};
	unsigned int *before = row[0], *last = row[1], *now = row[2];

	for (size_t j = 0; j <= b_length; j++)
		last[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int *spare = before;

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			now[j] = least(last[j] + 1, now[j - 1] + 1,
				       last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_length];
}

/* One error in three letters is near, and so is a word cut short. */
static bool nearer(const char *word, size_t length, const char *candidate, unsigned int *best)
{
	size_t other = strlen(candidate);
	unsigned int errors;

	if (other > NEAR_LENGTH_MAX)
		return false;
	errors = distance(word, length, candidate, other);
	if (length >= 3 && !strncmp(word, candidate, length))
		errors = 1;
	if (errors * 3 > (length > other ? length : other) || errors >= *best)
		return false;
	*best = errors;
	return true;
}

const char *text_nearest(const char *word, const char *const *words, size_t count)
{
	size_t length = strnlen(word, NEAR_LENGTH_MAX + 1);
	unsigned int best = NEAR_LENGTH_MAX;
	const char *found = NULL;

	if (length > NEAR_LENGTH_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (nearer(word, length, words[i], &best))
			found = words[i];
	return found;
}
