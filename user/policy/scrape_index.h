/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a scrape needs of a policy, as bytes that lie beside the maps: whose
 * counters there are, without reading the whole description. Pure.
 */
#ifndef POLICY_SCRAPE_INDEX_H
#define POLICY_SCRAPE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "policy/compile.h"
#include "policy/policy.h"

/* One side of a flow; equal ones of several uses are one. */
struct series_flow {
	uint16_t counter;
	uint16_t profile; /* index */
	uint32_t side;
	uint32_t name; /* where it begins among the names */
};

/* Behind it in memory: the profiles, the flows, the names, the files. */
struct series_head {
	uint64_t loaded; /* s since the epoch */
	uint64_t digest;
	uint64_t ipv4_prefixes, ipv6_prefixes;
	uint32_t enforcement;
	uint32_t profiles, flows;
	uint32_t name_bytes, file_bytes;
	uint32_t unused;
};

/* A view into the bytes; texts end in NUL. */
struct series {
	const struct series_head *head;
	const char (*profile)[BKXDP_NAME_MAX];
	const struct series_flow *flow;
	const char *name;
	const char *file; /* one behind the other, the interface file first */
};

/* The counters must have been assigned. The caller frees it. */
void *series_write(const struct policy *policy, const struct tables *tables, uint64_t loaded,
		   size_t *size);

/* 0, or -EBADMSG where the bytes are no series. */
int series_read(const void *bytes, size_t size, struct series *series);

/* When the newest of the files was last written, s since the epoch; 0: unknown. */
uint64_t series_changed(const struct series *series);

#endif
