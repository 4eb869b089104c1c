// SPDX-License-Identifier: GPL-2.0-only
/* Drops by kind: reads them, and asks the program to group them. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/memory.h"
#include "datapath/internal.h"

/* ---- reading --------------------------------------------------------------- */

struct groups_read {
	uint32_t generation; /* of the policy in force */
	size_t count;        /* groups of all generations */
	struct drop_groups *groups;
};

static void take_group(void *into, const void *key, const void *value)
{
	const struct bkxdp_group *group = value;
	struct groups_read *read = into;

	read->count++;
	if (group->generation == read->generation && group->packets)
		*APPEND(read->groups->group, read->groups->count) =
			(struct drop_group){*(const struct bkxdp_group_key *)key, *group};
}

/* Removes duplicates. */
static void sort_groups(struct drop_groups *groups)
{
	size_t read = groups->count, kept = 0;

	if (read)
		qsort(groups->group, read, sizeof(*groups->group), groups_compare);
	for (size_t i = 0; i < read; i++)
		if (!i || groups_compare(&groups->group[i - 1], &groups->group[i]))
			groups->group[kept++] = groups->group[i];
	groups->count = kept;
}

/* Each CPU keeps some free entries for itself, so the map is never completely full. */
#define LRU_LOCAL_FREE 128

static bool is_full(size_t count, int cpus)
{
	size_t kept_back = (size_t)(cpus > 0 ? cpus : 1) * LRU_LOCAL_FREE;

	if (kept_back > BKXDP_GROUPS_MAX / 2)
		kept_back = BKXDP_GROUPS_MAX / 2;
	return count >= BKXDP_GROUPS_MAX - kept_back;
}

static uint64_t ungrouped_in(const struct maps *maps, int cpus)
{
	AUTO_FREE struct bkxdp_watch_state *each = must_alloc(cpus > 0 ? cpus : 1, sizeof(*each));
	uint32_t zero = 0;
	uint64_t sum = 0;

	if (cpus <= 0 || bpf_map_lookup_elem(maps->fd[MAP_WATCH_STATE], &zero, each))
		return 0;
	for (int cpu = 0; cpu < cpus; cpu++)
		sum += each[cpu].ungrouped;
	return sum;
}

static int read_groups(const struct maps *maps, struct drop_groups *groups)
{
	struct drop_groups found = {};
	struct groups_read read = {.groups = &found};
	int cpus = libbpf_num_possible_cpus();
	struct bkxdp_active active;
	int error = slot_active(maps, &active);

	if (!error) {
		read.generation = active.generation;
		error = entries_read(maps->fd[MAP_GROUPS], sizeof(struct bkxdp_group_key),
				     sizeof(struct bkxdp_group), take_group, &read);
	}
	if (error) {
		groups_free(&found);
		return error;
	}
	sort_groups(&found);
	found.now = clock_ns(CLOCK_MONOTONIC);
	found.full = is_full(read.count, cpus);
	found.ungrouped = ungrouped_in(maps, cpus);
	*groups = found;
	return 0;
}

int datapath_groups(const char *interface, struct drop_groups *groups)
{
	struct maps maps;
	int error = pins_open(interface, &maps, 0);

	if (error)
		return error;
	error = read_groups(&maps, groups);
	maps_close(&maps);
	return error;
}

/* ---- asking the program to group drops ----------------------------------- */

/*
 * If several processes ask, the latest end counts. The program itself stops at that time, also if
 * they were killed.
 */
static void prolong(struct bkxdp_watch *watch, uint64_t until)
{
	__u64 now = __atomic_load_n(&watch->groups_until, __ATOMIC_RELAXED);

	while (now < until && !__atomic_compare_exchange_n(&watch->groups_until, &now, until, false,
							   __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	__atomic_store_n(&watch->groups, 1, __ATOMIC_RELEASE);
}

int datapath_group_drops(const char *interface, unsigned int seconds)
{
	struct bkxdp_globals *globals;
	struct maps maps;
	int error = pins_open(interface, &maps, 0);

	if (error)
		return error;
	globals = globals_open(&maps, PROT_READ | PROT_WRITE);
	error = globals == MAP_FAILED ? -errno : 0;
	if (!error) {
		prolong(&globals->watch, clock_ns(CLOCK_MONOTONIC) + seconds * NS_PER_S);
		munmap(globals, sizeof(*globals));
	}
	maps_close(&maps);
	return error;
}
