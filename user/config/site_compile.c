// SPDX-License-Identifier: GPL-2.0-only
/* Compiles a site to flows, rules and groups, in the order in which the datapath tries them. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/site_build.h"
#include "config/yaml_fields.h"

/* ---- reporting what is missing ------------------------------------------ */

void report_missing_addresses(struct site_build *build, const struct profile_flow *flow,
			      const unsigned int *roles, size_t n_roles)
{
	const struct profile *profile = build->use->profile;
	const struct profile_role *first = &profile->roles[roles[0]];
	AUTO_FREE char *names = profile_role_names(profile, roles, n_roles), *line = NULL;

	if (build->role_reported[roles[0]])
		return;
	build->role_reported[roles[0]] = true;
	line = build->site->file
		       ? must_format("\"addresses: {%s: [ADDRESS]}\" to this use", first->name)
		       : must_format("--address %s=ADDRESS", first->name);
	diag_at(build->diagnostics, &build->use->place,
		"flow %s/%s needs the addresses of role %s%s: add %s", profile->name, flow->name,
		names,
		first->n_hosts ? ", because none of the documented names can be looked up" : "",
		line);
}

static void note_missing_addresses(struct site_build *build, const struct profile_flow *flow,
				   unsigned int role)
{
	const struct profile *profile = build->use->profile;

	if (build->role_reported[role])
		return;
	build->role_reported[role] = true;
	policy_note(build->builder.policy,
		    "role %s of %s has no address, so flow %s is allowed only with the other roles",
		    profile->roles[role].name, profile->name, flow->name);
}

/* Returns what to add for the ports of one role, or of all (-1). */
static char *port_line(const struct site_build *build, const char *port, int role)
{
	if (!build->site->file)
		return must_format("--port %s=PORT", port);
	if (role < 0)
		return must_format("\"ports: {%s: PORT}\" to this use", port);
	return must_format("\"ports: {%s: {%s: PORT}}\" to this use", port,
			   build->use->profile->roles[role].name);
}

/* The site chose no ports. That is an error unless there are candidates. */
static void report_missing_ports(struct site_build *build, const struct profile_flow *flow,
				 unsigned int index, int role)
{
	const struct profile *profile = build->use->profile;
	const struct profile_port *port = &profile->ports[index];
	AUTO_FREE char *line = port_line(build, port->name, role);

	if (build->port_reported[index])
		return;
	build->port_reported[index] = true;
	if (port->n_candidates)
		policy_note(build->builder.policy,
			    "all %zu candidates for port %s of %s are open: once you know which "
			    "one is used, add %s",
			    port->n_candidates, port->name, profile->name, line);
	else
		diag_at(build->diagnostics, &build->use->place,
			"flow %s/%s needs the ports \"%s\", which only the site knows: add %s",
			profile->name, flow->name, port->name, line);
}

/* ---- ports ---------------------------------------------------------------- */

static struct port_choice *find_choice(const struct site_use *use, unsigned int port, int role)
{
	struct port_choice *found = NULL;

	for (size_t i = 0; i < use->n_choices; i++) {
		struct port_choice *choice = &use->choices[i];

		if (choice->port_index != (int)port)
			continue;
		if (choice->role.text && role >= 0 && choice->role_index == role)
			return choice;
		if (!choice->role.text)
			found = choice;
	}
	return found;
}

static bool has_role_choices(const struct site_use *use, const struct profile_ports *ports)
{
	for (size_t i = 0; i < use->n_choices; i++)
		if (use->choices[i].role.text &&
		    contains(ports->named, ports->n_named, use->choices[i].port_index))
			return true;
	return false;
}

static void add_ranges(struct port_set *set, const struct port_set *more)
{
	for (size_t i = 0; i < more->count; i++)
		port_set_add(set, more->range[i]);
}

/* role: -1 if all peers have the same ports. */
static struct port_set ports_of(struct site_build *build, const struct profile_flow *flow,
				const struct profile_ports *ports, int role)
{
	struct port_set set = {};

	add_ranges(&set, &ports->set);
	for (size_t i = 0; i < ports->n_named; i++) {
		unsigned int index = ports->named[i];
		const struct profile_port *port = &build->use->profile->ports[index];
		struct port_choice *choice = find_choice(build->use, index, role);

		if (!choice && !port->has_default)
			report_missing_ports(build, flow, index, role);
		if (choice)
			choice->used = true;
		add_ranges(&set, choice ? &choice->set : &port->set);
	}
	port_set_normalize(&set);
	return set;
}

/* ---- a profile's flows ---------------------------------------------------- */

struct flow_side {
	const struct profile_flow *flow;
	int index; /* index in the policy */
	enum side side;
	unsigned int *peers; /* the roles that have addresses */
	size_t n_peers;
};

static void make_rules(struct site_build *build, const struct flow_side *part, uint8_t protocol,
		       const unsigned int *roles, size_t n_roles, bool split)
{
	const struct profile_ports *ports =
		protocol == IPPROTO_TCP ? &part->flow->tcp : &part->flow->udp;
	struct rule rule = {.flow = (unsigned int)part->index,
			    .side = part->side,
			    .protocol = protocol,
			    .ports = ports_of(build, part->flow, ports, split ? (int)*roles : -1)};
	int group = peers_group(build, roles, n_roles);

	if (group >= 0) {
		rule.group = (unsigned int)group;
		build_rules(&build->builder, &rule, &part->flow->local);
	}
	free(rule.ports.range);
}

static void make_protocol(struct site_build *build, const struct flow_side *part, uint8_t protocol,
			  const struct profile_ports *ports)
{
	if (!ports->given)
		return;
	if (!has_role_choices(build->use, ports)) {
		make_rules(build, part, protocol, part->peers, part->n_peers, false);
		return;
	}
	for (size_t i = 0; i < part->n_peers; i++)
		make_rules(build, part, protocol, &part->peers[i], 1, true);
}

static void make_side(struct site_build *build, const struct profile_flow *flow, int index,
		      enum side side)
{
	const unsigned int *others = side == SIDE_INBOUND ? flow->from : flow->to;
	size_t n_others = side == SIDE_INBOUND ? flow->n_from : flow->n_to;
	AUTO_FREE unsigned int *peers = must_alloc(n_others, sizeof(*peers));
	struct flow_side part = {flow, index, side, peers, 0};

	for (size_t i = 0; i < n_others; i++) {
		if (!peers_have_addresses(build, others[i]))
			continue;
		peers[part.n_peers++] = others[i];
		build->has_names[index] |= peers_have_names(build, others[i]);
	}
	if (!part.n_peers) {
		report_missing_addresses(build, flow, others, n_others);
		return;
	}
	for (size_t i = 0; i < n_others; i++)
		if (!contains(peers, part.n_peers, (int)others[i]))
			note_missing_addresses(build, flow, others[i]);
	make_protocol(build, &part, IPPROTO_TCP, &flow->tcp);
	make_protocol(build, &part, IPPROTO_UDP, &flow->udp);
}

static void make_flow(struct site_build *build, size_t i)
{
	const struct profile *profile = build->use->profile;
	const struct profile_flow *flow = &profile->flows[i];
	int role = build->use->role;

	if (!takes_part(flow, role, SIDE_INBOUND) && !takes_part(flow, role, SIDE_REPLY))
		return;
	build->flows[i] = build_flow(&build->builder, profile->name, flow->name, &flow->place,
				     flow->source, flow->note);
	if (build->flows[i] < 0)
		return;
	for (enum side side = SIDE_INBOUND; side <= SIDE_REPLY; side++)
		if (takes_part(flow, role, side))
			make_side(build, flow, build->flows[i], side);
}

static void note_unused(struct site_build *build)
{
	const struct site_use *use = build->use;
	struct policy *policy = build->builder.policy;

	for (size_t i = 0; i < use->n_addresses; i++)
		if (use->addresses[i].index >= 0 && !use->addresses[i].used)
			policy_note(
				policy,
				"the addresses of role %s of %s change nothing: no flow that is "
				"on runs between it and %s",
				use->addresses[i].role.text, use->profile->name,
				use->role_name.text);
	for (size_t i = 0; i < use->n_choices; i++)
		if (use->choices[i].port_index >= 0 && !use->choices[i].used)
			policy_note(policy,
				    "the ports of %s for %s%s%s change nothing: no flow that is on "
				    "uses them",
				    use->profile->name, use->choices[i].port.text,
				    use->choices[i].role.text ? " with " : "",
				    use->choices[i].role.text ? use->choices[i].role.text : "");
}

static void end_use(struct site_build *build)
{
	for (size_t i = 0; i < build->n_role_groups; i++)
		free(build->role_groups[i].roles);
	free(build->role_groups);
	free(build->flows);
	free(build->role_reported);
	free(build->port_reported);
	build->role_groups = NULL;
	build->n_role_groups = 0;
}

static void make_use(struct site_build *build, struct site_use *use)
{
	const struct profile *profile = use->profile;

	build->use = use;
	build->flows = must_alloc(profile->n_flows, sizeof(*build->flows));
	build->role_reported = must_alloc(profile->n_roles, sizeof(*build->role_reported));
	build->port_reported = must_alloc(profile->n_ports, sizeof(*build->port_reported));
	for (size_t i = 0; i < profile->n_flows; i++) {
		build->flows[i] = -1;
		if (use->states[i])
			make_flow(build, i);
	}
	required_by_use(build);
	note_unused(build);
	policy_use(build->builder.policy, profile->name, use->role_name.text, profile->title,
		   use->level.text);
	end_use(build);
}

/* ---- the site's own flows ------------------------------------------------- */

static void make_site_flow(struct site_build *build, const struct site_flow *flow)
{
	const struct port_set *ports[] = {&flow->tcp, &flow->udp};
	static const uint8_t protocol[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct prefix_set set = {};
	int index = build_flow(&build->builder, SITE_PROFILE, flow->name, &flow->place, NULL,
			       flow->note);
	int group;

	if (index < 0)
		return;
	build->has_names[index] = flow->peers.n_names;
	peers_add(build, &set, &flow->peers);
	prefix_set_normalize(&set);
	group = build_group(&build->builder, &flow->place, &set,
			    flow->peers_text ? flow->peers_text : "");
	for (size_t i = 0; group >= 0 && i < 2; i++) {
		struct rule rule = {.flow = (unsigned int)index,
				    .side = flow->side,
				    .protocol = protocol[i],
				    .ports = *ports[i],
				    .group = (unsigned int)group};

		if (ports[i]->count)
			build_rules(&build->builder, &rule, &flow->local);
	}
}

static void make_site_flows(struct site_build *build)
{
	struct site *site = build->site;
	size_t first = build->builder.policy->n_flows;

	for (size_t i = 0; i < site->n_flows; i++)
		make_site_flow(build, &site->flows[i]);
	if (!build->builder.full)
		required_by_site_flows(build, first);
}

void site_compile(struct site *site, struct policy *policy, const struct site_lookup *lookup,
		  struct diagnostics *diag)
{
	struct site_build build = {.site = site,
				   .builder = {.policy = policy, .diagnostics = diag},
				   .diagnostics = diag};

	peers_resolve_names(&build, lookup->resolve);
	for (size_t i = 0; i < site->n_uses; i++)
		if (site->uses[i].role >= 0)
			make_use(&build, &site->uses[i]);
	make_site_flows(&build);
	resolve_free(build.names, build.n_names);
	free(build.builder.hashes);
}
