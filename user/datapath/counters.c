// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what an interface has counted, for status, top and scrapes.
 *
 * The map `names` says which counters the policy in force has, and the attachment has the figures
 * that are shown with them. The policy itself is not read. All of a reading is of one generation: a
 * reload changes nothing in the slot in force and gives none of its counters to another flow. The
 * second reload does, and it first writes its generation to the record of that slot, which is
 * compared here before and after reading.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "config/source_files.h"
#include "datapath/internal.h"
#include "policy/counters.h"
#include "stats/reading.h"

/* ---- sums, read in windows of neighbouring counters ---------------------- */

#define WINDOW_BYTES 131072 /* of values */

struct window {
	int fd;
	int cpus;
	struct bkxdp_counter *value;
	uint32_t *key;
};

/*
 * Batches on per-CPU arrays need Linux 5.13. After the first one has failed, none is tried again.
 */
static bool no_batches;

static int read_each(const struct window *w, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t key = first + i;

		if (bpf_map_lookup_elem(w->fd, &key, &w->value[(size_t)i * w->cpus]))
			return -errno;
	}
	return 0;
}

static int read_window(const struct window *w, uint32_t first, uint32_t count)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t before = first - 1, after, got = count;

	if (no_batches)
		return read_each(w, first, count);
	if (!bpf_map_lookup_batch(w->fd, first ? &before : NULL, &after, w->key, w->value, &got,
				  &opts))
		return got == count ? 0 : -EBADMSG;
	if (errno == ENOENT) /* the end of the array */
		return got == count ? 0 : -EBADMSG;
	no_batches = true;
	return read_each(w, first, count);
}

static void add_up(const struct window *w, uint32_t place, struct bkxdp_counter *sum)
{
	const struct bkxdp_counter *each = &w->value[(size_t)place * w->cpus];

	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < w->cpus; i++) {
		sum->packets += each[i].packets;
		sum->bytes += each[i].bytes;
	}
}

/*
 * For each counter from the first to the last: 1 + its position in `index`, or 0 if it is not
 * there.
 */
static uint16_t *places_of(const uint16_t *index, size_t count, uint32_t *first, uint32_t *end)
{
	uint16_t *place;

	*first = count ? UINT16_MAX : 0;
	*end = 0;
	for (size_t i = 0; i < count; i++) {
		*first = index[i] < *first ? index[i] : *first;
		*end = index[i] >= *end ? index[i] + 1u : *end;
	}
	place = must_alloc(*end - *first, sizeof(*place));
	for (size_t i = 0; i < count; i++)
		place[index[i] - *first] = i + 1;
	return place;
}

static bool is_any(const uint16_t *place, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (place[i])
			return true;
	return false;
}

int counters_read(int fd, const uint16_t *index, size_t count, struct bkxdp_counter *sum)
{
	struct window w = {.fd = fd, .cpus = libbpf_num_possible_cpus()};
	uint32_t first, end, size;
	int error = 0;

	if (w.cpus < 0)
		return w.cpus;
	AUTO_FREE uint16_t *places = places_of(index, count, &first, &end);
	const uint16_t *place = places;

	size = 1 + WINDOW_BYTES / (w.cpus * sizeof(*w.value));
	size = size < end - first ? size : end - first;
	w.value = must_alloc((size_t)size * w.cpus, sizeof(*w.value));
	w.key = must_alloc(size, sizeof(*w.key));
	for (; first < end && !error; first += size, place += size) {
		size = size < end - first ? size : end - first;
		if (is_any(place, size))
			error = read_window(&w, first, size);
		for (uint32_t i = 0; i < size && !error; i++)
			if (place[i])
				add_up(&w, i, &sum[place[i] - 1]);
	}
	free(w.key);
	free(w.value);
	return error;
}

/* ---- one reading ------------------------------------------------------------ */

static int read_tallies(const struct maps *maps, struct reading *reading)
{
	uint16_t index[BKXDP_TALLIES];

	for (int i = 0; i < BKXDP_TALLIES; i++)
		index[i] = i;
	return counters_read(maps->fd[MAP_REASONS], index, BKXDP_TALLIES, reading->tally);
}

/* Reads the flows' names, and which counters are theirs. */
static int read_names(const struct maps *maps, uint32_t slot, struct reading *reading,
		      uint16_t **counters)
{
	AUTO_FREE struct counter_names *names = must_alloc(1, sizeof(*names));
	size_t n_counters;
	int error = names_read(maps, names);

	if (!error)
		error = counters_placed(names, slot, counters, &n_counters);
	if (!error)
		reading_name_flows(reading, names, *counters, n_counters);
	return error;
}

static int read_flows(const struct maps *maps, uint32_t slot, struct reading *reading)
{
	AUTO_FREE struct bkxdp_counter *sum = NULL;
	AUTO_FREE uint16_t *counters = NULL;
	int error = read_names(maps, slot, reading, &counters);

	if (error)
		return error;
	sum = must_alloc(reading->n_flows, sizeof(*sum));
	error = counters_read(maps->fd[MAP_FLOWS], counters, reading->n_flows, sum);
	for (size_t i = 0; i < reading->n_flows; i++)
		reading->flows[i].sum = sum[i];
	return error;
}

static int read_changed(const char *pins, uint32_t slot, struct reading *reading)
{
	AUTO_CLOSE int fd = pins_open_slot_pin(pins, SLOT_PIN_FILES, slot);
	AUTO_FREE char *files = NULL;
	int error = fd < 0 ? fd : bytes_map_read(fd, &files);

	if (!error)
		reading->changed = source_files_changed(files);
	return error;
}

int check_generation(const struct maps *maps, const struct bkxdp_active *active)
{
	struct bkxdp_attachment attachment;
	int error = read_attachment(maps, &attachment);

	if (error)
		return error;
	return attachment.policy[active->slot].generation == active->generation ? 0 : -EAGAIN;
}

/*
 * The policy with the newer record is in force if that record says so. Otherwise it is being
 * written or its reload failed, and the program's globals say which one is in force.
 */
static int find_active(const struct maps *maps, const struct bkxdp_attachment *attachment,
		       struct bkxdp_active *active)
{
	const struct bkxdp_policy_record *record = attachment->policy;

	active->slot = record[1].generation > record[0].generation;
	active->generation = record[active->slot].generation;
	return record[active->slot].in_force == active->generation ? 0 : slot_peek(maps, active);
}

static int read_slot(const char *pins, const struct maps *maps, uint32_t slot,
		     const struct bkxdp_attachment *attachment, struct reading *reading)
{
	int error = read_tallies(maps, reading);

	if (!error)
		error = read_flows(maps, slot, reading);
	if (!error)
		error = controls_count(maps, attachment->policy[slot].control_table, reading);
	return error ? error : read_changed(pins, slot, reading);
}

static int read_generation(const char *pins, const struct maps *maps, struct reading *reading,
			   struct bkxdp_attachment *attachment)
{
	struct bkxdp_active active;
	int checked, error = read_attachment(maps, attachment);

	if (!error)
		error = find_active(maps, attachment, &active);
	if (error)
		return error;
	if (!active.generation)
		return -ENODATA;
	error = read_slot(pins, maps, active.slot, attachment, reading);
	/* a reload may have caused the error */
	checked = check_generation(maps, &active);
	if (!error || checked == -EAGAIN)
		error = checked;
	reading->policy = attachment->policy[active.slot];
	reading->audits = reading->policy.enforcement == BKXDP_AUDIT;
	reading->generic = attachment->generic;
	snprintf(reading->device, sizeof(reading->device), "%s", pins);
	return error;
}

int read_counters(const char *pins, const struct maps *maps, struct reading *reading,
		  struct bkxdp_attachment *attachment)
{
	int error = -EAGAIN;

	for (int i = 0; i < RELOAD_TRIES && error == -EAGAIN; i++) {
		*reading = (struct reading){.attached = ATTACHED_UNKNOWN};
		error = read_generation(pins, maps, reading, attachment);
		if (error)
			reading_free(reading);
	}
	return error;
}
