// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaches a filter or replaces its policy. The policy is written to maps, and the maps are pinned,
 * before the program is attached. So the interface never runs with half a policy, nor with a
 * program that no command would find.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "config/source_files.h"
#include "datapath/internal.h"
#include "datapath/realtime.h"
#include "net/netdev.h"
#include "policy/compile.h"
#include "policy/counters.h"
#include "policy/policy_json.h"

/* ---- writing a policy to the maps ---------------------------------------- */

static int put_attachment(const struct maps *maps, const struct bkxdp_attachment *attachment)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(maps->fd[MAP_ATTACHMENT], &zero, attachment, BPF_ANY) ? -errno
											 : 0;
}

static int pin_slot_map(const char *interface, enum slot_pin what, uint32_t slot, int fd)
{
	int error;

	if (fd < 0)
		return fd;
	error = pins_replace_slot_pin(interface, what, slot, fd);
	close(fd);
	return error;
}

/* Pins the policy and the paths of its files for the slot that it will be in. */
static int pin_policy(const char *pins, uint32_t slot, const struct policy *policy)
{
	size_t size;
	AUTO_FREE char *text = policy_json_write(policy);
	AUTO_FREE char *files = source_files(policy, &size);
	int error = text ? pin_slot_map(pins, SLOT_PIN_POLICY, slot,
					bytes_map_write("about", text, strlen(text)))
			 : -EILSEQ;

	if (error)
		return error;
	return pin_slot_map(pins, SLOT_PIN_FILES, slot, bytes_map_write("files", files, size));
}

/* This is written first, so that whoever is reading the slot sees that it changes. */
static int write_record(const struct maps *maps, const struct bkxdp_active *next,
			const struct policy *policy, const struct tables *tables)
{
	struct bkxdp_attachment attachment;
	int error = read_attachment(maps, &attachment);

	if (error)
		return error;
	attachment.policy[next->slot] = (struct bkxdp_policy_record){
		.loaded = time(NULL),
		.digest = policy->digest,
		.ipv4_prefixes = tables->ipv4_prefixes,
		.ipv6_prefixes = tables->ipv6_prefixes,
		.enforcement = tables->settings.enforcement,
		.generation = next->generation,
		.in_force = attachment.policy[next->slot].in_force,
		.control_table = tables->settings.control_table,
	};
	return put_attachment(maps, &attachment);
}

/* If this fails, readers look at the program's globals instead, which costs more. */
static void note_in_force(const struct maps *maps, const struct bkxdp_active *active)
{
	struct bkxdp_attachment attachment;

	if (read_attachment(maps, &attachment))
		return;
	attachment.policy[active->slot].in_force = active->generation;
	(void)put_attachment(maps, &attachment);
}

/*
 * The names are written before the policy, so that no counter changes its flow without a new name.
 * The slot is published last.
 */
static int write_policy(const char *pins, const struct maps *maps, const struct policy *policy,
			const struct tables *tables, struct counter_names *names)
{
	struct bkxdp_active next;
	int error = slot_next(maps, &next);

	if (!error)
		error = write_record(maps, &next, policy, tables);
	if (error)
		return error;
	counters_place(names, policy, next.slot);
	error = names_write(maps, names);
	if (!error)
		error = pin_policy(pins, next.slot, policy);
	if (!error)
		error = slot_publish(maps, &next, tables);
	if (!error)
		note_in_force(maps, &next);
	return error;
}

/* Flows of the policy in force keep their counters. The outputs are not changed on failure. */
static int assign_counters(const char *pins, const struct maps *maps, struct policy *policy,
			   struct counter_names *names)
{
	struct policy *current = NULL;
	struct bkxdp_active active;
	uint32_t generation;
	int error = slot_active(maps, &active);

	if (!error && active.generation) {
		current = policy_in(pins, maps, &generation);
		error = current ? 0 : -errno;
	}
	if (!error)
		error = names_read(maps, names);
	if (!error)
		error = counters_assign(policy, names, current);
	policy_free(current);
	return error;
}

/*
 * Gives the rules their counters and compiles the tables. Returns NULL with diagnostics on failure.
 */
static struct tables *prepare(const char *pins, const struct maps *maps, struct policy *policy,
			      struct counter_names *names, struct diagnostics *diag)
{
	int error = assign_counters(pins, maps, policy, names);

	if (!error)
		return compile(policy, diag);
	if (error == -ENOSPC)
		diag_at(diag, NULL,
			"%s: there are no counters left for the policy's flows; use fewer", pins);
	else
		report_load_failure(diag, "reading the policy in force", error);
	return NULL;
}

static void report_policy(struct diagnostics *diag, int error)
{
	if (error == -EILSEQ)
		diag_at(diag, NULL,
			"the name of the interface or of one of the policy's files is not valid "
			"UTF-8, so it can't be stored with the policy; rename it");
	else
		report_load_failure(diag, "loading the policy", error);
}

/* ---- VLAN tags that the NIC removes -------------------------------------- */

/*
 * Returns 1 if the NIC removes VLAN tags that the policy needs to see, 0, or -1 with diagnostics.
 */
static int hides_tags(const char *device, const struct policy *policy, struct diagnostics *diag)
{
	int hides = policy->settings.vlans_any ? 0 : netdev_rxvlan(device);

	if (hides >= 0 || hides == -EOPNOTSUPP)
		return hides > 0;
	diag_at(diag, NULL,
		"%s: it can't be told whether the NIC removes VLAN tags (%s), and the vlans rule "
		"depends on it; try again, or use \"vlans: any\"",
		device, strerror(-hides));
	return -1;
}

/* The attachment must record this before, so that a later detach can undo it. */
static int make_tags_visible(const char *device, struct diagnostics *diag)
{
	int error = netdev_set_rxvlan(device, false);

	if (!error)
		return 0;
	diag_at(diag, NULL,
		"%s: the NIC removes VLAN tags before the filter sees them, and that can't be "
		"turned off (%s), so the vlans rule would not work; use \"vlans: any\"",
		device, strerror(-error));
	return -1;
}

/* ---- attaching -------------------------------------------------------------- */

struct attaching {
	const char *device; /* its name now */
	const char *pins;   /* the name of its folder of pins */
	int ifindex;
	struct policy *policy;
	enum cache_use cache;
	struct attach_report *report;
	struct diagnostics *diagnostics;
};

/* ---- connections that the policy needs to know ------------------------------ */

static void report_memory(const struct attaching *a, int error)
{
	if (error == -EXDEV)
		diag_at(a->diagnostics, NULL,
			"%s: flows with \"requires\" need to know the connections of this host, "
			"but "
			"this process is in a cgroup namespace of its own, where the kernel tells "
			"of those of its container only; start the container in the host's (docker "
			"run --cgroupns=host), or use \"connections: flags\"",
			a->device);
	else
		report_load_failure(a->diagnostics,
				    "being told of the connections of this host, which flows with "
				    "\"requires\" need unless there is \"connections: flags\"",
				    error);
}

/*
 * If only the answers to sockets that are bound to a device above are concerned, a failure is a
 * warning.
 */
static int know_connections(const struct attaching *a, const struct maps *maps,
			    struct tables *tables)
{
	bool all = true, needed;
	int error = memory_read_devices(a->ifindex, &tables->devices, &all);

	if (error) {
		diag_at(a->diagnostics, NULL,
			"%s: it can't be told which devices are above it (%s); try again",
			a->device, strerror(-error));
		return -1;
	}
	a->report->too_many_above = !all;
	needed = tables->settings.connections == BKXDP_CONNECTIONS_SOCKETS &&
		 (tables->n_requirements || tables->devices.n_devices > 1);
	error = needed ? memory_follow(a->pins, maps, tables, &a->report->n_hidden) : 0;
	if (!error)
		return 0;
	if (!tables->n_requirements) {
		a->report->bound_unseen = true;
		return 0;
	}
	report_memory(a, error);
	return -1;
}

/* ---- putting a policy in force ------------------------------------------------ */

static int put_in_force(const struct attaching *a, const struct maps *maps)
{
	AUTO_FREE struct counter_names *names = must_alloc(1, sizeof(*names));
	struct tables *tables = prepare(a->pins, maps, a->policy, names, a->diagnostics);
	struct attach_report *report = a->report;
	bool keep_link;
	int error;

	if (!tables)
		return -1;
	report->by_flags = tables->settings.connections == BKXDP_CONNECTIONS_SOCKETS &&
			   !program_sockets_supported();
	report->prefixes = tables->ipv4_prefixes + tables->ipv6_prefixes;
	if (report->by_flags) {
		tables->settings.connections = BKXDP_CONNECTIONS_FLAGS;
		tables->settings.control_sets = tables->n_requirements ? BKXDP_CONTROL_SETS : 1;
	}
	if (know_connections(a, maps, tables)) {
		tables_free(tables);
		return -1;
	}
	/* Once told, it stays told: a change of mode and back then forgets nothing. */
	keep_link = tables->n_requirements || tables->devices.n_devices > 1;
	error = controls_choose(maps, &tables->settings);
	if (!error)
		error = write_policy(a->pins, maps, a->policy, tables, names);
	tables_free(tables);
	if (error) {
		report_policy(a->diagnostics, error);
		return -1;
	}
	if (!keep_link)
		pins_remove_link(a->pins);
	return 0;
}

static void report_others(const struct attaching *a, const struct found *found)
{
	diag_at(a->diagnostics, NULL,
		"%s already runs the XDP program \"%s\" (id %u), which was attached without "
		"libxdp's dispatcher, so no other can join it; take it off first (\"ip link set "
		"dev %s xdp off\") or attach it by xdp-loader",
		a->device, found->n_others ? found->others[0] : "?", found->root, a->device);
}

/* Returns true for the errors by which drivers refuse a program. Any other error is temporary. */
static bool is_refusal(int error)
{
	static const int refusals[] = {EOPNOTSUPP, 524 /* ENOTSUPP */, EINVAL, ERANGE, ENOSPC};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (error == -refusals[i])
			return true;
	return false;
}

static void report_attach_failure(const struct attaching *a, int error, bool generic)
{
	AUTO_FREE char *doing =
		must_format("attaching %s in %s mode", a->device, generic ? "generic" : "driver");
	const char *message = libraries_kernel_message();

	if (error == -EPERM) {
		report_load_failure(a->diagnostics, doing, error);
		return;
	}
	diag_at(a->diagnostics, NULL, "%s failed: %s%s%s%s%s", doing,
		*message ? message : strerror(-error), *message ? " (" : "",
		*message ? strerror(-error) : "", *message ? ")" : "",
		generic ? ""
		: is_refusal(error)
			? "; \"mode: auto\" falls back to generic mode, with a warning"
			: "; if that remains so, \"mode: generic\" works without the driver");
}

static void report_other_programs(const struct attaching *a, const char *other, int error)
{
	diag_at(a->diagnostics, NULL,
		"%s already runs the XDP program \"%s\", and this kernel can't run bkxdp beside it "
		"(%s; Linux 5.19 and later can); take it off first",
		a->device, other, strerror(-error));
}

/*
 * An error may be returned although the program was attached, so what runs is looked at. Returns 1,
 * 0 or a negative errno.
 */
static int runs_there(const struct attaching *a, const struct maps *maps, char **other)
{
	struct found found;
	int error = xdp_find(a->ifindex, maps->fd[MAP_GLOBALS], &found);
	int result = error ? error : !!found.program;

	if (!result && found.root && !*other)
		*other = must_copy(found.n_others ? found.others[0] : "?");
	found_free(&found);
	return result;
}

static int attach_with_dispatcher(const struct attaching *a, const struct maps *maps, bool generic)
{
	struct program_plan plan = {PROGRAM_ATTACHED, a->report->frags, program_sockets_supported(),
				    a->cache, maps};
	struct bkxdp_bpf *program;
	int error;

	libraries_capture_log();
	program = program_open(&plan);
	if (!program)
		return -errno;
	error = xdp_attach_with_dispatcher(a->ifindex, program, a->report->frags, generic);
	bkxdp_bpf__destroy(program);
	return error;
}

/*
 * Before 5.19, the kernel refuses (EINVAL) a program that has global functions of its own and is
 * called by the dispatcher (mainline f858c2b2ca04). The program is then attached alone if nothing
 * else is attached, and the error is that of the driver.
 */
static int attach_in_mode(const struct attaching *a, const struct bkxdp_bpf *owner,
			  const struct maps *maps, bool generic, char **other)
{
	int error = attach_with_dispatcher(a, maps, generic);

	if (!error || runs_there(a, maps, other) > 0)
		return 0;
	if (!is_refusal(error) || *other)
		return error;
	error = xdp_attach_alone(a->ifindex, bpf_program__fd(owner->progs.bkxdp), generic);
	return !error || runs_there(a, maps, other) > 0 ? 0 : error;
}

/*
 * Attaches in driver mode if the driver supports it. If it does not, its error is kept for the
 * warning.
 */
static int attach_program(const struct attaching *a, const struct bkxdp_bpf *owner,
			  const struct maps *maps)
{
	struct attach_report *report = a->report;
	AUTO_FREE char *other = NULL;
	int error;

	if (a->policy->mode != MODE_GENERIC) {
		error = attach_in_mode(a, owner, maps, false, &other);
		if (!error)
			return 0;
		if (other) {
			report_other_programs(a, other, error);
			return -1;
		}
		if (a->policy->mode == MODE_NATIVE || !is_refusal(error)) {
			report_attach_failure(a, error, false);
			return -1;
		}
		snprintf(report->generic_why, sizeof(report->generic_why), "%s",
			 *libraries_kernel_message() ? libraries_kernel_message()
						     : strerror(-error));
	}
	report->generic = true;
	error = attach_in_mode(a, owner, maps, true, &other);
	if (!error)
		return 0;
	report_attach_failure(a, error, true);
	return -1;
}

/*
 * Called before the program is attached and again when it runs. Keeps the records of the policies.
 */
static int write_attachment(const struct attaching *a, const struct maps *maps, uint32_t root)
{
	struct bkxdp_attachment attachment;
	int error = read_attachment(maps, &attachment);

	if (error)
		return error;
	attachment.abi = BKXDP_ABI;
	attachment.ifindex = a->ifindex;
	attachment.netns = netdev_namespace();
	attachment.since = time(NULL);
	attachment.generic = a->report->generic;
	attachment.frags = a->report->frags;
	attachment.rxvlan = a->report->rxvlan_off;
	snprintf(attachment.version, sizeof(attachment.version), "%s", BKXDP_VERSION);
	attachment.root = root;
	return put_attachment(maps, &attachment);
}

/*
 * Looks at what really runs, because libxdp may have attached the program alone and reported
 * success.
 */
static int confirm(const struct attaching *a, const struct maps *maps)
{
	struct found found;
	int error = xdp_find(a->ifindex, maps->fd[MAP_GLOBALS], &found);

	if (!error && !found.program)
		error = -ENOENT;
	if (!error)
		error = write_attachment(a, maps, found.root);
	a->report->alone = found.alone;
	found_free(&found);
	if (!error)
		return 0;
	diag_at(a->diagnostics, NULL, "%s: what was attached can't be confirmed (%s)", a->device,
		strerror(-error));
	return -1;
}

/* Does everything after the maps were created. On failure, the caller undoes what was done. */
static int attach_with(const struct attaching *a, const struct bkxdp_bpf *owner,
		       const struct maps *maps)
{
	int error = write_attachment(a, maps, 0);

	if (!error)
		error = pins_create(a->pins, maps);
	if (error) {
		diag_at(a->diagnostics, NULL, "%s: can't pin the maps below %s: %s", a->device,
			pins_bpffs(), strerror(-error));
		return -1;
	}
	if ((a->report->rxvlan_off && make_tags_visible(a->device, a->diagnostics)) ||
	    put_in_force(a, maps) || attach_program(a, owner, maps))
		return -1;
	return confirm(a, maps);
}

#define UNDO_TRIES 3

/*
 * Returns 0 if the program certainly runs no longer, 1 if it moved to another namespace with its
 * interface, or a negative errno.
 */
static int try_to_detach(int ifindex, int globals_fd)
{
	int error = -EAGAIN;

	for (int i = 0; i < UNDO_TRIES && error && error != -ENODEV; i++) {
		struct found found;

		error = xdp_find(ifindex, globals_fd, &found);
		if (!error && found.program)
			error = xdp_detach(ifindex, globals_fd, &found);
		found_free(&found);
	}
	return error == -ENODEV ? runs_elsewhere(globals_fd) : error;
}

/*
 * The pins of a program that may still run are kept, so that the next attach or detach finds it.
 * This process must have closed the program before, because a loaded program is taken to run.
 */
static void undo_attach(const struct attaching *a, int globals_fd)
{
	int error = try_to_detach(a->ifindex, globals_fd);

	if (!error && a->report->rxvlan_off)
		error = netdev_set_rxvlan(a->device, true);
	if (!error)
		error = xdp_remove_dispatcher_pins(globals_fd);
	if (!error)
		error = pins_remove(a->pins);
	if (error > 0)
		diag_at(a->diagnostics, NULL,
			"%s moved to another network namespace meanwhile; the filter continues "
			"there, and its pins are kept; run \"bkxdp detach %s\" there to detach it",
			a->device, a->pins);
	else if (error)
		diag_at(a->diagnostics, NULL,
			"%s: what the failed attach left can't be removed (%s); the next \"bkxdp "
			"attach %s\" removes it, and \"bkxdp status %s\" shows whether the filter "
			"runs",
			a->device, strerror(-error), a->pins, a->pins);
}

static int load_owner(const struct attaching *a, struct bkxdp_bpf **owner)
{
	struct maps memory;
	struct program_plan plan = {PROGRAM_ATTACHED, false, program_sockets_supported(), a->cache,
				    &memory};
	int frags, error = memory_find(&memory);

	if (error) {
		maps_close(&memory);
		report_load_failure(a->diagnostics,
				    "finding the host's memory of connections by the pins of other "
				    "interfaces",
				    error);
		return -1;
	}
	libraries_capture_log();
	frags = program_frags_supported();
	plan.frags = a->report->frags = frags > 0;
	*owner = frags < 0 ? NULL : program_load(&plan);
	if (!*owner)
		report_load_failure(a->diagnostics, "loading the filter",
				    frags < 0 ? frags : -errno);
	maps_close(&memory);
	return *owner ? 0 : -1;
}

static int attach_new(const struct attaching *a)
{
	int hides = hides_tags(a->device, a->policy, a->diagnostics);
	struct bkxdp_bpf *owner;
	struct maps maps;
	int error;

	if (hides < 0 || realtime_check(a->diagnostics) || load_owner(a, &owner))
		return -1;
	a->report->rxvlan_off = hides;
	program_maps(owner, &maps);
	AUTO_CLOSE int globals_fd = fcntl(maps.fd[MAP_GLOBALS], F_DUPFD_CLOEXEC, 0);

	error = globals_fd < 0 ? -errno : attach_with(a, owner, &maps);
	if (globals_fd < 0)
		report_load_failure(a->diagnostics, "attaching", error);
	bkxdp_bpf__destroy(owner);
	if (error && globals_fd >= 0)
		undo_attach(a, globals_fd);
	return error ? -1 : 0;
}

/* ---- replacing -------------------------------------------------------------- */

static int write_changes(const struct attaching *a, const struct maps *maps,
			 const struct bkxdp_attachment *attachment)
{
	int error = put_attachment(maps, attachment);

	if (!error)
		return 0;
	report_load_failure(a->diagnostics, "noting what is attached", error);
	return -1;
}

/*
 * The attachment records that tag stripping is turned off before it is, and on failure it is turned
 * on again.
 */
static int replace(const struct attaching *a, const struct maps *maps,
		   struct bkxdp_attachment *attachment)
{
	int hides = hides_tags(a->device, a->policy, a->diagnostics), error;

	if (hides < 0)
		return -1;
	attachment->rxvlan |= hides;
	error = write_changes(a, maps, attachment);
	if (!error && hides)
		error = make_tags_visible(a->device, a->diagnostics);
	if (!error)
		error = put_in_force(a, maps);
	if (error && hides)
		(void)netdev_set_rxvlan(a->device, true);
	a->report->rxvlan_off = !error && hides;
	return error;
}

static void report_replaced(const struct attaching *a, const struct target *target,
			    const struct bkxdp_attachment *attachment)
{
	struct attach_report *report = a->report;

	report->replaced = true;
	report->mode_kept = a->policy->mode == (attachment->generic ? MODE_NATIVE : MODE_GENERIC);
	report->generic = attachment->generic;
	report->frags = attachment->frags;
	report->alone = target->found.alone;
}

/* Replaces the policy of a filter whose pins can all be read. */
static int replace_if_readable(const struct attaching *a, const struct target *target)
{
	struct bkxdp_attachment attachment;
	struct maps maps;
	int error = pins_open(a->pins, &maps, 0);

	if (!error)
		error = read_attachment(&maps, &attachment);
	if (error) {
		report_unreadable(a->pins, error, a->diagnostics);
		maps_close(&maps);
		return -1;
	}
	attachment.root = target->found.root;
	error = replace(a, &maps, &attachment);
	report_replaced(a, target, &attachment);
	pins_share(a->pins);
	maps_close(&maps);
	return error;
}

/* ---- pins that are in the way -------------------------------------------- */

/* Another interface has the name now. The filter continues under its interface's new name. */
static int rename_pins(const struct target *target, struct diagnostics *diag)
{
	int error = pins_rename(target->pins, target->device);

	if (!error)
		return 0;
	diag_at(diag, NULL,
		"the pins of \"%s\" below %s belong to the filter of the interface that is called "
		"\"%s\" now, and they can't be renamed (%s); the filter continues to run",
		target->pins, pins_bpffs(), target->device, strerror(-error));
	return -1;
}

/*
 * An interface that came back gets a filter, whatever became of the former one. If that may still
 * run elsewhere, its pins get another name, by which it can be found.
 */
static int set_aside(const struct target *target, struct diagnostics *diag)
{
	char aside[IF_NAMESIZE];
	int error = pins_set_aside(target->pins, aside);

	if (!error)
		return 0;
	diag_at(diag, NULL,
		"the pins of \"%s\" below %s may belong to a filter that still runs in another "
		"network namespace, and they can't be renamed (%s); use --bpffs with another BPF "
		"file system for this one",
		target->pins, pins_bpffs(), strerror(-error));
	return -1;
}

static int free_pins_name(const struct target *target, struct diagnostics *diag)
{
	switch (target->state) {
	case TARGET_STALE:
		return remove_stale_pins(target, diag);
	case TARGET_RENAMED:
		return rename_pins(target, diag);
	case TARGET_ELSEWHERE:
	case TARGET_UNKNOWN:
		return set_aside(target, diag);
	default:
		return 0;
	}
}

static int attach_where_free(const struct attaching *a, const struct target *target)
{
	struct found found;
	int error = xdp_find(a->ifindex, -1, &found);
	bool taken = !error && found.alone;

	if (error)
		report_load_failure(a->diagnostics, "looking for XDP programs on the interface",
				    error == -EACCES ? -EPERM : error);
	else if (taken && !found_unpinned(&found))
		report_others(a, &found);
	if (taken && found_unpinned(&found))
		(void)report_unpinned(a->device, a->ifindex, a->diagnostics);
	found_free(&found);
	if (error || taken || free_pins_name(target, a->diagnostics))
		return -1;
	return attach_new(a);
}

static bool may_replace(const struct target *target)
{
	return target->state == TARGET_RUNS ||
	       (target->state == TARGET_RENAMED && !target->ifindex);
}

int datapath_attach(struct target *target, struct policy *policy, enum cache_use cache,
		    struct attach_report *report, struct diagnostics *diag)
{
	struct attaching a = {
		target->interface, target->interface, target->ifindex, policy, cache, report, diag};

	memset(report, 0, sizeof(*report));
	libraries_capture_log();
	if (!may_replace(target))
		return attach_where_free(&a, target);
	a.device = target->device;
	a.pins = target->pins;
	a.ifindex = target->device_index;
	return replace_if_readable(&a, target);
}
