/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel: the program, its maps and pins, attaching. The only room that
 * knows libbpf and libxdp; nothing outside sees a file descriptor of theirs.
 */
#ifndef DATAPATH_DATAPATH_H
#define DATAPATH_DATAPATH_H

#include "base/diag.h"
#include "engine/engine.h"
#include "policy/policy.h"
#include "stats/drop_groups.h"
#include "stats/snapshot.h"

/* Where the BPF file system is mounted; pins are below DIR/bkxdp/IFACE. Default /sys/fs/bpf. */
void datapath_set_bpffs(const char *dir);

/*
 * For a process that gives up its privileges: keeps the folder of all pins open,
 * and lets the group of readers at what is pinned already, where this is root.
 */
void datapath_hold(void);
/* May this process, as it is now, read pins at all? Before Linux 5.19 that took CAP_BPF. */
bool datapath_is_open_to_us(void);

struct attach_report {
	bool replaced; /* the filter was there and went on with another policy */
	bool generic;
	bool frags;
	bool mode_kept;  /* replaced, and the policy asks for the other mode */
	bool alone;      /* no dispatcher: no other XDP program can join */
	bool by_flags;   /* the kernel lacks the socket look-ups: replies are judged by flags */
	bool rxvlan_off; /* VLAN tag stripping was turned off, for the vlans rule */
	size_t prefixes; /* distinct ones of the policy */
	char generic_why[256]; /* what the driver said to driver mode */
};

/*
 * The filter of an interface, held for changing: whoever else would change one
 * waits. Opened by the interface's name of now, or by the one that it had when it
 * was attached, if none has that. NULL with complaints.
 */
struct target;
struct target *datapath_open(const char *interface, struct diagnostics *diag);
void datapath_close(struct target *target);

/* Does it run, on an interface that can be named? */
bool datapath_runs(const struct target *target);
/* What the interface is called now, and what it was called when it was attached. */
const char *datapath_device(const struct target *target);
const char *datapath_former_name(const struct target *target);
/*
 * The policy that was put in force last, which the caller frees; NULL only where
 * there is none. 0, or -1 with complaints where it can't be read.
 */
int datapath_policy(const struct target *target, struct policy **policy, struct diagnostics *diag);

/* 0, or -1 with complaints where the interface can't have a filter, whatever the policy. */
int datapath_check(const struct target *target, struct diagnostics *diag);

/* 0, or -1 with complaints where the interface has no filter here to be changed. */
int datapath_check_filtered(const struct target *target, struct diagnostics *diag);

/*
 * Puts the policy in force, by attaching or by replacing the one that is. On
 * failure: -1 with complaints, and nothing that runs has changed. Sets the
 * counters of the policy's rules.
 */
int datapath_attach(struct target *target, struct policy *policy, enum cache_use cache,
		    struct attach_report *report, struct diagnostics *diag);

/*
 * Removes program and pins, also those that a dead interface left. 0, or -1 with
 * complaints, which say whether it still runs.
 */
int datapath_detach(struct target *target, struct diagnostics *diag);

/*
 * For reading: the name under which the filter is pinned that an interface of this
 * name runs, or the name itself where it runs none.
 */
const char *datapath_pinned_as(const char *interface, char name[static IF_NAMESIZE]);

/* True where pins of a filter of this interface exist. */
bool datapath_is_pinned(const char *interface);

/*
 * Names of all interfaces with pins, sorted; the caller frees each and the array.
 * 0, or -1 with complaints where they can't be looked for.
 */
int datapath_interfaces(char ***interfaces, size_t *count, struct diagnostics *diag);

/* What the kernel holds of an interface now. NULL with complaints. */
struct snapshot *datapath_snapshot(const char *interface, struct diagnostics *diag);

/* Drops by kind, of the policy in force; the caller frees them. 0 or negative errno. */
int datapath_groups(const char *interface, struct drop_groups *groups);
/*
 * Has drops grouped for so long, also where the policy is in force; in audit mode
 * they always are. To be asked again before the time is over. 0 or negative errno.
 */
int datapath_group_drops(const char *interface, unsigned int seconds);

/*
 * What an interface has counted, by the pins that a scrape may read. 1, or 0 where there is nothing
 * to be read, for it is just being attached or detached; -1 with complaints.
 */
int datapath_scrape(const char *interface, struct reading *reading, struct diagnostics *diag);

/*
 * A filtered interface's program with its policy of now, in a test run that
 * leaves its counters alone, and that policy. NULL with errno.
 */
struct engine *engine_attached(const char *interface, struct policy **policy);

#endif
