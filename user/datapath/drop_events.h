/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Receives the drops of a filtered interface as events. The program sends events only while
 * somebody listens, and counts those that it could not send.
 */
#ifndef DATAPATH_DROP_EVENTS_H
#define DATAPATH_DROP_EVENTS_H

#include <bkxdp/layout.h>

#include "base/diag.h"
#include "policy/policy.h"

struct watch_filter {
	uint64_t reasons;         /* bit n: enum bkxdp_reason n is wanted */
	struct bkxdp_prefix from; /* source address; 0 bits: every frame, also without IP */
	uint32_t rate; /* events per second (roughly) on each CPU; more are counted as lost */
};

/*
 * Called for each event, which is valid only during the call. A negative result ends watch_wait(),
 * which returns it.
 */
typedef int watch_seen(void *context, const struct bkxdp_event *event);

struct watch;

/* Begins to listen, in one of BKXDP_LISTENERS places. Returns NULL with diagnostics on failure. */
struct watch *watch_open(const char *interface, const struct watch_filter *filter, watch_seen *seen,
			 void *context, struct diagnostics *diag);
/* Waits for events, at most this long. Returns 0, what `seen` returned, or a negative errno. */
int watch_wait(struct watch *watch, int milliseconds);
/* Events lost since watch_open(). */
uint64_t watch_lost(const struct watch *watch);
/* Time in ns during which no events were sent because this process did not run. */
uint64_t watch_unserved(const struct watch *watch);

/* Returns the policy in force and its generation, or NULL if it can't be read. */
struct policy *watch_policy(const struct watch *watch, uint32_t *generation);

enum watch_end {
	WATCH_GOES_ON,
	WATCH_DETACHED,
	WATCH_ATTACHED_ANEW,
	WATCH_PROGRAM_GONE, /* its maps are still pinned */
	WATCH_PLACE_TAKEN,  /* by another listener, because this process did not run for long */
};
/* Says whether there is still something to listen to. To be called about once a second. */
enum watch_end watch_check(struct watch *watch);

/* Stops listening. Events that were sent before can still be read by watch_wait(). */
void watch_stop(struct watch *watch);
void watch_close(struct watch *watch);

#endif
