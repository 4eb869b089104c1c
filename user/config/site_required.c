// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the flows that other flows require. A flow that could never be opened, because its control
 * connection can't exist, is a mistake.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "config/site_build.h"
#include "config/yaml_fields.h"

/* Sets the hosts of `with`, whose role is as the file has it. Returns false if they are too many.
 */
static bool set_with(struct site_build *build, int index, const char *role,
		     struct prefix_set *hosts, const struct place *place)
{
	struct flow *flow = &build->builder.policy->flows[index];

	prefix_set_normalize(hosts);
	if (build_with(flow, role, hosts))
		return true;
	diag_at(build->diagnostics, place,
		"flow %s/%s requires a connection with %s, which is more than %d addresses: name "
		"the hosts one by one, or a prefix of so few",
		flow->profile, flow->name, role, BKXDP_WITH_MAX);
	return false;
}

/* ---- flows of profiles ------------------------------------------------------ */

static void bind_with(struct site_build *build, size_t i)
{
	const struct profile *profile = build->use->profile;
	const struct profile_flow *flow = &profile->flows[i];
	unsigned int role = (unsigned int)flow->with;
	struct prefix_set hosts = {};

	if (flow->with < 0 || !takes_part(flow, build->use->role, SIDE_INBOUND))
		return;
	if (!peers_have_addresses(build, role)) {
		/* what was only noted is a mistake here */
		if (!site_failed(build->site, build->diagnostics))
			build->role_reported[role] = false;
		report_missing_addresses(build, flow, &role, 1);
		return;
	}
	peers_add_role(build, &hosts, role);
	(void)set_with(build, build->flows[i], profile->roles[role].name, &hosts,
		       &build->use->place);
	free(hosts.prefix);
}

/*
 * The control flow is in the policy if it is on and this host takes part in it, as it does if the
 * flow is opened to this host.
 */
static void bind_control(struct site_build *build, size_t i)
{
	const struct profile *profile = build->use->profile;
	int control = profile->flows[i].required;

	if (build->flows[i] < 0 || control < 0)
		return;
	build->builder.policy->flows[build->flows[i]].required = build->flows[control];
	bind_with(build, i);
	if (!build->use->states[control])
		diag_at(build->diagnostics, &build->use->place,
			"flow %s/%s requires %s, which is off: enable it, too", profile->name,
			profile->flows[i].name, profile->flows[control].name);
}

void required_by_use(struct site_build *build)
{
	for (size_t i = 0; i < build->use->profile->n_flows; i++)
		bind_control(build, i);
}

/* ---- finding the flow that a flow of the site names -------------------------- */

static bool has_side(const struct policy *policy, size_t flow, enum side side)
{
	for (size_t i = 0; i < policy->n_rules; i++)
		if (policy->rules[i].flow == flow && policy->rules[i].side == side)
			return true;
	return false;
}

/*
 * Finds "PROFILE/FLOW", or another flow of the site by its name. If there are several, one with
 * this side is preferred. Returns its index or -1.
 */
static int find_flow(const struct policy *policy, const char *name, enum side side)
{
	const char *slash = strchr(name, '/');
	size_t length = slash ? (size_t)(slash - name) : strlen(SITE_PROFILE);
	const char *profile = slash ? name : SITE_PROFILE;
	int found = -1;

	for (size_t i = 0; i < policy->n_flows; i++) {
		const struct flow *flow = &policy->flows[i];

		if (strlen(flow->profile) != length || memcmp(flow->profile, profile, length) ||
		    strcmp(flow->name, slash ? slash + 1 : name))
			continue;
		found = (int)i;
		if (has_side(policy, i, side))
			break;
	}
	return found;
}

/* No flow of the policy has this name: says whether it is off, elsewhere or unknown. */
static void report_no_flow(struct site_build *build, const struct site_flow *flow)
{
	const struct word *required = &flow->required;
	const struct site_use *use = site_use_of(build->site, required->text, NULL);
	const char *name = use ? strchr(required->text, '/') + 1 : NULL;
	int index = use ? FIND_NAMED(name, use->profile->flows, use->profile->n_flows) : -1;

	if (index >= 0 && !use->states[index])
		diag_at(build->diagnostics, &required->place,
			"flow \"%s\" requires \"%s\", which is off: add \"enable: [%s]\" to the "
			"use in line %u",
			flow->name, required->text, name, use->place.line);
	else if (index >= 0)
		diag_at(build->diagnostics, &required->place,
			"flow \"%s\" requires \"%s\" (%s:%u), which runs between other hosts: role "
			"%s of the use in line %u has no part in it; require a flow that this host "
			"has a part in",
			flow->name, required->text, use->profile->file,
			use->profile->flows[index].place.line, use->role_name.text,
			use->place.line);
	else
		diag_at(build->diagnostics, &required->place,
			"no flow \"%.*s\" is on: write the name of another flow of this file, or "
			"PROFILE/FLOW",
			SHOWN_MAX, required->text);
}

/* ---- can the control connection exist? ---------------------------------------- */

/* "line 7", or "FILE:7" if it is another file; the caller frees it. */
static char *place_text(const struct place *place, const char *file)
{
	return !strcmp(place->file, file) ? must_format("line %u", place->line)
					  : must_format("%s:%u", place->file, place->line);
}

/* What all flows of the control flow's name allow: a profile may be used several times. */
struct control_peers {
	bool has_tcp, has_names;
	struct prefix_set set;
};

static void add_control_peers(const struct site_build *build, size_t control, enum side side,
			      struct control_peers *peers)
{
	const struct policy *policy = build->builder.policy;

	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct prefix_set *group = &policy->groups[rule->group].prefixes;

		if (!same_flow(&policy->flows[rule->flow], &policy->flows[control]) ||
		    rule->side != side || rule->protocol != IPPROTO_TCP)
			continue;
		peers->has_tcp = true;
		peers->has_names |= build->has_names[rule->flow];
		for (size_t j = 0; j < group->count; j++)
			prefix_set_add(&peers->set, &group->prefix[j]);
	}
	prefix_set_normalize(&peers->set);
}

/*
 * Finds addresses of the set that can have no control connection, and writes them. Returns false
 * if there are none.
 */
static bool find_gap(const struct prefix_set *set, const struct control_peers *peers,
		     char text[static PREFIX_TEXT_MAX])
{
	const struct bkxdp_prefix *uncovered = prefix_set_uncovered(set, &peers->set);
	struct bkxdp_prefix gap;

	if (!uncovered)
		return false;
	gap = prefix_gap(uncovered, &peers->set);
	prefix_text(&gap, text);
	return true;
}

/*
 * Addresses that the file gives are a mistake if they can have no control connection. Those that
 * a name has now, or that lack only an address that a name may get, are noted.
 */
static void check_peers(struct site_build *build, const struct site_flow *flow,
			const struct control_peers *peers, const char *where)
{
	const struct word *required = &flow->required;
	char text[PREFIX_TEXT_MAX];
	struct prefix_set now = {};

	peers_add(build, &now, &flow->peers);
	prefix_set_normalize(&now);
	if (!peers->has_names && find_gap(&flow->peers.prefixes, peers, text))
		diag_at(build->diagnostics, &required->place,
			"flow \"%s\" allows %s, but \"%s\" (%s) allows no connection with it, so "
			"it could never open \"%s\": add it to the peers of \"%s\", or remove it "
			"from those of \"%s\"",
			flow->name, text, required->text, where, flow->name, required->text,
			flow->name);
	else if (!build->names_unknown && find_gap(&now, peers, text))
		policy_note(build->builder.policy,
			    "flow \"%s\" allows %s, but as the host names are now, \"%s\" (%s) "
			    "allows no connection with it, so it can't open \"%s\"",
			    flow->name, text, required->text, where, flow->name);
	free(now.prefix);
}

/* Likewise the hosts of `with`, which may be on either side of the control flow. */
static void check_hosts(struct site_build *build, const struct site_flow *flow, int index,
			const struct control_peers *peers, const char *where)
{
	const struct prefix_set *hosts = &build->builder.policy->flows[index].with;
	const struct word *required = &flow->required;
	bool has_names = peers->has_names || flow->with.n_names;
	char text[PREFIX_TEXT_MAX];

	if (build->names_unknown || !find_gap(hosts, peers, text))
		return;
	if (has_names)
		policy_note(build->builder.policy,
			    "flow \"%s\" requires a connection with %s, but as the host names are "
			    "now, \"%s\" (%s) allows none with %s",
			    flow->name, flow->with_text, required->text, where, text);
	else
		diag_at(build->diagnostics, &required->place,
			"flow \"%s\" requires a connection with %s, but \"%s\" (%s) allows none "
			"with "
			"%s: add it to the peers of \"%s\", or remove it from with:",
			flow->name, flow->with_text, required->text, where, text, required->text);
}

static void check_control(struct site_build *build, const struct site_flow *flow, int index)
{
	const struct word *required = &flow->required;
	size_t control = (size_t)build->builder.policy->flows[index].required;
	struct control_peers peers = {};
	AUTO_FREE char *where =
		place_text(&build->builder.policy->flows[control].place, flow->place.file);

	add_control_peers(build, control, flow->side, &peers);
	if (flow->with_text)
		add_control_peers(build, control, !flow->side, &peers);
	if (!flow->with_text && !has_side(build->builder.policy, control, flow->side))
		diag_at(build->diagnostics, &required->place,
			"flow \"%s\" requires \"%s\" (%s), which does not run in the same "
			"direction: require one that does, or write {flow: %s, with: HOST} if a "
			"connection with HOST will do",
			flow->name, required->text, where, required->text);
	else if (!peers.has_tcp)
		diag_at(build->diagnostics, &required->place,
			"flow \"%s\" requires \"%s\" (%s), which has no TCP port: only a TCP "
			"connection can be live; add tcp: to \"%s\", or require another flow",
			flow->name, required->text, where, required->text);
	else if (flow->with_text)
		check_hosts(build, flow, index, &peers, where);
	else
		check_peers(build, flow, &peers, where);
	free(peers.set.prefix);
}

/* Adds the addresses of the role in all uses of the profile. */
static void add_with_role(struct site_build *build, const struct site_flow *flow,
			  struct prefix_set *hosts)
{
	const struct word *word = &flow->with_role;
	struct site_use *use = NULL;

	while ((use = site_use_of(build->site, flow->required.text, use))) {
		const struct profile *profile = use->profile;
		int role = profile_role_index(profile, word->text);

		build->use = use;
		if (role >= 0) {
			peers_add_role(build, hosts, (unsigned int)role);
			continue;
		}

		AUTO_FREE char *suggestion =
			SUGGEST_NAMED(word->text, profile->roles, profile->n_roles);

		diag_at(build->diagnostics, &word->place, "profile %s has no role \"%.*s\"%s",
			profile->name, SHOWN_MAX, word->text, suggestion);
		return;
	}
	if (!hosts->count && !build->names_unknown)
		diag_at(build->diagnostics, &word->place,
			"role %s has no address with which a connection of \"%s\" could be live: "
			"add \"addresses: {%s: [ADDRESS]}\" to the use of its profile",
			word->text, flow->required.text, word->text);
}

static bool bind_site_with(struct site_build *build, const struct site_flow *flow, int index)
{
	const struct place *place =
		flow->with_role.text ? &flow->with_role.place : &flow->required.place;
	struct prefix_set hosts = {};
	bool fits;

	if (!flow->with_text)
		return true;
	if (flow->with_role.text)
		add_with_role(build, flow, &hosts);
	else
		peers_add(build, &hosts, &flow->with);
	fits = set_with(build, index, flow->with_text, &hosts, place);
	free(hosts.prefix);
	return fits;
}

static void bind_site_control(struct site_build *build, const struct site_flow *flow, int index)
{
	struct policy *policy = build->builder.policy;
	const struct word *required = &flow->required;
	int control = find_flow(policy, required->text, flow->side);

	if (control < 0 && site_failed(build->site, build->diagnostics))
		return; /* a diagnostic above may be the cause */
	if (control < 0) {
		report_no_flow(build, flow);
		return;
	}
	policy->flows[index].required = control;
	if (REQUIRES_ITSELF(policy->flows, policy->n_flows, required, index))
		diag_at(build->diagnostics, &required->place,
			"flow \"%s\" requires itself, directly or through other flows, so nothing "
			"could open it: take requires: out of one of them",
			flow->name);
	else if (!site_failed(build->site, build->diagnostics) &&
		 bind_site_with(build, flow, index))
		check_control(build, flow, index);
	if (flow->side == SIDE_REPLY)
		policy_note(policy,
			    "requires: of flow \"%s\" changes nothing: only what others open to "
			    "this host can require a connection",
			    flow->name);
}

void required_by_site_flows(struct site_build *build, size_t first)
{
	struct site *site = build->site;

	for (size_t i = 0; i < site->n_flows; i++)
		if (site->flows[i].required.text)
			bind_site_control(build, &site->flows[i], (int)(first + i));
}
