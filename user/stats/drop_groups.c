// SPDX-License-Identifier: GPL-2.0-only
#include "stats/drop_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/packet_text.h"

int groups_compare(const void *a, const void *b)
{
	const struct drop_group *left = a, *right = b;

	return memcmp(&left->key, &right->key, sizeof(left->key));
}

void groups_free(struct drop_groups *groups)
{
	free(groups->group);
	memset(groups, 0, sizeof(*groups));
}

/* ---- in words --------------------------------------------------------------- */

void group_source_text(const struct bkxdp_group_key *key, char text[static PREFIX_TEXT_MAX])
{
	const uint32_t *a = key->address;

	if (a[0] | a[1] | a[2] | a[3])
		prefix_text(&(struct bkxdp_prefix){128, {a[0], a[1], a[2], a[3]}}, text);
	else
		snprintf(text, PREFIX_TEXT_MAX, "-");
}

void group_protocol_text(const struct bkxdp_group_key *key, char text[static GROUP_SERVICE_MAX])
{
	const char *word = key->protocol ? packet_protocol_word(key->protocol) : "-";

	if (word)
		snprintf(text, GROUP_SERVICE_MAX, "%s", word);
	else
		snprintf(text, GROUP_SERVICE_MAX, "ip %u", key->protocol);
}

void group_service_text(const struct bkxdp_group_key *key, char text[static GROUP_SERVICE_MAX])
{
	char protocol[GROUP_SERVICE_MAX];

	group_protocol_text(key, protocol);
	if (key->side == BKXDP_GROUP_NONE)
		snprintf(text, GROUP_SERVICE_MAX, "%s", protocol);
	else
		snprintf(text, GROUP_SERVICE_MAX, "%s %.8s %u",
			 key->side == BKXDP_GROUP_REPLY ? "from" : "to", protocol, key->port);
}

const char *group_side_word(const struct bkxdp_group_key *key)
{
	if (key->side == BKXDP_GROUP_NONE)
		return NULL;
	return key->side == BKXDP_GROUP_REPLY ? "reply" : "inbound";
}
