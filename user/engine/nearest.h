/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow that comes nearest to a packet that no flow took. Found by comparing
 * rules, never by asking an engine: a probe could open a control connection.
 */
#ifndef ENGINE_NEAREST_H
#define ENGINE_NEAREST_H

#include <bkxdp/verdict.h>

#include "packet/user_frame.h"
#include "policy/policy.h"

/* Whether the packet's source is in the rule's group; a loaded policy knows only a few of it. */
enum membership { MEMBER, MEMBER_UNKNOWN, MEMBER_NOT };

struct nearest {
	const struct rule *rule;
	enum membership source;
	bool same_protocol;
	bool ports_fit;
};

/* False where the reason is not one that a flow could have prevented, or there is no flow. */
bool nearest_find(const struct policy *policy, const struct bkxdp_packet *packet,
		  enum bkxdp_reason reason, struct nearest *nearest);

/*
 * "backup-exec/control takes TCP 10000 from this address": no more than is so.
 * The caller frees it.
 */
char *nearest_text(const struct policy *policy, const struct bkxdp_packet *packet,
		   enum bkxdp_reason reason, const struct nearest *nearest);

#endif
