// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds which filter a command is about and whether it runs. A filter is found by what an interface
 * runs, because names change. If something can't be told, that is an error and never taken for
 * "nothing runs".
 */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "base/strv.h"
#include "datapath/internal.h"
#include "net/namespaces.h"
#include "net/netdev.h"

/* ---- where a filter runs ------------------------------------------------------ */

/* Returns 1 if the filter with these pins runs on this interface, 0 or a negative errno. */
static int find_on_interface(const char *pins, int globals_fd, int ifindex, struct target *target)
{
	struct found found;
	int error = xdp_find(ifindex, globals_fd, &found);

	if (error)
		return error == -ENODEV ? 0 : error;
	if (!found.program) {
		found_free(&found);
		return 0;
	}
	error = netdev_name(ifindex, target->device);
	if (error <= 0) {
		found_free(&found);
		return error;
	}
	target->device_index = ifindex;
	target->found = found;
	snprintf(target->pins, sizeof(target->pins), "%s", pins);
	return 1;
}

static int find_on_all_interfaces(const char *pins, int globals_fd, struct target *target)
{
	struct if_nameindex *all = if_nameindex();
	int result = all ? 0 : -errno;

	for (size_t i = 0; all && all[i].if_index && !result; i++)
		result = find_on_interface(pins, globals_fd, (int)all[i].if_index, target);
	if_freenameindex(all);
	return result;
}

/*
 * Pins without an attachment, or with something else in its place, tell nothing. That is no error
 * here; whoever uses the pins reports it.
 */
static int read_pinned_attachment(const char *pins, struct bkxdp_attachment *attachment)
{
	int error = pins_read_attachment(pins, attachment);

	return error == -ENOENT || error == -EPROTO ? 0 : error;
}

int locate(const char *pins, int globals_fd, const struct bkxdp_attachment *attachment,
	   struct target *target)
{
	int result = 0;

	if (attachment->ifindex)
		result = find_on_interface(pins, globals_fd, (int)attachment->ifindex, target);
	return result ? result : find_on_all_interfaces(pins, globals_fd, target);
}

/* ---- the target of a command --------------------------------------------------- */

static int try_pins(const char *pins, struct target *target)
{
	AUTO_CLOSE int globals_fd = pins_open_globals(pins);

	if (globals_fd < 0)
		return globals_fd == -ENOENT ? 0 : globals_fd;
	return find_on_interface(pins, globals_fd, target->ifindex, target);
}

/* First tries the pins of the interface's own name, which are nearly always the right ones. */
static int find_by_program(struct target *target)
{
	char **pins;
	size_t count;
	int result = try_pins(target->interface, target), error;

	if (result)
		return result;
	error = pins_interfaces(&pins, &count);
	if (error)
		return error;
	for (size_t i = 0; i < count && !result; i++)
		result = try_pins(pins[i], target);
	strv_free(pins, count);
	return result;
}

/*
 * Takes no lock, because it changes nothing. Errors are ignored here, because whoever reads the
 * pins reports them.
 */
const char *datapath_pinned_as(const char *interface, char name[static IF_NAMESIZE])
{
	struct target target = {.interface = interface, .ifindex = netdev_find(interface)};
	bool runs;

	libraries_capture_log();
	runs = target.ifindex > 0 && find_by_program(&target) > 0;
	memcpy(name, target.pins, sizeof(target.pins));
	found_free(&target.found);
	return runs ? name : interface;
}

/*
 * The filter runs on no interface here. If its program is loaded, it runs elsewhere, unless only
 * the pins of a dispatcher keep it loaded. In that case the other namespaces are searched.
 */
int runs_elsewhere(int globals_fd)
{
	struct dispatcher dispatcher;
	int result = xdp_runs_somewhere(globals_fd);
	bool called;

	if (result <= 0)
		return result;
	called = result == PROGRAM_IS_CALLED;
	result = xdp_dispatcher_of(globals_fd, &dispatcher);
	if (!result) /* without the dispatcher's pins nobody can tell who calls it */
		return called ? -ENOLINK : 1;
	if (result < 0)
		return result;
	return namespaces_run_program(dispatcher.program);
}

/*
 * Without the pin of the globals, no program was attached yet, or it has been detached. Returns 1,
 * 0 or a negative errno.
 */
static int look_for_owner_of_pins(struct target *target)
{
	AUTO_CLOSE int globals_fd = pins_open_globals(target->interface);
	int result = globals_fd < 0
			     ? globals_fd
			     : read_pinned_attachment(target->interface, &target->attachment);

	target->state = TARGET_STALE;
	if (result)
		return result == -ENOENT ? 0 : result;
	result = locate(target->interface, globals_fd, &target->attachment, target);
	if (result > 0)
		target->state = TARGET_RENAMED;
	if (result)
		return result;
	result = runs_elsewhere(globals_fd);
	if (result > 0)
		target->state = TARGET_ELSEWHERE;
	return result;
}

static void find_owner_of_pins(struct target *target)
{
	int result = look_for_owner_of_pins(target);

	if (result >= 0)
		return;
	target->state = TARGET_UNKNOWN;
	target->error = result;
}

static int find_by_name(struct target *target)
{
	int result = pins_exist(target->interface);

	target->state = TARGET_FREE;
	if (result <= 0)
		return result;
	snprintf(target->pins, sizeof(target->pins), "%s", target->interface);
	find_owner_of_pins(target);
	return 0;
}

static int find_target(struct target *target)
{
	struct netdev_programs programs = {};
	int result = netdev_find(target->interface);

	if (result < 0)
		return result;
	target->ifindex = result;
	result = result ? netdev_programs(result, &programs) : 0;
	if (result)
		return result;
	if (programs.driver || programs.generic)
		result = find_by_program(target);
	if (result <= 0)
		return result ? result : find_by_name(target);
	target->state = TARGET_RUNS;
	return read_pinned_attachment(target->pins, &target->attachment);
}

/* ---- opening -------------------------------------------------------------------- */

#define DESCRIPTORS 256

/*
 * An attach opens so many files at once. The limit is raised first, so that undoing a failed attach
 * can't fail because of it.
 */
static int make_room(struct diagnostics *diag)
{
	struct rlimit limit;
	rlim_t had;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= DESCRIPTORS)
		return 0;
	had = limit.rlim_cur;
	limit.rlim_cur = DESCRIPTORS;
	if (limit.rlim_max < DESCRIPTORS)
		limit.rlim_max = DESCRIPTORS;
	if (!setrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	diag_at(diag, NULL,
		"this process may open %llu files, and changing a filter takes up to %d: raise the "
		"limit (\"ulimit -n %d\"); nothing is changed",
		(unsigned long long)had, DESCRIPTORS, DESCRIPTORS);
	return -1;
}

static void report_look_failure(const struct target *target, int error, struct diagnostics *diag)
{
	if (error == -EPERM || error == -EACCES)
		report_load_failure(diag, "looking for the filter", -EPERM);
	else if (error == -EXDEV)
		diag_at(diag, NULL,
			"the filter of the pins \"%s\" may still run in another network namespace, "
			"and this process may not look into all other network namespaces; that "
			"needs CAP_SYS_PTRACE, setns(2) and the machine's own PID namespace, which "
			"root has outside of containers and of services' sandboxes; nothing is "
			"changed",
			target->interface);
	else
		diag_at(diag, NULL,
			"it can't be told whether %s is filtered (%s), so nothing is changed; try "
			"again",
			target->interface, strerror(-error));
}

struct target *datapath_open(const char *interface, struct diagnostics *diag)
{
	struct target *target = must_alloc(1, sizeof(*target));
	int error;

	libraries_capture_log();
	target->interface = interface;
	target->lock = -1;
	error = make_room(diag) || pins_check(diag) ? -1 : 0;
	if (!error)
		target->lock = pins_take_lock(diag);
	if (target->lock >= 0) {
		error = find_target(target);
		if (!error)
			return target;
		report_look_failure(target, error, diag);
	}
	datapath_close(target);
	return NULL;
}

void datapath_close(struct target *target)
{
	if (target->lock >= 0) {
		pins_remove_empty_folders();
		close(target->lock);
	}
	found_free(&target->found);
	free(target);
}

/* ---- what callers may know --------------------------------------------------------- */

const char *datapath_device(const struct target *target)
{
	return *target->device ? target->device : target->interface;
}

const char *datapath_former_name(const struct target *target)
{
	return *target->pins ? target->pins : target->interface;
}

bool datapath_runs(const struct target *target)
{
	return target->state == TARGET_RUNS || target->state == TARGET_RENAMED;
}

/* An attach that ended before its policy was in force left no policy to read. */
static int read_running(const struct target *target, struct policy **policy)
{
	struct bkxdp_active active;
	struct maps maps;
	uint32_t generation;
	int error = pins_open(target->pins, &maps, 0);

	if (error)
		return error;
	error = slot_active(&maps, &active);
	if (!error && active.generation) {
		*policy = policy_in(target->pins, &maps, &generation);
		error = *policy ? 0 : -errno;
	}
	maps_close(&maps);
	return error;
}

int datapath_policy(const struct target *target, struct policy **policy, struct diagnostics *diag)
{
	int error = *target->pins ? read_running(target, policy) : 0;

	if (error == -ENOENT && target->state == TARGET_STALE)
		return 0; /* an attach or a detach ended half-way */
	if (!error)
		return 0;
	if (datapath_runs(target) || target->state == TARGET_ELSEWHERE)
		report_unreadable(target->pins, error, diag);
	else
		report_unreadable_pins(target->pins, error, diag);
	return -1;
}

/* ---- which interfaces --------------------------------------------------------- */

#ifndef ARPHRD_IP6GRE
#define ARPHRD_IP6GRE 823
#endif

/* The common types; <net/if_arp.h> has more. */
static const char *type_word(int type)
{
	switch (type) {
	case ARPHRD_NONE:
		return "a device without link layer, such as tun or WireGuard";
	case ARPHRD_PPP:
		return "PPP";
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
		return "a tunnel of IP packets";
	case ARPHRD_INFINIBAND:
		return "InfiniBand";
	default:
		return "another kind of link";
	}
}

int datapath_check(const struct target *target, struct diagnostics *diag)
{
	const char *device = datapath_device(target);
	int type;

	if (!target->device_index && !netdev_index(device, diag))
		return -1;
	type = netdev_type(device);
	if (type == ARPHRD_ETHER)
		return 0;
	if (type == ARPHRD_LOOPBACK)
		diag_at(diag, NULL,
			"%s is the loopback device, on which this host talks to itself: there is "
			"nothing to filter, and all of it would be dropped",
			device);
	else if (type < 0)
		diag_at(diag, NULL,
			"%s: it can't be told whether its frames are Ethernet frames (%s); try "
			"again",
			device, strerror(-type));
	else
		diag_at(diag, NULL,
			"%s is no Ethernet interface (type %d: %s), and the filter reads Ethernet "
			"frames only; filter on the interface that carries its packets",
			device, type, type_word(type));
	return -1;
}

static void report_elsewhere(const struct target *target, struct diagnostics *diag)
{
	diag_at(diag, NULL,
		"the pins of \"%s\" below %s belong to a filter that runs on an interface of "
		"another network namespace, and continues there; run the command there, for "
		"example with \"nsenter --net=/run/netns/NAME\"",
		target->pins, pins_bpffs());
}

static void report_taken_name(const struct target *target, struct diagnostics *diag)
{
	diag_at(diag, NULL,
		"%s is not filtered by bkxdp: the filter that was attached under that name runs on "
		"\"%s\" now; give the command that name",
		target->interface, target->device);
}

bool report_unpinned(const char *device, int ifindex, struct diagnostics *diag)
{
	struct found found;
	int error = xdp_find(ifindex, -1, &found);
	bool unpinned = !error && found_unpinned(&found);

	if (error == -EPERM || error == -EACCES)
		report_load_failure(diag, "looking for XDP programs on the interface", -EPERM);
	else if (error)
		diag_at(diag, NULL, "it can't be told whether %s is filtered (%s); try again",
			device, strerror(-error));
	else if (unpinned)
		diag_at(diag, NULL,
			"%s runs the XDP program \"%s\" (id %u), which is or calls a filter whose "
			"pins are not below %s; the filter continues to run; name the BPF file "
			"system that has its pins with --bpffs",
			device, found.others[0], found.root, pins_bpffs());
	found_free(&found);
	return error || unpinned;
}

int datapath_check_filtered(const struct target *target, struct diagnostics *diag)
{
	switch (target->state) {
	case TARGET_FREE:
		if (netdev_index(target->interface, diag) &&
		    !report_unpinned(target->interface, target->ifindex, diag))
			diag_at(diag, NULL,
				"%s is not filtered by bkxdp; \"bkxdp attach %s\" attaches it",
				target->interface, target->interface);
		return -1;
	case TARGET_RENAMED:
		if (!target->ifindex)
			return 0;
		report_taken_name(target, diag);
		return -1;
	case TARGET_ELSEWHERE:
		report_elsewhere(target, diag);
		return -1;
	case TARGET_UNKNOWN:
		if (!target->ifindex || !report_unpinned(target->interface, target->ifindex, diag))
			report_look_failure(target, target->error, diag);
		return -1;
	default:
		return 0;
	}
}
