// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading what a scrape needs, and no more: by pins that the exporter's group
 * may read, without a capability where the kernel takes none (5.19).
 *
 * All of a reading is of one generation. The counters that a reload gives to
 * other flows are those that the policy in force does not have, so while the
 * generation stays no counter that is read here is cleared.
 */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "datapath/internal.h"
#include "net/netdev.h"
#include "stats/snapshot.h"

#define RELOAD_TRIES 20

void reading_free(struct reading *reading)
{
	free(reading->bytes);
	free(reading->flow);
	memset(reading, 0, sizeof(*reading));
}

static int read_series(const char *interface, uint32_t slot, struct reading *reading)
{
	AUTO_CLOSE int fd = pins_open_beside(interface, BESIDE_SERIES, slot);
	size_t size;
	int error = fd < 0 ? fd : bytes_map_read(fd, &reading->bytes, &size);

	return error ? error : series_read(reading->bytes, size, &reading->series);
}

static int read_tallies(const struct maps *maps, struct reading *reading)
{
	uint16_t index[BKXDP_TALLIES];

	for (int i = 0; i < BKXDP_TALLIES; i++)
		index[i] = i;
	return counters_read(maps->fd[MAP_REASONS], index, BKXDP_TALLIES, reading->tally);
}

static int read_flows(const struct maps *maps, struct reading *reading)
{
	size_t flows = reading->series.head->flows;
	AUTO_FREE uint16_t *index = must_alloc(flows, sizeof(*index));

	reading->flow = must_alloc(flows, sizeof(*reading->flow));
	for (size_t i = 0; i < flows; i++)
		index[i] = reading->series.flow[i].counter;
	return counters_read(maps->fd[MAP_FLOWS], index, flows, reading->flow);
}

/* -EAGAIN where a reload came between; -ENODATA where no policy is in force yet. */
static int read_generation(const char *interface, const struct maps *maps, struct reading *reading)
{
	AUTO_FREE struct bkxdp_globals *room = must_alloc(1, sizeof(*room));
	struct bkxdp_active before, after;
	int error = slot_peek(maps, room, &before);

	if (error)
		return error;
	if (!before.generation)
		return -ENODATA;
	error = read_series(interface, before.slot, reading);
	if (!error)
		error = read_tallies(maps, reading);
	if (!error)
		error = read_flows(maps, reading);
	if (slot_peek(maps, room, &after) || memcmp(&after, &before, sizeof(after)))
		error = -EAGAIN;
	if (error)
		reading_free(reading);
	return error;
}

/*
 * The program that the interface runs is asked without privileges. It is another
 * than at the attach if other programs came to the dispatcher or left it; then
 * whether ours is still there takes the privilege to look at programs.
 */
static int tell_attached(const char *interface, const struct maps *maps,
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

static int read_maps(const char *interface, const struct maps *maps, struct reading *reading)
{
	struct bkxdp_attachment attachment;
	int error = -EAGAIN;

	for (int i = 0; i < RELOAD_TRIES && error == -EAGAIN; i++)
		error = read_generation(interface, maps, reading);
	if (!error)
		error = read_attachment(maps, &attachment);
	if (error) {
		reading_free(reading);
		return error;
	}
	snprintf(reading->device, sizeof(reading->device), "%s", interface);
	reading->generic = attachment.generic;
	reading->attached = tell_attached(interface, maps, &attachment);
	reading->changed = series_changed(&reading->series);
	return 0;
}

static int try_reading(const char *interface, struct reading *reading)
{
	struct maps maps;
	int error = pins_open_for_scrape(interface, &maps);

	if (!error)
		error = read_maps(interface, &maps, reading);
	maps_close(&maps);
	return error;
}

/* An attach or a detach at work leaves pins half way for a moment; that is no error. */
static bool is_passing(const char *interface)
{
	return pins_exist(interface) == 0 || pins_are_changing();
}

int datapath_scrape(const char *interface, struct reading *reading, struct diagnostics *diag)
{
	bool passing;
	int error;

	libraries_listen();
	*reading = (struct reading){};
	error = try_reading(interface, reading);
	if (!error)
		return 1;
	passing = is_passing(interface);
	/* it may have ended just before it was asked for */
	if (!passing)
		error = try_reading(interface, reading);
	if (!error)
		return 1;
	if (passing)
		return 0;
	report_unreadable_pins(interface, error, diag);
	return -1;
}
