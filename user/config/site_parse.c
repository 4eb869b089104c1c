// SPDX-License-Identifier: GPL-2.0-only
/* Reads an interface file to a struct site. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "config/site_model.h"
#include "config/yaml_fields.h"

#define WRITTEN_MAX 3 /* addresses of a list that are shown */

static void read_word(struct document *document, const struct value *value, void *field)
{
	if (value_is(document, value, VALUE_WORD))
		*(struct word *)field = make_word(value->text, value_place(document, value));
}

/* ---- addresses and ports of a use ----------------------------------------- */

static void read_address(struct document *document, const struct value *value, void *field)
{
	struct place place = value_place(document, value);

	add_address(field, &place, value->text, document->diagnostics);
}

static void read_addresses(struct document *document, const struct value *value, void *field)
{
	struct addresses *addresses = field;

	read_words(document, value, read_address, addresses);
	prefix_set_normalize(&addresses->prefixes);
}

static void read_use_addresses(struct document *document, const struct value *map, void *field)
{
	struct site_use *use = field;

	if (!value_is(document, map, VALUE_MAP))
		return;
	FOR_KEYS (key, map) {
		struct site_addresses *given = APPEND(use->addresses, use->n_addresses);

		read_word(document, key, &given->role);
		read_addresses(document, key->next, &given->addresses);
	}
}

static void read_port_choice(struct document *document, const struct value *port,
			     const struct value *role, const struct value *value,
			     struct site_use *use)
{
	struct port_choice *choice = APPEND(use->choices, use->n_choices);

	read_word(document, port, &choice->port);
	if (role)
		read_word(document, role, &choice->role);
	read_ports(document, value, &choice->set);
}

static void read_use_ports(struct document *document, const struct value *map, void *field)
{
	if (!value_is(document, map, VALUE_MAP))
		return;
	FOR_KEYS (port, map) {
		if (port->next->type != VALUE_MAP) {
			read_port_choice(document, port, NULL, port->next, field);
			continue;
		}
		if (!port->next->child)
			diag_value(document, port->next, "the map is empty");
		FOR_KEYS (role, port->next)
			read_port_choice(document, port, role, role->next, field);
	}
}

static void read_enable_word(struct document *document, const struct value *value, void *field)
{
	struct site_use *use = field;

	if (use->n_enables > BKXDP_FLOWS_MAX)
		return; /* was reported */
	if (use->n_enables == BKXDP_FLOWS_MAX)
		diag_value(document, value, "more than %u flows", BKXDP_FLOWS_MAX);
	read_word(document, value, APPEND(use->enables, use->n_enables));
}

static void read_enable(struct document *document, const struct value *value, void *field)
{
	if (value_is(document, value, VALUE_LIST))
		read_words(document, value, read_enable_word, field);
}

static const struct key use_keys[] = {
	{"profile", read_word, offsetof(struct site_use, profile_name), true},
	{"as", read_word, offsetof(struct site_use, role_name), true},
	{"level", read_word, offsetof(struct site_use, level), false},
	{"addresses", read_use_addresses, 0, false},
	{"ports", read_use_ports, 0, false},
	{"enable", read_enable, 0, false},
};

static void read_uses(struct document *document, const struct value *list, void *field)
{
	struct site *site = field;

	if (!value_is(document, list, VALUE_LIST))
		return;
	FOR_ITEMS (item, list) {
		if (site->n_uses == SITE_USES_MAX) {
			diag_value(document, item, "more than %u profiles on one interface",
				   SITE_USES_MAX);
			return;
		}

		struct site_use *use = APPEND(site->uses, site->n_uses);

		use->place = value_place(document, item);
		MAP_READ(document, item, use_keys, use);
	}
}

/* ---- the site's own flows ------------------------------------------------- */

struct endpoint {
	bool given, self;
	struct addresses addresses;
	char *peers_text;
};

struct flow_draft {
	struct site_flow flow;
	struct endpoint from, to;
	bool has_tcp, has_udp;
};

static char *addresses_text(const struct value *list)
{
	struct strbuf text;
	size_t count = 0;

	strbuf_open(&text);
	FOR_ITEMS (item, list) {
		const char *next = count < WRITTEN_MAX ? item->text : "...";

		fprintf(strbuf_next(&text, ", "), "%.*s", SHOWN_MAX, next);
		if (count++ == WRITTEN_MAX)
			break;
	}
	return strbuf_close(&text);
}

static char *written_text(const struct value *value)
{
	return value->type == VALUE_WORD ? must_copy(value->text) : addresses_text(value);
}

static void read_endpoint(struct document *document, const struct value *value, void *field)
{
	struct endpoint *endpoint = field;

	endpoint->given = true;
	endpoint->self = value->type == VALUE_WORD && !strcmp(value->text, "self");
	if (endpoint->self)
		return;
	read_addresses(document, value, &endpoint->addresses);
	endpoint->peers_text = written_text(value);
}

static void read_flow_port(struct document *document, const struct value *value, void *field)
{
	struct place place = value_place(document, value);

	if (looks_like_ports(value->text))
		add_ports(document->diagnostics, &place, value->text, field);
	else
		diag_value(document, value,
			   "\"%.*s\" is not a port: only profiles have named ports", SHOWN_MAX,
			   value->text);
}

static void read_flow_ports(struct document *document, const struct value *value, void *field)
{
	read_words(document, value, read_flow_port, field);
	port_set_normalize(field);
}

static void read_tcp(struct document *document, const struct value *value, void *field)
{
	struct flow_draft *draft = field;

	draft->has_tcp = true;
	read_flow_ports(document, value, &draft->flow.tcp);
}

static void read_udp(struct document *document, const struct value *value, void *field)
{
	struct flow_draft *draft = field;

	draft->has_udp = true;
	read_flow_ports(document, value, &draft->flow.udp);
}

/* A word without a dot, beside PROFILE/FLOW, is a role. The order of the keys guarantees the flow.
 */
static void read_with(struct document *document, const struct value *value, void *field)
{
	struct site_flow *flow = field;
	bool profile = flow->required.text && strchr(flow->required.text, '/');

	if (value->type == VALUE_WORD && profile && !strchr(value->text, '.') &&
	    !looks_like_prefix(value->text) && strcmp(value->text, "any") != 0)
		read_word(document, value, &flow->with_role);
	else
		read_addresses(document, value, &flow->with);
	free(flow->with_text);
	flow->with_text = written_text(value);
}

static const struct key required_keys[] = {
	{"flow", read_word, offsetof(struct site_flow, required), true},
	{"with", read_with, 0, true},
};

/* The value is a flow, or a map. */
static void read_required(struct document *document, const struct value *value, void *field)
{
	struct flow_draft *draft = field;

	if (value->type == VALUE_MAP)
		MAP_READ(document, value, required_keys, &draft->flow);
	else
		read_word(document, value, &draft->flow.required);
}

static const struct key flow_keys[] = {
	{"name", read_name, offsetof(struct flow_draft, flow.name), true},
	{"from", read_endpoint, offsetof(struct flow_draft, from), true},
	{"to", read_endpoint, offsetof(struct flow_draft, to), true},
	{"tcp", read_tcp, 0, false},
	{"udp", read_udp, 0, false},
	{"local-ports", read_ports, offsetof(struct flow_draft, flow.local), false},
	{"requires", read_required, 0, false},
	{"note", read_text, offsetof(struct flow_draft, flow.note), false},
};

static void check_flow(struct document *document, const struct value *item, const struct site *site,
		       const struct flow_draft *draft)
{
	const struct site_flow *flow = &draft->flow;

	if (!draft->has_tcp && !draft->has_udp)
		diag_value(document, item, "flow \"%s\" has neither tcp: nor udp:", flow->name);
	if (draft->from.given && draft->to.given && draft->from.self == draft->to.self)
		diag_value(document, item,
			   "flow \"%s\" must have \"self\", this host, %s from: and to:",
			   flow->name, draft->from.self ? "in only one of" : "in one of");
	for (size_t i = 0; i < site->n_flows; i++)
		if (*flow->name && !strcmp(site->flows[i].name, flow->name))
			diag_value(document, item,
				   "flow \"%s\" is repeated: the first one is in line %u",
				   flow->name, site->flows[i].place.line);
}

static void read_flow(struct document *document, const struct value *item, struct site *site)
{
	struct flow_draft draft = {.flow = {.place = value_place(document, item)}};
	struct endpoint *peers = &draft.from, *local = &draft.to;

	MAP_READ(document, item, flow_keys, &draft);
	if (item->type == VALUE_MAP)
		check_flow(document, item, site, &draft);
	draft.flow.side = SIDE_INBOUND;
	if (draft.from.self) {
		draft.flow.side = SIDE_REPLY;
		peers = &draft.to;
		local = &draft.from;
	}
	draft.flow.peers = peers->addresses;
	draft.flow.peers_text = peers->peers_text;
	free_addresses(&local->addresses);
	free(local->peers_text);
	*APPEND(site->flows, site->n_flows) = draft.flow;
}

static void read_flows(struct document *document, const struct value *list, void *field)
{
	struct site *site = field;

	if (!value_is(document, list, VALUE_LIST))
		return;
	FOR_ITEMS (item, list) {
		if (site->n_flows == BKXDP_FLOWS_MAX) {
			diag_value(document, item, "more than %u flows", BKXDP_FLOWS_MAX);
			return;
		}
		read_flow(document, item, site);
	}
}

/* ---- settings ------------------------------------------------------------- */

static void read_interface(struct document *document, const struct value *value, void *field)
{
	struct place place = value_place(document, value);

	if (value_is(document, value, VALUE_WORD))
		site_set_interface(field, &place, value->text, document->diagnostics);
}

static void read_mode(struct document *document, const struct value *value, void *field)
{
	int choice = read_choice(document, value, CHOICES("auto", "native", "generic"));

	if (choice >= 0)
		((struct site *)field)->mode = (enum attach_mode)choice;
}

static void read_connections(struct document *document, const struct value *value, void *field)
{
	int choice = read_choice(document, value, CHOICES("sockets", "flags"));

	if (choice >= 0)
		((struct site *)field)->settings.connections = (__u8)choice;
}

static void read_verdict(struct document *document, const struct value *value, void *field)
{
	int choice = read_choice(document, value, CHOICES("enforce", "audit"));

	if (choice >= 0)
		((struct site *)field)->settings.enforcement = (__u8)choice;
}

static void read_ping(struct document *document, const struct value *value, void *field)
{
	int choice = read_choice(document, value, CHOICES("none", "peers", "any"));

	if (choice >= 0)
		((struct site *)field)->settings.ping = (__u8)choice;
}

static void read_fragments(struct document *document, const struct value *value, void *field)
{
	int choice = read_choice(document, value, CHOICES("drop", "peers"));

	if (choice >= 0)
		((struct site *)field)->settings.fragments = (__u8)choice;
}

static void read_dhcp(struct document *document, const struct value *value, void *field)
{
	bool on = false;

	read_bool(document, value, &on);
	((struct site *)field)->settings.dhcp = on;
}

static void read_vlan(struct document *document, const struct value *value, void *field)
{
	struct bkxdp_settings *settings = field;
	struct port_range id = {};
	const char *problem;

	/* VLAN ids are parsed like ports, but 0 is valid, too */
	if (strcmp(value->text, "0") && (port_range_parse(value->text, &id, &problem) ||
					 id.low != id.high || id.low >= BKXDP_VLANS))
		diag_value(document, value, "\"%.*s\" is not a VLAN id from 0 (untagged) to 4095",
			   SHOWN_MAX, value->text);
	else
		settings->vlans[id.low / 64] |= 1ull << id.low % 64;
}

static void read_vlans(struct document *document, const struct value *value, void *field)
{
	struct bkxdp_settings *settings = &((struct site *)field)->settings;
	int choice;

	settings->vlans_any = 0;
	if (value->type == VALUE_LIST) {
		read_words(document, value, read_vlan, settings);
		return;
	}
	choice = read_choice(document, value, CHOICES("any", "none"));
	settings->vlans_any = choice == 0;
	if (choice == 1)
		settings->vlans[0] = 1;
}

static const struct key site_keys[] = {
	{"interface", read_interface, 0, false}, {"use", read_uses, 0, false},
	{"flows", read_flows, 0, false},         {"mode", read_mode, 0, false},
	{"verdict", read_verdict, 0, false},     {"connections", read_connections, 0, false},
	{"ping", read_ping, 0, false},           {"fragments", read_fragments, 0, false},
	{"vlans", read_vlans, 0, false},         {"dhcp", read_dhcp, 0, false},
};

int site_parse(struct site *site, struct diagnostics *diag)
{
	struct document document;
	int error = document_open(&document, site->file, SITE_BYTES_MAX, diag);

	if (!error)
		MAP_READ(&document, document.root, site_keys, site);
	if (!error && !site_failed(site, diag) && !site->n_uses && !site->n_flows)
		diag_value(&document, document.root,
			   "nothing is allowed: the file has neither use: nor flows:");
	document_close(&document);
	return error;
}
