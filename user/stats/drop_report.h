/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy drops, or would drop, and what would let in what of it is
 * legitimate: groups of drops + policy -> rows for people, each with its advice.
 * Pure.
 */
#ifndef STATS_DROP_REPORT_H
#define STATS_DROP_REPORT_H

#include "config/profile.h"
#include "policy/policy.h"
#include "stats/drop_groups.h"

enum advice_kind {
	ADVICE_FLOW,    /* a line for the interface file's flows */
	ADVICE_ADDRESS, /* a role of a profile in use lacks these addresses */
	ADVICE_ENABLE,  /* an optional flow of a profile in use */
	ADVICE_SETTING, /* a key of the interface file */
	ADVICE_SCAN,    /* one source at many ports: no line, or the scanner would be let in */
	ADVICE_NONE,    /* no setting helps, or only somebody who knows can tell */
	ADVICE_KINDS
};
const char *advice_kind_word(enum advice_kind kind);

/* What drops with the same advice have in common; what does not matter is zero. */
struct subject {
	enum advice_kind kind;
	enum bkxdp_reason reason;
	enum bkxdp_group_side side;
	uint32_t port;
	uint32_t protocol;
	uint32_t rule; /* ADVICE_ADDRESS: 1 + index of a rule of the role; else 0 */
	uint32_t use;  /* ADVICE_ENABLE: 1 + index of the use; else 0 */
	uint32_t flow; /* ADVICE_ENABLE: index into its profile's flows */
};

struct advice {
	struct subject subject;
	struct prefix_set sources; /* whom it is about, each once */
	char *name;                /* ADVICE_FLOW: the flow's */
	char *line;                /* to write into the interface file, or NULL */
	char *sentence;            /* what it means, or what to be careful of; or NULL */
};

/* One group, all the ports of a scan from one source, or very many sources at one port. */
struct would_row {
	const struct drop_group *group; /* within what was given; the first of many */
	uint64_t packets, bytes;
	uint64_t first, last; /* ns, CLOCK_MONOTONIC */
	unsigned int ports, sources;
	uint16_t low, high;  /* of a scan's ports */
	unsigned int advice; /* index */
};

struct drop_report {
	struct would_row *rows; /* most packets first */
	size_t n_rows;
	struct advice *advice; /* in the order of the rows that need them */
	size_t n_advice;
};

/* From so many ports on, one source scans. */
#define SCAN_PORTS 20
/* More sources than this are one row, and a decision for a prefix or against them; not a line. */
#define LINE_SOURCES_MAX 32

/* A policy, and the profile of each of its uses; NULL where that can't be read any more. */
struct in_force {
	const struct policy *policy;
	const struct profile *const *profile; /* or NULL: none is known */
};

struct drop_report *drop_report(const struct in_force *now, const struct drop_groups *groups);
void drop_report_free(struct drop_report *found);

/* ---- advice.c: a subject in words ------------------------------------------ */

/* Sets name, line and sentence; `before` are those that have a name already. */
void advice_write(struct advice *advice, const struct in_force *now, const struct advice *before,
		  size_t count);

/* From here on, Linux takes ports for connections that it opens (ip_local_port_range). */
#define EPHEMERAL 32768

#endif
