/* SPDX-License-Identifier: GPL-2.0-only */
/* Puts a policy together: equal groups are one, limits are kept with a sentence. */
#ifndef POLICY_POLICY_BUILD_H
#define POLICY_POLICY_BUILD_H

#include "policy/policy.h"

struct builder {
	struct policy *policy;
	struct diagnostics *diagnostics;
	uint64_t *hashes; /* of each group's prefixes */
	size_t n_hashes;
	size_t prefixes;
	bool full; /* a limit was complained of */
};

/* Takes the set over. The group's index, or -1 where there is no room. */
int build_group(struct builder *builder, const struct place *place, struct prefix_set *set,
		const char *roles);
/* Copies texts; requires is -1. The flow's index, or -1 where there is no room. */
int build_flow(struct builder *builder, const char *profile, const char *name,
	       const struct place *place, const char *source, const char *note);
/* One rule, or for replies one for each of our own ranges; the default where there is none. */
void build_rules(struct builder *builder, const struct rule *rule, const struct port_set *local);

void policy_note(struct policy *policy, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void policy_use(struct policy *policy, const char *profile, const char *role, const char *title,
		const char *level);

#endif
