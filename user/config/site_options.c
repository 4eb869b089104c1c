// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads options to a struct site. Each option counts for every use whose profile has what it
 * names.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "config/site_model.h"
#include "config/yaml_fields.h"

static const struct place from_use = {.file = "--use"};
static const struct place from_address = {.file = "--address"};
static const struct place from_port = {.file = "--port"};
static const struct place from_enable = {.file = "--enable"};

/* Returns the text before the mark; *rest is the text after it. Returns NULL if either is empty. */
static char *split(const char *text, const char *mark, const char **rest)
{
	if (!mark || mark == text || !mark[1])
		return NULL;
	*rest = mark + 1;
	return must_format("%.*s", (int)(mark - text), text);
}

void options_uses(struct site *site, const struct site_options *options, struct diagnostics *diag)
{
	if (!options->n_uses)
		diag_at(diag, &from_use, "must be given: it says what this host is");
	for (size_t i = 0; i < options->n_uses; i++) {
		const char *text = options->uses[i], *role = NULL;
		AUTO_FREE char *profile = split(text, strrchr(text, ':'), &role);
		struct site_use *use;

		if (!profile) {
			diag_at(diag, &from_use, "\"%.*s\" is not PROFILE:ROLE", SHOWN_MAX, text);
			continue;
		}
		if (site->n_uses == SITE_USES_MAX) {
			diag_at(diag, &from_use, "more than %u profiles on one interface",
				SITE_USES_MAX);
			return;
		}
		use = APPEND(site->uses, site->n_uses);
		use->place = from_use;
		use->profile_name = make_word(profile, from_use);
		use->role_name = make_word(role, from_use);
	}
}

typedef void item_reader(void *target, const char *item, struct diagnostics *diag);

static void read_items(const char *list, item_reader *read, void *target, struct diagnostics *diag)
{
	AUTO_FREE char *copy = must_copy(list);
	char *rest = copy, *item;

	while ((item = strsep(&rest, ",")))
		read(target, item, diag);
}

static void read_address(void *target, const char *item, struct diagnostics *diag)
{
	add_address(target, &from_address, item, diag);
}

static void read_port(void *target, const char *item, struct diagnostics *diag)
{
	add_ports(diag, &from_port, item, target);
}

/* ---- matching uses ------------------------------------------------------ */

enum member { ROLE, PORT, FLOW };

static const struct {
	const char *word;
	size_t first, count, stride; /* offsets in struct profile, and the size of an element */
} member[] = {
	[ROLE] = {"role", offsetof(struct profile, roles), offsetof(struct profile, n_roles),
		  sizeof(struct profile_role)},
	[PORT] = {"ports", offsetof(struct profile, ports), offsetof(struct profile, n_ports),
		  sizeof(struct profile_port)},
	[FLOW] = {"flow", offsetof(struct profile, flows), offsetof(struct profile, n_flows),
		  sizeof(struct profile_flow)},
};

static const char *names_of(const struct profile *profile, enum member kind, size_t *count)
{
	const char *base = (const char *)profile;

	*count = *(const size_t *)(base + member[kind].count);
	return *(const char *const *)(base + member[kind].first);
}

static bool profile_has(const struct site_use *use, enum member kind, const char *name)
{
	size_t count;
	const char *first = names_of(use->profile, kind, &count);

	return find_named(name, first, member[kind].stride, count) >= 0;
}

static void report_unknown(const struct site *site, enum member kind, const char *name,
			   const struct place *place, struct diagnostics *diag)
{
	AUTO_FREE const char **known = NULL;
	AUTO_FREE char *suggestion = NULL;
	size_t n_known = 0;

	for (size_t i = 0; i < site->n_uses; i++) {
		size_t count;
		const char *first = names_of(site->uses[i].profile, kind, &count);

		for (size_t j = 0; j < count; j++)
			*APPEND(known, n_known) = first + j * member[kind].stride;
	}
	suggestion = suggest(name, known, n_known);
	diag_at(diag, place, "no profile of --use has a %s \"%.*s\"%s", member[kind].word,
		SHOWN_MAX, name, suggestion);
}

typedef void value_adder(struct site_use *use, const char *name, const char *value,
			 struct diagnostics *diag);

static void add_to_matching_uses(struct site *site, enum member kind, const char *name,
				 const char *value, value_adder *add, const struct place *place,
				 struct diagnostics *diag)
{
	bool found = false;

	for (size_t i = 0; i < site->n_uses; i++)
		if (profile_has(&site->uses[i], kind, name)) {
			add(&site->uses[i], name, value, diag);
			found = true;
		}
	if (!found)
		report_unknown(site, kind, name, place, diag);
}

/* ---- storing values ----------------------------------------------------- */

/* The option may be repeated with more addresses of the same role. */
static void add_role_addresses(struct site_use *use, const char *name, const char *value,
			       struct diagnostics *diag)
{
	struct site_addresses *given = NULL;

	for (size_t i = 0; i < use->n_addresses; i++)
		if (!strcmp(use->addresses[i].role.text, name))
			given = &use->addresses[i];
	if (!given) {
		given = APPEND(use->addresses, use->n_addresses);
		given->role = make_word(name, from_address);
	}
	read_items(value, read_address, &given->addresses, diag);
}

static void add_choice(struct site_use *use, const char *name, const char *value,
		       struct diagnostics *diag)
{
	struct port_choice *choice;

	for (size_t i = 0; i < use->n_choices; i++)
		if (!strcmp(use->choices[i].port.text, name)) {
			diag_at(diag, &from_port, "the ports \"%s\" are given twice", name);
			return;
		}
	choice = APPEND(use->choices, use->n_choices);
	choice->port = make_word(name, from_port);
	read_items(value, read_port, &choice->set, diag);
	port_set_normalize(&choice->set);
}

static void add_enable(struct site_use *use, const char *name, const char *value,
		       struct diagnostics *diag)
{
	(void)value;
	(void)diag;
	*APPEND(use->enables, use->n_enables) = make_word(name, from_enable);
}

static void read_pairs(struct site *site, const char *const *texts, size_t n_texts,
		       enum member kind, const char *form, value_adder *add,
		       const struct place *place, struct diagnostics *diag)
{
	for (size_t i = 0; i < n_texts; i++) {
		const char *value = NULL;
		AUTO_FREE char *name = split(texts[i], strchr(texts[i], '='), &value);

		if (name)
			add_to_matching_uses(site, kind, name, value, add, place, diag);
		else
			diag_at(diag, place, "\"%.*s\" is not %s", SHOWN_MAX, texts[i], form);
	}
}

void options_details(struct site *site, const struct site_options *options,
		     struct diagnostics *diag)
{
	/* while a profile is missing, nobody knows which option is for which profile */
	for (size_t i = 0; i < site->n_uses; i++)
		if (!site->uses[i].profile)
			return;
	read_pairs(site, options->addresses, options->n_addresses, ROLE,
		   "ROLE=ADDRESS[,ADDRESS...]", add_role_addresses, &from_address, diag);
	read_pairs(site, options->ports, options->n_ports, PORT, "NAME=PORTS", add_choice,
		   &from_port, diag);
	for (size_t i = 0; i < options->n_enables; i++)
		add_to_matching_uses(site, FLOW, options->enables[i], NULL, add_enable,
				     &from_enable, diag);
}
