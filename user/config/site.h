/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interface file (or options, or nothing) + profiles + roles -> struct policy.
 */
#ifndef CONFIG_SITE_H
#define CONFIG_SITE_H

#include "policy/policy.h"

#define SITE_BYTES_MAX (256u << 20)
#define SITE_USES_MAX  64

/* What attach's options say where there is no file; all strings are the caller's. */
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
	bool resolve; /* ask DNS for names; false: names count as no address, with a note */
};

/*
 * BKXDP_CONFIG_DIR/eth1.yaml, which is read for eth1 unless another file is named. The caller
 * frees it.
 */
char *site_path(const char *interface);
/* Is this an absolute path of a file in that folder? */
bool site_is_installed(const char *path);

/* Each returns a policy that is sound and within the limits, or NULL with complaints. */
struct policy *site_read(const char *path, const struct site_lookup *lookup,
			 struct diagnostics *diag);
struct policy *site_from_options(const char *interface, const struct site_options *options,
				 const struct site_lookup *lookup, struct diagnostics *diag);
/* Every shipped profile in every role, from any address, in audit: drops nothing. */
struct policy *site_observe(const char *interface, const struct site_lookup *lookup,
			    struct diagnostics *diag);

#endif
