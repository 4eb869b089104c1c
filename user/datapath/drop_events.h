/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listening to a filtered interface's drops. The kernel tells of them only while
 * somebody listens; what it could not tell of is counted.
 */
#ifndef DATAPATH_DROP_EVENTS_H
#define DATAPATH_DROP_EVENTS_H

#include <bkxdp/layout.h>

#include "base/diag.h"
#include "policy/policy.h"

struct watch_filter {
	uint64_t reasons;         /* bit n: enum bkxdp_reason n is wanted */
	struct bkxdp_prefix from; /* of the source; 0 bits: every frame, also one without IP */
	uint32_t rate;            /* events in about a second, on one CPU; the rest is lost */
};

/* The event is valid during the call. Negative: watch_wait() ends, and returns it. */
typedef int watch_seen(void *context, const struct bkxdp_event *event);

struct watch;

/* Listens from now on, on one of BKXDP_LISTENERS places. NULL with complaints. */
struct watch *watch_open(const char *interface, const struct watch_filter *filter, watch_seen *seen,
			 void *context, struct diagnostics *diag);
/* Until there are events, but not longer than this. 0, or what `seen` returned, or -errno. */
int watch_wait(struct watch *watch, int milliseconds);
/* Events lost since watch_open(). */
uint64_t watch_lost(const struct watch *watch);
/* ns for which nobody was told of anything, because this process did not run. */
uint64_t watch_unserved(const struct watch *watch);

/* The policy that is in force, and its generation; NULL where it can't be read. */
struct policy *watch_policy(const struct watch *watch, uint32_t *generation);

enum watch_end {
	WATCH_GOES_ON,
	WATCH_DETACHED,
	WATCH_ATTACHED_ANEW,
	WATCH_PROGRAM_GONE, /* its maps are still pinned */
	WATCH_PLACE_TAKEN,  /* by another listener, while this process did not run for long */
};
/* Is there still something to listen to? To be asked every second or so. */
enum watch_end watch_check(struct watch *watch);

/* Listens no more. What has been told can still be taken by watch_wait(). */
void watch_stop(struct watch *watch);
void watch_close(struct watch *watch);

#endif
