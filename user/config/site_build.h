/* SPDX-License-Identifier: GPL-2.0-only */
/* An interface file on its way to a policy: between site_compile.c and site_resolve.c only. */
#ifndef CONFIG_SITE_BUILD_H
#define CONFIG_SITE_BUILD_H

#include "config/site_model.h"
#include "net/resolve.h"
#include "policy/policy_build.h"

/* Roles met together before: a flow must not copy a million addresses again. */
struct joined_roles {
	char *roles;
	int group;
};

struct site_build {
	struct site *site;
	struct builder builder;
	struct diagnostics *diagnostics;
	struct resolution *names; /* every host name once */
	size_t n_names;
	bool named[BKXDP_FLOWS_MAX]; /* flows of the policy: some peer is given by a host name */

	/* of the use at hand */
	struct site_use *use;
	int *flow;                   /* of the profile -> of the policy, or -1 */
	bool *role_said, *port_said; /* what is missing, once */
	struct joined_roles *joined;
	size_t n_joined;
};

static inline bool takes_part(const struct profile_flow *flow, int role, enum side side)
{
	return side == SIDE_INBOUND ? contains(flow->to, flow->n_to, role)
				    : contains(flow->from, flow->n_from, role);
}

/* Asks for the names of all roles that a flow needs. */
void peers_look_up(struct site_build *build, bool wanted);
/* Whether a role of the use at hand has addresses. */
bool peers_known(struct site_build *build, unsigned int role);
/* Whether some address of the role is given by a host name. */
bool peers_named(const struct site_build *build, unsigned int role);
void peers_add(const struct site_build *build, struct prefix_set *set,
	       const struct addresses *addresses);
/* The group of the union of these roles' addresses, or -1. */
int peers_group(struct site_build *build, const unsigned int *role, size_t count);

#endif
