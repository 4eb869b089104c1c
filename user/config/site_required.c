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

/* ---- flows of profiles ------------------------------------------------------ */

/* The control flow is between the same roles, so it is in the policy if it is on. */
static void bind_control(struct site_build *build, size_t i)
{
	const struct profile *profile = build->use->profile;
	int control = profile->flows[i].required;

	if (build->flows[i] < 0 || control < 0)
		return;
	build->builder.policy->flows[build->flows[i]].required = build->flows[control];
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

/* Returns a use of the profile of "PROFILE/FLOW", or NULL. */
static const struct site_use *use_of(const struct site *site, const char *name)
{
	size_t length = strcspn(name, "/");

	for (size_t i = 0; name[length] && i < site->n_uses; i++) {
		const struct profile *profile = site->uses[i].profile;

		if (profile && strlen(profile->name) == length &&
		    !memcmp(profile->name, name, length))
			return &site->uses[i];
	}
	return NULL;
}

/* No flow of the policy has this name: says whether it is off, elsewhere or unknown. */
static void report_no_flow(struct site_build *build, const struct site_flow *flow)
{
	const struct word *required = &flow->required;
	const struct site_use *use = use_of(build->site, required->text);
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

static struct control_peers control_peers(const struct site_build *build, size_t control,
					  enum side side)
{
	const struct policy *policy = build->builder.policy;
	struct control_peers peers = {};

	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct prefix_set *group = &policy->groups[rule->group].prefixes;

		if (!same_flow(&policy->flows[rule->flow], &policy->flows[control]) ||
		    rule->side != side || rule->protocol != IPPROTO_TCP)
			continue;
		peers.has_tcp = true;
		peers.has_names |= build->has_names[rule->flow];
		for (size_t j = 0; j < group->count; j++)
			prefix_set_add(&peers.set, &group->prefix[j]);
	}
	prefix_set_normalize(&peers.set);
	return peers;
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

static void check_control(struct site_build *build, const struct site_flow *flow, size_t control)
{
	const struct word *required = &flow->required;
	struct control_peers peers = control_peers(build, control, flow->side);
	AUTO_FREE char *where =
		place_text(&build->builder.policy->flows[control].place, flow->place.file);

	if (!has_side(build->builder.policy, control, flow->side))
		diag_at(build->diagnostics, &required->place,
			"flow \"%s\" requires \"%s\" (%s), which does not run in the same "
			"direction: require one that does",
			flow->name, required->text, where);
	else if (!peers.has_tcp)
		diag_at(build->diagnostics, &required->place,
			"flow \"%s\" requires \"%s\" (%s), which has no TCP port: only a TCP "
			"connection can be live; add tcp: to \"%s\", or require another flow",
			flow->name, required->text, where, required->text);
	else
		check_peers(build, flow, &peers, where);
	free(peers.set.prefix);
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
	else if (!site_failed(build->site, build->diagnostics))
		check_control(build, flow, (size_t)control);
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
