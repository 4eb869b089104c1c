// SPDX-License-Identifier: GPL-2.0-only
/* Finds the addresses of a flow's peers: given by the site, documented, or looked up. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/site_build.h"

/* ---- host names ----------------------------------------------------------- */

static struct resolution *find_name(const struct site_build *build, const char *name)
{
	for (size_t i = 0; i < build->n_names; i++)
		if (!strcmp(build->names[i].name, name))
			return &build->names[i];
	return NULL;
}

static void collect_name(struct site_build *build, const char *name, const struct place *place)
{
	if (build->n_names > RESOLVE_MAX || find_name(build, name))
		return;
	if (build->n_names == RESOLVE_MAX)
		diag_at(build->diagnostics, place,
			"more than %u host names: write addresses or prefixes", RESOLVE_MAX);
	*APPEND(build->names, build->n_names) = (struct resolution){.name = name};
}

static void collect_words(struct site_build *build, const struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->n_names; i++)
		collect_name(build, addresses->names[i].text, &addresses->names[i].place);
}

static struct site_addresses *given_addresses(const struct site_use *use, unsigned int role)
{
	for (size_t i = 0; i < use->n_addresses; i++)
		if (use->addresses[i].index == (int)role)
			return &use->addresses[i];
	return NULL;
}

static void collect_role(struct site_build *build, const struct site_use *use, unsigned int index)
{
	const struct profile_role *role = &use->profile->roles[index];
	const struct site_addresses *given = given_addresses(use, index);

	if (given)
		collect_words(build, &given->addresses);
	for (size_t i = 0; !given && i < role->n_hosts; i++)
		collect_name(build, role->hosts[i], &role->place);
}

/* Host names of roles that no flow needs are not looked up. */
static void collect_use(struct site_build *build, const struct site_use *use)
{
	AUTO_FREE bool *needed = must_alloc(use->profile->n_roles, sizeof(*needed));

	for (size_t i = 0; i < use->profile->n_flows; i++) {
		const struct profile_flow *flow = &use->profile->flows[i];

		if (!use->states[i])
			continue;
		for (size_t j = 0; takes_part(flow, use->role, SIDE_INBOUND) && j < flow->n_from;
		     j++)
			needed[flow->from[j]] = true;
		for (size_t j = 0; takes_part(flow, use->role, SIDE_REPLY) && j < flow->n_to; j++)
			needed[flow->to[j]] = true;
	}
	for (unsigned int i = 0; i < use->profile->n_roles; i++)
		if (needed[i])
			collect_role(build, use, i);
}

static void report_unresolved(struct site_build *build, const struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->n_names; i++) {
		const struct word *word = &addresses->names[i];
		const struct resolution *resolution = find_name(build, word->text);

		if (resolution && resolution->problem)
			diag_at(build->diagnostics, &word->place, "\"%s\" cannot be looked up: %s",
				word->text, resolution->problem);
	}
}

static void note_names(const struct site_build *build)
{
	if (build->n_names == 1)
		policy_note(build->builder.policy,
			    "host name \"%s\" was not looked up: it adds no address here",
			    build->names[0].name);
	else
		policy_note(build->builder.policy,
			    "%zu host names were not looked up, among them \"%s\": they add no "
			    "address here",
			    build->n_names, build->names[0].name);
}

static void collect_all(struct site_build *build)
{
	const struct site *site = build->site;

	for (size_t i = 0; i < site->n_uses; i++)
		if (site->uses[i].role >= 0)
			collect_use(build, &site->uses[i]);
	for (size_t i = 0; i < site->n_flows; i++) {
		collect_words(build, &site->flows[i].peers);
		collect_words(build, &site->flows[i].with);
	}
}

void peers_resolve_names(struct site_build *build, bool resolve_names)
{
	const struct site *site = build->site;

	collect_all(build);
	/* do not wait for DNS if the site is wrong anyway */
	if (!build->n_names || site_failed(site, build->diagnostics))
		return;
	if (!resolve_names) {
		build->names_unknown = true;
		note_names(build);
		return;
	}
	resolve(build->names, build->n_names);
	for (size_t i = 0; i < site->n_uses; i++)
		for (size_t j = 0; j < site->uses[i].n_addresses; j++)
			report_unresolved(build, &site->uses[i].addresses[j].addresses);
	for (size_t i = 0; i < site->n_flows; i++) {
		report_unresolved(build, &site->flows[i].peers);
		report_unresolved(build, &site->flows[i].with);
	}
}

/* ---- a role's addresses --------------------------------------------------- */

static const struct prefix_set *documented(const struct site_use *use, unsigned int index)
{
	static const struct prefix_set none;
	const struct profile_addresses *addresses =
		documented_level(&use->profile->roles[index], use->level.text);

	return addresses ? &addresses->prefixes : &none;
}

static void add_all(struct prefix_set *set, const struct prefix_set *more)
{
	for (size_t i = 0; i < more->count; i++)
		prefix_set_add(set, &more->prefix[i]);
}

static void add_name(const struct site_build *build, struct prefix_set *set, const char *name)
{
	const struct resolution *resolution =
		build->n_names > RESOLVE_MAX ? NULL : find_name(build, name);

	if (resolution)
		add_all(set, &resolution->address);
}

void peers_add(const struct site_build *build, struct prefix_set *set,
	       const struct addresses *addresses)
{
	add_all(set, &addresses->prefixes);
	for (size_t i = 0; i < addresses->n_names; i++)
		add_name(build, set, addresses->names[i].text);
}

void peers_add_role(const struct site_build *build, struct prefix_set *set, unsigned int index)
{
	const struct profile_role *role = &build->use->profile->roles[index];
	struct site_addresses *given = given_addresses(build->use, index);

	if (given) {
		peers_add(build, set, &given->addresses);
		return;
	}
	add_all(set, documented(build->use, index));
	for (size_t i = 0; i < role->n_hosts; i++)
		add_name(build, set, role->hosts[i]);
}

static size_t count_unresolved_hosts(const struct site_build *build,
				     const struct profile_role *role)
{
	size_t unresolved = 0;

	for (size_t i = 0; i < role->n_hosts; i++) {
		const struct resolution *resolution = find_name(build, role->hosts[i]);

		unresolved += resolution && resolution->problem;
	}
	return unresolved;
}

/* What the site gives counts even if it is wrong, because that was reported. */
bool peers_have_addresses(struct site_build *build, unsigned int index)
{
	const struct profile_role *role = &build->use->profile->roles[index];
	struct site_addresses *given = given_addresses(build->use, index);
	size_t unresolved;

	if (given) {
		given->used = true;
		return true;
	}
	unresolved = count_unresolved_hosts(build, role);
	if (!documented(build->use, index)->count && unresolved == role->n_hosts)
		return false;
	if (unresolved && !build->role_reported[index])
		policy_note(build->builder.policy,
			    "%zu of %zu documented host names of role %s of %s cannot be looked up",
			    unresolved, role->n_hosts, role->name, build->use->profile->name);
	build->role_reported[index] |= unresolved > 0;
	return true;
}

bool peers_have_names(const struct site_build *build, unsigned int index)
{
	const struct site_addresses *given = given_addresses(build->use, index);

	return given ? given->addresses.n_names : build->use->profile->roles[index].n_hosts;
}

int peers_group(struct site_build *build, const unsigned int *roles, size_t n_roles)
{
	char *names = profile_role_names(build->use->profile, roles, n_roles);
	struct prefix_set set = {};
	int group;

	for (size_t i = 0; i < build->n_role_groups; i++)
		if (!strcmp(build->role_groups[i].roles, names)) {
			free(names);
			return build->role_groups[i].group;
		}
	for (size_t i = 0; i < n_roles; i++)
		peers_add_role(build, &set, roles[i]);
	prefix_set_normalize(&set);
	group = build_group(&build->builder, &build->use->place, &set, names);
	*APPEND(build->role_groups, build->n_role_groups) = (struct role_group){names, group};
	return group;
}
