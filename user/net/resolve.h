/* SPDX-License-Identifier: GPL-2.0-only */
/* Looks up the addresses of host names, all in parallel. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "net/prefix.h"

#define RESOLVE_SECONDS 5 /* the time for all names together */
#define RESOLVE_MAX     1024

struct resolution {
	const char *name;          /* owned by the caller */
	struct prefix_set address; /* of both families, normalized */
	const char *problem;       /* why there is no address, or NULL */
};

/* Looks up all names in parallel, and stores the answers that come in time. */
void resolve(struct resolution *resolutions, size_t n_resolutions);
void resolve_free(struct resolution *resolutions, size_t n_resolutions);

#endif
