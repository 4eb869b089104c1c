// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attach, replace, detach, read back. A policy is built and put into maps
 * before the program is attached, and pinned before that too: there is no
 * moment at which the interface runs with half a policy, or with a program
 * that no command would find.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "compile.h"
#include "datapath_internal.h"
#include "describe.h"
#include "netdev.h"
#include "realtime.h"

/* ---- a policy into maps ---------------------------------------------------- */

static int put_beside(const char *interface, enum beside what, uint32_t slot, int fd)
{
	int error;

	if (fd < 0)
		return fd;
	error = pins_replace_beside(interface, what, slot, fd);
	close(fd);
	return error;
}

/* The description goes beside the slot that the policy will be in. */
static int write_about(const char *interface, const struct maps *maps, const struct policy *policy,
		       const struct tables *tables)
{
	time_t now = time(NULL);
	size_t size;
	AUTO_FREE char *text = describe(policy, tables, now);
	AUTO_FREE void *series = series_write(policy, tables, now, &size);
	struct bkxdp_active active;
	int error = slot_active(maps, &active);

	if (error || !text)
		return error ? error : -EILSEQ;
	error = put_beside(interface, BESIDE_ABOUT, !active.slot,
			   bytes_map_write("about", text, strlen(text)));
	if (error)
		return error;
	return put_beside(interface, BESIDE_SERIES, !active.slot,
			  bytes_map_write("series", series, size));
}

/* Gives rules their counters, finds the classes. The tables, or NULL with complaints. */
static struct tables *prepare(const char *interface, const struct maps *maps, struct policy *policy,
			      struct counter_names *names, struct complaints *complaints)
{
	struct description description = {};
	struct policy *current = policy_in(interface, maps, &description);
	int error = names_read(maps, names);

	if (!error)
		error = counters_assign(policy, names, current);
	policy_free(current);
	if (error) {
		complain(complaints, NULL,
			 "%s: no counters for the policy's flows (%s); detach and attach to start "
			 "anew",
			 interface, strerror(-error));
		return NULL;
	}
	return compile(policy, complaints);
}

/* Names first, so that a counter never moves without one; the slot last. */
static int put_in_force(const char *interface, const struct maps *maps, struct policy *policy,
			struct attach_report *report, struct complaints *complaints)
{
	AUTO_FREE struct counter_names *names = must_alloc(1, sizeof(*names));
	struct tables *tables = prepare(interface, maps, policy, names, complaints);
	int error;

	if (!tables)
		return -1;
	report->by_flags = tables->settings.connections == BKXDP_CONNECTIONS_SOCKETS &&
			   !program_sockets_supported();
	report->prefixes = tables->ipv4_prefixes + tables->ipv6_prefixes;
	if (report->by_flags)
		tables->settings.connections = BKXDP_CONNECTIONS_FLAGS;
	error = names_write(maps, names);
	if (!error)
		error = write_about(interface, maps, policy, tables);
	if (!error)
		error = slot_publish(maps, tables);
	tables_free(tables);
	if (!error)
		return 0;
	if (error == -EILSEQ)
		complain(complaints, NULL,
			 "the name of the interface or of one of the policy's files is not valid "
			 "UTF-8, and "
			 "is kept with the policy; rename it");
	else
		complain_of_load(complaints, "loading the policy", error);
	return -1;
}

/* ---- VLAN tags that the NIC would hide -------------------------------------- */

static int make_tags_visible(const char *interface, const struct policy *policy, bool *turned_off,
			     struct complaints *complaints)
{
	int error;

	*turned_off = false;
	if (policy->settings.vlans_any || netdev_rxvlan(interface) != 1)
		return 0;
	error = netdev_set_rxvlan(interface, false);
	if (!error) {
		*turned_off = true;
		return 0;
	}
	complain(
		complaints, NULL,
		"%s: the NIC takes VLAN tags off before the filter sees them and can't be told not "
		"to (%s), so the vlans rule could not be kept; use \"vlans: any\"",
		interface, strerror(-error));
	return -1;
}

/* ---- attaching -------------------------------------------------------------- */

struct attaching {
	const char *interface;
	int ifindex;
	struct policy *policy;
	enum cache_use cache;
	struct attach_report *report;
	struct complaints *complaints;
};

/* A program of ours on a renamed interface is known by its pins, under the former name. */
static char *former_name(int ifindex)
{
	char **interface, *former = NULL;
	size_t count;

	if (pins_interfaces(&interface, &count))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		AUTO_CLOSE int active = pins_active(interface[i]);
		struct found found = {};

		if (active >= 0 && !former && !xdp_find(ifindex, active, &found) && found.program)
			former = must_copy(interface[i]);
		found_free(&found);
		free(interface[i]);
	}
	free(interface);
	return former;
}

static void complain_of_others(const struct attaching *a, const struct found *found)
{
	AUTO_FREE char *former = former_name(a->ifindex);

	if (former)
		complain(
			a->complaints, NULL,
			"%s is filtered already, under its former name \"%s\"; \"bkxdp detach %s\" "
			"first",
			a->interface, former, former);
	else
		complain(a->complaints, NULL,
			 "%s already runs the XDP program \"%s\" (id %u), which was attached "
			 "without "
			 "libxdp's dispatcher, so no other can join it; take it off first (\"ip "
			 "link set "
			 "dev %s xdp off\") or attach it by xdp-loader",
			 a->interface, found->others ? found->other[0] : "?", found->root,
			 a->interface);
}

static void complain_of_attach(const struct attaching *a, int error, bool generic)
{
	AUTO_FREE char *doing = must_format("attaching %s in %s mode", a->interface,
					    generic ? "generic" : "driver");
	const char *words = libraries_kernel_words();

	if (error == -EPERM) {
		complain_of_load(a->complaints, doing, error);
		return;
	}
	complain(a->complaints, NULL, "%s failed: %s%s%s%s%s", doing,
		 *words ? words : strerror(-error), *words ? " (" : "",
		 *words ? strerror(-error) : "", *words ? ")" : "",
		 generic ? "" : "; \"mode: auto\" falls back to generic mode, with a warning");
}

static int attach_by_way(const struct attaching *a, const struct maps *maps,
			 const struct xdp_way *way)
{
	struct program_plan plan = {PROGRAM_ATTACHED, way->frags, program_sockets_supported(),
				    a->cache, maps};
	struct bkxdp_bpf *program;
	int error;

	libraries_listen();
	program = program_open(&plan);
	if (!program)
		return -errno;
	error = xdp_attach(a->ifindex, program, way);
	bkxdp_bpf__destroy(program);
	return error;
}

/* Is there a program already? Its name, which the caller frees, goes to *name unless that is NULL.
 */
static bool runs_other(const struct attaching *a, char **name)
{
	struct found found;
	bool runs = !xdp_find(a->ifindex, -1, &found) && found.root;

	if (runs && name)
		*name = must_copy(found.others ? found.other[0] : "?");
	found_free(&found);
	return runs;
}

/*
 * Kernels before 5.19 refuse, with EINVAL, a program that the dispatcher calls
 * and that has global functions of its own (mainline f858c2b2ca04): there it
 * runs alone, if nothing else is attached.
 */
static int attach_in_mode(const struct attaching *a, const struct maps *maps, bool generic)
{
	struct xdp_way way = {.frags = a->report->frags, .generic = generic};
	int error = attach_by_way(a, maps, &way);

	if (error != -EINVAL || runs_other(a, NULL))
		return error;
	way.alone = true;
	return attach_by_way(a, maps, &way);
}

/* Driver mode where the driver can; what it says otherwise is for the warning. */
static int attach_program(const struct attaching *a, const struct maps *maps)
{
	struct attach_report *report = a->report;
	AUTO_FREE char *other = NULL;
	int error;

	if (a->policy->mode != MODE_GENERIC) {
		error = attach_in_mode(a, maps, false);
		if (!error)
			return 0;
		if (runs_other(a, &other)) {
			complain(a->complaints, NULL,
				 "%s already runs the XDP program \"%s\", and this kernel can't "
				 "run bkxdp "
				 "beside it (%s; Linux can from 5.19 on): take it off first",
				 a->interface, other, strerror(-error));
			return -1;
		}
		if (a->policy->mode == MODE_NATIVE || error == -EPERM) {
			complain_of_attach(a, error, false);
			return -1;
		}
		snprintf(report->generic_why, sizeof(report->generic_why), "%s",
			 *libraries_kernel_words() ? libraries_kernel_words() : strerror(-error));
	}
	report->generic = true;
	error = attach_in_mode(a, maps, true);
	if (!error)
		return 0;
	complain_of_attach(a, error, true);
	return -1;
}

static int write_attachment(const struct attaching *a, const struct maps *maps, uint32_t root)
{
	struct bkxdp_attachment attachment = {
		.abi = BKXDP_ABI,
		.ifindex = a->ifindex,
		.netns = netdev_namespace(),
		.since = time(NULL),
		.generic = a->report->generic,
		.frags = a->report->frags,
		.rxvlan = a->report->rxvlan_off,
		.version = BKXDP_VERSION,
		.root = root,
	};
	uint32_t zero = 0;

	return bpf_map_update_elem(maps->fd[MAP_ATTACHMENT], &zero, &attachment, BPF_ANY) ? -errno
											  : 0;
}

/* Reads back what really runs: libxdp's success may be a lone program. */
static int confirm(const struct attaching *a, const struct maps *maps)
{
	struct found found;
	int error = xdp_find(a->ifindex, maps->fd[MAP_WORDS], &found);

	if (!error && !found.program)
		error = -ENOENT;
	if (!error)
		error = write_attachment(a, maps, found.root);
	a->report->alone = found.alone;
	found_free(&found);
	if (!error)
		return 0;
	complain(a->complaints, NULL, "%s: the program was attached but is not there (%s)",
		 a->interface, strerror(-error));
	return -1;
}

static void take_off(int ifindex, int active_fd)
{
	struct found found;

	if (!xdp_find(ifindex, active_fd, &found) && found.program)
		(void)xdp_detach(ifindex, found.program, found.generic);
	found_free(&found);
}

/* Everything behind the maps' creation; on failure the caller removes the pins. */
static int attach_with(const struct attaching *a, const struct maps *maps)
{
	int error = write_attachment(a, maps, 0);

	if (!error)
		error = pins_create(a->interface, maps);
	if (error) {
		complain(a->complaints, NULL, "%s: can't pin the maps below %s: %s", a->interface,
			 pins_bpffs(), strerror(-error));
		return -1;
	}
	if (put_in_force(a->interface, maps, a->policy, a->report, a->complaints) ||
	    attach_program(a, maps))
		return -1;
	if (!confirm(a, maps))
		return 0;
	take_off(a->ifindex, maps->fd[MAP_WORDS]);
	return -1;
}

static int attach_new(const struct attaching *a)
{
	struct program_plan plan = {PROGRAM_ATTACHED, program_frags_supported(),
				    program_sockets_supported(), a->cache, NULL};
	struct bkxdp_bpf *owner;
	struct maps maps;
	int error;

	if (realtime_check(a->complaints))
		return -1;
	a->report->frags = plan.frags;
	libraries_listen();
	owner = program_load(&plan);
	if (!owner) {
		complain_of_load(a->complaints, "loading the filter", -errno);
		return -1;
	}
	program_maps(owner, &maps);
	error = make_tags_visible(a->interface, a->policy, &a->report->rxvlan_off, a->complaints);
	if (!error)
		error = attach_with(a, &maps);
	if (error) {
		(void)pins_remove(a->interface);
		if (a->report->rxvlan_off)
			(void)netdev_set_rxvlan(a->interface, true);
	}
	bkxdp_bpf__destroy(owner);
	return error;
}

/* ---- replacing -------------------------------------------------------------- */

/* What may differ from the time of the attach. */
static int note_changes(const struct attaching *a, const struct maps *maps,
			struct bkxdp_attachment *attachment, uint32_t root)
{
	uint32_t zero = 0;

	if (a->report->rxvlan_off)
		attachment->rxvlan = 1;
	attachment->root = root;
	return bpf_map_update_elem(maps->fd[MAP_ATTACHMENT], &zero, attachment, BPF_ANY) ? -errno
											 : 0;
}

static int replace(const struct attaching *a, const struct maps *maps, uint32_t root)
{
	struct bkxdp_attachment attachment;
	int error = read_attachment(maps, &attachment);

	if (!error)
		error = make_tags_visible(a->interface, a->policy, &a->report->rxvlan_off,
					  a->complaints);
	if (!error)
		error = note_changes(a, maps, &attachment, root);
	if (!error)
		error = put_in_force(a->interface, maps, a->policy, a->report, a->complaints);
	a->report->replaced = true;
	a->report->mode_kept = a->policy->mode == (attachment.generic ? MODE_NATIVE : MODE_GENERIC);
	a->report->generic = attachment.generic;
	a->report->frags = attachment.frags;
	return error;
}

/* Another namespace's interface of that name may have its pins in the same place, and run. */
static bool belongs_elsewhere(const struct attaching *a, const struct maps *maps)
{
	struct bkxdp_attachment attachment;

	if (read_attachment(maps, &attachment) || attachment.netns == netdev_namespace() ||
	    xdp_runs_somewhere(maps->fd[MAP_WORDS]) <= 0)
		return false;
	complain(a->complaints, NULL,
		 "the pins of \"%s\" below %s belong to an interface of that name in another "
		 "network "
		 "namespace; use --bpffs with another BPF file system, or detach it there first",
		 a->interface, pins_bpffs());
	return true;
}

static void complain_of_permission(const struct attaching *a, const char *doing, int error)
{
	complain_of_load(a->complaints, doing, error == -EACCES ? -EPERM : error);
}

static int replace_if_whole(const struct attaching *a, uint32_t root)
{
	struct maps maps;
	int error = pins_open(a->interface, &maps, 0);

	if (error) {
		complain(a->complaints, NULL,
			 "%s is filtered, but by another version of bkxdp or with pins missing; "
			 "\"bkxdp "
			 "detach %s\", then attach again",
			 a->interface, a->interface);
		return -1;
	}
	error = belongs_elsewhere(a, &maps) ? -1 : replace(a, &maps, root);
	pins_share(a->interface);
	maps_close(&maps);
	return error;
}

/* Pins of an interface that lives in another namespace are not ours to clear. */
static bool pins_are_foreign(const struct attaching *a)
{
	struct maps maps;
	bool foreign;

	if (pins_open(a->interface, &maps, 0))
		return false;
	foreign = belongs_elsewhere(a, &maps);
	maps_close(&maps);
	return foreign;
}

/* Pins without a program, from an end half way or an interface that went, are cleared. */
static int attach_or_replace(const struct attaching *a)
{
	AUTO_CLOSE int active = pins_active(a->interface);
	struct found found;
	int result = -1, error;

	if (active == -EPERM || active == -EACCES) {
		complain_of_permission(a, "opening the pinned maps", active);
		return -1;
	}
	error = xdp_find(a->ifindex, active, &found);
	if (error) {
		complain_of_permission(a, "looking for XDP programs on the interface", error);
	} else if (found.program) {
		result = replace_if_whole(a, found.root);
		a->report->alone = found.alone;
	} else if (found.alone) {
		complain_of_others(a, &found);
	} else if (!pins_are_foreign(a)) {
		(void)pins_remove(a->interface);
		result = attach_new(a);
	}
	found_free(&found);
	return result;
}

int datapath_attach(const char *interface, struct policy *policy, enum cache_use cache,
		    struct attach_report *report, struct complaints *complaints)
{
	struct attaching a = {interface, 0, policy, cache, report, complaints};
	int lock, error;

	memset(report, 0, sizeof(*report));
	libraries_listen();
	a.ifindex = netdev_index(interface, complaints);
	if (!a.ifindex || pins_check(complaints))
		return -1;
	lock = pins_take_lock(complaints);
	if (lock < 0)
		return -1;
	error = attach_or_replace(&a);
	pins_tidy();
	close(lock);
	return error;
}

/* ---- detaching -------------------------------------------------------------- */

/* Best effort: pins of another version say nothing, and are cleared all the same. */
static void read_pinned_attachment(const char *interface, struct bkxdp_attachment *attachment)
{
	struct maps maps;

	memset(attachment, 0, sizeof(*attachment));
	if (pins_open(interface, &maps, 0))
		return;
	(void)read_attachment(&maps, attachment);
	maps_close(&maps);
}

static int detach_program(const char *interface, int active, struct complaints *complaints)
{
	struct bkxdp_attachment attachment;
	struct found found = {};
	bool ours;
	int ifindex, error;

	read_pinned_attachment(interface, &attachment);
	ifindex = xdp_find_ours(interface, &attachment, active, &found);
	error = ifindex < 0 ? ifindex : 0;
	ours = found.program;
	if (ours)
		error = xdp_detach(ifindex, found.program, found.generic);
	if (!error && ours && attachment.rxvlan)
		(void)netdev_set_rxvlan(interface, true);
	found_free(&found);
	if (!error && !ours && xdp_runs_somewhere(active) > 0) {
		complain(complaints, NULL,
			 "the filter of \"%s\" runs on no interface of this network namespace; "
			 "detach it "
			 "in the namespace where it was attached",
			 interface);
		return -1;
	}
	if (!error)
		return 0;
	complain_of_load(complaints, "detaching", error == -EACCES ? -EPERM : error);
	return -1;
}

static int detach_locked(const char *interface, struct complaints *complaints)
{
	AUTO_CLOSE int active = -1;
	int error = 0;

	if (!datapath_is_pinned(interface)) {
		if (netdev_index(interface, complaints))
			complain(complaints, NULL, "%s is not filtered by bkxdp; nothing to detach",
				 interface);
		return -1;
	}
	active = pins_active(interface);
	if (active == -EPERM || active == -EACCES) {
		complain_of_load(complaints, "opening the pinned maps", -EPERM);
		return -1;
	}
	/* without this pin an attach ended before there was a program */
	if (active >= 0)
		error = detach_program(interface, active, complaints);
	if (error)
		return error;
	error = pins_remove(interface);
	if (error)
		complain(complaints, NULL,
			 "%s is no longer filtered, but its pins below %s/bkxdp can't be removed: "
			 "%s",
			 interface, pins_bpffs(), strerror(-error));
	return error;
}

int datapath_detach(const char *interface, struct complaints *complaints)
{
	int lock, error;

	libraries_listen();
	if (pins_check(complaints))
		return -1;
	lock = pins_take_lock(complaints);
	if (lock < 0)
		return -1;
	error = detach_locked(interface, complaints);
	pins_tidy();
	close(lock);
	return error;
}
