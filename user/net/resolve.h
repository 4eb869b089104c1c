/* SPDX-License-Identifier: GPL-2.0-only */
/* Host names to addresses, all at once. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "net/prefix.h"

#define RESOLVE_SECONDS 5 /* for all names together */
#define RESOLVE_MAX     1024

struct resolution {
	const char *name;          /* the caller's */
	struct prefix_set address; /* of both families, settled */
	const char *why;           /* why there is none, or NULL */
};

/* Asks for all names in parallel and fills in what came within the time. */
void resolve(struct resolution *resolution, size_t count);
void resolve_free(struct resolution *resolution, size_t count);

#endif
