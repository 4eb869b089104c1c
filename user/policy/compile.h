/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compiles a policy to equivalence classes, and these to the contents of the maps. Pure: no input
 * or output.
 */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include "base/diag.h"
#include "policy/policy.h"

struct peer_entry {
	struct bkxdp_prefix prefix;
	bkxdp_peer_class peer_class;
};

struct service_entry {
	struct bkxdp_service_key key;
	struct bkxdp_service value;
};

struct tables {
	struct bkxdp_settings settings;
	struct peer_entry *peers; /* sorted by address, then by length */
	size_t n_peers;
	struct bkxdp_prefilter prefilter;
	struct bkxdp_port *port;        /* BKXDP_PORTS entries */
	struct service_entry *services; /* sorted by key */
	size_t n_services;
	size_t ipv4_prefixes, ipv6_prefixes;
	struct bkxdp_requirement requirement[BKXDP_REQUIREMENTS_MAX];
	size_t n_requirements;
	struct bkxdp_devices devices; /* zeros; whoever attaches sets it */
};

/* The order of tables.services, for bsearch(). */
int service_compare(const void *a, const void *b);

/* Returns NULL with diagnostics if the policy exceeds a limit of the datapath. */
struct tables *compile(const struct policy *policy, struct diagnostics *diag);
void tables_free(struct tables *tables);

#endif
