// SPDX-License-Identifier: GPL-2.0-only
/*
 * Detaches: removes the program, undoes what the attach changed at the NIC, and removes the pins
 * last.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/memory.h"
#include "datapath/internal.h"
#include "net/netdev.h"

/* ---- undoing what an attach changed -------------------------------------- */

/*
 * Finds the present name of the interface that was attached. If it is gone, there is nothing to
 * undo.
 */
static int device_of(const struct target *target, char name[static IF_NAMESIZE])
{
	if (target->device_index)
		return netdev_name(target->device_index, name);
	if (!target->attachment.netns || target->attachment.netns != netdev_namespace())
		return 0;
	return netdev_name(target->attachment.ifindex, name);
}

static int restore_tags(const struct target *target, struct diagnostics *diag)
{
	char name[IF_NAMESIZE] = "?";
	int there = target->attachment.rxvlan ? device_of(target, name) : 0;
	int error = there > 0 ? netdev_set_rxvlan(name, true) : there;

	if (error && there > 0)
		error = netdev_set_rxvlan(name, true); /* a temporary failure may be over */
	if (!error)
		return 0;
	diag_at(diag, NULL,
		"the VLAN tag stripping of %s, which an attach turned off, can't be turned on "
		"again (%s); run \"ethtool -K %s rxvlan on\"",
		there > 0 ? name : target->pins, strerror(-error), there > 0 ? name : target->pins);
	return -1;
}

/* Also removes libxdp's pins of a dispatcher whose interface disappeared. */
static int try_to_remove_pins(const struct target *target)
{
	AUTO_CLOSE int globals_fd = pins_open_globals(target->pins);
	int error = globals_fd < 0 ? globals_fd : xdp_remove_dispatcher_pins(globals_fd);

	if (error == -ENOENT)
		error = 0; /* without that pin, no program had been attached yet */
	return error ? error : pins_remove(target->pins);
}

/* Tries twice, because a failure may be temporary. */
static int remove_pins(const struct target *target)
{
	int error = try_to_remove_pins(target);

	return error ? try_to_remove_pins(target) : 0;
}

int remove_stale_pins(const struct target *target, struct diagnostics *diag)
{
	int error = restore_tags(target, diag) ? -EIO : 0;

	if (!error)
		error = remove_pins(target);
	if (error)
		diag_at(diag, NULL, "what is left below %s/bkxdp of \"%s\" can't be removed: %s",
			pins_bpffs(), target->pins, strerror(-error));
	return error ? -1 : 0;
}

/* ---- the program ---------------------------------------------------------------- */

/*
 * The interface left while its program was being detached. The pins are removed only if the program
 * certainly runs nowhere.
 */
static int check_gone(const struct target *target, int globals_fd, struct diagnostics *diag)
{
	int runs = runs_elsewhere(globals_fd);

	if (runs)
		diag_at(diag, NULL,
			"%s left this network namespace before its filter was detached; the filter "
			"%s network namespace, and its pins are kept; run \"bkxdp detach %s\" "
			"there to detach it",
			target->device,
			runs > 0 ? "continues in another" : "may continue in another",
			target->pins);
	return runs;
}

/*
 * Says whether the filter still runs by looking again, because the first attempt may have failed to
 * see it.
 */
static void report_detach_failure(const struct target *target, int globals_fd, int error,
				  struct diagnostics *diag)
{
	struct found found;
	int find_error = xdp_find(target->device_index, globals_fd, &found);

	found_free(&found);
	if (error == -EPERM || error == -EACCES)
		report_load_failure(diag, "removing the filter", -EPERM);
	else
		diag_at(diag, NULL,
			"the filter of %s can't be removed (%s); %s, and its pins are kept; try "
			"again",
			target->device, strerror(-error),
			find_error ? "it can't be told whether it still runs" : "it still runs");
}

static int detach_program(const struct target *target, struct diagnostics *diag)
{
	AUTO_CLOSE int globals_fd = pins_open_globals(target->pins);
	int error = globals_fd < 0 ? globals_fd
				   : xdp_detach(target->device_index, globals_fd, &target->found);

	if (error == -ENODEV)
		return check_gone(target, globals_fd, diag);
	if (error)
		report_detach_failure(target, globals_fd, error, diag);
	return error;
}

int datapath_detach(struct target *target, struct diagnostics *diag)
{
	int tags, error;

	if (datapath_check_filtered(target, diag))
		return -1;
	if (datapath_runs(target) && detach_program(target, diag))
		return -1;
	tags = restore_tags(target, diag);
	error = remove_pins(target);
	if (error)
		diag_at(diag, NULL,
			"%s is no longer filtered, but its pins below %s/bkxdp can't be removed: "
			"%s; run \"bkxdp detach %s\" to try again",
			target->pins, pins_bpffs(), strerror(-error), target->pins);
	else if (tags)
		diag_at(diag, NULL, "%s is no longer filtered", target->pins);
	return error || tags ? -1 : 0;
}
