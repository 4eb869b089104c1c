// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of the maps: the slots of a policy, the names of counters, and byte strings in maps of
 * their own.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "datapath/internal.h"
#include "policy/counters.h"

/* ---- batches: one system call for many entries, if the kernel supports it ---- */

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

/*
 * Batches on LPM tries need a later kernel than those on hash maps. Without them the error is
 * EINVAL or ENOTSUPP.
 */
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

#define READ_BYTES 327680 /* of values at a time; more than any bucket has */

int entries_read(int fd, size_t key_size, size_t value_size, entries_take *take, void *into)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	const uint32_t room = READ_BYTES / value_size;
	AUTO_FREE char *keys = must_alloc(room, key_size), *place = must_alloc(1, key_size);
	AUTO_FREE char *values = must_alloc(room, value_size);
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info), count;
	void *from = NULL;
	int error = bpf_obj_get_info_by_fd(fd, &info, &length) ? -errno : 0;

	if (!error && (info.key_size != key_size || info.value_size != value_size))
		error = -EBADMSG;
	while (!error) {
		count = room;
		error = bpf_map_lookup_batch(fd, from, place, keys, values, &count, &opts) ? -errno
											   : 0;
		for (uint32_t i = 0; (!error || error == -ENOENT) && i < count; i++)
			take(into, keys + i * key_size, values + i * value_size);
		from = place;
	}
	return error == -ENOENT ? 0 : error;
}

/* ---- slots ----------------------------------------------------------------- */

int settings_in_force(const struct maps *maps, struct bkxdp_active *active,
		      struct bkxdp_settings *settings)
{
	struct bkxdp_globals *globals = globals_open(maps, PROT_READ);

	if (globals == MAP_FAILED)
		return -errno;
	*active = globals->active;
	*settings = globals->settings[active->slot % BKXDP_SLOTS];
	munmap(globals, sizeof(*globals));
	return active->slot < BKXDP_SLOTS ? 0 : -EBADMSG;
}

/* The inner maps of one slot, in the size that the policy needs. */
struct slot {
	int peers, services, controls;
};

static void slot_close(struct slot *slot)
{
	if (slot->peers >= 0)
		close(slot->peers);
	if (slot->services >= 0)
		close(slot->services);
	if (slot->controls >= 0)
		close(slot->controls);
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

static int create_controls(const struct bkxdp_settings *settings)
{
	return create_like("controls", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
			   sizeof(struct bkxdp_control_set), settings->control_sets,
			   BPF_F_INNER_MAP);
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

/*
 * The table of the policy in force, or a new one if that has another size. From `connections:
 * sockets` to `flags`, the control connections that the host has are in it.
 */
static int fill_controls(const struct maps *maps, const struct tables *tables)
{
	const struct bkxdp_settings *settings = &tables->settings;
	struct bkxdp_settings current;
	struct bkxdp_active active;
	int fd, error = settings_in_force(maps, &active, &current);

	if (error)
		return error;
	if (active.generation && controls_are_shared(&current, settings))
		return inner_of(maps->fd[MAP_CONTROLS], active.slot);
	fd = create_controls(settings);
	if (fd >= 0 && active.generation && current.connections == BKXDP_CONNECTIONS_SOCKETS &&
	    settings->connections == BKXDP_CONNECTIONS_FLAGS)
		error = controls_from_sockets(maps, fd, tables);
	if (fd < 0 || !error)
		return fd;
	close(fd);
	return error;
}

/*
 * The maps of the policy are frozen, so that nobody changes it in place, not even root by mistake.
 */
static int slot_fill(struct slot *slot, const struct maps *maps, const struct tables *tables)
{
	slot->peers = fill_peers(tables);
	if (slot->peers < 0)
		return slot->peers;
	slot->services = fill_services(tables);
	if (slot->services < 0)
		return slot->services;
	slot->controls = fill_controls(maps, tables);
	if (slot->controls < 0)
		return slot->controls;
	if (bpf_map_freeze(slot->peers) || bpf_map_freeze(slot->services))
		return -errno;
	return 0;
}

/* Each update of a map of maps waits until no CPU runs the program with the previous inner map. */
static int slot_place(const struct maps *maps, uint32_t number, const struct slot *slot)
{
	if (bpf_map_update_elem(maps->fd[MAP_PEERS], &number, &slot->peers, BPF_ANY) ||
	    bpf_map_update_elem(maps->fd[MAP_SERVICES], &number, &slot->services, BPF_ANY) ||
	    bpf_map_update_elem(maps->fd[MAP_CONTROLS], &number, &slot->controls, BPF_ANY))
		return -errno;
	return 0;
}

struct bkxdp_globals *globals_open(const struct maps *maps, int protection)
{
	return mmap(NULL, sizeof(struct bkxdp_globals), protection, MAP_SHARED,
		    maps->fd[MAP_GLOBALS], 0);
}

/*
 * First fills the idle slot. Then one 64-bit store activates it, so a packet sees either the old
 * policy or the new one.
 */
static int slot_activate(const struct maps *maps, struct bkxdp_active active,
			 const struct tables *tables)
{
	struct bkxdp_globals *globals = globals_open(maps, PROT_READ | PROT_WRITE);
	uint64_t word;

	if (globals == MAP_FAILED)
		return -errno;
	globals->settings[active.slot] = tables->settings;
	globals->prefilter[active.slot] = tables->prefilter;
	memcpy(globals->port[active.slot], tables->port, sizeof(globals->port[0]));
	memcpy(globals->requirement[active.slot], tables->requirement,
	       sizeof(globals->requirement[0]));
	globals->devices[active.slot] = tables->devices;
	memcpy(&word, &active, sizeof(word));
	__atomic_store_n((uint64_t *)(void *)&globals->active, word, __ATOMIC_RELEASE);
	munmap(globals, sizeof(*globals));
	return 0;
}

int slot_active(const struct maps *maps, struct bkxdp_active *active)
{
	struct bkxdp_globals *globals = globals_open(maps, PROT_READ);

	if (globals == MAP_FAILED)
		return -errno;
	*active = globals->active;
	munmap(globals, sizeof(*globals));
	return active->slot < BKXDP_SLOTS ? 0 : -EBADMSG;
}

int slot_peek(const struct maps *maps, struct bkxdp_active *active)
{
	AUTO_FREE struct bkxdp_globals *copy = must_alloc(1, sizeof(*copy));
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(maps->fd[MAP_GLOBALS], &zero, copy))
		return -errno;
	*active = copy->active;
	return active->slot < BKXDP_SLOTS ? 0 : -EBADMSG;
}

/*
 * Frees the memory of the old policy. A packet may still be judged by it, so this first waits until
 * none is: an update of a map of maps waits for that, even if it changes nothing.
 */
static void slot_retire(const struct maps *maps, uint32_t number, const struct slot *kept)
{
	uint32_t other = !number;

	if (bpf_map_update_elem(maps->fd[MAP_PEERS], &other, &kept->peers, BPF_ANY))
		return;
	(void)bpf_map_delete_elem(maps->fd[MAP_PEERS], &number);
	(void)bpf_map_delete_elem(maps->fd[MAP_SERVICES], &number);
	(void)bpf_map_delete_elem(maps->fd[MAP_CONTROLS], &number);
}

int slot_next(const struct maps *maps, struct bkxdp_active *next)
{
	struct bkxdp_active active = {};
	int error = slot_active(maps, &active);

	*next = (struct bkxdp_active){.slot = !active.slot, .generation = active.generation + 1};
	return error;
}

int slot_publish(const struct maps *maps, const struct bkxdp_active *next,
		 const struct tables *tables)
{
	struct slot slot = {-1, -1, -1};
	int error = slot_fill(&slot, maps, tables);

	if (!error)
		error = slot_place(maps, next->slot, &slot);
	if (!error)
		error = slot_activate(maps, *next, tables);
	if (!error)
		slot_retire(maps, !next->slot, &slot);
	slot_close(&slot);
	return error;
}

static int slot_open(struct slot *slot, const struct maps *maps, uint32_t number)
{
	slot->peers = inner_of(maps->fd[MAP_PEERS], number);
	if (slot->peers < 0)
		return slot->peers;
	slot->services = inner_of(maps->fd[MAP_SERVICES], number);
	if (slot->services < 0)
		return slot->services;
	slot->controls = inner_of(maps->fd[MAP_CONTROLS], number);
	return slot->controls < 0 ? slot->controls : 0;
}

static int place_copy(const struct maps *from, const struct maps *to,
		      const struct bkxdp_globals *globals)
{
	uint32_t number = globals->active.slot % BKXDP_SLOTS;
	struct slot slot = {-1, -1, -1};
	int error = slot_open(&slot, from, number);
	int copy = error ? -1 : create_controls(&globals->settings[number]);

	if (!error)
		error = copy < 0 ? copy : controls_copy(slot.controls, copy);
	if (slot.controls >= 0)
		close(slot.controls);
	slot.controls = copy;
	if (!error)
		error = slot_place(to, number, &slot);
	slot_close(&slot);
	return error;
}

/*
 * The inner maps of the policy are shared, because they are frozen. Control connections are
 * copied, because judging a packet must not make a real one live. The globals, which say what is
 * in force, are copied, too.
 */
int slot_copy(const struct maps *from, const struct maps *to)
{
	struct bkxdp_globals *source = globals_open(from, PROT_READ);
	struct bkxdp_globals *copy = globals_open(to, PROT_READ | PROT_WRITE);
	int error = -EINVAL;

	if (source != MAP_FAILED && copy != MAP_FAILED) {
		*copy = *source;
		memset(&copy->watch, 0, sizeof(copy->watch));
		error = place_copy(from, to, copy);
	}
	if (source != MAP_FAILED)
		munmap(source, sizeof(*source));
	if (copy != MAP_FAILED)
		munmap(copy, sizeof(*copy));
	return error;
}

/* ---- names of counters ---------------------------------------------------------- */

#define BLOCKS (BKXDP_COUNTERS_MAX / BKXDP_NAMES_BLOCK)
_Static_assert(BKXDP_COUNTERS_MAX % BKXDP_NAMES_BLOCK == 0, "whole blocks");

static void take_block(void *into, const void *key, const void *value)
{
	const struct bkxdp_flow_names *read = value;
	struct counter_names *names = into;
	uint32_t block = *(const uint32_t *)key;
	size_t first = (size_t)block * BKXDP_NAMES_BLOCK;

	if (block >= BLOCKS)
		return;
	memcpy(&names->name[first], read->name, sizeof(*read));
	for (size_t i = 0; i < BKXDP_NAMES_BLOCK; i++)
		names->used[first + i] = *read->name[i].flow;
}

int names_read(const struct maps *maps, struct counter_names *names)
{
	return entries_read(maps->fd[MAP_NAMES], sizeof(uint32_t), sizeof(struct bkxdp_flow_names),
			    take_block, names);
}

/* A counter that is given to another flow starts at 0. */
static int counter_clear(int fd, uint32_t index)
{
	int cpus = libbpf_num_possible_cpus();
	AUTO_FREE struct bkxdp_counter *each = must_alloc(cpus > 0 ? cpus : 1, sizeof(*each));

	return bpf_map_update_elem(fd, &index, each, BPF_ANY) ? -errno : 0;
}

static int write_block(const struct maps *maps, const struct counter_names *names, uint32_t block)
{
	size_t first = (size_t)block * BKXDP_NAMES_BLOCK;
	bool any = false;

	for (size_t i = first; i < first + BKXDP_NAMES_BLOCK; i++) {
		if (names->reclaimed[i] && counter_clear(maps->fd[MAP_FLOWS], i))
			return -errno;
		any = any || names->used[i];
	}
	if (any && bpf_map_update_elem(maps->fd[MAP_NAMES], &block, &names->name[first], BPF_ANY))
		return -errno;
	return 0;
}

int names_write(const struct maps *maps, const struct counter_names *names)
{
	int error = 0;

	for (uint32_t block = 0; block < BLOCKS && !error; block++)
		error = write_block(maps, names, block);
	return error;
}

/* ---- byte strings -------------------------------------------------------- */

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

int bytes_map_read(int fd, char **bytes)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	char *whole;

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	if (info.value_size != CHUNK)
		return -EBADMSG;
	whole = must_alloc(1, (size_t)info.max_entries * CHUNK + 2);
	for (uint32_t i = 0; i < info.max_entries; i++) {
		if (bpf_map_lookup_elem(fd, &i, whole + (size_t)i * CHUNK)) {
			int error = -errno;

			free(whole);
			return error;
		}
	}
	*bytes = whole;
	return 0;
}
