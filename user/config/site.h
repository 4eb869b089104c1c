/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes a policy from an interface file, from options, or from all profiles. */
#ifndef CONFIG_SITE_H
#define CONFIG_SITE_H

#include "policy/policy.h"

#define SITE_BYTES_MAX (256u << 20)
#define SITE_USES_MAX  64

/* What the options of attach say if there is no file. The caller owns all strings. */
struct site_options {
	const char *const *uses; /* "PROFILE:ROLE" */
	size_t n_uses;
	const char *const *addresses; /* "ROLE=ADDRESS[,ADDRESS...]" */
	size_t n_addresses;
	const char *const *ports; /* "NAME=PORTS" */
	size_t n_ports;
	const char *const *enables; /* "FLOW" */
	size_t n_enables;
};

struct site_lookup {
	const char *const *dirs; /* --profiles DIR */
	size_t count;
	bool resolve; /* look up host names; false: they add no addresses, and a note says so */
};

/*
 * Returns BKXDP_CONFIG_DIR/eth1.yaml for eth1: the file that is read unless another one is
 * named. The caller frees it.
 */
char *site_path(const char *interface);
/* Is this an absolute path of a file in BKXDP_CONFIG_DIR? */
bool site_is_installed(const char *path);

/* Each of these returns a valid policy that is within the limits, or NULL with diagnostics. */
struct policy *site_read(const char *path, const struct site_lookup *lookup,
			 struct diagnostics *diag);
struct policy *site_from_options(const char *interface, const struct site_options *options,
				 const struct site_lookup *lookup, struct diagnostics *diag);
/* The policy has every profile in every role, with any address, and audits: it drops nothing. */
struct policy *site_observe(const char *interface, const struct site_lookup *lookup,
			    struct diagnostics *diag);

#endif
