// SPDX-License-Identifier: GPL-2.0-only
/* struct site -> flows, rules and groups, in the order in which the datapath tries them. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/site_build.h"
#include "config/yaml_fields.h"

/* ---- what is missing ------------------------------------------------------ */

static void miss_addresses(struct site_build *build, const struct profile_flow *flow,
			   const unsigned int *role, size_t count)
{
	const struct profile *profile = build->use->profile;
	const struct profile_role *first = &profile->roles[role[0]];
	AUTO_FREE char *roles = profile_role_names(profile, role, count), *line = NULL;

	if (build->role_said[role[0]])
		return;
	build->role_said[role[0]] = true;
	line = build->site->file
		       ? must_format("\"addresses: {%s: [ADDRESS]}\" to this use", first->name)
		       : must_format("--address %s=ADDRESS", first->name);
	diag_at(build->diagnostics, &build->use->place,
		"flow %s/%s needs the addresses of role %s%s: add %s", profile->name, flow->name,
		roles, first->n_hosts ? ", as none of the documented names can be looked up" : "",
		line);
}

static void miss_role(struct site_build *build, const struct profile_flow *flow, unsigned int role)
{
	const struct profile *profile = build->use->profile;

	if (build->role_said[role])
		return;
	build->role_said[role] = true;
	policy_note(build->builder.policy,
		    "role %s of %s has no address: flow %s runs with the other roles only",
		    profile->roles[role].name, profile->name, flow->name);
}

/* What to write, for one role or for all (-1). */
static char *port_line(const struct site_build *build, const char *port, int role)
{
	if (!build->site->file)
		return must_format("--port %s=PORT", port);
	if (role < 0)
		return must_format("\"ports: {%s: PORT}\" to this use", port);
	return must_format("\"ports: {%s: {%s: PORT}}\" to this use", port,
			   build->use->profile->roles[role].name);
}

/* Ports that nobody pinned: an error if there is nothing to fall back to. */
static void miss_pin(struct site_build *build, const struct profile_flow *flow, unsigned int index,
		     int role)
{
	const struct profile *profile = build->use->profile;
	const struct profile_port *port = &profile->ports[index];
	AUTO_FREE char *line = port_line(build, port->name, role);

	if (build->port_said[index])
		return;
	build->port_said[index] = true;
	if (port->n_candidates)
		policy_note(build->builder.policy,
			    "all %zu candidates for port %s of %s are open: when the one in use is "
			    "known, add %s",
			    port->n_candidates, port->name, profile->name, line);
	else
		diag_at(build->diagnostics, &build->use->place,
			"flow %s/%s needs the ports \"%s\", which only the site knows: add %s",
			profile->name, flow->name, port->name, line);
}

/* ---- ports ---------------------------------------------------------------- */

static struct site_pin *find_pin(const struct site_use *use, unsigned int port, int role)
{
	struct site_pin *found = NULL;

	for (size_t i = 0; i < use->n_pins; i++) {
		struct site_pin *pin = &use->pins[i];

		if (pin->port_index != (int)port)
			continue;
		if (pin->role.text && role >= 0 && pin->role_index == role)
			return pin;
		if (!pin->role.text)
			found = pin;
	}
	return found;
}

static bool has_role_pins(const struct site_use *use, const struct profile_ports *ports)
{
	for (size_t i = 0; i < use->n_pins; i++)
		if (use->pins[i].role.text &&
		    contains(ports->named, ports->n_named, use->pins[i].port_index))
			return true;
	return false;
}

static void add_ranges(struct port_set *set, const struct port_set *more)
{
	for (size_t i = 0; i < more->count; i++)
		port_set_add(set, more->range[i]);
}

/* role: -1 where all peers have the same ports. */
static struct port_set ports_of(struct site_build *build, const struct profile_flow *flow,
				const struct profile_ports *ports, int role)
{
	struct port_set set = {};

	add_ranges(&set, &ports->set);
	for (size_t i = 0; i < ports->n_named; i++) {
		unsigned int index = ports->named[i];
		const struct profile_port *port = &build->use->profile->ports[index];
		struct site_pin *pin = find_pin(build->use, index, role);

		if (!pin && !port->has_default)
			miss_pin(build, flow, index, role);
		if (pin)
			pin->used = true;
		add_ranges(&set, pin ? &pin->set : &port->set);
	}
	port_set_settle(&set);
	return set;
}

/* ---- a profile's flows ---------------------------------------------------- */

struct part {
	const struct profile_flow *flow;
	int index; /* in the policy */
	enum side side;
	unsigned int *peers; /* roles that have addresses */
	size_t n_peers;
};

static void make_rules(struct site_build *build, const struct part *part, uint8_t protocol,
		       const unsigned int *role, size_t count, bool split)
{
	const struct profile_ports *ports =
		protocol == IPPROTO_TCP ? &part->flow->tcp : &part->flow->udp;
	struct rule rule = {.flow = (unsigned int)part->index,
			    .side = part->side,
			    .protocol = protocol,
			    .ports = ports_of(build, part->flow, ports, split ? (int)*role : -1)};
	int group = peers_group(build, role, count);

	if (group >= 0) {
		rule.group = (unsigned int)group;
		build_rules(&build->builder, &rule, &part->flow->local);
	}
	free(rule.ports.range);
}

static void make_protocol(struct site_build *build, const struct part *part, uint8_t protocol,
			  const struct profile_ports *ports)
{
	if (!ports->given)
		return;
	if (!has_role_pins(build->use, ports)) {
		make_rules(build, part, protocol, part->peers, part->n_peers, false);
		return;
	}
	for (size_t i = 0; i < part->n_peers; i++)
		make_rules(build, part, protocol, &part->peers[i], 1, true);
}

static void make_side(struct site_build *build, const struct profile_flow *flow, int index,
		      enum side side)
{
	const unsigned int *other = side == SIDE_INBOUND ? flow->from : flow->to;
	size_t others = side == SIDE_INBOUND ? flow->n_from : flow->n_to;
	AUTO_FREE unsigned int *peer = must_alloc(others, sizeof(*peer));
	struct part part = {flow, index, side, peer, 0};

	for (size_t i = 0; i < others; i++) {
		if (!peers_known(build, other[i]))
			continue;
		peer[part.n_peers++] = other[i];
		build->named[index] |= peers_named(build, other[i]);
	}
	if (!part.n_peers) {
		miss_addresses(build, flow, other, others);
		return;
	}
	for (size_t i = 0; i < others; i++)
		if (!contains(peer, part.n_peers, (int)other[i]))
			miss_role(build, flow, other[i]);
	make_protocol(build, &part, IPPROTO_TCP, &flow->tcp);
	make_protocol(build, &part, IPPROTO_UDP, &flow->udp);
}

static void make_flow(struct site_build *build, size_t i)
{
	const struct profile *profile = build->use->profile;
	const struct profile_flow *flow = &profile->flows[i];
	int role = build->use->roles;

	if (!takes_part(flow, role, SIDE_INBOUND) && !takes_part(flow, role, SIDE_REPLY))
		return;
	build->flow[i] = build_flow(&build->builder, profile->name, flow->name, &flow->place,
				    flow->source, flow->note);
	if (build->flow[i] < 0)
		return;
	for (enum side side = SIDE_INBOUND; side <= SIDE_REPLY; side++)
		if (takes_part(flow, role, side))
			make_side(build, flow, build->flow[i], side);
}

/* A control flow runs between the same roles, so it takes part if it is on. */
static void connect_control(struct site_build *build, size_t i)
{
	const struct profile *profile = build->use->profile;
	int control = profile->flows[i].requires;

	if (build->flow[i] < 0 || control < 0)
		return;
	build->builder.policy->flows[build->flow[i]].required = build->flow[control];
	if (!build->use->on[control])
		diag_at(build->diagnostics, &build->use->place,
			"flow %s/%s requires %s, which is off: enable that, too", profile->name,
			profile->flows[i].name, profile->flows[control].name);
}

static void note_unused(struct site_build *build)
{
	const struct site_use *use = build->use;
	struct policy *policy = build->builder.policy;

	for (size_t i = 0; i < use->n_roles; i++)
		if (use->addresses[i].index >= 0 && !use->addresses[i].used)
			policy_note(
				policy,
				"the addresses of role %s of %s change nothing: no flow that is "
				"on runs between it and %s",
				use->addresses[i].role.text, use->profile->name,
				use->role_name.text);
	for (size_t i = 0; i < use->n_pins; i++)
		if (use->pins[i].port_index >= 0 && !use->pins[i].used)
			policy_note(policy,
				    "the ports of %s for %s%s%s change nothing: no flow that is on "
				    "uses them",
				    use->profile->name, use->pins[i].port.text,
				    use->pins[i].role.text ? " with " : "",
				    use->pins[i].role.text ? use->pins[i].role.text : "");
}

static void forget_use(struct site_build *build)
{
	for (size_t i = 0; i < build->n_joined; i++)
		free(build->joined[i].roles);
	free(build->joined);
	free(build->flow);
	free(build->role_said);
	free(build->port_said);
	build->joined = NULL;
	build->n_joined = 0;
}

static void make_use(struct site_build *build, struct site_use *use)
{
	const struct profile *profile = use->profile;

	build->use = use;
	build->flow = must_alloc(profile->n_flows, sizeof(*build->flow));
	build->role_said = must_alloc(profile->n_roles, sizeof(*build->role_said));
	build->port_said = must_alloc(profile->n_ports, sizeof(*build->port_said));
	for (size_t i = 0; i < profile->n_flows; i++) {
		build->flow[i] = -1;
		if (use->on[i])
			make_flow(build, i);
	}
	for (size_t i = 0; i < profile->n_flows; i++)
		connect_control(build, i);
	note_unused(build);
	policy_use(build->builder.policy, profile->name, use->role_name.text, profile->title,
		   use->level.text);
	forget_use(build);
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
	build->named[index] = flow->peers.n_names;
	peers_add(build, &set, &flow->peers);
	prefix_set_settle(&set);
	group = build_group(&build->builder, &flow->place, &set,
			    flow->written ? flow->written : "");
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

static bool has_side(const struct policy *policy, size_t flow, enum side side)
{
	for (size_t i = 0; i < policy->n_rules; i++)
		if (policy->rules[i].flow == flow && policy->rules[i].side == side)
			return true;
	return false;
}

/* "PROFILE/FLOW", or the name of another flow of the site. Of several, one with this side. */
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

/* The addresses from which the control flow can have connections. */
static void control_peers(const struct policy *policy, size_t control, enum side side,
			  struct prefix_set *peers)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct prefix_set *group = &policy->groups[rule->group].prefixes;

		if (rule->flow != control || rule->side != side || rule->protocol != IPPROTO_TCP)
			continue;
		for (size_t j = 0; j < group->count; j++)
			prefix_set_add(peers, &group->prefix[j]);
	}
	prefix_set_settle(peers);
}

/* A requirement that no packet can meet would close the flow without a word. */
static void check_control(struct site_build *build, const struct site_flow *flow, size_t control)
{
	struct policy *policy = build->builder.policy;
	const struct word *requires = &flow->requires;
	const struct bkxdp_prefix *outside;
	struct prefix_set peers = {};
	char text[PREFIX_TEXT_MAX];

	control_peers(policy, control, flow->side, &peers);
	/* what a name stands for may be another address tomorrow */
	outside = build->named[control] ? NULL : prefix_set_outside(&flow->peers.prefixes, &peers);
	if (!peers.count && !build->named[control]) {
		diag_at(build->diagnostics, &requires->place,
			"flow \"%s\" has no TCP port: only a TCP connection can be live, so it "
			"cannot be what \"%s\" requires",
			requires->text, flow->name);
	} else if (outside) {
		prefix_text(outside, text);
		diag_at(build->diagnostics, &requires->place,
			"flow \"%s\" is for %s, too, from where \"%s\" takes no connection: "
			"add that to the peers of \"%s\", or take it from those of \"%s\"",
			flow->name, text, requires->text, requires->text, flow->name);
	}
	free(peers.prefix);
}

static void connect_site_flow(struct site_build *build, const struct site_flow *flow, int index)
{
	struct policy *policy = build->builder.policy;
	const struct word *requires = &flow->requires;
	int control = find_flow(policy, requires->text, flow->side);

	if (control < 0 && site_failed(build->site, build->diagnostics))
		return; /* perhaps for what was said before */
	if (control < 0) {
		diag_at(build->diagnostics, &requires->place,
			"no flow \"%.*s\" is on: write the name of another flow of this file, or "
			"PROFILE/FLOW",
			SHOWN_MAX, requires->text);
		return;
	}
	policy->flows[index].required = control;
	if (REQUIRES_ITSELF(policy->flows, policy->n_flows, required, index))
		diag_at(build->diagnostics, &requires->place,
			"flow \"%s\" requires itself in the end", flow->name);
	else if (!has_side(policy, (size_t)control, flow->side) &&
		 !site_failed(build->site, build->diagnostics))
		diag_at(build->diagnostics, &requires->place,
			"flow \"%s\" does not run in the direction of \"%s\", so it cannot be "
			"what that requires",
			requires->text, flow->name);
	else if (!site_failed(build->site, build->diagnostics))
		check_control(build, flow, (size_t)control);
}

static void make_site_flows(struct site_build *build)
{
	struct site *site = build->site;
	int first = (int)build->builder.policy->n_flows;

	for (size_t i = 0; i < site->n_flows; i++)
		make_site_flow(build, &site->flows[i]);
	if (build->builder.full)
		return;
	for (size_t i = 0; i < site->n_flows; i++)
		if (site->flows[i].requires.text)
			connect_site_flow(build, &site->flows[i], first + (int)i);
}

void site_compile(struct site *site, struct policy *policy, const struct site_lookup *lookup,
		  struct diagnostics *diag)
{
	struct site_build build = {.site = site,
				   .builder = {.policy = policy, .diagnostics = diag},
				   .diagnostics = diag};

	peers_look_up(&build, lookup->resolve);
	for (size_t i = 0; i < site->n_uses; i++)
		if (site->uses[i].roles >= 0)
			make_use(&build, &site->uses[i]);
	make_site_flows(&build);
	resolve_free(build.names, build.n_names);
	free(build.builder.hashes);
}
