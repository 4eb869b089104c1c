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
	const char *const *use; /* "PROFILE:ROLE" */
	size_t uses;
	const char *const *address; /* "ROLE=ADDRESS[,ADDRESS...]" */
	size_t addresses;
	const char *const *port; /* "NAME=PORTS" */
	size_t ports;
	const char *const *enable; /* "FLOW" */
	size_t enables;
};

struct site_lookup {
	const char *const *dirs; /* --profiles DIR */
	size_t count;
	bool resolve; /* ask DNS for names; false: names count as no address, with a note */
};

/* Each returns a policy that is sound and within the limits, or NULL with complaints. */
struct policy *site_read(const char *path, const struct site_lookup *lookup,
			 struct complaints *complaints);
struct policy *site_from_options(const char *interface, const struct site_options *options,
				 const struct site_lookup *lookup, struct complaints *complaints);
/* Every shipped profile in every role, from any address, in audit: drops nothing. */
struct policy *site_observe(const char *interface, const struct site_lookup *lookup,
			    struct complaints *complaints);

#endif
