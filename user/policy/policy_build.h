/* SPDX-License-Identifier: GPL-2.0-only */
/* Builds a policy. Equal groups become one. If a limit is exceeded, a diagnostic says so. */
#ifndef POLICY_POLICY_BUILD_H
#define POLICY_POLICY_BUILD_H

#include "policy/policy.h"

struct builder {
	struct policy *policy;
	struct diagnostics *diagnostics;
	uint64_t *hashes; /* of the prefixes of each group */
	size_t n_hashes;
	size_t prefixes;
	bool full; /* an exceeded limit was reported */
};

/* Takes ownership of the set. Returns the index of the group, or -1 if a limit is exceeded. */
int build_group(struct builder *builder, const struct place *place, struct prefix_set *set,
		const char *roles);
/*
 * Copies the strings and sets `required` to -1. Returns the index of the flow, or -1 if a limit is
 * exceeded.
 */
int build_flow(struct builder *builder, const char *profile, const char *name,
	       const struct place *place, const char *source, const char *note);
/*
 * Sets the role with any of whose hosts a connection of the required flow will do. Returns false if
 * these are more than BKXDP_WITH_MAX addresses; the flow is then unchanged.
 */
bool build_with(struct flow *flow, const char *role, const struct prefix_set *hosts);
/*
 * Adds one rule, or for replies one for each range in `local`. If `local` is empty, the range is
 * the unprivileged ports.
 */
void build_rules(struct builder *builder, const struct rule *rule, const struct port_set *local);

void policy_note(struct policy *policy, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void policy_use(struct policy *policy, const char *profile, const char *role, const char *title,
		const char *level);

#endif
