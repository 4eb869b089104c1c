// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads an interface's counters for scrapes, from the pins that the exporter's group may read. This
 * needs no capability if the kernel is 5.19 or later.
 */
#include <errno.h>

#include "datapath/internal.h"
#include "net/netdev.h"
#include "stats/reading.h"

/*
 * The id of the program that the interface runs can be read without privileges. If it is another
 * one than at the attach, other programs were added to or removed from the dispatcher; then the
 * privilege to look at programs is needed to tell whether the filter still runs.
 */
static enum attached find_attached(const char *interface, const struct maps *maps,
				   const struct bkxdp_attachment *attachment)
{
	int64_t root = -EXDEV;
	struct target target = {};
	int runs;

	if (attachment->root && attachment->netns == netdev_namespace())
		root = netdev_xdp(attachment->ifindex, attachment->generic);
	if (!root)
		return ATTACHED_NO;
	if (root == attachment->root && xdp_is_whole((int)attachment->ifindex, root))
		return ATTACHED_YES;
	runs = locate(interface, maps->fd[MAP_GLOBALS], attachment, &target);
	if (runs > 0)
		runs = ATTACHED_YES;
	else if (!runs && !xdp_runs_somewhere(maps->fd[MAP_GLOBALS]))
		runs = ATTACHED_NO;
	else
		runs = ATTACHED_UNKNOWN;
	found_free(&target.found);
	return runs;
}

static int try_reading(const char *interface, struct reading *reading)
{
	struct bkxdp_attachment attachment;
	struct maps maps;
	int error = pins_open_for_scrape(interface, &maps);

	if (!error)
		error = read_counters(interface, &maps, reading, &attachment);
	if (!error)
		reading->attached = find_attached(interface, &maps, &attachment);
	maps_close(&maps);
	return error;
}

/*
 * While a filter is being attached or detached, its pins may be incomplete for a moment. That is
 * not an error.
 */
static bool is_changing(const char *interface)
{
	return pins_exist(interface) == 0 || pins_are_changing();
}

int datapath_scrape(const char *interface, struct reading *reading, struct diagnostics *diag)
{
	bool changing;
	int error;

	libraries_capture_log();
	*reading = (struct reading){};
	error = try_reading(interface, reading);
	if (!error)
		return 1;
	changing = is_changing(interface);
	/* the attach may have ended after the first attempt */
	if (!changing)
		error = try_reading(interface, reading);
	if (!error)
		return 1;
	if (changing)
		return 0;
	report_unreadable_pins(interface, error, diag);
	return -1;
}
