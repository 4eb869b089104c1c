/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's part: the program, its maps and pins, attaching and detaching. This is the only room
 * that uses libbpf and libxdp; no file descriptor of theirs leaves it.
 */
#ifndef DATAPATH_DATAPATH_H
#define DATAPATH_DATAPATH_H

#include "base/diag.h"
#include "engine/engine.h"
#include "policy/policy.h"
#include "stats/drop_groups.h"
#include "stats/snapshot.h"

/*
 * Sets where the BPF file system is mounted. Pins are in DIR/bkxdp/IFACE. The default is
 * /sys/fs/bpf.
 */
void datapath_set_bpffs(const char *dir);

/*
 * For a process that gives up its privileges: keeps the folder of all pins open. As root, also
 * gives the readers' group access to what is pinned already.
 */
void datapath_keep_pins_open(void);
/* Returns true if this process may read pins now. Before Linux 5.19, that needs CAP_BPF. */
bool datapath_is_open_to_us(void);

struct attach_report {
	bool replaced; /* the filter ran already and got another policy */
	bool generic;
	bool frags;
	bool mode_kept;  /* replaced, but the policy asks for the other mode */
	bool alone;      /* without a dispatcher: no other XDP program can be added */
	bool by_flags;   /* the kernel lacks socket look-ups, so replies are judged by TCP flags */
	size_t n_hidden; /* control connections that can't be known: memory_follow() */
	bool too_many_above; /* more than BKXDP_DEVICES_MAX devices are above the interface */
	bool bound_unseen;   /* answers to sockets that are bound to a device above are dropped */
	bool rxvlan_off;     /* VLAN tag stripping was turned off, because the policy has `vlans` */
	size_t prefixes;     /* distinct prefixes of the policy */
	char generic_why[256]; /* why the driver refused driver mode */
};

/*
 * The filter of an interface, locked for changes: other processes that want to change a filter
 * wait. The interface is known by its name now, or, if no interface has that name, by its name when
 * it was attached. datapath_open() returns NULL with diagnostics on failure.
 */
struct target;
struct target *datapath_open(const char *interface, struct diagnostics *diag);
void datapath_close(struct target *target);

/* Returns true if the filter runs on an interface of this network namespace. */
bool datapath_runs(const struct target *target);
/* The name of the interface now, and its name when it was attached. */
const char *datapath_device(const struct target *target);
const char *datapath_former_name(const struct target *target);
/*
 * Sets *policy to the policy that was put in force last, which the caller frees, or leaves it
 * unchanged if there is none. Returns 0, or -1 with diagnostics if it can't be read.
 */
int datapath_policy(const struct target *target, struct policy **policy, struct diagnostics *diag);

/* Returns 0, or -1 with diagnostics if the interface can't have a filter, whatever the policy. */
int datapath_check(const struct target *target, struct diagnostics *diag);

/* Returns 0, or -1 with diagnostics if the interface has no filter that can be changed here. */
int datapath_check_filtered(const struct target *target, struct diagnostics *diag);

/*
 * Puts the policy in force: attaches the filter or replaces its policy. Sets the counters of the
 * policy's rules. Returns 0, or -1 with diagnostics; then what runs has not changed.
 */
int datapath_attach(struct target *target, struct policy *policy, enum cache_use cache,
		    struct attach_report *report, struct diagnostics *diag);

/*
 * Removes the program and its pins, also pins that an interface left when it disappeared. Returns
 * 0, or -1 with diagnostics, which say whether the filter still runs.
 */
int datapath_detach(struct target *target, struct diagnostics *diag);

/*
 * For readers: returns the name under which the filter of this interface is pinned, or `interface`
 * if none is found.
 */
const char *datapath_pinned_as(const char *interface, char name[static IF_NAMESIZE]);

/* Returns true if there are pins of this name. */
bool datapath_is_pinned(const char *interface);

/*
 * Sets the sorted names of all interfaces with pins. The caller frees each and the array. Returns
 * 0, or -1 with diagnostics if they can't be listed.
 */
int datapath_interfaces(char ***interfaces, size_t *count, struct diagnostics *diag);

/* Reads the filter's present state. Returns NULL with diagnostics on failure. */
struct snapshot *datapath_snapshot(const char *interface, struct diagnostics *diag);

/*
 * Reads the drops by kind under the policy in force. The caller frees them. Returns 0 or a negative
 * errno.
 */
int datapath_groups(const char *interface, struct drop_groups *groups);
/*
 * Makes the program group drops for so many seconds, also if the policy is enforced; in audit mode
 * drops are always grouped. Must be called again before the time is over. Returns 0 or a negative
 * errno.
 */
int datapath_group_drops(const char *interface, unsigned int seconds);

/*
 * Reads what an interface has counted, from the pins that a scrape may read. Returns 1; 0 if there
 * is nothing to read because the filter is being attached or detached; or -1 with diagnostics.
 */
int datapath_scrape(const char *interface, struct reading *reading, struct diagnostics *diag);

/*
 * Returns an engine that runs the interface's program and its present policy in test runs, which do
 * not change the interface's counters. Also sets *policy. Returns NULL with errno on failure.
 */
struct engine *engine_attached(const char *interface, struct policy **policy);

#endif
