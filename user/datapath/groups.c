// SPDX-License-Identifier: GPL-2.0-only
/* Drops by kind: reading them, and asking the program to group them. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/memory.h"
#include "datapath/internal.h"

/* ---- reading --------------------------------------------------------------- */

struct read {
	struct bkxdp_group_key *key;
	struct bkxdp_group *value;
	size_t count;
};

/* Room for all at once: a batch must hold at least a whole bucket of the hash. */
static int read_batches(int fd, struct read *read)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	struct bkxdp_group_key place;
	void *from = NULL;

	for (read->count = 0; read->count < BKXDP_GROUPS_MAX;) {
		uint32_t part = BKXDP_GROUPS_MAX - (uint32_t)read->count;
		int error = bpf_map_lookup_batch(fd, from, &place, read->key + read->count,
						 read->value + read->count, &part, &opts)
				    ? -errno
				    : 0;

		if (error && error != -ENOENT)
			return error;
		read->count += part;
		if (error)
			break;
		from = &place;
	}
	return 0;
}

/*
 * One by one, where there are no batches (before Linux 5.6). If a key goes away
 * meanwhile, the kernel begins again: so not more steps than there is room, and
 * what comes twice is sorted out later.
 */
static int read_each(int fd, struct read *read)
{
	struct bkxdp_group_key key, *before = NULL;

	read->count = 0;
	for (size_t i = 0; i < BKXDP_GROUPS_MAX; i++) {
		if (bpf_map_get_next_key(fd, before, &key))
			return errno == ENOENT ? 0 : -errno;
		if (!bpf_map_lookup_elem(fd, &key, &read->value[read->count]))
			read->key[read->count++] = key;
		before = &key;
	}
	return 0;
}

static void keep_current(struct drop_groups *groups, const struct read *read, uint32_t generation)
{
	size_t kept = 0;

	groups->group = must_alloc(read->count ? read->count : 1, sizeof(*groups->group));
	for (size_t i = 0; i < read->count; i++)
		if (read->value[i].generation == generation && read->value[i].packets)
			groups->group[kept++] = (struct drop_group){read->key[i], read->value[i]};
	qsort(groups->group, kept, sizeof(*groups->group), groups_compare);
	for (size_t i = 0; i < kept; i++)
		if (!i || groups_compare(&groups->group[i - 1], &groups->group[i]))
			groups->group[groups->count++] = groups->group[i];
}

/* Each CPU keeps some free places for itself, so the map never looks quite full. */
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
	AUTO_FREE struct bkxdp_group_key *key = must_alloc(BKXDP_GROUPS_MAX, sizeof(*key));
	AUTO_FREE struct bkxdp_group *value = must_alloc(BKXDP_GROUPS_MAX, sizeof(*value));
	struct read read = {key, value, 0};
	int cpus = libbpf_num_possible_cpus(), fd = maps->fd[MAP_GROUPS];
	struct bkxdp_active active;
	int error = slot_active(maps, &active);

	if (!error && read_batches(fd, &read))
		error = read_each(fd, &read);
	if (error)
		return error;
	memset(groups, 0, sizeof(*groups));
	keep_current(groups, &read, active.generation);
	groups->now = clock_ns(CLOCK_MONOTONIC);
	groups->full = is_full(read.count, cpus);
	groups->ungrouped = ungrouped_in(maps, cpus);
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

/* ---- asking ---------------------------------------------------------------- */

/* Several may ask: the latest end holds. The program ends it by itself, also if we die. */
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
	struct bkxdp_globals *words;
	struct maps maps;
	int error = pins_open(interface, &maps, 0);

	if (error)
		return error;
	words = words_open(&maps, PROT_READ | PROT_WRITE);
	error = words == MAP_FAILED ? -errno : 0;
	if (!error) {
		prolong(&words->watch, clock_ns(CLOCK_MONOTONIC) + seconds * NS_PER_S);
		munmap(words, sizeof(*words));
	}
	maps_close(&maps);
	return error;
}
