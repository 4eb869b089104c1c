/* SPDX-License-Identifier: GPL-2.0-only */
/* A site that is being compiled to a policy. Only for site_compile.c and the files that help it. */
#ifndef CONFIG_SITE_BUILD_H
#define CONFIG_SITE_BUILD_H

#include "config/site_model.h"
#include "net/resolve.h"
#include "policy/policy_build.h"

/* The group of a set of roles, so that not every flow copies a million addresses again. */
struct role_group {
	char *roles;
	int group;
};

struct site_build {
	struct site *site;
	struct builder builder;
	struct diagnostics *diagnostics;
	struct resolution *names; /* each host name once */
	size_t n_names;
	bool names_unknown;              /* there are host names, and they were not looked up */
	bool has_names[BKXDP_FLOWS_MAX]; /* of each flow of the policy: has host names as peers */

	/* of the current use */
	struct site_use *use;
	int *flows; /* for each flow of the profile: its index in the policy, or -1 */
	bool *role_reported, *port_reported; /* what is missing was reported already */
	struct role_group *role_groups;
	size_t n_role_groups;
};

static inline bool takes_part(const struct profile_flow *flow, int role, enum side side)
{
	return side == SIDE_INBOUND ? contains(flow->to, flow->n_to, role)
				    : contains(flow->from, flow->n_from, role);
}

/* The flow can't be without the addresses of these roles. Says so once for each role. */
void report_missing_addresses(struct site_build *build, const struct profile_flow *flow,
			      const unsigned int *roles, size_t n_roles);

/* Looks up the host names of all roles that a flow needs, if `resolve_names`. */
void peers_resolve_names(struct site_build *build, bool resolve_names);
/* Does a role of the current use have addresses? */
bool peers_have_addresses(struct site_build *build, unsigned int role);
/* Is some address of the role given as a host name? */
bool peers_have_names(const struct site_build *build, unsigned int role);
void peers_add(const struct site_build *build, struct prefix_set *set,
	       const struct addresses *addresses);
/* Adds the addresses of a role of the current use. */
void peers_add_role(const struct site_build *build, struct prefix_set *set, unsigned int role);
/* Returns the group of all addresses of these roles, or -1. */
int peers_group(struct site_build *build, const unsigned int *roles, size_t n_roles);

/* Finds what the flows of the current use require. Its flows must be in the policy. */
void required_by_use(struct site_build *build);
/* Likewise for the site's own flows. `first` is the index of the first one in the policy. */
void required_by_site_flows(struct site_build *build, size_t first);

#endif
