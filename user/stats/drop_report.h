/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy drops or would drop, and which settings would pass the legitimate part of it. Makes
 * rows with advice from groups of drops and the policy. Pure: no input or output.
 */
#ifndef STATS_DROP_REPORT_H
#define STATS_DROP_REPORT_H

#include "config/profile.h"
#include "policy/policy.h"
#include "stats/drop_groups.h"

enum advice_kind {
	ADVICE_FLOW,    /* a line for `flows` of the interface file */
	ADVICE_ADDRESS, /* a role of a profile in use lacks these addresses */
	ADVICE_ENABLE,  /* an optional flow of a profile in use */
	ADVICE_SETTING, /* a key of the interface file */
	ADVICE_SCAN, /* one source and many ports: no line, because it would let the scanner in */
	ADVICE_NONE, /* no setting helps, or only a person can decide */
	ADVICE_KINDS
};
const char *advice_kind_word(enum advice_kind kind);

/* What drops with the same advice have in common. Fields that do not apply are zero. */
struct subject {
	enum advice_kind kind;
	enum bkxdp_reason reason;
	enum bkxdp_group_side side;
	uint32_t port;
	uint32_t protocol;
	uint32_t rule; /* ADVICE_ADDRESS: 1 + index of a rule of the role; otherwise 0 */
	uint32_t use;  /* ADVICE_ENABLE: 1 + index of the use; otherwise 0 */
	uint32_t flow; /* ADVICE_ENABLE: index in the flows of the profile */
};

struct advice {
	struct subject subject;
	struct prefix_set sources; /* each once */
	char *name;                /* ADVICE_FLOW: name of the flow */
	char *line;                /* to write to the interface file, or NULL */
	char *sentence;            /* explanation or caution, or NULL */
};

/* One group, or all the ports that one source scanned, or very many sources of one port. */
struct drop_row {
	const struct drop_group *group; /* in the given groups; the first if there are many */
	uint64_t packets, bytes;
	uint64_t first, last; /* ns, CLOCK_MONOTONIC */
	unsigned int ports, sources;
	uint16_t low, high;  /* of the ports that were scanned */
	unsigned int advice; /* index in drop_report.advice */
};

struct drop_report {
	struct drop_row *rows; /* those with the most packets first */
	size_t n_rows;
	struct advice *advice; /* in the order of the rows that refer to it */
	size_t n_advice;
};

/* A source that tries at least this many ports is taken for a scanner. */
#define SCAN_PORTS 20
/* More sources than this are one row and get no line: the administrator decides about a prefix. */
#define LINE_SOURCES_MAX 32

/* A policy and the profile of each of its uses. A profile that can no longer be read is NULL. */
struct in_force {
	const struct policy *policy;
	const struct profile *const *profile; /* or NULL: no profile is known */
};

struct drop_report *drop_report(const struct in_force *now, const struct drop_groups *groups);
void drop_report_free(struct drop_report *report);

/* ---- drop_advice.c: advice as text --------------------------------------- */

/* Sets name, line and sentence. `before` is the advice that already has names. */
void advice_write(struct advice *advice, const struct in_force *now, const struct advice *before,
		  size_t count);

/*
 * Ports from here on are ephemeral: Linux takes them for connections that it opens
 * (ip_local_port_range).
 */
#define EPHEMERAL 32768

#endif
