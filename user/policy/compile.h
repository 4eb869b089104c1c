/* SPDX-License-Identifier: GPL-2.0-only */
/* struct policy -> equivalence classes -> the contents of the maps. Pure. */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include "base/diag.h"
#include "policy/policy.h"

struct peer_entry {
	struct bkxdp_prefix prefix;
	bkxdp_peer_class class;
};

struct service_entry {
	struct bkxdp_service_key key;
	struct bkxdp_service value;
};

struct tables {
	struct bkxdp_settings settings;
	struct peer_entry *peer; /* sorted by address, then by length */
	size_t peers;
	struct bkxdp_filter filter;
	struct bkxdp_port *port;       /* BKXDP_PORTS of them */
	struct service_entry *service; /* sorted by key */
	size_t services;
	size_t ipv4_prefixes, ipv6_prefixes;
};

/* The order of tables.service, for bsearch(). */
int service_compare(const void *a, const void *b);

/* NULL with a complaint where the policy exceeds a limit of the datapath. */
struct tables *compile(const struct policy *policy, struct complaints *complaints);
void tables_free(struct tables *tables);

#endif
