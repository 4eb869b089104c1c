/* SPDX-License-Identifier: GPL-2.0-only */
/* Drops by kind, as the program groups them (struct bkxdp_group), read at one moment. */
#ifndef STATS_DROP_GROUPS_H
#define STATS_DROP_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bkxdp/verdict.h>
#include <bkxdp/layout.h>

#include "net/prefix.h"

struct drop_group {
	struct bkxdp_group_key key;
	struct bkxdp_group sum;
};

struct drop_groups {
	struct drop_group *group; /* of the policy in force, sorted by key */
	size_t count;
	uint64_t ungrouped; /* since the attach: packets in excess of the groups there can be */
	uint64_t now;       /* ns, CLOCK_MONOTONIC, like the times of the groups */
	bool full;          /* the groups without drops for the longest time were discarded */
};

/* Compares by address, then by the rest of the key. */
int groups_compare(const void *a, const void *b);
void groups_free(struct drop_groups *groups);

/* "10.9.8.7", or "-" if the frame has no IP address. */
void group_source_text(const struct bkxdp_group_key *key, char text[static PREFIX_TEXT_MAX]);
/* "tcp", "ip 47", or "-" if the packet was dropped before its protocol was read. */
#define GROUP_SERVICE_MAX 32
void group_protocol_text(const struct bkxdp_group_key *key, char text[static GROUP_SERVICE_MAX]);
/* "to tcp 445" for a port of this host, "from tcp 443" for one of the peer. */
void group_service_text(const struct bkxdp_group_key *key, char text[static GROUP_SERVICE_MAX]);
/* "inbound", "reply", or NULL if there are no ports. */
const char *group_side_word(const struct bkxdp_group_key *key);

#endif
