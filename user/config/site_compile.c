// SPDX-License-Identifier: GPL-2.0-only
/* struct site -> flows, rules and groups, in the order in which the datapath tries them. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/site_making.h"
#include "config/yaml_fields.h"

/* ---- what is missing ------------------------------------------------------ */

static void miss_addresses(struct making *making, const struct profile_flow *flow,
			   const unsigned int *role, size_t count)
{
	const struct profile *profile = making->use->profile;
	const struct profile_role *first = &profile->role[role[0]];
	AUTO_FREE char *roles = role_list(profile, role, count), *line = NULL;

	if (making->role_said[role[0]])
		return;
	making->role_said[role[0]] = true;
	line = making->site->file
		       ? must_format("\"addresses: {%s: [ADDRESS]}\" to this use", first->name)
		       : must_format("--address %s=ADDRESS", first->name);
	complain(making->complaints, &making->use->place,
		 "flow %s/%s needs the addresses of role %s%s: add %s", profile->name, flow->name,
		 roles, first->hosts ? ", as none of the documented names can be looked up" : "",
		 line);
}

static void miss_role(struct making *making, const struct profile_flow *flow, unsigned int role)
{
	const struct profile *profile = making->use->profile;

	if (making->role_said[role])
		return;
	making->role_said[role] = true;
	policy_note(making->builder.policy,
		    "role %s of %s has no address: flow %s runs with the other roles only",
		    profile->role[role].name, profile->name, flow->name);
}

/* What to write, for one role or for all (-1). */
static char *port_line(const struct making *making, const char *port, int role)
{
	if (!making->site->file)
		return must_format("--port %s=PORT", port);
	if (role < 0)
		return must_format("\"ports: {%s: PORT}\" to this use", port);
	return must_format("\"ports: {%s: {%s: PORT}}\" to this use", port,
			   making->use->profile->role[role].name);
}

/* Ports that nobody pinned: an error if there is nothing to fall back to. */
static void miss_pin(struct making *making, const struct profile_flow *flow, unsigned int index,
		     int role)
{
	const struct profile *profile = making->use->profile;
	const struct profile_port *port = &profile->port[index];
	AUTO_FREE char *line = port_line(making, port->name, role);

	if (making->port_said[index])
		return;
	making->port_said[index] = true;
	if (port->candidates)
		policy_note(making->builder.policy,
			    "all %zu candidates for port %s of %s are open: when the one in use is "
			    "known, add %s",
			    port->candidates, port->name, profile->name, line);
	else
		complain(making->complaints, &making->use->place,
			 "flow %s/%s needs the ports \"%s\", which only the site knows: add %s",
			 profile->name, flow->name, port->name, line);
}

/* ---- ports ---------------------------------------------------------------- */

static struct site_pin *find_pin(const struct site_use *use, unsigned int port, int role)
{
	struct site_pin *found = NULL;

	for (size_t i = 0; i < use->pins; i++) {
		struct site_pin *pin = &use->pin[i];

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
	for (size_t i = 0; i < use->pins; i++)
		if (use->pin[i].role.text &&
		    contains(ports->named, ports->nameds, use->pin[i].port_index))
			return true;
	return false;
}

static void add_ranges(struct port_set *set, const struct port_set *more)
{
	for (size_t i = 0; i < more->count; i++)
		port_set_add(set, more->range[i]);
}

/* role: -1 where all peers have the same ports. */
static struct port_set ports_of(struct making *making, const struct profile_flow *flow,
				const struct profile_ports *ports, int role)
{
	struct port_set set = {};

	add_ranges(&set, &ports->set);
	for (size_t i = 0; i < ports->nameds; i++) {
		unsigned int index = ports->named[i];
		const struct profile_port *port = &making->use->profile->port[index];
		struct site_pin *pin = find_pin(making->use, index, role);

		if (!pin && !port->has_default)
			miss_pin(making, flow, index, role);
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
	unsigned int *peer; /* roles that have addresses */
	size_t peers;
};

static void make_rules(struct making *making, const struct part *part, uint8_t protocol,
		       const unsigned int *role, size_t count, bool split)
{
	const struct profile_ports *ports =
		protocol == IPPROTO_TCP ? &part->flow->tcp : &part->flow->udp;
	struct rule rule = {.flow = (unsigned int)part->index,
			    .side = part->side,
			    .protocol = protocol,
			    .ports = ports_of(making, part->flow, ports, split ? (int)*role : -1)};
	int group = peers_group(making, role, count);

	if (group >= 0) {
		rule.group = (unsigned int)group;
		build_rules(&making->builder, &rule, &part->flow->local);
	}
	free(rule.ports.range);
}

static void make_protocol(struct making *making, const struct part *part, uint8_t protocol,
			  const struct profile_ports *ports)
{
	if (!ports->given)
		return;
	if (!has_role_pins(making->use, ports)) {
		make_rules(making, part, protocol, part->peer, part->peers, false);
		return;
	}
	for (size_t i = 0; i < part->peers; i++)
		make_rules(making, part, protocol, &part->peer[i], 1, true);
}

static void make_side(struct making *making, const struct profile_flow *flow, int index,
		      enum side side)
{
	const unsigned int *other = side == SIDE_INBOUND ? flow->from : flow->to;
	size_t others = side == SIDE_INBOUND ? flow->froms : flow->tos;
	AUTO_FREE unsigned int *peer = must_alloc(others, sizeof(*peer));
	struct part part = {flow, index, side, peer, 0};

	for (size_t i = 0; i < others; i++) {
		if (!peers_known(making, other[i]))
			continue;
		peer[part.peers++] = other[i];
		making->named[index] |= peers_named(making, other[i]);
	}
	if (!part.peers) {
		miss_addresses(making, flow, other, others);
		return;
	}
	for (size_t i = 0; i < others; i++)
		if (!contains(peer, part.peers, (int)other[i]))
			miss_role(making, flow, other[i]);
	make_protocol(making, &part, IPPROTO_TCP, &flow->tcp);
	make_protocol(making, &part, IPPROTO_UDP, &flow->udp);
}

static void make_flow(struct making *making, size_t i)
{
	const struct profile *profile = making->use->profile;
	const struct profile_flow *flow = &profile->flow[i];
	int role = making->use->role;

	if (!takes_part(flow, role, SIDE_INBOUND) && !takes_part(flow, role, SIDE_REPLY))
		return;
	making->flow[i] = build_flow(&making->builder, profile->name, flow->name, &flow->place,
				     flow->source, flow->note);
	if (making->flow[i] < 0)
		return;
	for (enum side side = SIDE_INBOUND; side <= SIDE_REPLY; side++)
		if (takes_part(flow, role, side))
			make_side(making, flow, making->flow[i], side);
}

/* A control flow runs between the same roles, so it takes part if it is on. */
static void connect_control(struct making *making, size_t i)
{
	const struct profile *profile = making->use->profile;
	int control = profile->flow[i].requires;

	if (making->flow[i] < 0 || control < 0)
		return;
	making->builder.policy->flow[making->flow[i]].requires = making->flow[control];
	if (!making->use->on[control])
		complain(making->complaints, &making->use->place,
			 "flow %s/%s requires %s, which is off: enable that, too", profile->name,
			 profile->flow[i].name, profile->flow[control].name);
}

static void note_unused(struct making *making)
{
	const struct site_use *use = making->use;
	struct policy *policy = making->builder.policy;

	for (size_t i = 0; i < use->roles; i++)
		if (use->addresses[i].index >= 0 && !use->addresses[i].used)
			policy_note(
				policy,
				"the addresses of role %s of %s change nothing: no flow that is "
				"on runs between it and %s",
				use->addresses[i].role.text, use->profile->name,
				use->role_name.text);
	for (size_t i = 0; i < use->pins; i++)
		if (use->pin[i].port_index >= 0 && !use->pin[i].used)
			policy_note(policy,
				    "the ports of %s for %s%s%s change nothing: no flow that is on "
				    "uses them",
				    use->profile->name, use->pin[i].port.text,
				    use->pin[i].role.text ? " with " : "",
				    use->pin[i].role.text ? use->pin[i].role.text : "");
}

static void forget_use(struct making *making)
{
	for (size_t i = 0; i < making->mets; i++)
		free(making->met[i].roles);
	free(making->met);
	free(making->flow);
	free(making->role_said);
	free(making->port_said);
	making->met = NULL;
	making->mets = 0;
}

static void make_use(struct making *making, struct site_use *use)
{
	const struct profile *profile = use->profile;

	making->use = use;
	making->flow = must_alloc(profile->flows, sizeof(*making->flow));
	making->role_said = must_alloc(profile->roles, sizeof(*making->role_said));
	making->port_said = must_alloc(profile->ports, sizeof(*making->port_said));
	for (size_t i = 0; i < profile->flows; i++) {
		making->flow[i] = -1;
		if (use->on[i])
			make_flow(making, i);
	}
	for (size_t i = 0; i < profile->flows; i++)
		connect_control(making, i);
	note_unused(making);
	policy_use(making->builder.policy, profile->name, use->role_name.text, profile->title,
		   use->level.text);
	forget_use(making);
}

/* ---- the site's own flows ------------------------------------------------- */

static void make_site_flow(struct making *making, const struct site_flow *flow)
{
	const struct port_set *ports[] = {&flow->tcp, &flow->udp};
	static const uint8_t protocol[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct prefix_set set = {};
	int index = build_flow(&making->builder, SITE_PROFILE, flow->name, &flow->place, NULL,
			       flow->note);
	int group;

	if (index < 0)
		return;
	making->named[index] = flow->peers.names;
	peers_add(making, &set, &flow->peers);
	prefix_set_settle(&set);
	group = build_group(&making->builder, &flow->place, &set,
			    flow->written ? flow->written : "");
	for (size_t i = 0; group >= 0 && i < 2; i++) {
		struct rule rule = {.flow = (unsigned int)index,
				    .side = flow->side,
				    .protocol = protocol[i],
				    .ports = *ports[i],
				    .group = (unsigned int)group};

		if (ports[i]->count)
			build_rules(&making->builder, &rule, &flow->local);
	}
}

static bool has_side(const struct policy *policy, size_t flow, enum side side)
{
	for (size_t i = 0; i < policy->rules; i++)
		if (policy->rule[i].flow == flow && policy->rule[i].side == side)
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

	for (size_t i = 0; i < policy->flows; i++) {
		const struct flow *flow = &policy->flow[i];

		if (strlen(flow->profile) != length || memcmp(flow->profile, profile, length) ||
		    strcmp(flow->name, slash ? slash + 1 : name))
			continue;
		found = (int)i;
		if (has_side(policy, i, side))
			break;
	}
	return found;
}

static bool goes_round(const struct policy *policy, int start)
{
	int at = policy->flow[start].requires;

	for (size_t steps = 0; at >= 0 && steps < policy->flows; steps++) {
		if (at == start)
			return true;
		at = policy->flow[at].requires;
	}
	return false;
}

/* The addresses from which the control flow can have connections. */
static void control_peers(const struct policy *policy, size_t control, enum side side,
			  struct prefix_set *peers)
{
	for (size_t i = 0; i < policy->rules; i++) {
		const struct rule *rule = &policy->rule[i];
		const struct prefix_set *group = &policy->group[rule->group].prefixes;

		if (rule->flow != control || rule->side != side || rule->protocol != IPPROTO_TCP)
			continue;
		for (size_t j = 0; j < group->count; j++)
			prefix_set_add(peers, &group->prefix[j]);
	}
	prefix_set_settle(peers);
}

/* A requirement that no packet can meet would close the flow without a word. */
static void check_control(struct making *making, const struct site_flow *flow, size_t control)
{
	struct policy *policy = making->builder.policy;
	const struct word *requires = &flow->requires;
	const struct bkxdp_prefix *outside;
	struct prefix_set peers = {};
	char text[PREFIX_TEXT_MAX];

	control_peers(policy, control, flow->side, &peers);
	/* what a name stands for may be another address tomorrow */
	outside = making->named[control] ? NULL : prefix_set_outside(&flow->peers.prefixes, &peers);
	if (!peers.count && !making->named[control]) {
		complain(making->complaints, &requires->place,
			 "flow \"%s\" has no TCP port: only a TCP connection can be live, so it "
			 "cannot be what \"%s\" requires",
			 requires->text, flow->name);
	} else if (outside) {
		prefix_text(outside, text);
		complain(making->complaints, &requires->place,
			 "flow \"%s\" is for %s, too, from where \"%s\" takes no connection: "
			 "add that to the peers of \"%s\", or take it from those of \"%s\"",
			 flow->name, text, requires->text, requires->text, flow->name);
	}
	free(peers.prefix);
}

static void connect_site_flow(struct making *making, const struct site_flow *flow, int index)
{
	struct policy *policy = making->builder.policy;
	const struct word *requires = &flow->requires;
	int control = find_flow(policy, requires->text, flow->side);

	if (control < 0 && site_failed(making->site, making->complaints))
		return; /* perhaps for what was said before */
	if (control < 0) {
		complain(making->complaints, &requires->place,
			 "no flow \"%.*s\" is on: write the name of another flow of this file, or "
			 "PROFILE/FLOW",
			 SHOWN_MAX, requires->text);
		return;
	}
	policy->flow[index].requires = control;
	if (goes_round(policy, index))
		complain(making->complaints, &requires->place,
			 "flow \"%s\" requires itself in the end", flow->name);
	else if (!has_side(policy, (size_t)control, flow->side) &&
		 !site_failed(making->site, making->complaints))
		complain(making->complaints, &requires->place,
			 "flow \"%s\" does not run in the direction of \"%s\", so it cannot be "
			 "what that requires",
			 requires->text, flow->name);
	else if (!site_failed(making->site, making->complaints))
		check_control(making, flow, (size_t)control);
}

static void make_site_flows(struct making *making)
{
	struct site *site = making->site;
	int first = (int)making->builder.policy->flows;

	for (size_t i = 0; i < site->flows; i++)
		make_site_flow(making, &site->flow[i]);
	if (making->builder.full)
		return;
	for (size_t i = 0; i < site->flows; i++)
		if (site->flow[i].requires.text)
			connect_site_flow(making, &site->flow[i], first + (int)i);
}

void site_compile(struct site *site, struct policy *policy, const struct site_lookup *lookup,
		  struct complaints *complaints)
{
	struct making making = {.site = site,
				.builder = {.policy = policy, .complaints = complaints},
				.complaints = complaints};

	peers_look_up(&making, lookup->resolve);
	for (size_t i = 0; i < site->uses; i++)
		if (site->use[i].role >= 0)
			make_use(&making, &site->use[i]);
	make_site_flows(&making);
	resolve_free(making.name, making.names);
	free(making.builder.hash);
}
