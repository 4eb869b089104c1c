// SPDX-License-Identifier: GPL-2.0-only
/* Options -> struct site: what is said once goes to every use that it fits. */
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

/* The part before the mark; what follows it goes to *rest. NULL if either is empty. */
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
		diag_at(diag, &from_use, "is missing: it says what this host is");
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

typedef void part_reader(void *into, const char *part, struct diagnostics *diag);

static void each_part(const char *list, part_reader *read, void *into, struct diagnostics *diag)
{
	AUTO_FREE char *copy = must_copy(list);
	char *rest = copy, *part;

	while ((part = strsep(&rest, ",")))
		read(into, part, diag);
}

static void read_address(void *into, const char *part, struct diagnostics *diag)
{
	add_address(into, &from_address, part, diag);
}

static void read_port(void *into, const char *part, struct diagnostics *diag)
{
	add_ports(diag, &from_port, part, into);
}

/* ---- which uses have it --------------------------------------------------- */

enum member { ROLE, PORT, FLOW };

static const struct {
	const char *word;
	size_t first, count, stride; /* of the names within a profile */
} member[] = {
	[ROLE] = {"role", offsetof(struct profile, roles), offsetof(struct profile, n_roles),
		  sizeof(struct profile_role)},
	[PORT] = {"ports", offsetof(struct profile, ports), offsetof(struct profile, n_ports),
		  sizeof(struct profile_port)},
	[FLOW] = {"flow", offsetof(struct profile, flows), offsetof(struct profile, n_flows),
		  sizeof(struct profile_flow)},
};

static const char *names_of(const struct profile *profile, enum member which, size_t *count)
{
	const char *at = (const char *)profile;

	*count = *(const size_t *)(at + member[which].count);
	return *(const char *const *)(at + member[which].first);
}

static bool fits(const struct site_use *use, enum member which, const char *name)
{
	size_t count;
	const char *first = names_of(use->profile, which, &count);

	return find_named(name, first, member[which].stride, count) >= 0;
}

static void report_unknown(const struct site *site, enum member which, const char *name,
			   const struct place *place, struct diagnostics *diag)
{
	AUTO_FREE const char **known = NULL;
	AUTO_FREE char *right = NULL;
	size_t n_known = 0;

	for (size_t i = 0; i < site->n_uses; i++) {
		size_t count;
		const char *first = names_of(site->uses[i].profile, which, &count);

		for (size_t j = 0; j < count; j++)
			*APPEND(known, n_known) = first + j * member[which].stride;
	}
	right = suggest(name, known, n_known);
	diag_at(diag, place, "no profile of --use has a %s \"%.*s\"%s", member[which].word,
		SHOWN_MAX, name, right);
}

typedef void adder(struct site_use *use, const char *name, const char *value,
		   struct diagnostics *diag);

static void to_fitting(struct site *site, enum member which, const char *name, const char *value,
		       adder *add, const struct place *place, struct diagnostics *diag)
{
	bool found = false;

	for (size_t i = 0; i < site->n_uses; i++)
		if (fits(&site->uses[i], which, name)) {
			add(&site->uses[i], name, value, diag);
			found = true;
		}
	if (!found)
		report_unknown(site, which, name, place, diag);
}

/* ---- what they get -------------------------------------------------------- */

/* The option may be given again for more addresses of the same role. */
static void add_role_addresses(struct site_use *use, const char *name, const char *value,
			       struct diagnostics *diag)
{
	struct site_addresses *given = NULL;

	for (size_t i = 0; i < use->n_roles; i++)
		if (!strcmp(use->addresses[i].role.text, name))
			given = &use->addresses[i];
	if (!given) {
		given = APPEND(use->addresses, use->n_roles);
		given->role = make_word(name, from_address);
	}
	each_part(value, read_address, &given->addresses, diag);
}

static void add_pin(struct site_use *use, const char *name, const char *value,
		    struct diagnostics *diag)
{
	struct site_pin *pin;

	for (size_t i = 0; i < use->n_pins; i++)
		if (!strcmp(use->pins[i].port.text, name)) {
			diag_at(diag, &from_port, "the ports \"%s\" are given twice", name);
			return;
		}
	pin = APPEND(use->pins, use->n_pins);
	pin->port = make_word(name, from_port);
	each_part(value, read_port, &pin->set, diag);
	port_set_settle(&pin->set);
}

static void add_enable(struct site_use *use, const char *name, const char *value,
		       struct diagnostics *diag)
{
	(void)value;
	(void)diag;
	*APPEND(use->enables, use->n_enables) = make_word(name, from_enable);
}

static void read_pairs(struct site *site, const char *const *text, size_t count, enum member which,
		       const char *form, adder *add, const struct place *place,
		       struct diagnostics *diag)
{
	for (size_t i = 0; i < count; i++) {
		const char *value = NULL;
		AUTO_FREE char *name = split(text[i], strchr(text[i], '='), &value);

		if (name)
			to_fitting(site, which, name, value, add, place, diag);
		else
			diag_at(diag, place, "\"%.*s\" is not %s", SHOWN_MAX, text[i], form);
	}
}

void options_details(struct site *site, const struct site_options *options,
		     struct diagnostics *diag)
{
	/* what fits which profile can't be said while one is missing */
	for (size_t i = 0; i < site->n_uses; i++)
		if (!site->uses[i].profile)
			return;
	read_pairs(site, options->addresses, options->n_addresses, ROLE,
		   "ROLE=ADDRESS[,ADDRESS...]", add_role_addresses, &from_address, diag);
	read_pairs(site, options->ports, options->n_ports, PORT, "NAME=PORTS", add_pin, &from_port,
		   diag);
	for (size_t i = 0; i < options->n_enables; i++)
		to_fitting(site, FLOW, options->enables[i], NULL, add_enable, &from_enable, diag);
}
