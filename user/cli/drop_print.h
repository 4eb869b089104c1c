/* SPDX-License-Identifier: GPL-2.0-only */
/* A dropped packet as a line of text, as JSON and as a comment. */
#ifndef CLI_DROP_PRINT_H
#define CLI_DROP_PRINT_H

#include <bkxdp/layout.h>
#include <jansson.h>
#include <stdio.h>

#include "engine/nearest.h"
#include "packet/packet_summary.h"
#include "policy/policy.h"

struct drop {
	const struct bkxdp_event *event;
	const char *device;
	uint64_t time; /* ns since the epoch */
	uint64_t lost; /* since the packet that was shown before */
	struct packet_summary packet_summary;
	const struct policy *policy; /* the policy that dropped it */
	bool has_nearest;
	struct nearest nearest;
	char *nearest_text;
};

/* Reads the event. `policy` is the one that dropped the packet, or NULL if it is not known. */
void drop_read(struct drop *drop, const struct bkxdp_event *event, const struct policy *policy);
void drop_free(struct drop *drop);

/* Prints one line, in colour if `out` shows colours, with the local time. */
void drop_print(FILE *out, const struct drop *drop);
json_t *drop_json(const struct drop *drop);
/* "drop port: a peer, but no flow has this port; nearest ..."; the caller frees it. */
char *drop_comment(const struct drop *drop);

#endif
