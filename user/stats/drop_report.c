// SPDX-License-Identifier: GPL-2.0-only
#include "stats/drop_report.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A group and the subject of its advice. */
struct item {
	struct subject subject;
	const struct drop_group *group;
};

/* ---- scans ----------------------------------------------------------------- */

static bool is_same_source(const struct drop_group *a, const struct drop_group *b)
{
	return !memcmp(a->key.address, b->key.address, sizeof(a->key.address));
}

/*
 * If a flow has nearly all ports, packets for another service are dropped because that flow has no
 * connection for them: a packet that opens a connection is taken for a reply without one, and a
 * reply for data without a control connection. A port below the ephemeral ones shows that the
 * packet is for another service.
 */
static bool is_for_service(const struct bkxdp_group_key *key)
{
	if (key->port >= EPHEMERAL)
		return false;
	return (key->reason == BKXDP_DROP_CONNECTION && key->side == BKXDP_GROUP_INBOUND) ||
	       (key->reason == BKXDP_DROP_CONTROL && key->side == BKXDP_GROUP_REPLY);
}

static bool may_be_scan(const struct drop_group *group)
{
	const struct bkxdp_group_key *key = &group->key;

	return key->side == BKXDP_GROUP_INBOUND &&
	       (key->reason == BKXDP_DROP_SOURCE || key->reason == BKXDP_DROP_PORT ||
		key->reason == BKXDP_DROP_TCP_FLAGS || is_for_service(key));
}

/*
 * The groups of one source are next to each other. Returns their number, and whether the source
 * scans.
 */
static size_t one_source(const struct drop_group *group, size_t count, bool *scans)
{
	AUTO_FREE uint64_t *seen = must_alloc(2 * 65536 / 64, sizeof(*seen));
	unsigned int ports = 0;
	size_t n = 0;

	for (; n < count && is_same_source(group, &group[n]); n++) {
		const struct bkxdp_group_key *key = &group[n].key;
		uint64_t *word = &seen[(key->protocol == IPPROTO_UDP) * 1024 + key->port / 64];
		uint64_t bit = 1ull << key->port % 64;

		if (!may_be_scan(&group[n]) || *word & bit)
			continue;
		*word |= bit;
		ports++;
	}
	*scans = ports >= SCAN_PORTS;
	return n;
}

/* ---- the subject of a group's advice ------------------------------------- */

static bool is_dhcp(const struct bkxdp_group_key *key)
{
	return key->protocol == IPPROTO_UDP &&
	       ((key->side == BKXDP_GROUP_REPLY && key->port == 67) ||
		(key->side == BKXDP_GROUP_INBOUND && key->port == 546));
}

static enum advice_kind kind_of(const struct bkxdp_settings *settings,
				const struct bkxdp_group_key *key)
{
	switch (key->reason) {
	case BKXDP_DROP_SOURCE:
	case BKXDP_DROP_PORT:
		if (!settings->dhcp && is_dhcp(key))
			return ADVICE_SETTING;
		return key->side == BKXDP_GROUP_NONE ? ADVICE_NONE : ADVICE_FLOW;
	case BKXDP_DROP_CONNECTION:
	case BKXDP_DROP_CONTROL:
		return is_for_service(key) ? ADVICE_FLOW : ADVICE_NONE;
	case BKXDP_DROP_ICMP:
		return settings->ping == BKXDP_PING_ANY ? ADVICE_NONE : ADVICE_SETTING;
	case BKXDP_DROP_FRAGMENT:
		return ADVICE_SETTING;
	case BKXDP_DROP_BROADCAST:
		return !settings->dhcp && is_dhcp(key) ? ADVICE_SETTING : ADVICE_NONE;
	default:
		return ADVICE_NONE;
	}
}

static bool rule_matches(const struct policy *policy, const struct rule *rule,
			 const struct bkxdp_group_key *key)
{
	enum bkxdp_group_side side =
		rule->side == SIDE_INBOUND ? BKXDP_GROUP_INBOUND : BKXDP_GROUP_REPLY;
	const struct flow *flow = &policy->flows[rule->flow];

	return side == key->side && rule->protocol == key->protocol &&
	       strcmp(flow->profile, SITE_PROFILE) != 0 && port_set_has(&rule->ports, key->port);
}

static bool group_has(const struct group *group, const uint32_t address[static 4])
{
	for (size_t i = 0; i < group->prefixes.count; i++)
		if (prefix_contains(&group->prefixes.prefix[i], address))
			return true;
	return false;
}

/*
 * Returns 1 + the index of the first rule of that profile with those addresses, so that all
 * addresses that the role lacks have the same subject.
 */
static uint32_t role_of(const struct policy *policy, const struct rule *rule)
{
	const char *profile = policy->flows[rule->flow].profile;
	uint32_t first = 0;

	while (policy->rules[first].group != rule->group ||
	       strcmp(policy->flows[policy->rules[first].flow].profile, profile) != 0)
		first++;
	return first + 1;
}

/*
 * Finds a role of a profile in use that has a flow with this port, but for other addresses. Returns
 * 1 + the index of its first rule, or 0. Flows that require another one are searched separately,
 * because their ports may be almost all ports.
 */
static uint32_t find_role(const struct policy *policy, const struct bkxdp_group_key *key,
			  bool requires)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if ((policy->flows[rule->flow].required >= 0) == requires &&
		    rule_matches(policy, rule, key) &&
		    !group_has(&policy->groups[rule->group], key->address))
			return role_of(policy, rule);
	}
	return 0;
}

/* ---- optional flows -------------------------------------------------------------- */

static bool has_port(const struct profile *profile, const struct profile_ports *ports,
		     uint16_t port)
{
	for (size_t i = 0; i < ports->n_named; i++)
		if (port_set_has(&profile->ports[ports->named[i]].set, port))
			return true;
	return port_set_has(&ports->set, port);
}

static bool flow_matches(const struct profile *profile, const struct profile_flow *flow, int role,
			 const struct bkxdp_group_key *key)
{
	bool inbound = key->side == BKXDP_GROUP_INBOUND;

	return flow->optional &&
	       contains(inbound ? flow->to : flow->from, inbound ? flow->n_to : flow->n_from,
			role) &&
	       has_port(profile, key->protocol == IPPROTO_TCP ? &flow->tcp : &flow->udp, key->port);
}

/*
 * Finds an optional flow that a profile in use has and that is not enabled. The source must be a
 * peer.
 */
static bool find_optional(const struct in_force *now, const struct bkxdp_group_key *key,
			  struct subject *subject)
{
	const struct policy *policy = now->policy;

	if (!now->profile || key->reason == BKXDP_DROP_SOURCE)
		return false;
	for (size_t u = 0; u < policy->n_uses; u++) {
		const struct profile *profile = now->profile[u];
		int role = profile ? profile_role_index(profile, policy->uses[u].role) : -1;

		for (size_t f = 0; role >= 0 && f < profile->n_flows; f++) {
			const struct profile_flow *flow = &profile->flows[f];

			if (!flow_matches(profile, flow, role, key) ||
			    policy_has_flow(policy, profile->name, flow->name))
				continue;
			*subject = (struct subject){
				.kind = ADVICE_ENABLE, .use = (uint32_t)u + 1, .flow = (uint32_t)f};
			return true;
		}
	}
	return false;
}

static struct subject subject_of(const struct in_force *now, const struct bkxdp_group_key *key)
{
	const struct policy *policy = now->policy;
	struct subject subject = {.kind = kind_of(&policy->settings, key), .reason = key->reason};

	if (subject.kind == ADVICE_SETTING && is_dhcp(key))
		subject.port = key->port;
	if (subject.kind != ADVICE_FLOW)
		return subject;
	if (find_optional(now, key, &subject))
		return subject;
	subject.reason = 0; /* the line is the same for all reasons */
	subject.rule = find_role(policy, key, false);
	if (subject.rule) {
		subject.kind = ADVICE_ADDRESS;
		return subject;
	}
	subject.side = key->side;
	subject.port = key->port;
	subject.protocol = key->protocol;
	return subject;
}

/* ---- data connections: they go where their control connection goes ------------- */

static int compare_subjects(const struct subject *a, const struct subject *b)
{
	return memcmp(a, b, sizeof(*a));
}

static int compare_items(const void *a, const void *b)
{
	const struct item *left = a, *right = b;
	int order = compare_subjects(&left->subject, &right->subject);

	return order ? order : groups_compare(left->group, right->group);
}

/*
 * Returns true if the role gets this source's address because of another flow. The items are
 * sorted.
 */
static bool gets_address(const struct item *item, size_t count, uint32_t rule,
			 const struct drop_group *group)
{
	const struct subject wanted = {.kind = ADVICE_ADDRESS, .rule = rule};
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare_subjects(&item[middle].subject, &wanted);

		if (!order)
			order = memcmp(item[middle].group->key.address, group->key.address,
				       sizeof(group->key.address));
		if (!order)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static void join_control(const struct policy *policy, struct item *item, size_t count)
{
	AUTO_FREE uint32_t *role = must_alloc(count ? count : 1, sizeof(*role));

	for (size_t i = 0; i < count; i++) {
		if (item[i].subject.kind != ADVICE_FLOW)
			continue;
		role[i] = find_role(policy, &item[i].group->key, true);
		if (role[i] && !gets_address(item, count, role[i], item[i].group))
			role[i] = 0;
	}
	for (size_t i = 0; i < count; i++)
		if (role[i])
			item[i].subject = (struct subject){.kind = ADVICE_ADDRESS, .rule = role[i]};
	qsort(item, count, sizeof(*item), compare_items);
}

static struct item *make_items(const struct in_force *now, const struct drop_groups *groups)
{
	struct item *item = must_alloc(groups->count ? groups->count : 1, sizeof(*item));
	bool scans;

	for (size_t i = 0, n; i < groups->count; i += n) {
		n = one_source(&groups->group[i], groups->count - i, &scans);
		for (size_t j = i; j < i + n; j++) {
			const struct drop_group *group = &groups->group[j];

			item[j].group = group;
			if (scans && may_be_scan(group))
				item[j].subject = (struct subject){.kind = ADVICE_SCAN,
								   .reason = group->key.reason};
			else
				item[j].subject = subject_of(now, &group->key);
		}
	}
	qsort(item, groups->count, sizeof(*item), compare_items);
	join_control(now->policy, item, groups->count);
	return item;
}

/* ---- rows -------------------------------------------------------------------- */

static void add_to_row(struct drop_row *row, const struct drop_group *group)
{
	uint16_t port = group->key.port;

	row->packets += group->sum.packets;
	row->bytes += group->sum.bytes;
	row->first = !row->ports || group->sum.first < row->first ? group->sum.first : row->first;
	row->last = group->sum.last > row->last ? group->sum.last : row->last;
	row->low = !row->ports || port < row->low ? port : row->low;
	row->high = port > row->high ? port : row->high;
	row->ports++;
}

static void add_row(struct drop_report *report, const struct item *item)
{
	unsigned int advice = (unsigned int)report->n_advice - 1;
	struct drop_row *row = report->n_rows ? &report->rows[report->n_rows - 1] : NULL;

	if (!row || row->advice != advice || item->subject.kind != ADVICE_SCAN ||
	    !is_same_source(row->group, item->group)) {
		row = APPEND(report->rows, report->n_rows);
		row->group = item->group;
		row->advice = advice;
		row->sources = 1;
	}
	add_to_row(row, item->group);
}

static void add_source(struct advice *advice, const struct drop_group *group)
{
	const uint32_t *a = group->key.address;

	prefix_set_add(&advice->sources, &(struct bkxdp_prefix){128, {a[0], a[1], a[2], a[3]}});
}

static void fill(struct drop_report *report, const struct item *item, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!i || compare_subjects(&item[i - 1].subject, &item[i].subject))
			APPEND(report->advice, report->n_advice)->subject = item[i].subject;
		add_source(&report->advice[report->n_advice - 1], item[i].group);
		add_row(report, &item[i]);
	}
	for (size_t i = 0; i < report->n_advice; i++)
		prefix_set_normalize(&report->advice[i].sources);
}

/* ---- very many sources at one port ------------------------------------------ */

/* Compares all of the key but the source. */
static int compare_services(const void *a, const void *b)
{
	const struct drop_row *left = a, *right = b;
	const size_t from = offsetof(struct bkxdp_group_key, port);
	int order = (left->advice > right->advice) - (left->advice < right->advice);

	if (!order)
		order = (left->ports > 1) - (right->ports > 1);
	return order ? order
		     : memcmp((const char *)&left->group->key + from,
			      (const char *)&right->group->key + from,
			      sizeof(left->group->key) - from);
}

static void merge_rows(struct drop_row *into, const struct drop_row *row, size_t count)
{
	*into = row[0];
	for (size_t i = 1; i < count; i++) {
		into->packets += row[i].packets;
		into->bytes += row[i].bytes;
		into->first = row[i].first < into->first ? row[i].first : into->first;
		into->last = row[i].last > into->last ? row[i].last : into->last;
	}
	into->sources = (unsigned int)count;
}

/* Scans remain one row for each source, because the source is what matters there. */
static void merge_sources(struct drop_report *report)
{
	struct drop_row *row = report->rows;
	size_t kept = 0;

	if (report->n_rows)
		qsort(row, report->n_rows, sizeof(*row), compare_services);
	for (size_t i = 0, n; i < report->n_rows; i += n) {
		for (n = 1; i + n < report->n_rows && !compare_services(&row[i], &row[i + n]);)
			n++;
		if (n > LINE_SOURCES_MAX && row[i].ports == 1) {
			merge_rows(&row[kept++], &row[i], n);
			continue;
		}
		memmove(&row[kept], &row[i], n * sizeof(*row));
		kept += n;
	}
	report->n_rows = kept;
}

/* The address makes the order unambiguous. */
static int by_packets(const void *a, const void *b)
{
	const struct drop_row *left = a, *right = b;

	if (left->packets != right->packets)
		return left->packets < right->packets ? 1 : -1;
	return groups_compare(left->group, right->group);
}

/* Numbers the advice in the order of the rows that refer to it. */
static void number_advice(struct drop_report *report)
{
	AUTO_FREE unsigned int *place = must_alloc(report->n_advice + 1, sizeof(*place));
	struct advice *ordered = must_alloc(report->n_advice + 1, sizeof(*ordered));
	unsigned int next = 0;

	for (size_t i = 0; i < report->n_rows; i++) {
		unsigned int *to = &place[report->rows[i].advice];

		if (!*to) {
			ordered[next] = report->advice[report->rows[i].advice];
			*to = ++next;
		}
		report->rows[i].advice = *to - 1;
	}
	free(report->advice);
	report->advice = ordered;
}

struct drop_report *drop_report(const struct in_force *now, const struct drop_groups *groups)
{
	struct drop_report *report = must_alloc(1, sizeof(*report));
	AUTO_FREE struct item *item = make_items(now, groups);

	fill(report, item, groups->count);
	merge_sources(report);
	if (report->n_rows)
		qsort(report->rows, report->n_rows, sizeof(*report->rows), by_packets);
	number_advice(report);
	for (size_t i = 0; i < report->n_advice; i++)
		advice_write(&report->advice[i], now, report->advice, i);
	return report;
}

void drop_report_free(struct drop_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->n_advice; i++) {
		free(report->advice[i].sources.prefix);
		free(report->advice[i].name);
		free(report->advice[i].line);
		free(report->advice[i].sentence);
	}
	free(report->advice);
	free(report->rows);
	free(report);
}
