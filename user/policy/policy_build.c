// SPDX-License-Identifier: GPL-2.0-only
#include "policy/policy_build.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define ROLES_TEXT_MAX 200

static bool has_room(struct builder *builder, const struct place *place, size_t count, size_t most,
		     const char *what)
{
	if (count <= most)
		return true;
	if (!builder->full)
		diag_at(builder->diagnostics, place, "more than %zu %s on one interface", most,
			what);
	builder->full = true;
	return false;
}

/* ---- groups --------------------------------------------------------------- */

static uint64_t hash_prefixes(const struct prefix_set *set)
{
	uint64_t hash = set->count;

	for (size_t i = 0; i < set->count; i++) {
		const struct bkxdp_prefix *prefix = &set->prefix[i];

		for (unsigned int word = 0; word < 4; word++)
			hash = (hash ^ prefix->address[word]) * 0x9e3779b97f4a7c15ull;
		hash = (hash ^ hash >> 29 ^ prefix->bits) * 0xbf58476d1ce4e5b9ull;
	}
	return hash;
}

static bool same_prefixes(const struct prefix_set *a, const struct prefix_set *b)
{
	return a->count == b->count &&
	       (!a->count || !memcmp(a->prefix, b->prefix, a->count * sizeof(*a->prefix)));
}

/* Adds a role to the names of a group: "console, media-server". */
static void name_group(struct group *group, const char *roles)
{
	char *longer;

	if (group->roles &&
	    (strstr(group->roles, roles) || strlen(group->roles) + strlen(roles) > ROLES_TEXT_MAX))
		return;
	longer = group->roles ? must_format("%s, %s", group->roles, roles) : must_copy(roles);
	free(group->roles);
	group->roles = longer;
}

static int find_group(const struct builder *builder, const struct prefix_set *set, uint64_t hash)
{
	for (size_t i = 0; i < builder->n_hashes; i++)
		if (builder->hashes[i] == hash &&
		    same_prefixes(&builder->policy->groups[i].prefixes, set))
			return (int)i;
	return -1;
}

int build_group(struct builder *builder, const struct place *place, struct prefix_set *set,
		const char *roles)
{
	struct policy *policy = builder->policy;
	uint64_t hash = hash_prefixes(set);
	int found = find_group(builder, set, hash);
	struct group *group;

	if (found >= 0) {
		free(set->prefix);
		name_group(&policy->groups[found], roles);
		return found;
	}
	builder->prefixes += set->count;
	if (!has_room(builder, place, builder->prefixes, BKXDP_PREFIXES_MAX,
		      "addresses and prefixes")) {
		free(set->prefix);
		return -1;
	}
	group = APPEND(policy->groups, policy->n_groups);
	*APPEND(builder->hashes, builder->n_hashes) = hash;
	group->prefixes = *set;
	group->total = set->count;
	name_group(group, roles);
	return (int)policy->n_groups - 1;
}

/* ---- flows and rules ------------------------------------------------------ */

/* The policy outlives the files, so it owns copies of their names. */
static const char *own_file(struct policy *policy, const char *file)
{
	for (size_t i = policy->n_file_names; i--;)
		if (!strcmp(policy->file_names[i], file))
			return policy->file_names[i];
	return *APPEND(policy->file_names, policy->n_file_names) = must_copy(file);
}

int build_flow(struct builder *builder, const char *profile, const char *name,
	       const struct place *place, const char *source, const char *note)
{
	struct policy *policy = builder->policy;
	struct flow *flow;

	if (!has_room(builder, place, policy->n_flows + 1, BKXDP_FLOWS_MAX, "flows"))
		return -1;
	flow = APPEND(policy->flows, policy->n_flows);
	memcpy(flow->profile, profile, strlen(profile) + 1);
	memcpy(flow->name, name, strlen(name) + 1);
	flow->place = *place;
	flow->place.file = own_file(policy, place->file);
	flow->source = source ? must_copy(source) : NULL;
	flow->note = note ? must_copy(note) : NULL;
	flow->required = -1;
	return (int)policy->n_flows - 1;
}

/* Adds each address of the prefix. Returns false if the set would become too large. */
static bool add_each(struct prefix_set *set, const struct bkxdp_prefix *prefix)
{
	struct bkxdp_prefix host = *prefix;
	unsigned int host_bits = 128 - prefix->bits;

	if (host_bits > 31 || set->count + (1u << host_bits) > BKXDP_WITH_MAX)
		return false;
	host.bits = 128;
	for (uint32_t i = 0; i < 1u << host_bits; i++) {
		host.address[3] = htonl(ntohl(prefix->address[3]) + i);
		prefix_set_add(set, &host);
	}
	return true;
}

static bool covered_before(const struct prefix_set *set, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (prefix_covers(&set->prefix[i], &set->prefix[index]))
			return true;
	return false;
}

bool build_with(struct flow *flow, const char *role, const struct prefix_set *hosts)
{
	struct prefix_set each = {};
	bool fits = true;

	for (size_t i = 0; i < hosts->count && fits; i++)
		if (!covered_before(hosts, i))
			fits = add_each(&each, &hosts->prefix[i]);
	if (!fits) {
		free(each.prefix);
		return false;
	}
	flow->with = each;
	flow->with_role = must_copy(role);
	return true;
}

static void build_rule(struct builder *builder, const struct rule *rule)
{
	struct policy *policy = builder->policy;
	const struct place *place = &policy->flows[rule->flow].place;
	struct rule *copy;

	if (!has_room(builder, place, policy->n_rules + 1, BKXDP_RULES_MAX,
		      "rules (a flow makes one for each side, protocol and local range)"))
		return;
	copy = APPEND(policy->rules, policy->n_rules);
	*copy = *rule;
	copy->ports.range = must_alloc(rule->ports.count, sizeof(*rule->ports.range));
	if (rule->ports.count)
		memcpy(copy->ports.range, rule->ports.range,
		       rule->ports.count * sizeof(*rule->ports.range));
}

void build_rules(struct builder *builder, const struct rule *rule, const struct port_set *local)
{
	static struct port_range unprivileged[] = {{1024, 65535}};
	static const struct port_set usual = {unprivileged, 1};
	struct rule each = *rule;

	if (rule->side == SIDE_INBOUND) {
		build_rule(builder, rule);
		return;
	}
	if (!local->count)
		local = &usual;
	for (size_t i = 0; i < local->count; i++) {
		each.local = local->range[i];
		build_rule(builder, &each);
	}
}

/* ---- what goes with them -------------------------------------------------- */

void policy_note(struct policy *policy, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = must_copy(format);
	va_end(args);
	*APPEND(policy->notes, policy->n_notes) = text;
}

void policy_use(struct policy *policy, const char *profile, const char *role, const char *title,
		const char *level)
{
	struct use *use = APPEND(policy->uses, policy->n_uses);

	memcpy(use->profile, profile, strlen(profile) + 1);
	memcpy(use->role, role, strlen(role) + 1);
	use->title = must_copy(title);
	use->level = level ? must_copy(level) : NULL;
}
