// SPDX-License-Identifier: GPL-2.0-only
/* How ports, addresses and host names are parsed, and the messages for wrong ones. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "base/suggest.h"
#include "net/hostname.h"
#include "net/ports.h"
#include "net/prefix.h"
#include "policy/names.h"
#include "tap.h"

static void test_ports(void)
{
	static const struct {
		const char *text;
		unsigned int low, high;
		const char *problem;
	} row[] = {
		{"1", 1, 1, NULL},
		{"65535", 65535, 65535, NULL},
		{"1-65535", 1, 65535, NULL},
		{"22-22", 22, 22, NULL},
		{"0", 0, 0, "is outside 1-65535"},
		{"65536", 0, 0, "is outside 1-65535"},
		{"99999999999999999999999", 0, 0, "is outside 1-65535"},
		{"1-65536", 0, 0, "is outside 1-65535"},
		{"0-5", 0, 0, "is outside 1-65535"},
		{"9-5", 0, 0, "is a range in reverse order: write 5-9"},
		{"022", 0, 0, "has a leading zero"},
		{"", 0, 0, "is not a port or a range of ports such as 50000-50100"},
		{"-", 0, 0, "is not a port or a range of ports such as 50000-50100"},
		{"5-", 0, 0, "is not a port or a range of ports such as 50000-50100"},
		{"-5", 0, 0, "is not a port or a range of ports such as 50000-50100"},
		{"1-2-3", 0, 0, "is not a port or a range of ports such as 50000-50100"},
		{"0x16", 0, 0, "is not a port or a range of ports such as 50000-50100"},
		{" 22", 0, 0, "is not a port or a range of ports such as 50000-50100"},
		{"+22", 0, 0, "is not a port or a range of ports such as 50000-50100"},
		{"22 ", 0, 0, "is not a port or a range of ports such as 50000-50100"},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct port_range range = {};
		const char *problem = NULL;
		int error = port_range_parse(row[i].text, &range, &problem);

		check_text(problem, row[i].problem, "port \"%s\"", row[i].text);
		check(!error == !row[i].problem, "port \"%s\": status", row[i].text);
		check(range.low == row[i].low && range.high == row[i].high, "port \"%s\": range",
		      row[i].text);
	}
}

static void test_port_sets(void)
{
	static const struct {
		struct port_range range[4];
		size_t count;
		const char *text;
		unsigned int size;
	} row[] = {
		{{}, 0, "", 0},
		{{{5, 5}}, 1, "5", 1},
		{{{8087, 8087}, {8086, 8086}}, 2, "8086,8087", 2},
		{{{10, 20}, {15, 25}, {26, 30}}, 3, "10-30", 21},
		{{{1, 65535}, {5, 6}}, 2, "1-65535", 65535},
		{{{65535, 65535}, {65535, 65535}}, 2, "65535", 1},
		{{{5, 5}, {1, 1}, {3, 3}, {7, 9}}, 4, "1,3,5,7-9", 6},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct port_set set = {};
		char *text;

		for (size_t j = 0; j < row[i].count; j++)
			port_set_add(&set, row[i].range[j]);
		port_set_normalize(&set);
		text = port_set_text(&set);
		check_text(text, row[i].text, "set %zu: text", i);
		check_int(port_set_size(&set), row[i].size, "set %zu: size", i);
		check(!port_set_has(&set, 31) || row[i].size == 65535, "set %zu: 31", i);
		free(text);
		free(set.range);
	}
}

static void test_prefixes(void)
{
	static const struct {
		const char *text, *written;
		unsigned int bits;
		const char *problem;
	} row[] = {
		{"10.20.30.5", "10.20.30.5", 128, NULL},
		{"10.20.30.5/32", "10.20.30.5", 128, NULL},
		{"10.20.31.0/24", "10.20.31.0/24", 120, NULL},
		{"0.0.0.0/0", "0.0.0.0/0", 96, NULL},
		{"2001:DB8:0::/64", "2001:db8::/64", 64, NULL},
		{"::/0", "::/0", 0, NULL},
		{"::1", "::1", 128, NULL},
		{"2001:db8::1/128", "2001:db8::1", 128, NULL},
		{"8000::/1", "8000::/1", 1, NULL},
		{"10.20.31.5/24", NULL, 0, "has host bits set: write 10.20.31.0/24"},
		{"2001:db8::1/32", NULL, 0, "has host bits set: write 2001:db8::/32"},
		{"128.0.0.1/0", NULL, 0, "has host bits set: write 0.0.0.0/0"},
		{"10.0.0.0/33", NULL, 0, "has a length outside 0-32"},
		{"10.0.0.0/", NULL, 0, "has a length outside 0-32"},
		{"10.0.0.0/-1", NULL, 0, "has a length outside 0-32"},
		{"10.0.0.0/999999999999", NULL, 0, "has a length outside 0-32"},
		{"10.0.0.0/024", NULL, 0, "has a leading zero in its length"},
		{"2001:db8::/129", NULL, 0, "has a length outside 0-128"},
		{"::ffff:10.0.0.1", NULL, 0, "is an IPv4 address in IPv6 form: write 10.0.0.1"},
		{"::ffff:0:0/96", NULL, 0, "is an IPv4 address in IPv6 form: write 0.0.0.0/0"},
		{"fe80::1%eth0", NULL, 0,
		 "has a zone (%): the file is for one interface, so write only the address"},
		{"10.20.30", NULL, 0, "is not an IPv4 or IPv6 address or prefix"},
		{"10.20.30.256", NULL, 0, "is not an IPv4 or IPv6 address or prefix"},
		{"010.20.30.5", NULL, 0, "is not an IPv4 or IPv6 address or prefix"},
		{"10.20.30.5/24/8", NULL, 0, "has a length outside 0-32"},
		{"", NULL, 0, "is not an IPv4 or IPv6 address or prefix"},
		{"/8", NULL, 0, "is not an IPv4 or IPv6 address or prefix"},
		{"2001:db8:::1", NULL, 0, "is not an IPv4 or IPv6 address or prefix"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "a:",
		 NULL, 0, "is not an IPv4 or IPv6 address or prefix"},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct bkxdp_prefix prefix = {.bits = 1000};
		char written[PREFIX_TEXT_MAX];
		const char *problem = NULL;
		int error = prefix_parse(row[i].text, &prefix, &problem);

		check_text(problem, row[i].problem, "prefix \"%s\"", row[i].text);
		check_int(prefix.bits, error ? 1000 : row[i].bits, "prefix \"%s\": bits",
			  row[i].text);
		if (error)
			continue;
		prefix_text(&prefix, written);
		check_text(written, row[i].written, "prefix \"%s\": written", row[i].text);
	}
}

static void add(struct prefix_set *set, const char *text)
{
	struct bkxdp_prefix prefix;
	const char *problem;

	if (!prefix_parse(text, &prefix, &problem))
		prefix_set_add(set, &prefix);
}

static void test_prefix_sets(void)
{
	struct prefix_set set = {};
	char text[PREFIX_TEXT_MAX];

	prefix_set_normalize(&set);
	check_int(set.count, 0, "an empty set");
	add(&set, "2001:db8::/32");
	add(&set, "10.0.0.0/16");
	add(&set, "10.0.0.0/8");
	add(&set, "10.0.0.0/16");
	prefix_set_add_any(&set);
	prefix_set_normalize(&set);
	check_int(set.count, 5, "sorted, no duplicates");
	static const char *const want[] = {"::/0", "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16",
					   "2001:db8::/32"};
	for (size_t i = 0; i < set.count; i++) {
		prefix_text(&set.prefix[i], text);
		check_text(text, want[i], "prefix %zu in order", i);
	}
	check(!prefix_is_ipv4(&set.prefix[0]) && prefix_is_ipv4(&set.prefix[1]), "families");
	free(set.prefix);
}

struct covering {
	const char *set, *outer, *want;
};

static void add_words(struct prefix_set *set, const char *words)
{
	char copy[128], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		add(set, word);
	prefix_set_normalize(set);
}

static void test_uncovered(void)
{
	static const struct covering rows[] = {
		{"", "", ""},
		{"10.0.0.1", "", "10.0.0.1"},
		{"", "10.0.0.1", ""},
		{"10.0.0.1", "10.0.0.1", ""},
		{"10.0.0.0/24", "10.0.0.0/8", ""},
		{"10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/8"},
		{"10.0.0.0/24", "10.0.0.0/25 10.0.0.128/25", ""},
		{"10.0.0.0/24", "10.0.0.0/25 10.0.0.128/26 10.0.0.224/27", "10.0.0.0/24"},
		{"10.0.0.0/24", "10.0.0.1 10.0.0.0/24", ""},
		{"10.0.0.0/24 10.0.0.7 10.0.2.0/24", "10.0.0.0/24 10.0.1.0/24", "10.0.2.0/24"},
		{"10.0.0.5 10.9.0.0/16", "10.0.0.0/24 10.2.0.0/16 10.9.0.0/16", ""},
		{"10.0.0.0/24 10.0.0.255", "10.0.0.0/24", ""},
		{"0.0.0.0/0", "0.0.0.0/1 128.0.0.0/1", ""},
		{"10.0.0.1", "::/0", "10.0.0.1"},
		{"::/0", "::/0", ""},
		{"2001:db8::/32", "2001:db8::/33 2001:db8:8000::/33", ""},
		{"2001:db8::1 10.0.0.1", "10.0.0.1 2001:db8::2", "2001:db8::1"},
		{"ffff::/16", "ff00::/8", ""},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ff00::/8", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix_set set = {}, outer = {};
		const struct bkxdp_prefix *found;
		char text[PREFIX_TEXT_MAX] = "";

		add_words(&set, rows[i].set);
		add_words(&outer, rows[i].outer);
		found = prefix_set_uncovered(&set, &outer);
		if (found)
			prefix_text(found, text);
		check_text(text, rows[i].want, "\"%s\" outside of \"%s\"", rows[i].set,
			   rows[i].outer);
		free(set.prefix);
		free(outer.prefix);
	}
}

static void test_names(void)
{
	static const struct {
		const char *text;
		bool address, hostname, name;
	} row[] = {
		{"10.20.30.5", true, false, false},
		{"10.20.30", true, false, false},
		{"2001:db8::1", true, false, false},
		{"bemedia.example.com", false, true, false},
		{"bemedia.example.com.", false, true, false},
		{"media-server", false, true, true},
		{"3com.com", false, true, false},
		{"7", true, false, true},
		{"Media", false, true, false},
		{"-x", false, false, true},
		{"x-", false, false, true},
		{"a..b", false, false, false},
		{".", false, false, false},
		{"", false, false, false},
		{"a_b", false, false, false},
		{"../etc", true, false, false},
		{"a b", false, false, false},
		{"caf\xc3\xa9", false, false, false},
		{"abcdefghijklmnopqrstuvwxyz12345", false, true, true},
		{"abcdefghijklmnopqrstuvwxyz123456", false, true, false},
		{"a123456789012345678901234567890123456789012345678901234567890123", false, false,
		 false},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		check_int(looks_like_prefix(row[i].text), row[i].address, "\"%s\" is an address",
			  row[i].text);
		check_int(hostname_is_valid(row[i].text), row[i].hostname, "\"%s\" is a host name",
			  row[i].text);
		check_int(name_is_valid(row[i].text), row[i].name, "\"%s\" is a name", row[i].text);
	}
}

static void test_nearest(void)
{
	static const char *const known[] = {"media-server", "remote-agent", "console", "profile",
					    "as"};
	static const struct {
		const char *word, *nearest;
	} row[] = {
		{"media-sever", "media-server"},
		{"mdeia-server", "media-server"},
		{"remote", "remote-agent"},
		{"consol", "console"},
		{"conosle", "console"},
		{"porfile", "profile"},
		{"zebra", NULL},
		{"", NULL},
		{"x", NULL},
		{"media-server-media-server-media-server-xx", NULL},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		check_text(suggest_nearest(row[i].word, known, 5), row[i].nearest,
			   "nearest to \"%s\"", row[i].word);
	check_text(suggest_nearest("x", known, 0), NULL, "nearest of none");
}

int main(void)
{
	test_ports();
	test_port_sets();
	test_prefixes();
	test_prefix_sets();
	test_uncovered();
	test_names();
	test_nearest();
	return tap_done();
}
