/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `status` shows of an interface: its counters, its policy, the other programs on it, and the
 * control connections that are remembered.
 */
#ifndef STATS_SNAPSHOT_H
#define STATS_SNAPSHOT_H

#include "policy/policy.h"
#include "stats/reading.h"

/* A remembered control connection. While it is live, its peer may open data connections. */
struct control_seen {
	uint32_t peer[4];
	const struct flow *flow; /* the control flow, in snapshot.policy */
	struct bkxdp_connection connection;
	bool live;
	bool ended;       /* its end was seen */
	bool timed;       /* `seconds` is known: connections: flags */
	uint64_t seconds; /* since its end, or else since its last segment */
};

struct snapshot {
	struct reading
		reading; /* `attached` is unknown if the filter runs in another network namespace */
	char name_now[IF_NAMESIZE]; /* present name of the attached interface; "": it is gone */
	bool frags;
	bool alone;
	char version[BKXDP_NAME_MAX];
	uint64_t since; /* time of the attach, s since the epoch */
	uint32_t program;
	char **others; /* printable names of the other XDP programs on the interface */
	size_t n_others;
	struct policy *policy;
	struct control_seen *controls;
	size_t n_controls;
	int controls_error; /* negative errno: they could not be read */
	int told; /* 1: the kernel tells of new ones, or need not; 0; negative errno: not known */
};

void snapshot_free(struct snapshot *snapshot);

#endif
