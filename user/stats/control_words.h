/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control connections in words, for status and explain: which one lets data in, and why none does.
 * Pure: no input or output.
 */
#ifndef STATS_CONTROL_WORDS_H
#define STATS_CONTROL_WORDS_H

#include "stats/snapshot.h"

/* "10.20.30.5": the peer's address. */
void control_peer_text(const uint32_t peer[static 4], char text[static PREFIX_TEXT_MAX]);

/*
 * Returns "backup-exec/control with 10.20.30.5, its port 57651, ours 10000, 3 s ago", which the
 * caller frees. The time is that of its last segment or its end, if it is known.
 */
char *control_text(const struct control_seen *seen);

/* What a packet that opens something needs: a live connection of a control flow with a host. */
struct control_wanted {
	const struct policy *policy;
	const struct flow *data; /* that requires it, in that policy */
	uint32_t source[4];      /* the host, unless the flow names others */
};

/* Of the control connections that would do. */
struct control_answer {
	const struct control_seen *live; /* the one that was seen last, or NULL */
	const struct control_seen *last; /* the same of those that are not live */
};
struct control_answer control_answer(const struct snapshot *snapshot,
				     const struct control_wanted *wanted);

/*
 * Returns "no connection of 10.1.0.5 to our port 10000 is live; the last one ended 12 s ago", which
 * the caller frees.
 */
char *control_missing_text(const struct control_wanted *wanted,
			   const struct control_answer *answer);

#endif
