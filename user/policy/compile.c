// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two packets from addresses of one peer class to ports of one port class match the same rules. So
 * what a packet may do is one look-up by two small numbers, however many profiles are in use. This
 * file finds the classes.
 */
#include "policy/compile.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/memory.h"
#include "policy/intern.h"

struct compiler {
	const struct policy *policy;
	struct tables *tables;
	struct diagnostics *diagnostics;
	struct sets peers;                   /* sets of groups */
	struct sets ports[BKXDP_KIND_COUNT]; /* sets of rules */
	uint32_t *requirements;              /* of each flow its number, if it requires one */
	uint32_t **group_rules;              /* for each group, its rules in ascending order */
	size_t *n_group_rules;
};

static enum bkxdp_kind kind_of(const struct rule *rule)
{
	if (rule->protocol == IPPROTO_TCP)
		return rule->side == SIDE_INBOUND ? BKXDP_TCP_INBOUND : BKXDP_TCP_REPLY;
	return rule->side == SIDE_INBOUND ? BKXDP_UDP_INBOUND : BKXDP_UDP_REPLY;
}

/* ---- addresses -> peer classes -------------------------------------------- */

/* One prefix of one group. NO_GROUP only excludes the prefix from a shorter one. */
struct member {
	struct bkxdp_prefix prefix;
	uint32_t group;
};
#define NO_GROUP UINT32_MAX

static int compare_prefixes(const struct bkxdp_prefix *a, const struct bkxdp_prefix *b)
{
	int order = memcmp(a->address, b->address, sizeof(a->address));

	return order ? order : (int)a->bits - (int)b->bits;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = compare_prefixes(&x->prefix, &y->prefix);

	if (order)
		return order;
	return (x->group > y->group) - (x->group < y->group);
}

static const struct bkxdp_prefix mapped = {96, {0, 0, BKXDP_MAPPED_WORD, 0}};

/*
 * Returns all prefixes of all groups, sorted. An IPv6 prefix that covers ::ffff:0:0/96 does not
 * apply to IPv4, so that block then gets an entry of its own.
 */
static struct member *all_members(const struct policy *policy, size_t *members)
{
	struct member *list = NULL;
	size_t count = 0;
	bool excluded = false;

	for (size_t g = 0; g < policy->n_groups; g++) {
		const struct prefix_set *set = &policy->groups[g].prefixes;

		for (size_t i = 0; i < set->count; i++) {
			*APPEND(list, count) = (struct member){set->prefix[i], g};
			excluded |= set->prefix[i].bits < mapped.bits &&
				    prefix_covers(&set->prefix[i], &mapped);
		}
	}
	if (excluded)
		*APPEND(list, count) = (struct member){mapped, NO_GROUP};
	if (list)
		qsort(list, count, sizeof(*list), compare_members);
	*members = count;
	return list;
}

/* The prefixes that contain the current one, shortest first. */
struct enclosing {
	struct peer_entry entry[130]; /* one for each length, and the excluded block */
	size_t depth;
};

static uint32_t class_with(struct compiler *c, uint32_t around, const struct member *member,
			   size_t count)
{
	const struct set *outer = &c->peers.set[around];
	AUTO_FREE uint32_t *merged = must_alloc(outer->count + count, sizeof(*merged));
	size_t i = 0, j = 0, n = 0;

	while (i < outer->count || j < count) {
		uint32_t a = i < outer->count ? outer->member[i] : NO_GROUP;
		uint32_t b = j < count ? member[j].group : NO_GROUP;

		if (a == NO_GROUP && b == NO_GROUP)
			break;
		merged[n++] = a < b ? a : b;
		i += a <= b;
		j += b <= a;
	}
	return sets_number(&c->peers, merged, n);
}

/* `member` are the `count` groups that contain this same prefix. */
static void add_peer(struct compiler *c, struct enclosing *around, const struct member *member,
		     size_t count)
{
	struct tables *tables = c->tables;
	struct peer_entry entry = {.prefix = member->prefix};
	bool excluded = member->group == NO_GROUP || !compare_prefixes(&member->prefix, &mapped);
	uint32_t outer;

	while (around->depth &&
	       !prefix_covers(&around->entry[around->depth - 1].prefix, &member->prefix))
		around->depth--;
	outer = around->depth && !excluded ? around->entry[around->depth - 1].peer_class : 0;
	entry.peer_class = class_with(c, outer, member, count);
	around->entry[around->depth++] = entry;
	if (member->group != NO_GROUP) {
		tables->ipv4_prefixes += prefix_is_ipv4(&member->prefix);
		tables->ipv6_prefixes += !prefix_is_ipv4(&member->prefix);
	}
	/*
	 * If the shorter prefix has the same class, no entry is needed. An excluded block always
	 * needs one, which has no group.
	 */
	if (entry.peer_class != outer || excluded)
		*APPEND(tables->peers, tables->n_peers) = entry;
}

static void compile_peers(struct compiler *c)
{
	struct enclosing around = {};
	size_t members, next;
	AUTO_FREE struct member *member = all_members(c->policy, &members);

	for (size_t i = 0; i < members; i = next) {
		for (next = i + 1; next < members; next++)
			if (compare_prefixes(&member[i].prefix, &member[next].prefix))
				break;
		add_peer(c, &around, &member[i], next - i);
	}
}

/* ---- addresses -> source prefilter --------------------------------------- */

static void set_bits(__u64 *bits, uint32_t first, uint32_t count)
{
	for (uint32_t bit = first; bit < first + count; bit++)
		bits[bit / 64] |= 1ull << (bit % 64);
}

/*
 * `address` is the first 32-bit word of the prefix. A prefix shorter than 32 bits covers many such
 * words.
 */
static void prefilter_add_ipv6(__u64 *bits, uint32_t address, uint32_t length)
{
	uint32_t top = ntohl(address), count;

	if (length < 17) {
		set_bits(bits, 0, BKXDP_PREFILTER_BITS);
		return;
	}
	count = length < 32 ? 1u << (32 - length) : 1;
	for (uint32_t i = 0; i < count; i++)
		set_bits(bits, bkxdp_prefilter_hash(htonl(top + i)), 1);
}

static void prefilter_add_ipv4(__u64 *bits, uint32_t address, uint32_t length)
{
	set_bits(bits, ntohl(address) >> 16, length < 16 ? 1u << (16 - length) : 1);
}

/*
 * Invalid sources (0.0.0.0, 127/8, 224/4, 255.255.255.255) pass the prefilter, so that they are
 * dropped with a reason of their own and not as unknown sources.
 */
static void prefilter_add_invalid(__u64 *bits)
{
	set_bits(bits, 0x0000, 1);
	set_bits(bits, 0x7f00, 0x100);
	set_bits(bits, 0xe000, 0x1000);
	set_bits(bits, 0xffff, 1);
}

static void compile_prefilter(struct tables *tables)
{
	prefilter_add_invalid(tables->prefilter.ipv4);
	for (size_t i = 0; i < tables->n_peers; i++) {
		const struct bkxdp_prefix *prefix = &tables->peers[i].prefix;

		if (!tables->peers[i].peer_class)
			continue;
		if (prefix_is_ipv4(prefix))
			prefilter_add_ipv4(tables->prefilter.ipv4, prefix->address[3],
					   prefix->bits - 96);
		else
			prefilter_add_ipv6(tables->prefilter.ipv6, prefix->address[0],
					   prefix->bits);
	}
}

/* ---- ports -> port classes ------------------------------------------------ */

/* A point at which the ports of a rule begin or end. */
struct edge {
	uint32_t port; /* 0 to 65536 */
	uint32_t rule;
	bool begins;
};

static int compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return (x->port > y->port) - (x->port < y->port);
}

static struct edge *all_edges(const struct policy *policy, enum bkxdp_kind kind, size_t *edges)
{
	struct edge *list = NULL;
	size_t count = 0;

	for (size_t r = 0; r < policy->n_rules; r++) {
		const struct port_set *set = &policy->rules[r].ports;

		if (kind_of(&policy->rules[r]) != kind)
			continue;
		for (size_t i = 0; i < set->count; i++) {
			*APPEND(list, count) = (struct edge){set->range[i].low, r, true};
			*APPEND(list, count) = (struct edge){set->range[i].high + 1u, r, false};
		}
	}
	if (list)
		qsort(list, count, sizeof(*list), compare_edges);
	*edges = count;
	return list;
}

/* Adds the rule of the edge to the rules that have the current port (ascending), or removes it. */
static void toggle(uint32_t *active, size_t *count, const struct edge *edge)
{
	size_t i = 0;

	while (i < *count && active[i] < edge->rule)
		i++;
	if (edge->begins) {
		memmove(&active[i + 1], &active[i], (*count - i) * sizeof(*active));
		active[i] = edge->rule;
		++*count;
	} else {
		--*count;
		memmove(&active[i], &active[i + 1], (*count - i) * sizeof(*active));
	}
}

static void compile_ports(struct compiler *c, enum bkxdp_kind kind)
{
	size_t edges, count = 0;
	AUTO_FREE struct edge *edge = all_edges(c->policy, kind, &edges);
	AUTO_FREE uint32_t *active = must_alloc(c->policy->n_rules + 1, sizeof(*active));

	for (size_t i = 0; i < edges;) {
		uint32_t port = edge[i].port, peer_class, end;

		for (; i < edges && edge[i].port == port; i++)
			toggle(active, &count, &edge[i]);
		peer_class = sets_number(&c->ports[kind], active, count);
		end = i < edges ? edge[i].port : BKXDP_PORTS;
		for (; port < end; port++)
			c->tables->port[port].classes[kind] = peer_class;
	}
}

/* ---- classes -> services -------------------------------------------------- */

static bool is_control(const struct policy *policy, const struct flow *flow)
{
	for (size_t f = 0; f < policy->n_flows; f++) {
		int requires = policy->flows[f].required;

		if (requires >= 0 && same_flow(&policy->flows[requires], flow))
			return true;
	}
	return false;
}

/* If two control flows had the same id, connections of one would let in the data of the other. */
static int check_control_ids(const struct compiler *c)
{
	const struct policy *policy = c->policy;
	AUTO_FREE const struct flow **control = must_alloc(policy->n_flows, sizeof(*control));
	size_t n_controls = 0;

	for (size_t f = 0; f < policy->n_flows; f++) {
		const struct flow *one;

		if (policy->flows[f].required < 0)
			continue;
		one = &policy->flows[policy->flows[f].required];
		for (size_t i = 0; i < n_controls; i++) {
			if (flow_control_id(control[i]) != flow_control_id(one) ||
			    same_flow(control[i], one))
				continue;
			diag_at(c->diagnostics, &one->place,
				"the control flows %s/%s and %s/%s can't be told apart: their "
				"names have the same hash; give one of them another name",
				control[i]->profile, control[i]->name, one->profile, one->name);
			return -1;
		}
		control[n_controls++] = one;
	}
	return 0;
}

/* ---- requirements ---------------------------------------------------------- */

/* Under `connections: flags` no port is needed, except for the change to it. */
static int add_port(struct compiler *c, const struct flow *control,
		    const struct bkxdp_required_port *port, struct bkxdp_requirement *requirement)
{
	for (int n = 0; n < requirement->n_ports; n++)
		if (!memcmp(&requirement->port[n], port, sizeof(*port)))
			return 0;
	if (requirement->n_ports < BKXDP_REQUIRED_PORTS) {
		requirement->port[requirement->n_ports++] = *port;
		return 0;
	}
	if (c->policy->settings.connections == BKXDP_CONNECTIONS_FLAGS)
		return 0;
	diag_at(c->diagnostics, &control->place,
		"flow %s/%s is required by another flow and has more than %d TCP ports; use fewer, "
		"or \"connections: flags\"",
		control->profile, control->name, BKXDP_REQUIRED_PORTS);
	return -1;
}

/* All uses of a profile have the same control flow, perhaps with ports of their own. */
static int add_ports(struct compiler *c, const struct flow *control, const struct rule *rule,
		     struct bkxdp_requirement *requirement)
{
	struct bkxdp_required_port port = {
		.opener = rule->side == SIDE_INBOUND ? BKXDP_OPENED_BY_PEER : BKXDP_OPENED_BY_US};

	if (rule->protocol != IPPROTO_TCP || !same_flow(&c->policy->flows[rule->flow], control))
		return 0;
	for (size_t i = 0; i < rule->ports.count; i++) {
		const struct port_range *range = &rule->ports.range[i];

		for (uint32_t number = range->low; number <= range->high; number++) {
			port.port = (uint16_t)number;
			if (add_port(c, control, &port, requirement))
				return -1;
		}
	}
	return 0;
}

static int fill_requirement(struct compiler *c, struct bkxdp_requirement *requirement,
			    const struct flow *flow)
{
	const struct policy *policy = c->policy;
	const struct flow *control = &policy->flows[flow->required];

	requirement->control = flow_control_id(control);
	requirement->by_role = !!flow->with_role;
	for (size_t i = 0; i < flow->with.count && i < BKXDP_WITH_MAX; i++)
		memcpy(requirement->with[requirement->n_with++], flow->with.prefix[i].address,
		       sizeof(requirement->with[0]));
	for (size_t r = 0; r < policy->n_rules; r++)
		if (add_ports(c, control, &policy->rules[r], requirement))
			return -1;
	return 0;
}

/* Equal requirements have one number. */
static int number_requirement(struct compiler *c, const struct flow *flow, uint32_t *number)
{
	struct bkxdp_requirement requirement = {};
	struct tables *tables = c->tables;

	if (fill_requirement(c, &requirement, flow))
		return -1;
	for (*number = 0; *number < tables->n_requirements; ++*number)
		if (!memcmp(&tables->requirement[*number], &requirement, sizeof(requirement)))
			return 0;
	if (tables->n_requirements == BKXDP_REQUIREMENTS_MAX) {
		diag_at(c->diagnostics, &flow->place,
			"what flow %s/%s requires is the %dth different requirement of one "
			"interface; there can be %d; let more flows require the same flow",
			flow->profile, flow->name, BKXDP_REQUIREMENTS_MAX + 1,
			BKXDP_REQUIREMENTS_MAX);
		return -1;
	}
	tables->requirement[tables->n_requirements++] = requirement;
	return 0;
}

static bool has_inbound(const struct policy *policy, size_t flow)
{
	for (size_t r = 0; r < policy->n_rules; r++)
		if (policy->rules[r].flow == flow && policy->rules[r].side == SIDE_INBOUND)
			return true;
	return false;
}

/* What a flow requires matters only to the host that it is opened to. */
static int compile_requirements(struct compiler *c)
{
	for (size_t f = 0; f < c->policy->n_flows; f++)
		if (c->policy->flows[f].required >= 0 && has_inbound(c->policy, f) &&
		    number_requirement(c, &c->policy->flows[f], &c->requirements[f]))
			return -1;
	return 0;
}

/* ---- candidates ------------------------------------------------------------- */

static struct bkxdp_candidate candidate_of(const struct compiler *c, uint32_t number)
{
	const struct policy *policy = c->policy;
	const struct rule *rule = &policy->rules[number];
	const struct flow *flow = &policy->flows[rule->flow];
	struct bkxdp_candidate candidate = {
		.rule = number,
		.counter = rule->counter,
		.local_low = rule->local.low,
		.local_high = rule->local.high,
	};

	if (rule->side == SIDE_INBOUND && flow->required >= 0) {
		candidate.required = c->requirements[rule->flow];
		candidate.flags |= BKXDP_CANDIDATE_REQUIRES;
	}
	if (rule->protocol == IPPROTO_TCP && is_control(policy, flow)) {
		candidate.control = flow_control_id(flow);
		candidate.flags |= BKXDP_CANDIDATE_IS_CONTROL;
	}
	return candidate;
}

/* Returns true if `earlier` passes every packet that `later` would pass. */
static bool shadows(enum bkxdp_kind kind, const struct bkxdp_candidate *earlier,
		    const struct bkxdp_candidate *later)
{
	if (kind == BKXDP_TCP_REPLY || kind == BKXDP_UDP_REPLY)
		return earlier->local_low <= later->local_low &&
		       earlier->local_high >= later->local_high;
	if (!(earlier->flags & BKXDP_CANDIDATE_REQUIRES))
		return true;
	return (later->flags & BKXDP_CANDIDATE_REQUIRES) && earlier->required == later->required;
}

static int add_candidate(struct compiler *c, struct service_entry *entry,
			 const struct bkxdp_candidate *candidate)
{
	struct bkxdp_service *service = &entry->value;
	const struct flow *flow = &c->policy->flows[c->policy->rules[candidate->rule].flow];

	for (uint32_t i = 0; i < service->count; i++)
		if (shadows(entry->key.kind, &service->candidate[i], candidate))
			return 0;
	if (service->count == BKXDP_CANDIDATES_MAX) {
		diag_at(c->diagnostics, &flow->place,
			"flow %s/%s is the %dth with the same ports and the same addresses but a "
			"condition of its own; at most %d can have that; give them different ports "
			"or addresses",
			flow->profile, flow->name, BKXDP_CANDIDATES_MAX + 1, BKXDP_CANDIDATES_MAX);
		return -1;
	}
	service->candidate[service->count++] = *candidate;
	return 0;
}

/* Returns the port classes of a rule, each once. */
static uint32_t *classes_of_rule(struct compiler *c, uint32_t rule, size_t *classes)
{
	enum bkxdp_kind kind = kind_of(&c->policy->rules[rule]);
	const struct port_set *set = &c->policy->rules[rule].ports;
	AUTO_FREE uint8_t *seen = must_alloc(c->ports[kind].count, 1);
	uint32_t *list = NULL;
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++) {
		for (uint32_t port = set->range[i].low; port <= set->range[i].high; port++) {
			uint16_t peer_class = c->tables->port[port].classes[kind];

			if (!seen[peer_class])
				*APPEND(list, count) = peer_class;
			seen[peer_class] = 1;
		}
	}
	*classes = count;
	return list;
}

/* For one peer class and each port class: 1 + the index of its service in the tables, or 0. */
struct row {
	uint32_t *at[BKXDP_KIND_COUNT];
};

static int add_service(struct compiler *c, struct row *row, uint32_t peer, enum bkxdp_kind kind,
		       uint16_t peer_class, const struct bkxdp_candidate *candidate)
{
	struct tables *tables = c->tables;
	uint32_t *at = &row->at[kind][peer_class];

	if (!*at) {
		if (tables->n_services == BKXDP_SERVICES_MAX) {
			diag_at(c->diagnostics, NULL,
				"the policy has more than %d pairs of an address group and a port "
				"range; use fewer distinct port ranges, or the same addresses in "
				"more "
				"flows",
				BKXDP_SERVICES_MAX);
			return -1;
		}
		APPEND(tables->services, tables->n_services)->key =
			(struct bkxdp_service_key){peer, peer_class, kind};
		*at = tables->n_services;
	}
	return add_candidate(c, &tables->services[*at - 1], candidate);
}

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Returns the rules that a peer class may use, in the order in which they are tried (ascending). */
static uint32_t *rules_of_peer(struct compiler *c, uint32_t peer, size_t *rules)
{
	const struct set *groups = &c->peers.set[peer];
	uint32_t *list = NULL;
	size_t count = 0;

	for (size_t g = 0; g < groups->count; g++)
		for (size_t i = 0; i < c->n_group_rules[groups->member[g]]; i++)
			*APPEND(list, count) = c->group_rules[groups->member[g]][i];
	if (list)
		qsort(list, count, sizeof(*list), compare_numbers);
	*rules = count;
	return list;
}

/* What is the same for a rule in all peer classes. */
struct prepared {
	struct bkxdp_candidate candidate;
	uint32_t *classes;
	size_t n_classes;
};

static int compile_peer_services(struct compiler *c, uint32_t peer, const struct prepared *prepared)
{
	struct row row = {};
	size_t rules;
	int error = 0;
	AUTO_FREE uint32_t *rule = rules_of_peer(c, peer, &rules);

	for (int kind = 0; kind < BKXDP_KIND_COUNT; kind++)
		row.at[kind] = must_alloc(c->ports[kind].count, sizeof(uint32_t));
	for (size_t i = 0; i < rules && !error; i++) {
		const struct prepared *p = &prepared[rule[i]];
		enum bkxdp_kind kind = kind_of(&c->policy->rules[rule[i]]);

		for (size_t n = 0; n < p->n_classes && !error; n++)
			error = add_service(c, &row, peer, kind, p->classes[n], &p->candidate);
	}
	for (int kind = 0; kind < BKXDP_KIND_COUNT; kind++)
		free(row.at[kind]);
	return error;
}

static int compile_services(struct compiler *c)
{
	size_t rules = c->policy->n_rules;
	AUTO_FREE struct prepared *prepared = must_alloc(rules, sizeof(*prepared));
	int error = 0;

	for (size_t r = 0; r < rules; r++) {
		uint32_t group = c->policy->rules[r].group;

		prepared[r].candidate = candidate_of(c, r);
		prepared[r].classes = classes_of_rule(c, r, &prepared[r].n_classes);
		*APPEND(c->group_rules[group], c->n_group_rules[group]) = r;
	}
	for (size_t peer = 1; peer < c->peers.count && !error; peer++)
		error = compile_peer_services(c, peer, prepared);
	for (size_t r = 0; r < rules; r++)
		free(prepared[r].classes);
	return error;
}

int service_compare(const void *a, const void *b)
{
	const struct service_entry *x = a, *y = b;

	if (x->key.peer_class != y->key.peer_class)
		return x->key.peer_class < y->key.peer_class ? -1 : 1;
	if (x->key.kind != y->key.kind)
		return x->key.kind < y->key.kind ? -1 : 1;
	return (int)x->key.port_class - (int)y->key.port_class;
}

/* ---- the whole ------------------------------------------------------------ */

/*
 * A policy that needs no table of control connections, as under `connections: sockets`, has one of
 * a single set. The numbers that pick a connection's set are the same each time, for test runs and
 * captures; an interface gets random ones.
 */
static void place_controls(const struct policy *policy, struct bkxdp_settings *settings)
{
	uint64_t number = 0;

	settings->control_sets =
		settings->connections == BKXDP_CONNECTIONS_FLAGS && policy_requires_any(policy)
			? BKXDP_CONTROL_SETS
			: 1;
	for (size_t i = 0; i <= BKXDP_CONTROL_WORDS; i++) {
		number = (number + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
		settings->control_hash[i] = number ^ number >> 31;
	}
}

static void compiler_start(struct compiler *c)
{
	c->tables = must_alloc(1, sizeof(*c->tables));
	c->tables->settings = c->policy->settings;
	place_controls(c->policy, &c->tables->settings);
	c->tables->port = must_alloc(BKXDP_PORTS, sizeof(*c->tables->port));
	c->requirements = must_alloc(c->policy->n_flows, sizeof(*c->requirements));
	c->group_rules = must_alloc(c->policy->n_groups, sizeof(*c->group_rules));
	c->n_group_rules = must_alloc(c->policy->n_groups, sizeof(*c->n_group_rules));
	sets_init(&c->peers);
	for (int kind = 0; kind < BKXDP_KIND_COUNT; kind++)
		sets_init(&c->ports[kind]);
}

static void compiler_end(struct compiler *c)
{
	for (size_t g = 0; g < c->policy->n_groups; g++)
		free(c->group_rules[g]);
	free(c->requirements);
	free(c->group_rules);
	free(c->n_group_rules);
	sets_free(&c->peers);
	for (int kind = 0; kind < BKXDP_KIND_COUNT; kind++)
		sets_free(&c->ports[kind]);
}

struct tables *compile(const struct policy *policy, struct diagnostics *diag)
{
	struct compiler c = {.policy = policy, .diagnostics = diag};

	compiler_start(&c);
	compile_peers(&c);
	compile_prefilter(c.tables);
	for (int kind = 0; kind < BKXDP_KIND_COUNT; kind++)
		compile_ports(&c, kind);
	if (check_control_ids(&c) || compile_requirements(&c) || compile_services(&c)) {
		tables_free(c.tables);
		c.tables = NULL;
	} else if (c.tables->n_services) {
		qsort(c.tables->services, c.tables->n_services, sizeof(*c.tables->services),
		      service_compare);
	}
	compiler_end(&c);
	return c.tables;
}

void tables_free(struct tables *tables)
{
	if (!tables)
		return;
	free(tables->peers);
	free(tables->port);
	free(tables->services);
	free(tables);
}
