// SPDX-License-Identifier: GPL-2.0-only
/* Contents of the maps: the slots of a policy, counters and their names, the description. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "datapath/internal.h"
#include "policy/counters.h"

/* ---- batches: one system call for many entries, where the kernel can ------- */

#define BATCH 4096

static int update_each(int fd, const void *keys, size_t key_size, const void *values,
		       size_t value_size, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (bpf_map_update_elem(fd, (const char *)keys + i * key_size,
					(const char *)values + i * value_size, BPF_ANY))
			return -errno;
	return 0;
}

/* Batches came to LPM tries later than to hashes; where they are missing the answer is EINVAL or
 * ENOTSUPP. */
static int update_many(int fd, const void *keys, size_t key_size, const void *values,
		       size_t value_size, size_t count)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	size_t done = 0;

	while (done < count) {
		uint32_t part = count - done < BATCH ? count - done : BATCH, taken = part;
		const char *key = (const char *)keys + done * key_size;
		const char *value = (const char *)values + done * value_size;

		if (bpf_map_update_batch(fd, key, value, &taken, &opts)) {
			int error = update_each(fd, key, key_size, value, value_size, part);

			if (error)
				return error;
		}
		done += part;
	}
	return 0;
}

/* ---- slots ----------------------------------------------------------------- */

/* The inner maps of one slot, made to measure. */
struct slot {
	int peers, services;
};

static void slot_close(struct slot *slot)
{
	if (slot->peers >= 0)
		close(slot->peers);
	if (slot->services >= 0)
		close(slot->services);
}

static int create_like(const char *name, enum bpf_map_type type, size_t key, size_t value,
		       size_t entries, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(type, name, key, value, entries ? entries : 1, &opts);

	return fd < 0 ? -errno : fd;
}

static int fill_peers(const struct tables *tables)
{
	AUTO_FREE struct bkxdp_prefix *keys = must_alloc(tables->n_peers, sizeof(*keys));
	AUTO_FREE bkxdp_peer_class *values = must_alloc(tables->n_peers, sizeof(*values));
	int error, fd = create_like("peers", BPF_MAP_TYPE_LPM_TRIE, sizeof(*keys), sizeof(*values),
				    tables->n_peers, BPF_F_NO_PREALLOC);

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < tables->n_peers; i++) {
		keys[i] = tables->peers[i].prefix;
		values[i] = tables->peers[i].peer_class;
	}
	error = update_many(fd, keys, sizeof(*keys), values, sizeof(*values), tables->n_peers);
	if (error) {
		close(fd);
		return error;
	}
	return fd;
}

static int fill_services(const struct tables *tables)
{
	size_t count = tables->n_services;
	AUTO_FREE struct bkxdp_service_key *keys = must_alloc(count, sizeof(*keys));
	AUTO_FREE struct bkxdp_service *values = must_alloc(count, sizeof(*values));
	int error, fd = create_like("services", BPF_MAP_TYPE_HASH, sizeof(*keys), sizeof(*values),
				    count, 0);

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < count; i++) {
		keys[i] = tables->services[i].key;
		values[i] = tables->services[i].value;
	}
	error = update_many(fd, keys, sizeof(*keys), values, sizeof(*values), count);
	if (error) {
		close(fd);
		return error;
	}
	return fd;
}

/* Frozen: nobody changes a policy in place, not even root by mistake. */
static int slot_fill(struct slot *slot, const struct tables *tables)
{
	slot->peers = fill_peers(tables);
	if (slot->peers < 0)
		return slot->peers;
	slot->services = fill_services(tables);
	if (slot->services < 0)
		return slot->services;
	if (bpf_map_freeze(slot->peers) || bpf_map_freeze(slot->services))
		return -errno;
	return 0;
}

/* Each update of a map of maps waits until no CPU runs the program with what was there before. */
static int slot_place(const struct maps *maps, uint32_t number, const struct slot *slot)
{
	if (bpf_map_update_elem(maps->fd[MAP_PEERS], &number, &slot->peers, BPF_ANY) ||
	    bpf_map_update_elem(maps->fd[MAP_SERVICES], &number, &slot->services, BPF_ANY))
		return -errno;
	return 0;
}

struct bkxdp_globals *words_open(const struct maps *maps, int protection)
{
	return mmap(NULL, sizeof(struct bkxdp_globals), protection, MAP_SHARED,
		    maps->fd[MAP_GLOBALS], 0);
}

/* The idle slot first; then one 64-bit store: a packet sees the old policy or the new one. */
static int slot_activate(const struct maps *maps, struct bkxdp_active active,
			 const struct tables *tables)
{
	struct bkxdp_globals *words = words_open(maps, PROT_READ | PROT_WRITE);
	uint64_t word;

	if (words == MAP_FAILED)
		return -errno;
	words->settings[active.slot] = tables->settings;
	words->prefilter[active.slot] = tables->prefilter;
	memcpy(words->port[active.slot], tables->port, sizeof(words->port[0]));
	memcpy(&word, &active, sizeof(word));
	__atomic_store_n((uint64_t *)(void *)&words->active, word, __ATOMIC_RELEASE);
	munmap(words, sizeof(*words));
	return 0;
}

int slot_active(const struct maps *maps, struct bkxdp_active *active)
{
	struct bkxdp_globals *words = words_open(maps, PROT_READ);

	if (words == MAP_FAILED)
		return -errno;
	*active = words->active;
	munmap(words, sizeof(*words));
	return active->slot < BKXDP_SLOTS ? 0 : -EBADMSG;
}

int slot_peek(const struct maps *maps, struct bkxdp_globals *room, struct bkxdp_active *active)
{
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(maps->fd[MAP_GLOBALS], &zero, room))
		return -errno;
	*active = room->active;
	return active->slot < BKXDP_SLOTS ? 0 : -EBADMSG;
}

/*
 * Gives the memory of the policy that was back. A packet may still be judged by
 * it, so first wait until none is: updating a map of maps with what it holds
 * already is that wait.
 */
static void slot_retire(const struct maps *maps, uint32_t number, const struct slot *kept)
{
	uint32_t other = !number;

	if (bpf_map_update_elem(maps->fd[MAP_PEERS], &other, &kept->peers, BPF_ANY))
		return;
	(void)bpf_map_delete_elem(maps->fd[MAP_PEERS], &number);
	(void)bpf_map_delete_elem(maps->fd[MAP_SERVICES], &number);
}

int slot_publish(const struct maps *maps, const struct tables *tables)
{
	struct slot slot = {-1, -1};
	struct bkxdp_active active = {};
	int error = slot_active(maps, &active);

	if (error)
		return error;
	active.slot = !active.slot;
	active.generation++;
	error = slot_fill(&slot, tables);
	if (!error)
		error = slot_place(maps, active.slot, &slot);
	if (!error)
		error = slot_activate(maps, active, tables);
	if (!error)
		slot_retire(maps, !active.slot, &slot);
	slot_close(&slot);
	return error;
}

static int inner_of(int outer, uint32_t number)
{
	uint32_t id;
	int fd;

	if (bpf_map_lookup_elem(outer, &number, &id))
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

static int slot_open(struct slot *slot, const struct maps *maps, uint32_t number)
{
	slot->peers = inner_of(maps->fd[MAP_PEERS], number);
	if (slot->peers < 0)
		return slot->peers;
	slot->services = inner_of(maps->fd[MAP_SERVICES], number);
	return slot->services < 0 ? slot->services : 0;
}

/* The inner maps are shared, and frozen; what says which are in force is a copy. */
int slot_copy(const struct maps *from, const struct maps *to)
{
	struct slot slot = {-1, -1};
	struct bkxdp_globals *source = words_open(from, PROT_READ);
	struct bkxdp_globals *copy = words_open(to, PROT_READ | PROT_WRITE);
	int error = -EINVAL;

	if (source != MAP_FAILED && copy != MAP_FAILED) {
		*copy = *source;
		memset(&copy->watch, 0, sizeof(copy->watch));
		error = slot_open(&slot, from, copy->active.slot % BKXDP_SLOTS);
		if (!error)
			error = slot_place(to, copy->active.slot % BKXDP_SLOTS, &slot);
	}
	slot_close(&slot);
	if (source != MAP_FAILED)
		munmap(source, sizeof(*source));
	if (copy != MAP_FAILED)
		munmap(copy, sizeof(*copy));
	return error;
}

/* ---- counters -------------------------------------------------------------- */

int counter_read(int fd, uint32_t index, struct bkxdp_counter *sum)
{
	int cpus = libbpf_num_possible_cpus();
	AUTO_FREE struct bkxdp_counter *each = must_alloc(cpus > 0 ? cpus : 1, sizeof(*each));

	if (cpus < 0)
		return cpus;
	if (bpf_map_lookup_elem(fd, &index, each))
		return -errno;
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < cpus; i++) {
		sum->packets += each[i].packets;
		sum->bytes += each[i].bytes;
	}
	return 0;
}

int names_read(const struct maps *maps, struct counter_names *names)
{
	uint32_t key, *before = NULL;

	while (!bpf_map_get_next_key(maps->fd[MAP_NAMES], before, &key)) {
		if (key >= BKXDP_COUNTERS_MAX)
			return -EBADMSG;
		if (bpf_map_lookup_elem(maps->fd[MAP_NAMES], &key, &names->name[key]))
			return -errno;
		names->used[key] = true;
		before = &key;
	}
	return errno == ENOENT ? 0 : -errno;
}

/* A counter that changes hands starts at nothing. */
static int counter_clear(int fd, uint32_t index)
{
	int cpus = libbpf_num_possible_cpus();
	AUTO_FREE struct bkxdp_counter *each = must_alloc(cpus > 0 ? cpus : 1, sizeof(*each));

	return bpf_map_update_elem(fd, &index, each, BPF_ANY) ? -errno : 0;
}

int names_write(const struct maps *maps, struct counter_names *names)
{
	for (uint32_t i = 0; i < BKXDP_COUNTERS_MAX; i++) {
		if (!names->used[i])
			continue;
		if (names->reclaimed[i] && counter_clear(maps->fd[MAP_FLOWS], i))
			return -errno;
		if (bpf_map_update_elem(maps->fd[MAP_NAMES], &i, &names->name[i], BPF_ANY))
			return -errno;
	}
	return 0;
}

/* ---- many counters: a window of neighbours at a time --------------------------- */

#define WINDOW_BYTES 131072

struct window {
	int fd;
	int cpus;
	uint32_t size; /* counters */
	struct bkxdp_counter *value;
	uint32_t *key;
};

/* Batches came to arrays of each CPU in 5.13: where the first fails none is tried again. */
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
	if (errno == ENOENT) /* the array's end */
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

/* Which of `count` is the counter, 1 to count; 0: none. */
static uint16_t *places_of(const uint16_t *index, size_t count)
{
	uint16_t *place = must_alloc(BKXDP_COUNTERS_MAX, sizeof(*place));

	for (size_t i = 0; i < count; i++)
		place[index[i]] = i + 1;
	return place;
}

static int read_wanted(const struct window *w, const uint16_t *place, struct bkxdp_counter *sum)
{
	uint32_t next = 0;

	while (next < BKXDP_COUNTERS_MAX) {
		uint32_t first, last;
		int error;

		while (next < BKXDP_COUNTERS_MAX && !place[next])
			next++;
		first = last = next;
		for (; next < BKXDP_COUNTERS_MAX && next - first < w->size; next++)
			if (place[next])
				last = next;
		if (first == BKXDP_COUNTERS_MAX)
			break;
		error = read_window(w, first, last - first + 1);
		if (error)
			return error;
		for (uint32_t i = first; i <= last; i++)
			if (place[i])
				add_up(w, i - first, &sum[place[i] - 1]);
		next = last + 1;
	}
	return 0;
}

int counters_read(int fd, const uint16_t *index, size_t count, struct bkxdp_counter *sum)
{
	struct window w = {.fd = fd, .cpus = libbpf_num_possible_cpus()};
	uint16_t *place;
	int error;

	if (w.cpus < 0)
		return w.cpus;
	w.size = WINDOW_BYTES / (w.cpus * sizeof(*w.value));
	w.size = w.size < 8 ? 8 : w.size;
	w.value = must_alloc((size_t)w.size * w.cpus, sizeof(*w.value));
	w.key = must_alloc(w.size, sizeof(*w.key));
	place = places_of(index, count);
	error = read_wanted(&w, place, sum);
	free(place);
	free(w.key);
	free(w.value);
	return error;
}

/* ---- bytes ----------------------------------------------------------------- */

#define CHUNK 16384

int bytes_map_write(const char *name, const void *bytes, size_t size)
{
	size_t chunks = size / CHUNK + 1;
	AUTO_FREE char *padded = must_alloc(chunks, CHUNK);
	int fd = create_like(name, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), CHUNK, chunks, 0);

	if (fd < 0)
		return fd;
	memcpy(padded, bytes, size);
	for (uint32_t i = 0; i < chunks; i++) {
		if (bpf_map_update_elem(fd, &i, padded + (size_t)i * CHUNK, BPF_ANY)) {
			int error = -errno;

			close(fd);
			return error;
		}
	}
	return fd;
}

int bytes_map_read(int fd, char **bytes, size_t *size)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	char *whole;

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	if (info.value_size != CHUNK)
		return -EBADMSG;
	whole = must_alloc(info.max_entries, CHUNK);
	for (uint32_t i = 0; i < info.max_entries; i++) {
		if (bpf_map_lookup_elem(fd, &i, whole + (size_t)i * CHUNK)) {
			int error = -errno;

			free(whole);
			return error;
		}
	}
	*bytes = whole;
	*size = (size_t)info.max_entries * CHUNK;
	return 0;
}
