/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes rates from two readings of an interface's counters, as sorted rows. Pure: no input or
 * output.
 */
#ifndef CLI_TOP_MODEL_H
#define CLI_TOP_MODEL_H

#include "base/printable.h"
#include "policy/reasons.h"
#include "stats/drop_groups.h"
#include "stats/reading.h"

/* What was read of one interface at one moment. */
struct top_sample {
	uint64_t time; /* ns, CLOCK_MONOTONIC; 0: nothing was read */
	struct reading reading;
	struct drop_groups groups;
	bool grouped; /* false: the groups could not be read */
};

enum top_sort { TOP_BY_BITS, TOP_BY_PACKETS, TOP_BY_NAME, TOP_SORTS };
extern const char *const top_sort_words[TOP_SORTS];

struct top_amount {
	double packet_rate, bit_rate; /* per second */
	uint64_t packets, bytes;      /* totals */
};

#define TOP_TEXT_MAX 72

struct top_row {
	char what[TOP_TEXT_MAX];        /* a flow, a reason, an address */
	char detail[GROUP_SERVICE_MAX]; /* a side, a service, or "" */
	const char *reason;             /* of a source; otherwise NULL */
	unsigned int tally;             /* of a reason; otherwise 0 */
	struct top_amount amount;
};

struct top_rows {
	struct top_row *row; /* only those with packets */
	size_t count;
};

enum top_table { TOP_FLOWS, TOP_REASONS, TOP_SOURCES, TOP_TABLES };

struct top {
	char device[PRINTABLE_DEVICE_MAX]; /* printable */
	bool attached, generic, audits, grouped;
	double seconds; /* between the readings; 0: no earlier one, so no rates */
	struct top_amount sum[TALLY_VERDICTS];
	struct top_rows table[TOP_TABLES];
};

/* `before` may be empty or of another interface; then there are no rates. */
void top_make(const struct top_sample *before, const struct top_sample *now, enum top_sort sort,
	      struct top *top);
void top_free(struct top *top);

#endif
