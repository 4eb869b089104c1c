/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a policy would lock its own administrator out, or cut the host's way to the world. */
#ifndef ENGINE_GUARD_H
#define ENGINE_GUARD_H

#include "base/diag.h"
#include "net/addresses.h"
#include "net/links.h"
#include "net/routes.h"
#include "net/ssh.h"
#include "policy/policy.h"

/* What the guard has to know of the host. */
struct surroundings {
	struct links links;
	struct default_routes routes;
	struct host_addresses addresses;
	struct ssh_connection ssh;
	bool by_ssh;     /* .ssh, .addresses and .answered_by are there */
	int answered_by; /* device by which answers to .ssh leave; -ENETUNREACH: there is no route
			  */
};

/*
 * 0, or -1 with a complaint for each thing that would be cut, with the lines that
 * would let it through, and for each that could not be read: what is not known is
 * not allowed. Doubts are sentences, without a place, for an attach that goes on all
 * the same.
 */
int guard_check(const char *interface, const struct policy *policy, struct diagnostics *doubts,
		struct diagnostics *diag);

/* The same of a host whose surroundings are known; `index` is the interface's. */
int guard_judge(const struct surroundings *host, const char *interface, int index,
		const struct policy *policy, struct diagnostics *doubts, struct diagnostics *diag);

#endif
