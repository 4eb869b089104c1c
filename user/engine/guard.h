/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks whether a policy would cut the administrator's own SSH connection or the host's
 * default route.
 */
#ifndef ENGINE_GUARD_H
#define ENGINE_GUARD_H

#include "base/diag.h"
#include "net/addresses.h"
#include "net/links.h"
#include "net/routes.h"
#include "net/ssh.h"
#include "policy/policy.h"

/* What the guard needs to know about the host. */
struct host_network {
	struct links links;
	struct default_routes routes;
	struct host_addresses addresses;
	struct ssh_connection ssh;
	bool has_ssh;     /* .ssh, .addresses and .reply_device are set */
	int reply_device; /* device by which answers to .ssh leave, or -ENETUNREACH: no route */
};

/*
 * Returns 0, or -1 with a diagnostic for each thing that would be cut, which says the lines
 * that let it in, and for each thing that could not be read, because what is unknown is not
 * allowed. Warnings are sentences without a place, for an attach that goes on nevertheless.
 */
int guard_check(const char *interface, const struct policy *policy, struct diagnostics *warnings,
		struct diagnostics *diag);

/* The same for a host whose network has been read; `index` is that of the interface. */
int guard_judge(const struct host_network *host, const char *interface, int index,
		const struct policy *policy, struct diagnostics *warnings,
		struct diagnostics *diag);

#endif
