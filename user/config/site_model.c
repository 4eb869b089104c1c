// SPDX-License-Identifier: GPL-2.0-only
#include "config/site_model.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/yaml_fields.h"
#include "net/hostname.h"

void site_init(struct site *site, const char *file, const struct complaints *complaints)
{
	*site = (struct site){.file = file,
			      .complaints = complaints->count + complaints->unsaid,
			      .settings = {.enforcement = BKXDP_ENFORCE,
					   .ping = BKXDP_PING_PEERS,
					   .fragments = BKXDP_FRAGMENTS_DROP,
					   .vlans_any = 1}};
}

bool site_failed(const struct site *site, const struct complaints *complaints)
{
	return complaints->count + complaints->unsaid > site->complaints;
}

struct word make_word(const char *text, struct place place)
{
	return (struct word){must_copy(text), place};
}

/* As the kernel's dev_valid_name(). */
static bool is_interface(const char *name)
{
	if (!*name || strlen(name) >= IF_NAMESIZE || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || isspace((unsigned char)*name))
			return false;
	return true;
}

void site_set_interface(struct site *site, const struct place *place, const char *name,
			struct complaints *complaints)
{
	if (is_interface(name))
		memcpy(site->interface, name, strlen(name) + 1);
	else
		complain(complaints, place,
			 "\"%.*s\" is not an interface name: 1 to %d bytes without space, / and :",
			 SHOWN_MAX, name, IF_NAMESIZE - 1);
}

void add_address(struct addresses *addresses, const struct place *place, const char *text,
		 struct complaints *complaints)
{
	if (!strcmp(text, "any"))
		prefix_set_add_any(&addresses->prefixes);
	else if (!strcmp(text, "self"))
		complain(complaints, place, "\"self\" is this host: other addresses belong here");
	else if (prefix_is_like(text))
		add_prefix(complaints, place, text, &addresses->prefixes);
	else if (hostname_is_valid(text))
		*APPEND(addresses->name, addresses->names) = make_word(text, *place);
	else
		complain(complaints, place,
			 "\"%.*s\" is neither an address nor a prefix nor a host name nor any",
			 SHOWN_MAX, text);
}

void free_addresses(struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->names; i++)
		free(addresses->name[i].text);
	free(addresses->name);
	free(addresses->prefixes.prefix);
}

static void free_use(struct site_use *use)
{
	for (size_t i = 0; i < use->roles; i++) {
		free(use->addresses[i].role.text);
		free_addresses(&use->addresses[i].addresses);
	}
	for (size_t i = 0; i < use->pins; i++) {
		free(use->pin[i].port.text);
		free(use->pin[i].role.text);
		free(use->pin[i].set.range);
	}
	for (size_t i = 0; i < use->enables; i++)
		free(use->enable[i].text);
	free(use->addresses);
	free(use->pin);
	free(use->enable);
	free(use->profile_name.text);
	free(use->role_name.text);
	free(use->level.text);
	free(use->on);
}

static void free_flow(struct site_flow *flow)
{
	free_addresses(&flow->peers);
	free(flow->written);
	free(flow->tcp.range);
	free(flow->udp.range);
	free(flow->local.range);
	free(flow->requires.text);
	free(flow->note);
}

void site_free(struct site *site)
{
	for (size_t i = 0; i < site->uses; i++)
		free_use(&site->use[i]);
	for (size_t i = 0; i < site->flows; i++)
		free_flow(&site->flow[i]);
	for (size_t i = 0; i < site->profiles; i++) {
		free(site->path[i]);
		profile_free(site->profile[i]);
	}
	free(site->use);
	free(site->flow);
	free(site->path);
	free(site->profile);
}
