// SPDX-License-Identifier: GPL-2.0-only
/* Reads a profile file to a struct profile. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "config/profile.h"
#include "config/yaml_fields.h"
#include "net/hostname.h"
#include "policy/policy.h"

#define ROLES_MAX 256
#define PORTS_MAX 256

/* requires: as it is written. */
struct required_words {
	const struct value *flow; /* or NULL */
	const struct value *with; /* the role, or NULL */
};

/* What a flow requires may come later in the file, so it is looked up when all flows are read. */
struct profile_reader {
	struct profile *profile;
	struct required_words *required; /* of each flow */
	size_t n_required;
};

struct role_indices {
	unsigned int *index;
	size_t count;
};

struct flow_draft {
	struct profile_flow flow;
	struct role_indices from, to;
	struct required_words required;
};

static struct profile *profile_of(struct document *document)
{
	return ((struct profile_reader *)document->owner)->profile;
}

/* ---- roles ---------------------------------------------------------------- */

static void read_address(struct document *document, const struct value *value, void *field)
{
	struct place place = value_place(document, value);

	if (!strcmp(value->text, "any"))
		diag_value(document, value,
			   "\"any\" can only be written in an interface file: "
			   "a profile holds what the vendor documents");
	else
		add_prefix(document->diagnostics, &place, value->text, field);
}

static void read_level(struct document *document, const struct value *list, const char *level,
		       struct profile_role *role)
{
	struct profile_addresses *addresses = APPEND(role->addresses, role->n_addresses);

	memcpy(addresses->level, level, strlen(level) + 1);
	if (!value_is(document, list, VALUE_LIST))
		return;
	read_words(document, list, read_address, &addresses->prefixes);
	prefix_set_normalize(&addresses->prefixes);
}

/* The value is a list, or a map with a list for each level. */
static void read_addresses(struct document *document, const struct value *value, void *field)
{
	static const char *const level[] = {"recommended", "minimum", "strict"};

	if (value->type != VALUE_MAP) {
		read_level(document, value, "", field);
		return;
	}
	if (!value->child)
		diag_value(document, value, "the map is empty");
	FOR_KEYS (key, value) {
		AUTO_FREE char *suggestion = suggest(key->text, level, 3);
		size_t known = 0;

		while (known < 3 && strcmp(level[known], key->text))
			known++;
		if (known < 3)
			read_level(document, key->next, level[known], field);
		else
			diag_value(document, key, "unknown level \"%.*s\"%s", SHOWN_MAX, key->text,
				   suggestion);
	}
}

static void read_host(struct document *document, const struct value *value, void *field)
{
	struct profile_role *role = field;

	if (hostname_is_valid(value->text))
		*APPEND(role->hosts, role->n_hosts) = must_copy(value->text);
	else
		diag_value(document, value, "\"%.*s\" is not a host name%s", SHOWN_MAX, value->text,
			   looks_like_prefix(value->text) ? ": addresses belong in addresses:"
							  : "");
}

static void read_hosts(struct document *document, const struct value *value, void *field)
{
	if (value_is(document, value, VALUE_LIST))
		read_words(document, value, read_host, field);
}

static const struct key role_keys[] = {
	{"title", read_text, offsetof(struct profile_role, title), false},
	{"note", read_text, offsetof(struct profile_role, note), false},
	{"addresses", read_addresses, 0, false},
	{"hosts", read_hosts, 0, false},
};

static void read_roles(struct document *document, const struct value *map, void *field)
{
	struct profile *profile = field;

	if (!value_is(document, map, VALUE_MAP))
		return;
	FOR_KEYS (key, map) {
		struct profile_role role = {.place = value_place(document, key)};

		if (profile->n_roles == ROLES_MAX) {
			diag_value(document, key, "more than %u roles", ROLES_MAX);
			return;
		}
		read_name(document, key, role.name);
		MAP_READ(document, key->next, role_keys, &role);
		if (!role.title)
			role.title = must_copy(role.name);
		*APPEND(profile->roles, profile->n_roles) = role;
	}
}

/* ---- ports ---------------------------------------------------------------- */

static void read_default(struct document *document, const struct value *value, void *field)
{
	struct profile_port *port = field;

	port->has_default = true;
	read_ports(document, value, &port->set);
}

static void read_minimum(struct document *document, const struct value *value, void *field)
{
	struct port_range number;
	const char *problem;

	if (!value_is(document, value, VALUE_WORD))
		return;
	if (port_range_parse(value->text, &number, &problem) || number.low != number.high)
		diag_value(document, value, "\"%.*s\" is not a number from 1 to 65535", SHOWN_MAX,
			   value->text);
	else
		*(unsigned int *)field = number.low;
}

static void read_candidate(struct document *document, const struct value *value, void *field)
{
	struct profile_port *port = field;
	struct port_range range;
	const char *problem;

	if (port_range_parse(value->text, &range, &problem)) {
		diag_value(document, value, "\"%.*s\" %s", SHOWN_MAX, value->text, problem);
		return;
	}
	if (range.low != range.high) {
		diag_value(document, value, "\"%.*s\" is a range: candidates are single ports",
			   SHOWN_MAX, value->text);
		return;
	}
	for (size_t i = 0; i < port->n_candidates; i++)
		if (port->candidates[i] == range.low)
			diag_value(document, value, "candidate %u is repeated",
				   (unsigned int)range.low);
	*APPEND(port->candidates, port->n_candidates) = range.low;
}

static void read_candidates(struct document *document, const struct value *value, void *field)
{
	struct profile_port *port = field;

	if (!value_is(document, value, VALUE_LIST))
		return;
	if (port->has_default)
		diag_value(document, value,
			   "default and candidates exclude each other: all candidates are "
			   "open until the interface file chooses one");
	read_words(document, value, read_candidate, port);
	for (size_t i = 0; i < port->n_candidates; i++)
		port_set_add(&port->set,
			     (struct port_range){port->candidates[i], port->candidates[i]});
	port_set_normalize(&port->set);
}

static const struct key port_keys[] = {
	{"default", read_default, 0, false},
	{"candidates", read_candidates, 0, false},
	{"minimum", read_minimum, offsetof(struct profile_port, minimum), false},
	{"note", read_text, offsetof(struct profile_port, note), false},
};

static void check_port(struct document *document, const struct value *key,
		       const struct profile_port *port)
{
	if (*port->name && looks_like_ports(port->name))
		diag_value(document, key,
			   "the name \"%s\" looks like a port: it must have a letter", port->name);
	if (port->has_default && port->set.count && port_set_size(&port->set) < port->minimum)
		diag_value(document, key, "the default has %u ports, the minimum is %u",
			   port_set_size(&port->set), port->minimum);
}

static void read_port_map(struct document *document, const struct value *map, void *field)
{
	struct profile *profile = field;

	if (!value_is(document, map, VALUE_MAP))
		return;
	FOR_KEYS (key, map) {
		struct profile_port port = {.place = value_place(document, key)};

		if (profile->n_ports == PORTS_MAX) {
			diag_value(document, key, "more than %u names of ports", PORTS_MAX);
			return;
		}
		read_name(document, key, port.name);
		MAP_READ(document, key->next, port_keys, &port);
		check_port(document, key, &port);
		*APPEND(profile->ports, profile->n_ports) = port;
	}
}

/* ---- flows ---------------------------------------------------------------- */

static void read_role_name(struct document *document, const struct value *value, void *field)
{
	const struct profile *profile = profile_of(document);
	int role = profile_role_index(profile, value->text);
	struct role_indices *list = field;

	if (role < 0) {
		AUTO_FREE char *suggestion =
			SUGGEST_NAMED(value->text, profile->roles, profile->n_roles);

		diag_value(document, value, "unknown role \"%.*s\"%s", SHOWN_MAX, value->text,
			   suggestion);
		return;
	}
	for (size_t i = 0; i < list->count; i++)
		if (list->index[i] == (unsigned int)role) {
			diag_value(document, value, "role \"%s\" is repeated", value->text);
			return;
		}
	*APPEND(list->index, list->count) = (unsigned int)role;
}

static void read_role_names(struct document *document, const struct value *value, void *field)
{
	read_words(document, value, read_role_name, field);
}

static void read_flow_port(struct document *document, const struct value *value, void *field)
{
	const struct profile *profile = profile_of(document);
	struct place place = value_place(document, value);
	struct profile_ports *ports = field;
	int named;

	if (looks_like_ports(value->text)) {
		add_ports(document->diagnostics, &place, value->text, &ports->set);
		return;
	}
	named = FIND_NAMED(value->text, profile->ports, profile->n_ports);
	if (named < 0) {
		AUTO_FREE char *suggestion =
			SUGGEST_NAMED(value->text, profile->ports, profile->n_ports);

		diag_value(document, value, "\"%.*s\" is neither a port nor a name under ports%s",
			   SHOWN_MAX, value->text, suggestion);
		return;
	}
	*APPEND(ports->named, ports->n_named) = (unsigned int)named;
}

static void read_flow_ports(struct document *document, const struct value *value, void *field)
{
	struct profile_ports *ports = field;

	ports->given = true;
	read_words(document, value, read_flow_port, ports);
	port_set_normalize(&ports->set);
}

static void read_source(struct document *document, const struct value *value, void *field)
{
	const struct profile *profile = profile_of(document);
	const char *const *known = (const char *const *)profile->source_keys;

	if (!value_is(document, value, VALUE_WORD))
		return;
	for (size_t i = 0; i < profile->n_sources; i++)
		if (!strcmp(known[i], value->text)) {
			*(char **)field = must_copy(profile->sources[i]);
			return;
		}

	AUTO_FREE char *suggestion = suggest(value->text, known, profile->n_sources);

	diag_value(document, value, "\"%.*s\" is not a key under sources%s", SHOWN_MAX, value->text,
		   suggestion);
}

static void read_value(struct document *document, const struct value *value, void *field)
{
	if (value_is(document, value, VALUE_WORD))
		*(const struct value **)field = value;
}

static const struct key required_keys[] = {
	{"flow", read_value, offsetof(struct required_words, flow), true},
	{"with", read_value, offsetof(struct required_words, with), true},
};

/* The value is a flow, or a map. */
static void read_required(struct document *document, const struct value *value, void *field)
{
	struct required_words *words = field;

	if (value->type == VALUE_MAP)
		MAP_READ(document, value, required_keys, words);
	else
		read_value(document, value, &words->flow);
}

static const struct key flow_keys[] = {
	{"name", read_name, offsetof(struct flow_draft, flow.name), true},
	{"from", read_role_names, offsetof(struct flow_draft, from), true},
	{"to", read_role_names, offsetof(struct flow_draft, to), true},
	{"tcp", read_flow_ports, offsetof(struct flow_draft, flow.tcp), false},
	{"udp", read_flow_ports, offsetof(struct flow_draft, flow.udp), false},
	{"source", read_source, offsetof(struct flow_draft, flow.source), false},
	{"optional", read_bool, offsetof(struct flow_draft, flow.optional), false},
	{"exclusive", read_name, offsetof(struct flow_draft, flow.exclusive), false},
	{"requires", read_required, offsetof(struct flow_draft, required), false},
	{"local-ports", read_ports, offsetof(struct flow_draft, flow.local), false},
	{"note", read_text, offsetof(struct flow_draft, flow.note), false},
};

static void check_flow(struct document *document, const struct value *item,
		       const struct profile_flow *flow)
{
	const struct profile *profile = profile_of(document);

	if (!flow->tcp.given && !flow->udp.given)
		diag_value(document, item, "flow \"%s\" has neither tcp: nor udp:", flow->name);
	if (!*flow->name)
		return;
	for (size_t i = 0; i < profile->n_flows; i++) {
		const struct profile_flow *other = &profile->flows[i];

		if (!strcmp(other->name, flow->name))
			diag_value(document, item,
				   "flow \"%s\" is repeated: the first one is in line %u",
				   flow->name, other->place.line);
		else if (*flow->exclusive && !flow->optional && !other->optional &&
			 !strcmp(other->exclusive, flow->exclusive))
			diag_value(document, item,
				   "flows \"%s\" and \"%s\" of the exclusive group \"%s\" are "
				   "both on: make one of them optional",
				   other->name, flow->name, flow->exclusive);
	}
}

static void read_flow(struct document *document, const struct value *item, void *field)
{
	struct flow_draft draft = {
		.flow = {.required = -1, .with = -1, .place = value_place(document, item)}};
	struct profile_reader *reader = document->owner;
	struct profile *profile = field;

	MAP_READ(document, item, flow_keys, &draft);
	if (item->type == VALUE_MAP)
		check_flow(document, item, &draft.flow);
	draft.flow.from = draft.from.index;
	draft.flow.n_from = draft.from.count;
	draft.flow.to = draft.to.index;
	draft.flow.n_to = draft.to.count;
	*APPEND(profile->flows, profile->n_flows) = draft.flow;
	*APPEND(reader->required, reader->n_required) = draft.required;
}

static void read_flows(struct document *document, const struct value *list, void *field)
{
	struct profile *profile = field;

	if (!value_is(document, list, VALUE_LIST))
		return;
	if (!list->child)
		diag_value(document, list,
			   "the list is empty: a profile must have at least one flow");
	FOR_ITEMS (item, list) {
		if (profile->n_flows == BKXDP_FLOWS_MAX) {
			diag_value(document, item, "more than %u flows", BKXDP_FLOWS_MAX);
			return;
		}
		read_flow(document, item, profile);
	}
}

/* Returns the first of these roles that is not among the others, or NULL. */
static const char *role_outside(const struct profile *profile, const unsigned int *roles,
				size_t n_roles, const unsigned int *others, size_t n_others)
{
	for (size_t i = 0; i < n_roles; i++)
		if (!contains(others, n_others, (int)roles[i]))
			return profile->roles[roles[i]].name;
	return NULL;
}

/* Do hosts of this role have connections of the control flow with hosts of the other role? */
static bool runs_between(const struct profile_flow *control, unsigned int role, int other)
{
	return (contains(control->to, control->n_to, (int)role) &&
		contains(control->from, control->n_from, other)) ||
	       (contains(control->from, control->n_from, (int)role) &&
		contains(control->to, control->n_to, other));
}

/* Every host that the flow is opened to must be able to have the connection. */
static void check_with(struct document *document, const struct profile_flow *flow,
		       const struct profile_flow *control, const struct value *value)
{
	const struct profile *profile = profile_of(document);

	for (size_t i = 0; flow->with >= 0 && i < flow->n_to; i++) {
		if (runs_between(control, flow->to[i], flow->with))
			continue;
		diag_value(document, value,
			   "flow \"%s\" requires \"%s\" (line %u) with role %s, but that flow does "
			   "not run between %s and role %s, to which \"%s\" is opened: name a role "
			   "that it runs with",
			   flow->name, control->name, control->place.line,
			   profile->roles[flow->with].name, profile->roles[flow->with].name,
			   profile->roles[flow->to[i]].name, flow->name);
		return;
	}
}

static void check_roles(struct document *document, const struct profile_flow *flow,
			const struct profile_flow *control, const struct value *value)
{
	const struct profile *profile = profile_of(document);
	const char *from =
		role_outside(profile, flow->from, flow->n_from, control->from, control->n_from);
	const char *to = role_outside(profile, flow->to, flow->n_to, control->to, control->n_to);

	if (from || to)
		diag_value(document, value,
			   "flow \"%s\" requires \"%s\" (line %u), which does not run %s role %s: "
			   "only a flow between the same roles in the same direction can be "
			   "required, unless {flow: %s, with: ROLE} names the role that the "
			   "connection is with",
			   flow->name, control->name, control->place.line, from ? "from" : "to",
			   from ? from : to, control->name);
}

static void check_required(struct document *document, const struct profile_flow *flow,
			   const struct profile_flow *control, const struct required_words *words)
{
	const struct value *value = words->flow;

	if (words->with)
		check_with(document, flow, control, words->with);
	else
		check_roles(document, flow, control, value);
	if (!control->tcp.given)
		diag_value(
			document, value,
			"flow \"%s\" requires \"%s\" (line %u), which has no TCP port: only a TCP "
			"connection can be live; add tcp: to \"%s\", or require another flow",
			flow->name, control->name, control->place.line, control->name);
}

static void resolve_with(struct document *document, struct profile_flow *flow,
			 const struct value *value)
{
	const struct profile *profile = profile_of(document);

	flow->with = profile_role_index(profile, value->text);
	if (flow->with < 0) {
		AUTO_FREE char *suggestion =
			SUGGEST_NAMED(value->text, profile->roles, profile->n_roles);

		diag_value(document, value, "unknown role \"%.*s\"%s", SHOWN_MAX, value->text,
			   suggestion);
	}
}

static void resolve_required(struct document *document, struct profile_flow *flow,
			     const struct required_words *words)
{
	const struct profile *profile = profile_of(document);
	const struct value *value = words->flow;
	int index = FIND_NAMED(value->text, profile->flows, profile->n_flows);

	if (index < 0) {
		AUTO_FREE char *suggestion =
			SUGGEST_NAMED(value->text, profile->flows, profile->n_flows);

		diag_value(document, value, "unknown flow \"%.*s\"%s", SHOWN_MAX, value->text,
			   suggestion);
		return;
	}
	if (words->with)
		resolve_with(document, flow, words->with);
	check_required(document, flow, &profile->flows[index], words);
	flow->required = index;
}

static void resolve_all_required(struct document *document)
{
	struct profile_reader *reader = document->owner;
	struct profile *profile = reader->profile;

	for (size_t i = 0; i < profile->n_flows; i++)
		if (reader->required[i].flow)
			resolve_required(document, &profile->flows[i], &reader->required[i]);
	for (size_t i = 0; i < profile->n_flows; i++)
		if (REQUIRES_ITSELF(profile->flows, profile->n_flows, required, (int)i))
			diag_value(
				document, reader->required[i].flow,
				"flow \"%s\" requires itself, directly or through other flows, so "
				"nothing could open it: take requires: out of one of them",
				profile->flows[i].name);
}

/* ---- the file ------------------------------------------------------------- */

static void read_profile_name(struct document *document, const struct value *value, void *field)
{
	const char *slash = strrchr(document->file, '/');
	const char *base = slash ? slash + 1 : document->file;
	char *name = field;
	size_t length;

	read_name(document, value, name);
	if (!*name)
		return;
	length = strlen(name);
	if (strncmp(base, name, length) || strcmp(base + length, ".yaml"))
		diag_value(document, value,
			   "profile \"%s\" must be in a file named %s.yaml, but this one is %s",
			   name, name, base);
	if (!strcmp(name, "site"))
		diag_value(document, value,
			   "the name \"site\" is reserved for the own flows of interface files");
}

static void read_sources(struct document *document, const struct value *map, void *field)
{
	struct profile *profile = field;

	if (!value_is(document, map, VALUE_MAP))
		return;
	FOR_KEYS (key, map) {
		size_t n_keys = profile->n_sources;
		char name[BKXDP_NAME_MAX] = "";
		char *text = NULL;

		read_name(document, key, name);
		read_text(document, key->next, &text);
		*APPEND(profile->source_keys, n_keys) = must_copy(name);
		*APPEND(profile->sources, profile->n_sources) = text ? text : must_copy("");
	}
}

static const struct key profile_keys[] = {
	{"profile", read_profile_name, offsetof(struct profile, name), true},
	{"title", read_text, offsetof(struct profile, title), false},
	{"note", read_text, offsetof(struct profile, note), false},
	{"sources", read_sources, 0, false},
	{"roles", read_roles, 0, true},
	{"ports", read_port_map, 0, false},
	{"flows", read_flows, 0, true},
};

struct profile *profile_read(const char *path, struct diagnostics *diag)
{
	struct profile *profile = must_alloc(1, sizeof(*profile));
	struct profile_reader reader = {.profile = profile};
	size_t n_before = diag->count + diag->n_omitted;
	struct document document;

	profile->file = must_copy(path);
	if (!document_open(&document, profile->file, PROFILE_BYTES_MAX, diag)) {
		document.owner = &reader;
		MAP_READ(&document, document.root, profile_keys, profile);
		resolve_all_required(&document);
		if (!profile->title)
			profile->title = must_copy(profile->name);
	}
	document_close(&document);
	free(reader.required);
	if (diag->count + diag->n_omitted > n_before) {
		profile_free(profile);
		return NULL;
	}
	return profile;
}
