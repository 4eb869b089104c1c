// SPDX-License-Identifier: GPL-2.0-only
/* Who the other side of a flow is: the site's addresses, documented ones, names looked up. */
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

static struct site_addresses *given_for(const struct site_use *use, unsigned int role)
{
	for (size_t i = 0; i < use->n_roles; i++)
		if (use->addresses[i].index == (int)role)
			return &use->addresses[i];
	return NULL;
}

static void collect_role(struct site_build *build, const struct site_use *use, unsigned int index)
{
	const struct profile_role *role = &use->profile->roles[index];
	const struct site_addresses *given = given_for(use, index);

	if (given)
		collect_words(build, &given->addresses);
	for (size_t i = 0; !given && i < role->n_hosts; i++)
		collect_name(build, role->hosts[i], &role->place);
}

/* Names of roles that no flow needs aren't asked for. */
static void collect_use(struct site_build *build, const struct site_use *use)
{
	AUTO_FREE bool *needed = must_alloc(use->profile->n_roles, sizeof(*needed));

	for (size_t i = 0; i < use->profile->n_flows; i++) {
		const struct profile_flow *flow = &use->profile->flows[i];

		if (!use->on[i])
			continue;
		for (size_t j = 0; takes_part(flow, use->roles, SIDE_INBOUND) && j < flow->n_from;
		     j++)
			needed[flow->from[j]] = true;
		for (size_t j = 0; takes_part(flow, use->roles, SIDE_REPLY) && j < flow->n_to; j++)
			needed[flow->to[j]] = true;
	}
	for (unsigned int i = 0; i < use->profile->n_roles; i++)
		if (needed[i])
			collect_role(build, use, i);
}

static void check_words(struct site_build *build, const struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->n_names; i++) {
		const struct word *word = &addresses->names[i];
		const struct resolution *found = find_name(build, word->text);

		if (found && found->why)
			diag_at(build->diagnostics, &word->place, "\"%s\" cannot be looked up: %s",
				word->text, found->why);
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
		if (site->uses[i].roles >= 0)
			collect_use(build, &site->uses[i]);
	for (size_t i = 0; i < site->n_flows; i++)
		collect_words(build, &site->flows[i].peers);
}

void peers_look_up(struct site_build *build, bool wanted)
{
	const struct site *site = build->site;

	collect_all(build);
	/* nobody should wait for names when the answer is no */
	if (!build->n_names || site_failed(site, build->diagnostics))
		return;
	if (!wanted) {
		note_names(build);
		return;
	}
	resolve(build->names, build->n_names);
	for (size_t i = 0; i < site->n_uses; i++)
		for (size_t j = 0; j < site->uses[i].n_roles; j++)
			check_words(build, &site->uses[i].addresses[j].addresses);
	for (size_t i = 0; i < site->n_flows; i++)
		check_words(build, &site->flows[i].peers);
}

/* ---- a role's addresses --------------------------------------------------- */

static const struct prefix_set *documented(const struct site_use *use, unsigned int index)
{
	static const struct prefix_set none;
	const struct profile_addresses *found =
		documented_level(&use->profile->roles[index], use->level.text);

	return found ? &found->prefixes : &none;
}

static void add_all(struct prefix_set *set, const struct prefix_set *more)
{
	for (size_t i = 0; i < more->count; i++)
		prefix_set_add(set, &more->prefix[i]);
}

static void add_name(const struct site_build *build, struct prefix_set *set, const char *name)
{
	const struct resolution *found =
		build->n_names > RESOLVE_MAX ? NULL : find_name(build, name);

	if (found)
		add_all(set, &found->address);
}

void peers_add(const struct site_build *build, struct prefix_set *set,
	       const struct addresses *addresses)
{
	add_all(set, &addresses->prefixes);
	for (size_t i = 0; i < addresses->n_names; i++)
		add_name(build, set, addresses->names[i].text);
}

static void add_role(const struct site_build *build, struct prefix_set *set, unsigned int index)
{
	const struct profile_role *role = &build->use->profile->roles[index];
	struct site_addresses *given = given_for(build->use, index);

	if (given) {
		peers_add(build, set, &given->addresses);
		return;
	}
	add_all(set, documented(build->use, index));
	for (size_t i = 0; i < role->n_hosts; i++)
		add_name(build, set, role->hosts[i]);
}

static size_t unknown_hosts(const struct site_build *build, const struct profile_role *role)
{
	size_t unknown = 0;

	for (size_t i = 0; i < role->n_hosts; i++) {
		const struct resolution *found = find_name(build, role->hosts[i]);

		unknown += found && found->why;
	}
	return unknown;
}

/* What the site wrote counts even if it was wrong: that has been said. */
bool peers_known(struct site_build *build, unsigned int index)
{
	const struct profile_role *role = &build->use->profile->roles[index];
	struct site_addresses *given = given_for(build->use, index);
	size_t unknown;

	if (given) {
		given->used = true;
		return true;
	}
	unknown = unknown_hosts(build, role);
	if (!documented(build->use, index)->count && unknown == role->n_hosts)
		return false;
	if (unknown && !build->role_said[index])
		policy_note(build->builder.policy,
			    "%zu of %zu documented host names of role %s of %s cannot be looked up",
			    unknown, role->n_hosts, role->name, build->use->profile->name);
	build->role_said[index] |= unknown > 0;
	return true;
}

bool peers_named(const struct site_build *build, unsigned int index)
{
	const struct site_addresses *given = given_for(build->use, index);

	return given ? given->addresses.n_names : build->use->profile->roles[index].n_hosts;
}

/* The group of the union of these roles' addresses, or -1. */
int peers_group(struct site_build *build, const unsigned int *role, size_t count)
{
	char *roles = profile_role_names(build->use->profile, role, count);
	struct prefix_set set = {};
	int group;

	for (size_t i = 0; i < build->n_joined; i++)
		if (!strcmp(build->joined[i].roles, roles)) {
			free(roles);
			return build->joined[i].group;
		}
	for (size_t i = 0; i < count; i++)
		add_role(build, &set, role[i]);
	prefix_set_settle(&set);
	group = build_group(&build->builder, &build->use->place, &set, roles);
	*APPEND(build->joined, build->n_joined) = (struct joined_roles){roles, group};
	return group;
}
