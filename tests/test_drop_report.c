// SPDX-License-Identifier: GPL-2.0-only
/* Advice about drops: from tables of groups, and each line of it is read back as a file. */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "config/site.h"
#include "engine/engine.h"
#include "policy/reasons.h"
#include "scratch.h"
#include "stats/drop_report.h"
#include "tap.h"

static const char *dirs[1];
static const struct site_lookup offline = {dirs, 1, false};

static struct profile *profile;

static void write_profiles(void)
{
	struct diagnostics diag = {};

	dirs[0] = must_copy(scratch_path("profiles"));
	mkdir(dirs[0], 0700);
	scratch_file("profiles/vendor.yaml",
		     "profile: vendor\n"
		     "roles: {server: {}, agent: {}, portal: {}}\n"
		     "flows:\n"
		     "- {name: control, from: server, to: agent, tcp: 10000}\n"
		     "- {name: data, from: server, to: agent, tcp: 1025-65535, requires: control}\n"
		     "- {name: report, from: agent, to: portal, tcp: 8086}\n"
		     "- {name: extra, from: server, to: agent, tcp: 500, optional: true}\n"
		     "- {name: other, from: server, to: portal, tcp: 501, optional: true}\n"
		     "- {name: back, from: agent, to: server, udp: 502, optional: true}\n");
	profile = profile_read(scratch_path("profiles/vendor.yaml"), &diag);
	diag_print(&diag);
}

/* A policy without ping, fragments and DHCP, unless `more` says so. */
static struct policy *policy_of(const char *more)
{
	struct diagnostics diag = {};
	AUTO_FREE char *text = must_format(
		"interface: eth1\n"
		"use:\n"
		"- {profile: vendor, as: agent, addresses: {server: 10.0.0.1, portal: [10.1.0.1, "
		"10.1.0.2, 10.1.0.3, 10.1.0.4, 10.1.0.5]}}\n"
		"flows:\n"
		"- {name: tcp-22, from: 10.0.0.9, to: self, tcp: 2222}\n"
		"%s",
		more);
	struct policy *policy = site_read(scratch_file("eth1.yaml", text), &offline, &diag);

	diag_print(&diag);
	diag_free(&diag);
	if (!policy) {
		puts("Bail out! the policy of the test is not sound");
		exit(1);
	}
	return policy;
}

static struct drop_group group(const char *source, uint8_t reason, uint8_t side, uint8_t protocol,
			       uint16_t port)
{
	struct drop_group made = {
		{.reason = reason, .side = side, .protocol = protocol, .port = port},
		{.packets = 1, .bytes = 60, .first = 5, .last = 9}};
	struct bkxdp_prefix prefix = {};
	const char *why;

	if (*source && !prefix_parse(source, &prefix, &why))
		memcpy(made.key.address, prefix.address, sizeof(made.key.address));
	return made;
}

static void add(struct drop_groups *groups, struct drop_group made)
{
	*APPEND(groups->group, groups->count) = made;
}

static struct drop_report *found_in(const struct policy *policy, struct drop_groups *groups)
{
	qsort(groups->group, groups->count, sizeof(*groups->group), groups_compare);
	return drop_report(&(struct in_force){policy, (const struct profile *const *)&profile},
			   groups);
}

/* Returns "kind: line # sentence", one in each line; the caller frees it. */
static char *advice_text(const struct drop_report *found)
{
	char *text = must_copy("");

	for (size_t i = 0; i < found->n_advice; i++) {
		const struct advice *advice = &found->advice[i];
		char *longer = must_format("%s%s%s: %s", text, i ? "\n" : "",
					   advice_kind_word(advice->subject.kind),
					   advice->line ? advice->line : "-");

		free(text);
		text = longer;
	}
	return text;
}

/* ---- one group each ---------------------------------------------------------- */

static const struct {
	const char *name, *settings, *source;
	uint8_t reason, side, protocol;
	uint16_t port;
	const char *wanted, *says;
} singles[] = {
	{"a stranger", "", "10.9.8.7", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND, IPPROTO_TCP, 445,
	 "flow: - {name: tcp-445, from: [10.9.8.7], to: self, tcp: 445}", NULL},
	{"a peer", "", "10.0.0.1", BKXDP_DROP_PORT, BKXDP_GROUP_INBOUND, IPPROTO_UDP, 514,
	 "flow: - {name: udp-514, from: [10.0.0.1], to: self, udp: 514}", NULL},
	{"IPv6", "", "2001:db8::5", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND, IPPROTO_TCP, 445,
	 "flow: - {name: tcp-445, from: [\"2001:db8::5\"], to: self, tcp: 445}", NULL},
	{"an answer", "", "10.9.8.7", BKXDP_DROP_SOURCE, BKXDP_GROUP_REPLY, IPPROTO_TCP, 443,
	 "flow: - {name: to-tcp-443, from: self, to: [10.9.8.7], tcp: 443}", NULL},
	{"a name that the file has", "", "10.9.8.7", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND,
	 IPPROTO_TCP, 22, "flow: - {name: tcp-22-2, from: [10.9.8.7], to: self, tcp: 22}", NULL},
	{"a port of the ephemeral range", "", "10.9.8.7", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND,
	 IPPROTO_UDP, 40000, "flow: - {name: udp-40000, from: [10.9.8.7], to: self, udp: 40000}",
	 "make sure"},
	{"data without control", "", "10.9.8.7", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND,
	 IPPROTO_TCP, 5000, "flow: - {name: tcp-5000, from: [10.9.8.7], to: self, tcp: 5000}",
	 NULL},
	{"a role's port", "", "10.0.0.2", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND, IPPROTO_TCP,
	 10000, "address: server: [10.0.0.1, 10.0.0.2]", "vendor"},
	{"a role's answers", "", "10.1.0.9", BKXDP_DROP_SOURCE, BKXDP_GROUP_REPLY, IPPROTO_TCP,
	 8086, "address: portal: [10.1.0.1, 10.1.0.2, 10.1.0.3, 10.1.0.4, 10.1.0.5, 10.1.0.9]",
	 "portal"},
	{"an optional flow", "", "10.0.0.1", BKXDP_DROP_PORT, BKXDP_GROUP_INBOUND, IPPROTO_TCP, 500,
	 "enable: enable: [extra]", "vendor"},
	{"an optional flow's answers", "", "10.0.0.1", BKXDP_DROP_PORT, BKXDP_GROUP_REPLY,
	 IPPROTO_UDP, 502, "enable: enable: [back]", "vendor"},
	{"an optional flow, from a stranger", "", "10.9.8.7", BKXDP_DROP_SOURCE,
	 BKXDP_GROUP_INBOUND, IPPROTO_TCP, 500,
	 "flow: - {name: tcp-500, from: [10.9.8.7], to: self, tcp: 500}", NULL},
	{"an optional flow of other roles", "", "10.0.0.1", BKXDP_DROP_PORT, BKXDP_GROUP_INBOUND,
	 IPPROTO_TCP, 501, "flow: - {name: tcp-501, from: [10.0.0.1], to: self, tcp: 501}", NULL},
	{"an answer at a data port", "", "10.0.0.1", BKXDP_DROP_CONTROL, BKXDP_GROUP_REPLY,
	 IPPROTO_TCP, 993, "flow: - {name: to-tcp-993, from: self, to: [10.0.0.1], tcp: 993}",
	 NULL},
	{"an opening at an answer's port", "", "10.0.0.1", BKXDP_DROP_CONNECTION,
	 BKXDP_GROUP_INBOUND, IPPROTO_TCP, 5633,
	 "flow: - {name: tcp-5633, from: [10.0.0.1], to: self, tcp: 5633}", NULL},
	{"a late segment to a port of the moment", "", "10.0.0.1", BKXDP_DROP_CONNECTION,
	 BKXDP_GROUP_INBOUND, IPPROTO_TCP, 40000, "none: -", "single segments"},
	{"a ping, none taken", "ping: none", "10.9.8.7", BKXDP_DROP_ICMP, 0, IPPROTO_ICMP, 0,
	 "setting: ping: peers", "pings of peers"},
	{"a ping, peers' taken", "ping: peers", "10.9.8.7", BKXDP_DROP_ICMP, 0, IPPROTO_ICMP, 0,
	 "setting: ping: any", "no peers"},
	{"ICMP, all pings taken", "ping: any", "10.9.8.7", BKXDP_DROP_ICMP, 0, IPPROTO_ICMP, 0,
	 "none: -", "nothing here needs"},
	{"a fragment", "", "10.0.0.1", BKXDP_DROP_FRAGMENT, 0, IPPROTO_UDP, 0,
	 "setting: fragments: peers", "path MTU"},
	{"DHCP", "", "10.9.8.1", BKXDP_DROP_SOURCE, BKXDP_GROUP_REPLY, IPPROTO_UDP, 67,
	 "setting: dhcp: true", "DHCP"},
	{"DHCPv6", "", "fe80::1", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND, IPPROTO_UDP, 546,
	 "setting: dhcp: true", "DHCP"},
	{"DHCP that is on", "dhcp: true", "10.9.8.1", BKXDP_DROP_SOURCE, BKXDP_GROUP_REPLY,
	 IPPROTO_UDP, 67, "flow: - {name: to-udp-67, from: self, to: [10.9.8.1], udp: 67}", NULL},
	{"a tag", "vlans: none", "", BKXDP_DROP_VLAN, 0, 0, 0, "none: -", "tcpdump -e"},
	{"a missing control connection", "", "10.0.0.1", BKXDP_DROP_CONTROL, BKXDP_GROUP_INBOUND,
	 IPPROTO_TCP, 5000, "none: -", "that one has ended or is not open yet"},
	{"a late segment", "", "10.1.0.1", BKXDP_DROP_CONNECTION, BKXDP_GROUP_REPLY, IPPROTO_TCP,
	 8086, "none: -", "single segments"},
	{"a later fragment of a stranger", "fragments: peers", "10.9.8.7", BKXDP_DROP_SOURCE, 0,
	 IPPROTO_TCP, 0, "none: -", "fragments"},
};

static void test_single(size_t i)
{
	struct drop_groups groups = {};
	struct policy *policy = policy_of(singles[i].settings);
	struct drop_report *found;
	char *text;

	add(&groups, group(singles[i].source, singles[i].reason, singles[i].side,
			   singles[i].protocol, singles[i].port));
	found = found_in(policy, &groups);
	text = advice_text(found);
	check_text(text, singles[i].wanted, "%s", singles[i].name);
	if (singles[i].says)
		check_has(found->advice[0].sentence, singles[i].says, "%s: says why",
			  singles[i].name);
	else
		check(!found->advice[0].sentence, "%s: no more words than needed", singles[i].name);
	free(text);
	drop_report_free(found);
	groups_free(&groups);
	policy_free(policy);
}

/* Each reason for a drop must have advice, or an administrator would get a crash instead. */
static void test_every_reason(void)
{
	struct policy *policy = policy_of("");

	for (int reason = BKXDP_DROP_MALFORMED; reason < BKXDP_REASON_COUNT; reason++)
		for (int side = BKXDP_GROUP_NONE; side <= BKXDP_GROUP_REPLY; side++) {
			struct drop_groups groups = {};
			struct drop_report *found;

			add(&groups, group("10.9.8.7", (uint8_t)reason, (uint8_t)side, IPPROTO_TCP,
					   side ? 80 : 0));
			found = found_in(policy, &groups);
			check(found->n_advice == 1 &&
				      (found->advice[0].line || found->advice[0].sentence),
			      "%s, side %d: something is said",
			      reason_word((enum bkxdp_reason)reason), side);
			drop_report_free(found);
			groups_free(&groups);
		}
	policy_free(policy);
}

/* ---- many groups --------------------------------------------------------------- */

static void add_ports(struct drop_groups *groups, const char *source, uint8_t reason,
		      unsigned int ports)
{
	for (unsigned int i = 0; i < ports; i++)
		add(groups,
		    group(source, reason, BKXDP_GROUP_INBOUND, IPPROTO_TCP, (uint16_t)(100 + i)));
}

static void test_scans(void)
{
	struct policy *policy = policy_of("");
	struct drop_groups groups = {};
	struct drop_report *found;

	add_ports(&groups, "10.9.8.7", BKXDP_DROP_SOURCE, SCAN_PORTS);
	add_ports(&groups, "10.9.8.8", BKXDP_DROP_SOURCE, SCAN_PORTS - 1);
	add(&groups, group("10.9.8.7", BKXDP_DROP_ICMP, 0, IPPROTO_ICMP, 0));
	found = found_in(policy, &groups);
	check_int(found->n_rows, 1 + SCAN_PORTS - 1 + 1, "a scan is one row");
	check_int(found->rows[0].packets, SCAN_PORTS, "with all its packets");
	check_int(found->rows[0].ports, SCAN_PORTS, "and ports");
	check_int(found->rows[0].low, 100, "from the lowest");
	check_int(found->rows[0].high, 100 + SCAN_PORTS - 1, "to the highest");
	check_text(advice_kind_word(found->advice[0].subject.kind), "scan", "it is called so");
	check(!found->advice[0].line, "and has no line");
	for (size_t i = 0; i < found->n_advice; i++)
		if (found->advice[i].subject.kind == ADVICE_FLOW)
			check_int(found->advice[i].sources.count, 1, "%s: not for the scanner",
				  found->advice[i].line);
	drop_report_free(found);
	groups_free(&groups);
	policy_free(policy);
}

static void test_merged(void)
{
	struct policy *policy = policy_of("");
	struct drop_groups groups = {};
	struct drop_report *found;
	char *text;

	add(&groups, group("10.9.8.9", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND, IPPROTO_TCP, 445));
	add(&groups, group("10.9.8.7", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND, IPPROTO_TCP, 445));
	add(&groups, group("10.0.0.1", BKXDP_DROP_PORT, BKXDP_GROUP_INBOUND, IPPROTO_TCP, 445));
	groups.group[2].sum.packets = 7;
	found = found_in(policy, &groups);
	text = advice_text(found);
	check_text(text,
		   "flow: - {name: tcp-445, from: [10.0.0.1, 10.9.8.7, 10.9.8.9], to: self, tcp: "
		   "445}",
		   "one line for a port, whoever comes and why it was dropped");
	check_int(found->n_rows, 3, "and a row for each");
	check_int(found->rows[0].packets, 7, "most packets first");
	free(text);
	drop_report_free(found);
	groups_free(&groups);
	policy_free(policy);
}

/* The control connection tells the role; its data connections belong to the same role. */
static void test_data_with_control(void)
{
	struct policy *policy = policy_of("");
	struct drop_groups groups = {};
	struct drop_report *found;
	char *text;

	add(&groups, group("10.0.0.2", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND, IPPROTO_TCP, 10000));
	add(&groups, group("10.0.0.2", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND, IPPROTO_TCP, 5000));
	add(&groups, group("10.0.0.3", BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND, IPPROTO_TCP, 5000));
	found = found_in(policy, &groups);
	text = advice_text(found);
	check_text(text,
		   "address: server: [10.0.0.1, 10.0.0.2]\n"
		   "flow: - {name: tcp-5000, from: [10.0.0.3], to: self, tcp: 5000}",
		   "data goes where its control connection goes");
	free(text);
	drop_report_free(found);
	groups_free(&groups);
	policy_free(policy);
}

static void test_many_sources(void)
{
	struct policy *policy = policy_of("");
	struct drop_groups groups = {};
	struct drop_report *found;

	for (unsigned int i = 0; i <= LINE_SOURCES_MAX; i++) {
		AUTO_FREE char *source = must_format("10.77.0.%u", i);

		add(&groups,
		    group(source, BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND, IPPROTO_TCP, 445));
		add(&groups,
		    group(source, BKXDP_DROP_SOURCE, BKXDP_GROUP_INBOUND, IPPROTO_TCP, 10000));
	}
	found = found_in(policy, &groups);
	check_int(found->n_advice, 2, "two ports of very many sources");
	check_int(found->n_rows, 2, "are two rows");
	check_int(found->rows[0].sources, LINE_SOURCES_MAX + 1, "of all sources");
	check_int(found->rows[0].packets, LINE_SOURCES_MAX + 1, "and of all their packets");
	for (size_t i = 0; i < found->n_advice; i++) {
		check(!found->advice[i].line, "no line for them");
		check(found->advice[i].sentence != NULL, "but what to think of");
	}
	drop_report_free(found);
	groups_free(&groups);
	policy_free(policy);
}

/* Random numbers that are the same for the same seed. */
static int below(unsigned int *seed, unsigned int limit)
{
	*seed = *seed * 1103515245u + 12345u;
	return (int)((*seed >> 16) % limit);
}

/* Whatever was dropped, the lines together are a sound file, which opens nothing to everybody. */
static void test_lines_are_sound(unsigned int seed)
{
	struct drop_groups groups = {};
	struct policy *policy = policy_of("");
	struct drop_report *found;
	unsigned int state = seed;
	char *file = must_copy("");

	for (int i = 0; i < 300; i++) {
		AUTO_FREE char *source =
			must_format(below(&state, 2) ? "10.5.%d.%d" : "2001:db8::%d:%d",
				    below(&state, 3), 1 + below(&state, 9));

		add(&groups, group(source, below(&state, 2) ? BKXDP_DROP_SOURCE : BKXDP_DROP_PORT,
				   (uint8_t)(1 + below(&state, 2)),
				   below(&state, 2) ? IPPROTO_TCP : IPPROTO_UDP,
				   (uint16_t)(1 + below(&state, 40))));
	}
	found = found_in(policy, &groups);
	for (size_t i = 0; i < found->n_advice; i++)
		if (found->advice[i].subject.kind == ADVICE_FLOW && found->advice[i].line) {
			char *longer = must_format("%s%s\n", file, found->advice[i].line);

			free(file);
			file = longer;
		}
	check(*file, "seed %u: there are lines", seed);
	check(!strstr(file, "any"), "seed %u: nothing for everyone", seed);
	policy_free(policy);
	policy = policy_of(file);
	check(policy->n_flows > 10, "seed %u: they are read back", seed);
	free(file);
	drop_report_free(found);
	groups_free(&groups);
	policy_free(policy);
}

int main(void)
{
	scratch_begin();
	write_profiles();
	for (size_t i = 0; i < sizeof(singles) / sizeof(*singles); i++)
		test_single(i);
	test_every_reason();
	test_scans();
	test_merged();
	test_data_with_control();
	test_many_sources();
	for (unsigned int seed = 1; seed <= 5; seed++)
		test_lines_are_sound(seed);
	profile_free(profile);
	free((char *)dirs[0]);
	return tap_done();
}
