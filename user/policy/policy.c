// SPDX-License-Identifier: GPL-2.0-only
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strv.h"

const char *side_word(enum side side)
{
	return side == SIDE_INBOUND ? "inbound" : "reply";
}

const char *mode_word(enum attach_mode mode)
{
	static const char *const word[] = {"auto", "native", "generic"};

	return word[mode];
}

const char *connections_word(enum bkxdp_connections connections)
{
	return connections == BKXDP_CONNECTIONS_SOCKETS ? "sockets" : "flags";
}

bool policy_requires_any(const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_flows; i++)
		if (policy->flows[i].required >= 0)
			return true;
	return false;
}

bool same_flow(const struct flow *a, const struct flow *b)
{
	return !strcmp(a->profile, b->profile) && !strcmp(a->name, b->name);
}

bool policy_has_flow(const struct policy *policy, const char *profile, const char *name)
{
	for (size_t i = 0; i < policy->n_flows; i++)
		if (!strcmp(policy->flows[i].profile, profile) &&
		    !strcmp(policy->flows[i].name, name))
			return true;
	return false;
}

static int required_by(const int *required, size_t stride, int flow)
{
	return *(const int *)(const void *)((const char *)required + (size_t)flow * stride);
}

bool requires_itself(const int *required, size_t stride, size_t n_flows, int start)
{
	int at = required_by(required, stride, start);

	for (size_t steps = 0; at >= 0 && steps < n_flows; steps++) {
		if (at == start)
			return true;
		at = required_by(required, stride, at);
	}
	return false;
}

/* ---- digest: FNV-1a, 64 bits ---------------------------------------------- */

#define FNV_OFFSET 0xcbf29ce484222325ull

static void mix(uint64_t *hash, const void *bytes, size_t count)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < count; i++)
		*hash = (*hash ^ byte[i]) * 0x100000001b3ull;
}

static void mix_number(uint64_t *hash, int64_t number)
{
	mix(hash, &number, sizeof(number));
}

static uint64_t prefixes_digest(const struct prefix_set *set)
{
	uint64_t hash = FNV_OFFSET;

	mix(&hash, set->prefix, set->count * sizeof(*set->prefix));
	return hash;
}

static void mix_flow(uint64_t *hash, const struct flow *flow)
{
	/* the NUL is included, so that "ab","c" differs from "a","bc" */
	mix(hash, flow->profile, strlen(flow->profile) + 1);
	mix(hash, flow->name, strlen(flow->name) + 1);
	mix_number(hash, flow->required);
	if (flow->with_role)
		mix_number(hash, (int64_t)prefixes_digest(&flow->with));
}

static void mix_rule(uint64_t *hash, const struct rule *rule, uint64_t group)
{
	const int64_t number[] = {
		rule->flow,      rule->side,       rule->protocol, (int64_t)rule->ports.count,
		rule->local.low, rule->local.high, (int64_t)group};

	mix(hash, number, sizeof(number));
	mix(hash, rule->ports.range, rule->ports.count * sizeof(*rule->ports.range));
}

uint32_t flow_control_id(const struct flow *flow)
{
	uint64_t hash = FNV_OFFSET;

	mix(&hash, flow->profile, strlen(flow->profile) + 1);
	mix(&hash, flow->name, strlen(flow->name) + 1);
	return (uint32_t)(hash ^ hash >> 32);
}

void policy_seal(struct policy *policy)
{
	AUTO_FREE uint64_t *group = must_alloc(policy->n_groups, sizeof(*group));
	uint64_t hash = FNV_OFFSET;

	mix(&hash, &policy->settings, sizeof(policy->settings));
	for (size_t i = 0; i < policy->n_groups; i++)
		group[i] = prefixes_digest(&policy->groups[i].prefixes);
	for (size_t i = 0; i < policy->n_flows; i++)
		mix_flow(&hash, &policy->flows[i]);
	for (size_t i = 0; i < policy->n_rules; i++)
		mix_rule(&hash, &policy->rules[i], group[policy->rules[i].group]);
	policy->digest = hash;
}

/* ---- end of life ---------------------------------------------------------- */

static void free_uses(struct use *use, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(use[i].title);
		free(use[i].level);
	}
	free(use);
}

static void free_flows(struct flow *flow, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(flow[i].source);
		free(flow[i].note);
		free(flow[i].with_role);
		free(flow[i].with.prefix);
	}
	free(flow);
}

static void free_rules(struct rule *rule, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(rule[i].ports.range);
	free(rule);
}

static void free_groups(struct group *group, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(group[i].prefixes.prefix);
		free(group[i].roles);
	}
	free(group);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	free_uses(policy->uses, policy->n_uses);
	free_flows(policy->flows, policy->n_flows);
	free_rules(policy->rules, policy->n_rules);
	free_groups(policy->groups, policy->n_groups);
	strv_free(policy->notes, policy->n_notes);
	strv_free(policy->file_names, policy->n_file_names);
	strv_free(policy->dirs, policy->n_dirs);
	free(policy->file);
	free(policy);
}
