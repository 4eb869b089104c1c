/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the flow that is nearest to a packet that no flow passed. It compares rules and asks no
 * engine, because a probe could open a control connection.
 */
#ifndef ENGINE_NEAREST_H
#define ENGINE_NEAREST_H

#include <bkxdp/verdict.h>

#include "packet/user_frame.h"
#include "policy/policy.h"

/*
 * Is the packet's source in the rule's group? It may be unknown, because a policy that is read
 * back from the kernel has only a few addresses of each group.
 */
enum membership { MEMBER, MEMBER_UNKNOWN, MEMBER_NOT };

struct nearest {
	const struct rule *rule;
	enum membership source;
	bool same_protocol;
	bool ports_fit;
};

/* Returns false if no flow could have prevented a drop for this reason, or if there is no flow. */
bool nearest_find(const struct policy *policy, const struct bkxdp_packet *packet,
		  enum bkxdp_reason reason, struct nearest *nearest);

/*
 * Returns "backup-exec/control takes TCP 10000 from this address", which the caller frees. It
 * claims nothing that is not known.
 */
char *nearest_text(const struct policy *policy, const struct bkxdp_packet *packet,
		   enum bkxdp_reason reason, const struct nearest *nearest);

#endif
