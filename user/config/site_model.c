// SPDX-License-Identifier: GPL-2.0-only
#include "config/site_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/yaml_fields.h"
#include "net/hostname.h"
#include "net/netdev.h"

void site_init(struct site *site, const char *file, const struct diagnostics *diag)
{
	*site = (struct site){.file = file,
			      .diagnostics = diag->count + diag->n_omitted,
			      .settings = {.enforcement = BKXDP_ENFORCE,
					   .ping = BKXDP_PING_PEERS,
					   .fragments = BKXDP_FRAGMENTS_DROP,
					   .vlans_any = 1}};
}

bool site_failed(const struct site *site, const struct diagnostics *diag)
{
	return diag->count + diag->n_omitted > site->diagnostics;
}

struct word make_word(const char *text, struct place place)
{
	return (struct word){must_copy(text), place};
}

void site_set_interface(struct site *site, const struct place *place, const char *name,
			struct diagnostics *diag)
{
	if (netdev_name_is_valid(name))
		memcpy(site->interface, name, strlen(name) + 1);
	else
		diag_at(diag, place,
			"\"%.*s\" is not an interface name: it must be 1 to %d bytes without "
			"spaces, / or :",
			SHOWN_MAX, name, IF_NAMESIZE - 1);
}

void add_address(struct addresses *addresses, const struct place *place, const char *text,
		 struct diagnostics *diag)
{
	if (!strcmp(text, "any"))
		prefix_set_add_any(&addresses->prefixes);
	else if (!strcmp(text, "self"))
		diag_at(diag, place,
			"\"self\" is this host, but these are the addresses of others");
	else if (looks_like_prefix(text))
		add_prefix(diag, place, text, &addresses->prefixes);
	else if (hostname_is_valid(text))
		*APPEND(addresses->names, addresses->n_names) = make_word(text, *place);
	else
		diag_at(diag, place, "\"%.*s\" is not an address, a prefix, a host name or any",
			SHOWN_MAX, text);
}

struct site_use *site_use_of(const struct site *site, const char *name,
			     const struct site_use *before)
{
	size_t length = strcspn(name, "/");

	for (size_t i = before ? (size_t)(before - site->uses) + 1 : 0;
	     name[length] && i < site->n_uses; i++) {
		const struct profile *profile = site->uses[i].profile;

		if (profile && strlen(profile->name) == length &&
		    !memcmp(profile->name, name, length))
			return &site->uses[i];
	}
	return NULL;
}

void free_addresses(struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->n_names; i++)
		free(addresses->names[i].text);
	free(addresses->names);
	free(addresses->prefixes.prefix);
}

static void free_use(struct site_use *use)
{
	for (size_t i = 0; i < use->n_addresses; i++) {
		free(use->addresses[i].role.text);
		free_addresses(&use->addresses[i].addresses);
	}
	for (size_t i = 0; i < use->n_choices; i++) {
		free(use->choices[i].port.text);
		free(use->choices[i].role.text);
		free(use->choices[i].set.range);
	}
	for (size_t i = 0; i < use->n_enables; i++)
		free(use->enables[i].text);
	free(use->addresses);
	free(use->choices);
	free(use->enables);
	free(use->profile_name.text);
	free(use->role_name.text);
	free(use->level.text);
	free(use->states);
}

static void free_flow(struct site_flow *flow)
{
	free_addresses(&flow->peers);
	free(flow->peers_text);
	free(flow->tcp.range);
	free(flow->udp.range);
	free(flow->local.range);
	free(flow->required.text);
	free(flow->with_role.text);
	free_addresses(&flow->with);
	free(flow->with_text);
	free(flow->note);
}

void site_free(struct site *site)
{
	for (size_t i = 0; i < site->n_uses; i++)
		free_use(&site->uses[i]);
	for (size_t i = 0; i < site->n_flows; i++)
		free_flow(&site->flows[i]);
	for (size_t i = 0; i < site->n_profiles; i++) {
		free(site->paths[i]);
		profile_free(site->profiles[i]);
	}
	free(site->uses);
	free(site->flows);
	free(site->paths);
	free(site->profiles);
}
