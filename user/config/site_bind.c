// SPDX-License-Identifier: GPL-2.0-only
/* Finds the roles, levels, ports and flows that the site names in the profiles. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strv.h"
#include "base/suggest.h"
#include "config/site_model.h"
#include "config/yaml_fields.h"
#include "policy/policy_build.h"

/* ---- profiles ------------------------------------------------------------- */

static void report_profile(const struct word *name, const struct site_lookup *lookup,
			   struct diagnostics *diag)
{
	size_t count;
	char **known = profile_names(lookup->dirs, lookup->count, &count);
	AUTO_FREE char *suggestion = suggest(name->text, (const char *const *)known, count);

	diag_at(diag, &name->place, "unknown profile \"%.*s\"%s", SHOWN_MAX, name->text,
		suggestion);
	strv_free(known, count);
}

static char *directory_of(const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;

	if (!slash)
		return NULL;
	return must_format("%.*s", slash == file ? 1 : (int)(slash - file), file);
}

/* Each profile is read only once, so that its mistakes are reported only once. */
static const struct profile *get_profile(struct site *site, const struct word *name,
					 const struct site_lookup *lookup, struct diagnostics *diag)
{
	AUTO_FREE char *beside = directory_of(site->file);
	char *path = profile_find(name->text, beside, lookup->dirs, lookup->count);
	size_t n_paths = site->n_profiles;

	if (!path) {
		report_profile(name, lookup, diag);
		return NULL;
	}
	for (size_t i = 0; i < site->n_profiles; i++)
		if (!strcmp(site->paths[i], path)) {
			free(path);
			return site->profiles[i];
		}
	*APPEND(site->paths, n_paths) = path;
	return *APPEND(site->profiles, site->n_profiles) = profile_read(path, diag);
}

void site_bind_profiles(struct site *site, const struct site_lookup *lookup,
			struct diagnostics *diag)
{
	for (size_t i = 0; i < site->n_uses; i++) {
		struct site_use *use = &site->uses[i];
		const struct word *role = &use->role_name;

		use->role = -1;
		if (use->profile_name.text)
			use->profile = get_profile(site, &use->profile_name, lookup, diag);
		if (!use->profile || !role->text)
			continue;
		use->role = profile_role_index(use->profile, role->text);
		if (use->role >= 0)
			continue;

		AUTO_FREE char *suggestion =
			SUGGEST_NAMED(role->text, use->profile->roles, use->profile->n_roles);

		diag_at(diag, &role->place, "profile %s has no role \"%.*s\"%s", use->profile->name,
			SHOWN_MAX, role->text, suggestion);
	}
}

/* ---- levels --------------------------------------------------------------- */

/* If the role has no such level, its recommended addresses count, or else any that it has. */
const struct profile_addresses *documented_level(const struct profile_role *role, const char *level)
{
	const struct profile_addresses *found = role->addresses;

	for (size_t i = 0; i < role->n_addresses; i++)
		if (!strcmp(role->addresses[i].level, "recommended"))
			found = &role->addresses[i];
	for (size_t i = 0; level && i < role->n_addresses; i++)
		if (!strcmp(role->addresses[i].level, level))
			found = &role->addresses[i];
	return found;
}

static bool has_level(const struct profile *profile, const char *level)
{
	for (size_t i = 0; i < profile->n_roles; i++)
		if (FIND_NAMED(level, profile->roles[i].addresses, profile->roles[i].n_addresses) >=
		    0)
			return true;
	return false;
}

/* Notes which addresses count for roles that do not have the chosen level. */
static void note_level(const struct profile *profile, const char *level, struct policy *policy)
{
	if (strcmp(level, "recommended") && has_level(profile, "recommended"))
		policy_note(policy,
			    "%s is used at level %s: addresses that the vendor adds later within "
			    "the recommended ones will be dropped",
			    profile->name, level);
	for (size_t i = 0; i < profile->n_roles; i++) {
		const struct profile_role *role = &profile->roles[i];

		if (role->n_addresses && *role->addresses[0].level &&
		    FIND_NAMED(level, role->addresses, role->n_addresses) < 0)
			policy_note(policy, "role %s of %s has no level %s: its %s addresses count",
				    role->name, profile->name, level,
				    documented_level(role, level)->level);
	}
}

static void bind_level(const struct site_use *use, struct policy *policy, struct diagnostics *diag)
{
	static const char *const all[] = {"recommended", "minimum", "strict"};
	const char *level = use->level.text, *known[3];
	size_t count = 0;

	if (!level)
		return;
	for (size_t i = 0; i < 3; i++)
		if (has_level(use->profile, all[i]))
			known[count++] = all[i];
	if (!*level || !has_level(use->profile, level)) {
		AUTO_FREE char *suggestion = suggest(level, known, count);

		diag_at(diag, &use->level.place, "profile %s has no level \"%.*s\"%s",
			use->profile->name, SHOWN_MAX, level, suggestion);
	} else {
		note_level(use->profile, level, policy);
	}
}

/* ---- addresses and ports -------------------------------------------------- */

static int bind_role(const struct profile *profile, const struct word *role,
		     struct diagnostics *diag)
{
	int index = profile_role_index(profile, role->text);

	if (index < 0) {
		AUTO_FREE char *suggestion =
			SUGGEST_NAMED(role->text, profile->roles, profile->n_roles);

		diag_at(diag, &role->place, "profile %s has no role \"%.*s\"%s", profile->name,
			SHOWN_MAX, role->text, suggestion);
	}
	return index;
}

static void bind_addresses(struct site_use *use, struct diagnostics *diag)
{
	for (size_t i = 0; i < use->n_addresses; i++)
		use->addresses[i].index =
			use->addresses[i].role.text
				? bind_role(use->profile, &use->addresses[i].role, diag)
				: -1;
}

static void check_candidates(const struct profile_port *port, const struct port_choice *choice,
			     const char *profile, struct diagnostics *diag)
{
	AUTO_FREE char *candidates = port_set_text(&port->set);

	for (size_t i = 0; i < choice->set.count; i++)
		for (unsigned int n = choice->set.range[i].low; n <= choice->set.range[i].high; n++)
			if (!port_set_has(&port->set, (uint16_t)n)) {
				diag_at(diag, &choice->port.place,
					"%s does not use port %u for %s: its candidates are %s",
					profile, n, port->name, candidates);
				return;
			}
}

static void check_minimum(const struct profile_port *port, const struct port_choice *choice,
			  const char *profile, struct diagnostics *diag)
{
	unsigned int size = port_set_size(&choice->set);

	if (!size || size >= port->minimum)
		return;
	diag_at(diag, &choice->port.place,
		"%u ports for %s are too few: the vendor of %s wants at least %u%s%s%s", size,
		port->name, profile, port->minimum, port->note ? " (" : "",
		port->note ? port->note : "", port->note ? ")" : "");
}

static void bind_choice(const struct site_use *use, struct port_choice *choice,
			struct diagnostics *diag)
{
	const struct profile *profile = use->profile;
	const struct profile_port *port;

	choice->port_index = choice->role_index = -1;
	if (choice->role.text)
		choice->role_index = bind_role(profile, &choice->role, diag);
	if (!choice->port.text)
		return;
	choice->port_index = FIND_NAMED(choice->port.text, profile->ports, profile->n_ports);
	if (choice->port_index < 0) {
		AUTO_FREE char *suggestion =
			SUGGEST_NAMED(choice->port.text, profile->ports, profile->n_ports);

		diag_at(diag, &choice->port.place, "profile %s has no ports \"%.*s\"%s",
			profile->name, SHOWN_MAX, choice->port.text, suggestion);
		return;
	}
	port = &profile->ports[choice->port_index];
	if (port->n_candidates)
		check_candidates(port, choice, profile->name, diag);
	check_minimum(port, choice, profile->name, diag);
}

/* ---- flows that are on ---------------------------------------------------- */

/*
 * Turns off the other flows of the exclusive group; it is an error if one of them was enabled,
 * too.
 */
static void disable_exclusive(struct site_use *use, const struct word *word, size_t enabled,
			      struct diagnostics *diag)
{
	const struct profile_flow *flow = use->profile->flows;

	for (size_t i = 0; *flow[enabled].exclusive && i < use->profile->n_flows; i++) {
		if (i == enabled || strcmp(flow[i].exclusive, flow[enabled].exclusive))
			continue;
		if (use->states[i] == FLOW_ENABLED)
			diag_at(diag, &word->place,
				"flows \"%s\" and \"%s\" exclude each other: enable one of them",
				flow[i].name, flow[enabled].name);
		use->states[i] = FLOW_OFF;
	}
}

static void bind_enable(struct site_use *use, const struct word *word, struct policy *policy,
			struct diagnostics *diag)
{
	const struct profile *profile = use->profile;
	int flow = FIND_NAMED(word->text, profile->flows, profile->n_flows);

	if (flow < 0) {
		AUTO_FREE char *suggestion =
			SUGGEST_NAMED(word->text, profile->flows, profile->n_flows);

		diag_at(diag, &word->place, "profile %s has no flow \"%.*s\"%s", profile->name,
			SHOWN_MAX, word->text, suggestion);
		return;
	}
	if (use->states[flow])
		policy_note(policy, "flow %s/%s is already on, so enable: changes nothing",
			    profile->name, word->text);
	disable_exclusive(use, word, (size_t)flow, diag);
	use->states[flow] = FLOW_ENABLED;
}

static void bind_flows(struct site_use *use, struct policy *policy, struct diagnostics *diag)
{
	use->states = must_alloc(use->profile->n_flows, sizeof(*use->states));
	for (size_t i = 0; i < use->profile->n_flows; i++)
		use->states[i] = use->profile->flows[i].optional ? FLOW_OFF : FLOW_ON;
	for (size_t i = 0; i < use->n_enables; i++)
		if (use->enables[i].text)
			bind_enable(use, &use->enables[i], policy, diag);
}

void site_bind_details(struct site *site, struct policy *policy, struct diagnostics *diag)
{
	for (size_t i = 0; i < site->n_uses; i++) {
		struct site_use *use = &site->uses[i];

		if (!use->profile)
			continue;
		bind_level(use, policy, diag);
		bind_addresses(use, diag);
		for (size_t j = 0; j < use->n_choices; j++)
			bind_choice(use, &use->choices[j], diag);
		bind_flows(use, policy, diag);
	}
}
