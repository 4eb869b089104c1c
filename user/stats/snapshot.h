/* SPDX-License-Identifier: GPL-2.0-only */
/* What an interface has counted and what runs on it, read at one moment. */
#ifndef STATS_SNAPSHOT_H
#define STATS_SNAPSHOT_H

#include <bkxdp/verdict.h>

#include "policy/policy.h"
#include "policy/scrape_index.h"

struct flow_count {
	const struct flow *flow;
	enum side side;
	struct bkxdp_counter sum;
};

/* A control connection that is remembered, by which its peer may open data connections. */
struct control_seen {
	uint32_t peer[4];
	const struct flow *flow; /* the control flow, within snapshot.policy */
	struct bkxdp_connection connection;
	bool live;
};

/* One interface at one moment. */
struct snapshot {
	char device[IF_NAMESIZE];
	char name_now[IF_NAMESIZE]; /* of the interface it was attached to; "": it is gone */
	bool attached;              /* false: pins without a program */
	bool elsewhere; /* in another network namespace, so it can't be told whether attached */
	bool generic;
	bool frags;
	bool alone;
	char version[BKXDP_NAME_MAX];
	uint64_t since;  /* attached, s since the epoch */
	uint64_t loaded; /* the policy, likewise */
	uint32_t program;
	uint32_t generation; /* replacements of the policy since attach */
	char **beside;       /* printable names of the other XDP programs on the interface */
	size_t n_beside;
	struct policy *policy;
	size_t ipv4_prefixes, ipv6_prefixes;
	struct bkxdp_counter tally[BKXDP_TALLIES];
	struct flow_count *flows; /* each flow side of the policy once, in its order */
	size_t n_flows;
	struct control_seen *controls;
	size_t n_controls;
};

void snapshot_free(struct snapshot *snapshot);

/* What a scrape needs of one interface, all of one generation of its policy. */
struct reading {
	char device[IF_NAMESIZE];
	enum { ATTACHED_NO, ATTACHED_YES, ATTACHED_UNKNOWN } attached;
	bool generic;
	uint64_t changed;     /* the newest file of the policy, s since the epoch; 0: not known */
	struct series series; /* within `bytes` */
	struct bkxdp_counter tally[BKXDP_TALLIES];
	struct bkxdp_counter *flow; /* one for each of series.flow */
	char *bytes;
};

#endif
