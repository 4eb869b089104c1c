/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy's description: what people ask of a loaded policy and the datapath
 * does not need. It is stored as JSON beside the maps, so that every command
 * sees the policy that runs and not the files of today.
 */
#ifndef POLICY_POLICY_JSON_H
#define POLICY_POLICY_JSON_H

#include <stdint.h>

#include "policy/compile.h"
#include "policy/policy.h"

struct description {
	struct policy *policy; /* groups have only their first DESCRIBED_PREFIXES */
	uint64_t loaded;       /* s since the epoch */
	size_t ipv4_prefixes, ipv6_prefixes;
};
#define DESCRIBED_PREFIXES 4

/* The caller frees it. NULL where a name or path in it is not valid UTF-8, as JSON must be. */
char *describe(const struct policy *policy, const struct tables *tables, uint64_t loaded);

/* 0, or -EBADMSG where the text is no description; the caller frees description->policy. */
int describe_read(const char *text, struct description *description);

#endif
