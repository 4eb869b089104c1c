// SPDX-License-Identifier: GPL-2.0-only
/* Who the other side of a flow is: the site's addresses, documented ones, names looked up. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/site_making.h"

/* ---- host names ----------------------------------------------------------- */

static struct resolution *find_name(const struct making *making, const char *name)
{
	for (size_t i = 0; i < making->names; i++)
		if (!strcmp(making->name[i].name, name))
			return &making->name[i];
	return NULL;
}

static void collect_name(struct making *making, const char *name, const struct place *place)
{
	if (making->names > RESOLVE_MAX || find_name(making, name))
		return;
	if (making->names == RESOLVE_MAX)
		complain(making->complaints, place,
			 "more than %u host names: write addresses or prefixes", RESOLVE_MAX);
	*APPEND(making->name, making->names) = (struct resolution){.name = name};
}

static void collect_words(struct making *making, const struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->names; i++)
		collect_name(making, addresses->name[i].text, &addresses->name[i].place);
}

static struct site_addresses *given_for(const struct site_use *use, unsigned int role)
{
	for (size_t i = 0; i < use->roles; i++)
		if (use->addresses[i].index == (int)role)
			return &use->addresses[i];
	return NULL;
}

static void collect_role(struct making *making, const struct site_use *use, unsigned int index)
{
	const struct profile_role *role = &use->profile->role[index];
	const struct site_addresses *given = given_for(use, index);

	if (given)
		collect_words(making, &given->addresses);
	for (size_t i = 0; !given && i < role->hosts; i++)
		collect_name(making, role->host[i], &role->place);
}

/* Names of roles that no flow needs aren't asked for. */
static void collect_use(struct making *making, const struct site_use *use)
{
	AUTO_FREE bool *needed = must_alloc(use->profile->roles, sizeof(*needed));

	for (size_t i = 0; i < use->profile->flows; i++) {
		const struct profile_flow *flow = &use->profile->flow[i];

		if (!use->on[i])
			continue;
		for (size_t j = 0; takes_part(flow, use->role, SIDE_INBOUND) && j < flow->froms;
		     j++)
			needed[flow->from[j]] = true;
		for (size_t j = 0; takes_part(flow, use->role, SIDE_REPLY) && j < flow->tos; j++)
			needed[flow->to[j]] = true;
	}
	for (unsigned int i = 0; i < use->profile->roles; i++)
		if (needed[i])
			collect_role(making, use, i);
}

static void check_words(struct making *making, const struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->names; i++) {
		const struct word *word = &addresses->name[i];
		const struct resolution *found = find_name(making, word->text);

		if (found && found->why)
			complain(making->complaints, &word->place, "\"%s\" cannot be looked up: %s",
				 word->text, found->why);
	}
}

static void note_names(const struct making *making)
{
	if (making->names == 1)
		policy_note(making->builder.policy,
			    "host name \"%s\" was not looked up: it adds no address here",
			    making->name[0].name);
	else
		policy_note(making->builder.policy,
			    "%zu host names were not looked up, among them \"%s\": they add no "
			    "address here",
			    making->names, making->name[0].name);
}

static void collect_all(struct making *making)
{
	const struct site *site = making->site;

	for (size_t i = 0; i < site->uses; i++)
		if (site->use[i].role >= 0)
			collect_use(making, &site->use[i]);
	for (size_t i = 0; i < site->flows; i++)
		collect_words(making, &site->flow[i].peers);
}

void peers_look_up(struct making *making, bool wanted)
{
	const struct site *site = making->site;

	collect_all(making);
	/* nobody should wait for names when the answer is no */
	if (!making->names || site_failed(site, making->complaints))
		return;
	if (!wanted) {
		note_names(making);
		return;
	}
	resolve(making->name, making->names);
	for (size_t i = 0; i < site->uses; i++)
		for (size_t j = 0; j < site->use[i].roles; j++)
			check_words(making, &site->use[i].addresses[j].addresses);
	for (size_t i = 0; i < site->flows; i++)
		check_words(making, &site->flow[i].peers);
}

/* ---- a role's addresses --------------------------------------------------- */

static const struct prefix_set *documented(const struct site_use *use, unsigned int index)
{
	static const struct prefix_set none;
	const struct profile_addresses *found =
		documented_level(&use->profile->role[index], use->level.text);

	return found ? &found->prefixes : &none;
}

static void add_all(struct prefix_set *set, const struct prefix_set *more)
{
	for (size_t i = 0; i < more->count; i++)
		prefix_set_add(set, &more->prefix[i]);
}

static void add_name(const struct making *making, struct prefix_set *set, const char *name)
{
	const struct resolution *found =
		making->names > RESOLVE_MAX ? NULL : find_name(making, name);

	if (found)
		add_all(set, &found->address);
}

void peers_add(const struct making *making, struct prefix_set *set,
	       const struct addresses *addresses)
{
	add_all(set, &addresses->prefixes);
	for (size_t i = 0; i < addresses->names; i++)
		add_name(making, set, addresses->name[i].text);
}

static void add_role(const struct making *making, struct prefix_set *set, unsigned int index)
{
	const struct profile_role *role = &making->use->profile->role[index];
	struct site_addresses *given = given_for(making->use, index);

	if (given) {
		peers_add(making, set, &given->addresses);
		return;
	}
	add_all(set, documented(making->use, index));
	for (size_t i = 0; i < role->hosts; i++)
		add_name(making, set, role->host[i]);
}

static size_t unknown_hosts(const struct making *making, const struct profile_role *role)
{
	size_t unknown = 0;

	for (size_t i = 0; i < role->hosts; i++) {
		const struct resolution *found = find_name(making, role->host[i]);

		unknown += found && found->why;
	}
	return unknown;
}

/* What the site wrote counts even if it was wrong: that has been said. */
bool peers_known(struct making *making, unsigned int index)
{
	const struct profile_role *role = &making->use->profile->role[index];
	struct site_addresses *given = given_for(making->use, index);
	size_t unknown;

	if (given) {
		given->used = true;
		return true;
	}
	unknown = unknown_hosts(making, role);
	if (!documented(making->use, index)->count && unknown == role->hosts)
		return false;
	if (unknown && !making->role_said[index])
		policy_note(making->builder.policy,
			    "%zu of %zu documented host names of role %s of %s cannot be looked up",
			    unknown, role->hosts, role->name, making->use->profile->name);
	making->role_said[index] |= unknown > 0;
	return true;
}

bool peers_named(const struct making *making, unsigned int index)
{
	const struct site_addresses *given = given_for(making->use, index);

	return given ? given->addresses.names : making->use->profile->role[index].hosts;
}

char *role_list(const struct profile *profile, const unsigned int *role, size_t count)
{
	char *text = must_copy(profile->role[role[0]].name);

	for (size_t i = 1; i < count; i++) {
		char *longer = must_format("%s, %s", text, profile->role[role[i]].name);

		free(text);
		text = longer;
	}
	return text;
}

/* The group of the union of these roles' addresses, or -1. */
int peers_group(struct making *making, const unsigned int *role, size_t count)
{
	char *roles = role_list(making->use->profile, role, count);
	struct prefix_set set = {};
	int group;

	for (size_t i = 0; i < making->mets; i++)
		if (!strcmp(making->met[i].roles, roles)) {
			free(roles);
			return making->met[i].group;
		}
	for (size_t i = 0; i < count; i++)
		add_role(making, &set, role[i]);
	prefix_set_settle(&set);
	group = build_group(&making->builder, &making->use->place, &set, roles);
	*APPEND(making->met, making->mets) = (struct met){roles, group};
	return group;
}
