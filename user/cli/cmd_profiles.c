// SPDX-License-Identifier: GPL-2.0-only
/* profiles: which profiles there are, what a role opens, and what the interface file must say. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/colour.h"
#include "base/exit.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/strbuf.h"
#include "base/strv.h"
#include "base/suggest.h"
#include "cli/cmd.h"
#include "config/profile.h"

/* "tcp 10000 (control)": the ports of one protocol in words; the caller frees it. */
static char *ports_words(const struct profile *profile, const struct profile_ports *ports,
			 const char *protocol)
{
	AUTO_FREE char *own = port_set_text(&ports->set);
	struct strbuf text;

	fprintf(strbuf_open(&text), "%s%s%s", protocol, *own ? " " : "", own);
	for (size_t i = 0; i < ports->n_named; i++) {
		const struct profile_port *port = &profile->ports[ports->named[i]];
		AUTO_FREE char *numbers = port_set_text(&port->set);

		fprintf(text.out, "%s %s (%s)", i || *own ? "," : "",
			*numbers ? numbers : "to be given", port->name);
	}
	return strbuf_close(&text);
}

/* ---- JSON ------------------------------------------------------------------- */

static json_t *ports_json(const struct profile *profile, const struct profile_ports *ports,
			  const char *protocol)
{
	AUTO_FREE char *words = ports->given ? ports_words(profile, ports, protocol) : NULL;

	return words ? json_string(words + strlen(protocol) + 1) : NULL;
}

static json_t *roles_json(const struct profile *profile, const unsigned int *role, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(profile->roles[role[i]].name));
	return list;
}

static json_t *profile_json(const struct profile *profile)
{
	json_t *roles = json_array(), *flows = json_array();

	for (size_t i = 0; i < profile->n_roles; i++)
		json_array_append_new(
			roles, json_pack("{ss ss* ss*}", "name", profile->roles[i].name, "title",
					 profile->roles[i].title, "note", profile->roles[i].note));
	for (size_t i = 0; i < profile->n_flows; i++) {
		const struct profile_flow *flow = &profile->flows[i];

		json_array_append_new(
			flows,
			json_pack("{ss so so so* so* sb ss* ss* ss* ss*}", "name", flow->name,
				  "from", roles_json(profile, flow->from, flow->n_from), "to",
				  roles_json(profile, flow->to, flow->n_to), "tcp",
				  ports_json(profile, &flow->tcp, "tcp"), "udp",
				  ports_json(profile, &flow->udp, "udp"), "optional",
				  flow->optional, "requires",
				  flow->required >= 0 ? profile->flows[flow->required].name : NULL,
				  "with", flow->with >= 0 ? profile->roles[flow->with].name : NULL,
				  "source", flow->source, "note", flow->note));
	}
	return json_pack("{ss ss* ss* ss so so}", "profile", profile->name, "title", profile->title,
			 "note", profile->note, "file", profile->file, "roles", roles, "flows",
			 flows);
}

/* ---- people ----------------------------------------------------------------- */

static void print_side(const struct profile *profile, const struct profile_flow *flow,
		       const struct profile_ports *ports, const char *protocol, const char *way,
		       const unsigned int *other, size_t others)
{
	AUTO_FREE char *words = NULL, *roles = NULL;

	if (!ports->given)
		return;
	words = ports_words(profile, ports, protocol);
	roles = profile_role_names(profile, other, others);
	printf("    %-20s %s %s, %s%s", flow->name, way, roles, words,
	       flow->optional ? " [optional]" : "");
	if (flow->required >= 0 && other == flow->from)
		printf(", needs %s%s%s", profile->flows[flow->required].name,
		       flow->with >= 0 ? " with " : "",
		       flow->with >= 0 ? profile->roles[flow->with].name : "");
	putchar('\n');
}

static void print_role_flow(const struct profile *profile, const struct profile_flow *flow,
			    unsigned int role)
{
	if (contains(flow->to, flow->n_to, role)) {
		print_side(profile, flow, &flow->tcp, "tcp", "taken from", flow->from,
			   flow->n_from);
		print_side(profile, flow, &flow->udp, "udp", "taken from", flow->from,
			   flow->n_from);
	}
	if (contains(flow->from, flow->n_from, role)) {
		print_side(profile, flow, &flow->tcp, "tcp", "answers from", flow->to, flow->n_to);
		print_side(profile, flow, &flow->udp, "udp", "answers from", flow->to, flow->n_to);
	}
}

static void print_role(const struct profile *profile, unsigned int number)
{
	const struct profile_role *role = &profile->roles[number];

	printf("\n  %s%s%s%s%s%s\n", term_colour(stdout, BOLD), role->name,
	       term_colour(stdout, PLAIN), role->title ? " (" : "", role->title ? role->title : "",
	       role->title ? ")" : "");
	if (role->note)
		printf("    note: %s\n", role->note);
	for (size_t i = 0; i < profile->n_flows; i++)
		print_role_flow(profile, &profile->flows[i], number);
}

static void print_notes(const struct profile *profile)
{
	for (size_t i = 0; i < profile->n_ports; i++)
		if (profile->ports[i].note)
			printf("  ports %s: %s\n", profile->ports[i].name, profile->ports[i].note);
	for (size_t i = 0; i < profile->n_flows; i++)
		if (profile->flows[i].note)
			printf("  flow %s: %s\n", profile->flows[i].name, profile->flows[i].note);
}

static void print_profile(const struct profile *profile)
{
	printf("%s%s%s: %s\n%s\n", term_colour(stdout, BOLD), profile->name,
	       term_colour(stdout, PLAIN), profile->title ? profile->title : "", profile->file);
	if (profile->note)
		printf("%s\n", profile->note);
	for (unsigned int i = 0; i < profile->n_roles; i++)
		print_role(profile, i);
	printf("\nNotes\n");
	print_notes(profile);
	printf("\nSources\n");
	for (size_t i = 0; i < profile->n_sources; i++)
		printf("  %s: %s\n", profile->source_keys[i], profile->sources[i]);
}

/* ---- the verb --------------------------------------------------------------- */

static struct profile *open_profile(const char *name, const struct values *dirs,
				    struct diagnostics *diag)
{
	AUTO_FREE char *path = profile_find(name, NULL, dirs->value, dirs->count);
	size_t count;
	char **names;
	const char *near;

	if (path)
		return profile_read(path, diag);
	names = profile_names(dirs->value, dirs->count, &count);
	near = suggest_nearest(name, (const char *const *)names, count);
	diag_at(diag, NULL, "there is no profile \"%s\"%s%s%s; \"bkxdp profiles\" lists them", name,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	strv_free(names, count);
	return NULL;
}

static void show(const struct profile *profile, bool json, json_t *list)
{
	if (json)
		json_array_append_new(list, profile_json(profile));
	else
		printf("%-32s %s\n", profile->name, profile->title ? profile->title : "");
}

static void list_all(const struct values *dirs, bool json, struct diagnostics *diag)
{
	size_t count;
	char **names = profile_names(dirs->value, dirs->count, &count);
	json_t *list = json_array();

	if (!count)
		diag_at(diag, NULL, "no profiles were found; --profiles DIR says where they are");
	for (size_t i = 0; i < count; i++) {
		struct profile *profile = open_profile(names[i], dirs, diag);

		if (profile)
			show(profile, json, list);
		profile_free(profile);
	}
	strv_free(names, count);
	if (json) {
		json_dumpf(list, stdout, JSON_INDENT(1));
		putchar('\n');
	}
	json_decref(list);
}

static void show_one(const char *name, const struct values *dirs, bool json,
		     struct diagnostics *diag)
{
	struct profile *profile = open_profile(name, dirs, diag);
	json_t *object = profile && json ? profile_json(profile) : NULL;

	if (object) {
		json_dumpf(object, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(object);
	} else if (profile) {
		print_profile(profile);
	}
	profile_free(profile);
}

int cmd_profiles(int argc, char **argv)
{
	struct values dirs = {};
	bool json = false;
	const struct option_row rows[] = {
		{"json", NULL, "for programs", .set = &json},
		{"profiles", "DIR", "look for profiles here first", .values = &dirs},
	};
	const struct usage usage = {"profiles",
				    "[NAME] [OPTION...]",
				    "Lists the profiles, or shows one: its roles, what each role "
				    "opens, notes, sources.\n",
				    rows,
				    sizeof(rows) / sizeof(*rows),
				    0,
				    1};
	struct diagnostics diag = {};
	char **operands;
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status < 0) {
		if (count)
			show_one(operands[0], &dirs, json, &diag);
		else
			list_all(&dirs, json, &diag);
		diag_print(&diag);
		status = diag.count ? EXIT_FAILED : EXIT_DONE;
	}
	diag_free(&diag);
	free(dirs.value);
	return status;
}
