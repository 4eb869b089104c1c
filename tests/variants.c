// SPDX-License-Identifier: GPL-2.0-only
#include "variants.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#define FLOWS_MAX 12

/* Lists are words separated by spaces. A flow with both sides has two lines. */
struct line {
	const char *flow;
	enum side side;
	uint8_t protocol;
	const char *ports;
	const char *peers;
	const char *local;    /* ports of ours for replies; NULL: 1024-65535 */
	const char *requires; /* the flow that it requires, of an earlier line */
	const char *with;     /* hosts with any of which its connection will do; "": with none */
};

struct variant {
	const char *name;
	struct bkxdp_settings settings;
	bool sockets;      /* connections: sockets; no test that uses it has any */
	bool one_set;      /* control connections of all peers share one set */
	const char *vlans; /* a list, in which 0 is untagged; NULL: any */
	struct line line[FLOWS_MAX];
};

#define IN_TCP  .side = SIDE_INBOUND, .protocol = IPPROTO_TCP
#define IN_UDP  .side = SIDE_INBOUND, .protocol = IPPROTO_UDP
#define OUT_TCP .side = SIDE_REPLY, .protocol = IPPROTO_TCP
#define OUT_UDP .side = SIDE_REPLY, .protocol = IPPROTO_UDP

#define SERVERS "10.20.30.5 10.20.30.6 2001:db8:20::5 2001:db8:20::6"

/* The policy of wire.yaml; most variants differ from it in one setting. */
#define SITE                                                                                       \
	{                                                                                          \
		{"control", IN_TCP, "10000", SERVERS},                                             \
			{"data", IN_TCP, "50000-50100", SERVERS, .requires = "control"},           \
			{"data-udp", IN_UDP, "51000", SERVERS, .requires = "control"},             \
			{"beacon", IN_UDP, "9000", SERVERS},                                       \
			{"advertise", OUT_TCP, "6101", SERVERS},                                   \
			{"time", OUT_UDP, "123", SERVERS},                                         \
	}

#define WIDE "10.1.0.0/16"

static const struct variant variants[] = {
	{"wire", {.ping = BKXDP_PING_PEERS}, .line = SITE},
	{"fragments", {.ping = BKXDP_PING_PEERS, .fragments = BKXDP_FRAGMENTS_PEERS}, .line = SITE},
	{"ping-any", {.ping = BKXDP_PING_ANY}, .line = SITE},
	{"ping-none", {.ping = BKXDP_PING_NONE}, .line = SITE},
	{"dhcp", {.ping = BKXDP_PING_PEERS, .dhcp = 1}, .line = SITE},
	{"audit", {.ping = BKXDP_PING_PEERS, .enforcement = BKXDP_AUDIT}, .line = SITE},
	{"sockets", {.ping = BKXDP_PING_PEERS}, .sockets = true, .line = SITE},
	{"churn",
	 {},
	 .sockets = true,
	 .line = {{"control", IN_TCP, "10000", "10.20.30.0/24"},
		  {"data", IN_TCP, "50000-50100", "10.20.30.0/24", .requires = "control"}}},
	{"vlans-none", {.ping = BKXDP_PING_PEERS}, .vlans = "0", .line = SITE},
	{"vlans-list", {.ping = BKXDP_PING_PEERS}, .vlans = "10 64 4094", .line = SITE},
	{"vlans-both", {.ping = BKXDP_PING_PEERS}, .vlans = "0 10", .line = SITE},
	{"nothing", {.ping = BKXDP_PING_PEERS, .fragments = BKXDP_FRAGMENTS_PEERS}, .line = {}},
	{"order",
	 {},
	 .line = {{"first", IN_TCP, "100-200", WIDE},
		  {"second", IN_TCP, "150-250 260", WIDE},
		  {"answers", OUT_TCP, "300", WIDE, "1-65535"},
		  {"asks", IN_TCP, "400-401", WIDE},
		  {"late-answers", OUT_TCP, "500", WIDE, "1-65535"},
		  {"both", IN_TCP, "6000", WIDE},
		  {"both", OUT_TCP, "6000", WIDE},
		  {"guarded", IN_TCP, "700-701", WIDE, .requires = "first"},
		  {"open", IN_TCP, "700", WIDE},
		  {"udp", IN_UDP, "100-200", WIDE},
		  {"udp-answers", OUT_UDP, "300", WIDE, "1-65535"}}},
	{"local",
	 {},
	 .line = {{"usual", OUT_TCP, "2000", WIDE},
		  {"low", OUT_TCP, "3000", WIDE, "1000-1023"},
		  {"high", OUT_TCP, "3000", WIDE, "1030-1031"},
		  {"udp", OUT_UDP, "2000", WIDE, "50-60"}}},
	/* as many candidates for one packet as there can be */
	{"candidates",
	 {},
	 .line = {{"c1", OUT_TCP, "900", WIDE, "1001"},
		  {"c2", OUT_TCP, "900", WIDE, "1002"},
		  {"c3", OUT_TCP, "900", WIDE, "1003"},
		  {"c4", OUT_TCP, "900", WIDE, "1004"},
		  {"c5", OUT_TCP, "900", WIDE, "1005"},
		  {"c6", OUT_TCP, "900", WIDE, "1006"},
		  {"c7", OUT_TCP, "900", WIDE, "1007"},
		  {"c8", OUT_TCP, "900", WIDE, "1008"}}},
	{"nested",
	 {.ping = BKXDP_PING_PEERS},
	 .line = {{"net", IN_TCP, "1000", "10.1.2.0/24 2001:db8:1::/48"},
		  {"host", IN_TCP, "2000", "10.1.2.3 2001:db8:1::3"},
		  {"wide", IN_TCP, "3000", "10.0.0.0/8 2001:db8::/32"},
		  {"odd", IN_TCP, "4000", "10.1.2.2/31 2001:db8:1::2/127"},
		  {"same", IN_TCP, "5000", "10.1.2.0/24"}}},
	/* prefixes that are shorter than the bits that the prefilter looks at */
	{"short",
	 {},
	 .line = {{"web", IN_TCP, "443", "2000::/3 8.0.0.0/6"},
		  {"ssh", IN_TCP, "22", "fc00:2::/31 10.64.0.0/15"}}},
	{"any6",
	 {.ping = BKXDP_PING_PEERS},
	 .line = {{"web", IN_TCP, "443", "::/0"}, {"ssh", IN_TCP, "22", "10.0.0.0/8"}}},
	{"any4", {.ping = BKXDP_PING_PEERS}, .line = {{"web", IN_TCP, "443", "0.0.0.0/0"}}},
	{"any",
	 {.ping = BKXDP_PING_PEERS},
	 .line = {{"web", IN_TCP, "443", "0.0.0.0/0 ::/0"}, {"ssh", IN_TCP, "22", "10.0.0.0/8"}}},
	{"control",
	 {},
	 .line = {{"control", IN_TCP, "10000", WIDE " 2001:db8:1::/48"},
		  {"other", IN_TCP, "11000", WIDE},
		  {"callback", OUT_TCP, "12000", WIDE},
		  {"knock", IN_UDP, "13000", WIDE},
		  {"data", IN_TCP, "20000", WIDE " 2001:db8:1::/48", .requires = "control"},
		  {"other-data", IN_TCP, "21000", WIDE, .requires = "other"},
		  {"callback-data", IN_TCP, "22000", WIDE, .requires = "callback"},
		  {"knock-data", IN_TCP, "23000", WIDE, .requires = "knock"},
		  {"data-udp", IN_UDP, "20000", WIDE, .requires = "control"},
		  {"answers", OUT_TCP, "300", WIDE}}},
	{"with",
	 {},
	 .line = {{"control", IN_TCP, "10000", WIDE " 2001:db8:1::/48"},
		  {"callback", OUT_TCP, "12000", WIDE},
		  {"data", IN_TCP, "20000", WIDE " 10.2.0.0/16", .requires = "control",
		   .with = "10.1.0.6 10.1.0.7 2001:db8:1::7"},
		  {"data-udp", IN_UDP, "20000", WIDE, .requires = "control",
		   .with = "10.1.0.6 10.1.0.7 2001:db8:1::7"},
		  {"own-data", IN_TCP, "21000", WIDE, .requires = "control"},
		  {"callback-data", IN_TCP, "22000", WIDE, .requires = "callback",
		   .with = "10.1.0.6"},
		  {"no-data", IN_TCP, "23000", WIDE, .requires = "control", .with = ""},
		  {"either", IN_TCP, "24000", WIDE, .requires = "control", .with = "10.1.0.6"},
		  {"or", IN_TCP, "24000", WIDE, .requires = "control", .with = "10.1.0.7"},
		  /* as many as there can be */
		  {"many-data", IN_TCP, "25000", WIDE, .requires = "control",
		   .with = "10.1.2.0 10.1.2.1 10.1.2.2 10.1.2.3 10.1.2.4 10.1.2.5 10.1.2.6 "
			   "10.1.2.7 10.1.2.8 10.1.2.9 10.1.2.10 10.1.2.11 10.1.2.12 10.1.2.13 "
			   "10.1.2.14 10.1.2.15"}}},
	{"with-sockets",
	 {},
	 .sockets = true,
	 .line = {{"control", IN_TCP, "10000", WIDE},
		  {"data", IN_TCP, "20000", WIDE, .requires = "control", .with = "10.1.0.6"}}},
	{"one-set",
	 {},
	 .one_set = true,
	 .line = {{"control", IN_TCP, "10000", WIDE},
		  {"other", IN_TCP, "11000", WIDE},
		  {"data", IN_TCP, "20000", WIDE, .requires = "control"},
		  {"other-data", IN_TCP, "21000", WIDE, .requires = "other"}}},
};

#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

const char *variant_name(size_t index)
{
	return index < VARIANTS ? variants[index].name : NULL;
}

static void must(bool holds, const char *text)
{
	if (holds)
		return;
	fprintf(stderr, "tests/variants.c: %s\n", text);
	abort();
}

/* Calls `add` for each word of a list. */
static void each_word(const char *list, void (*add)(void *to, const char *word), void *to)
{
	AUTO_FREE char *copy = must_copy(list);
	char *rest = NULL;

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		add(to, word);
}

static void add_port(void *to, const char *word)
{
	struct port_range range;
	const char *why;

	must(!port_range_parse(word, &range, &why), word);
	port_set_add(to, range);
}

static void add_prefix(void *to, const char *word)
{
	struct bkxdp_prefix prefix;
	const char *why;

	must(!prefix_parse(word, &prefix, &why), word);
	prefix_set_add(to, &prefix);
}

static void add_vlan(void *to, const char *word)
{
	unsigned int vlan = (unsigned int)atoi(word);

	((__u64 *)to)[vlan / 64] |= 1ull << vlan % 64;
}

static int flow_index(struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_flows; i++)
		if (!strcmp(policy->flows[i].name, name))
			return (int)i;
	return -1;
}

static unsigned int flow_of(struct policy *policy, const struct line *line)
{
	int known = flow_index(policy, line->flow);
	struct flow *flow;

	if (known >= 0)
		return (unsigned int)known;
	flow = APPEND(policy->flows, policy->n_flows);
	snprintf(flow->profile, sizeof(flow->profile), SITE_PROFILE);
	snprintf(flow->name, sizeof(flow->name), "%s", line->flow);
	flow->required = line->requires ? flow_index(policy, line->requires) : -1;
	if (line->with) {
		flow->with_role = must_copy("role");
		each_word(line->with, add_prefix, &flow->with);
		prefix_set_normalize(&flow->with);
	}
	return (unsigned int)(policy->n_flows - 1);
}

static unsigned int group_of(struct policy *policy, const char *peers)
{
	struct group *group;

	for (size_t i = 0; i < policy->n_groups; i++)
		if (!strcmp(policy->groups[i].roles, peers))
			return (unsigned int)i;
	group = APPEND(policy->groups, policy->n_groups);
	group->roles = must_copy(peers);
	each_word(peers, add_prefix, &group->prefixes);
	prefix_set_normalize(&group->prefixes);
	group->total = group->prefixes.count;
	return (unsigned int)(policy->n_groups - 1);
}

static uint16_t counter_of(const struct policy *policy, const struct rule *rule)
{
	for (size_t i = 0; i < policy->n_rules; i++)
		if (policy->rules[i].flow == rule->flow && policy->rules[i].side == rule->side)
			return (uint16_t)i;
	return (uint16_t)policy->n_rules;
}

static void add_rule(struct policy *policy, const struct line *line)
{
	struct port_set local = {};
	struct rule rule = {
		.flow = flow_of(policy, line),
		.side = line->side,
		.protocol = line->protocol,
		.group = group_of(policy, line->peers),
	};

	each_word(line->ports, add_port, &rule.ports);
	port_set_normalize(&rule.ports);
	add_port(&local, line->local ? line->local : "1024-65535");
	rule.local = local.range[0];
	free(local.range);
	rule.counter = counter_of(policy, &rule);
	*APPEND(policy->rules, policy->n_rules) = rule;
}

static const struct variant *find_variant(const char *name)
{
	const struct variant *variant = variants;

	while (variant < variants + VARIANTS && strcmp(variant->name, name))
		variant++;
	must(variant < variants + VARIANTS, name);
	return variant;
}

struct policy *variant_policy(const char *name)
{
	struct policy *policy = must_alloc(1, sizeof(*policy));
	const struct variant *variant = find_variant(name);

	snprintf(policy->interface, sizeof(policy->interface), "%s", name);
	policy->settings = variant->settings;
	policy->settings.connections =
		variant->sockets ? BKXDP_CONNECTIONS_SOCKETS : BKXDP_CONNECTIONS_FLAGS;
	policy->settings.vlans_any = !variant->vlans;
	if (variant->vlans)
		each_word(variant->vlans, add_vlan, policy->settings.vlans);
	for (size_t i = 0; i < FLOWS_MAX && variant->line[i].flow; i++)
		add_rule(policy, &variant->line[i]);
	policy_seal(policy);
	return policy;
}

struct tables *variant_tables(const struct policy *policy)
{
	struct diagnostics diag = {};
	struct tables *tables = compile(policy, &diag);

	diag_print(&diag);
	diag_free(&diag);
	must(tables, "a variant does not compile");
	if (find_variant(policy->interface)->one_set)
		tables->settings.control_sets = 1;
	return tables;
}

bool kernel_is_closed(int error)
{
	bool closed = error == EPERM || access("/sys/kernel/btf/vmlinux", F_OK);

	errno = error;
	return closed;
}
