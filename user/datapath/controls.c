// SPDX-License-Identifier: GPL-2.0-only
/* The tables of control connections. Each slot of a policy has one; policies may share it. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <bkxdp/control_table.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/memory.h"
#include "datapath/internal.h"
#include "net/socktable.h"

/* ---- which table a policy has -------------------------------------------- */

static int read_count(const struct maps *maps, uint32_t table, struct bkxdp_control_count *each,
		      int cpus)
{
	memset(each, 0, (size_t)cpus * sizeof(*each));
	return bpf_map_lookup_elem(maps->fd[MAP_CONTROL_COUNTS], &table, each) ? -errno : 0;
}

/* The counts of a table that no policy has. How often there was no room counts from the attach. */
static int clear_count(const struct maps *maps, uint32_t table)
{
	int cpus = libbpf_num_possible_cpus();
	AUTO_FREE struct bkxdp_control_count *each = must_alloc(cpus > 0 ? cpus : 1, sizeof(*each));
	int error = cpus < 0 ? cpus : read_count(maps, table, each, cpus);

	for (int i = 0; i < cpus; i++)
		each[i].began = each[i].ended = 0;
	if (!error && bpf_map_update_elem(maps->fd[MAP_CONTROL_COUNTS], &table, each, BPF_ANY))
		error = -errno;
	return error;
}

bool controls_are_shared(const struct bkxdp_settings *current, const struct bkxdp_settings *next)
{
	return current->control_table == next->control_table &&
	       !memcmp(current->control_hash, next->control_hash, sizeof(next->control_hash));
}

static int random_hash(struct bkxdp_settings *settings)
{
	const ssize_t size = sizeof(settings->control_hash);

	return getrandom(settings->control_hash, size, 0) == size ? 0 : -EIO;
}

/* A table that is carried over has the same hash, so that each connection keeps its set. */
int controls_choose(const struct maps *maps, struct bkxdp_settings *settings)
{
	struct bkxdp_settings current;
	struct bkxdp_active active;
	int error = settings_in_force(maps, &active, &current);
	bool carried;

	if (error)
		return error;
	settings->control_table = 0;
	if (!active.generation)
		return random_hash(settings);
	carried = current.control_sets == settings->control_sets;
	if (carried)
		memcpy(settings->control_hash, current.control_hash,
		       sizeof(settings->control_hash));
	else
		error = random_hash(settings);
	settings->control_table = current.control_table;
	if (error || carried)
		return error;
	settings->control_table = !current.control_table;
	return clear_count(maps, settings->control_table);
}

/* ---- what is in it ------------------------------------------------------- */

struct copying {
	int to;
	int error;
};

static void copy_set(void *into, const void *key, const void *value)
{
	const struct bkxdp_control_set *set = value;
	struct copying *copying = into;

	if (bkxdp_is_used(&set->slot[0]) && bpf_map_update_elem(copying->to, key, set, BPF_ANY))
		copying->error = -errno;
}

int controls_copy(int from, int to)
{
	struct copying copying = {to, 0};
	int error = entries_read(from, sizeof(uint32_t), sizeof(struct bkxdp_control_set), copy_set,
				 &copying);

	return error ? error : copying.error;
}

static int count_carried(const struct maps *maps, uint32_t table, uint64_t carried)
{
	int cpus = libbpf_num_possible_cpus();
	AUTO_FREE struct bkxdp_control_count *each = must_alloc(cpus > 0 ? cpus : 1, sizeof(*each));
	int error = cpus < 0 ? cpus : read_count(maps, table, each, cpus);

	each[0].began += carried;
	if (!error && bpf_map_update_elem(maps->fd[MAP_CONTROL_COUNTS], &table, each, BPF_ANY))
		error = -errno;
	return error;
}

/* ---- from sockets to flags ----------------------------------------------- */

static bool is_required(const struct bkxdp_requirement *required, const struct tcp_connection *tcp)
{
	for (int i = 0; i < required->n_ports; i++) {
		enum bkxdp_opener opener = required->port[i].opener;

		if (required->port[i].port == socktable_port(tcp, opener) &&
		    socktable_may_be(tcp, opener))
			return true;
	}
	return false;
}

/*
 * Returns 1 if the connection was put in the table, 0 if it was there or there is no room, or a
 * negative errno. Several requirements may take the same control flow.
 */
static int note(int to, const struct bkxdp_settings *settings, const struct tcp_connection *tcp,
		uint32_t control)
{
	struct bkxdp_control_slot slot = {.key = {.control = control},
					  .connection = tcp->connection,
					  .seen = clock_ns(CLOCK_MONOTONIC) & ~BKXDP_CONTROL_ENDED};
	struct bkxdp_control_set set;
	uint32_t number;
	int i = 0;

	memcpy(slot.key.address, tcp->peer, sizeof(slot.key.address));
	number = bkxdp_control_set_of(settings, &slot.key);
	if (bpf_map_lookup_elem(to, &number, &set))
		return -errno;
	for (; i < BKXDP_CONTROL_SLOTS && bkxdp_is_used(&set.slot[i]); i++)
		if (bkxdp_same_slot(&set.slot[i], &slot))
			return 0;
	if (i == BKXDP_CONTROL_SLOTS)
		return 0;
	set.slot[i] = slot;
	return bpf_map_update_elem(to, &number, &set, BPF_ANY) ? -errno : 1;
}

int controls_from_sockets(const struct maps *maps, int to, const struct tables *tables)
{
	struct tcp_connection *tcp = NULL;
	uint64_t carried = 0;
	size_t n_tcp = 0;
	int error = socktable_read(&tcp, &n_tcp);

	for (size_t i = 0; i < n_tcp && error >= 0; i++) {
		for (size_t r = 0; r < tables->n_requirements && error >= 0; r++) {
			if (!is_required(&tables->requirement[r], &tcp[i]))
				continue;
			error = note(to, &tables->settings, &tcp[i],
				     tables->requirement[r].control);
			carried += error > 0;
		}
	}
	free(tcp);
	return error < 0 ? error : count_carried(maps, tables->settings.control_table, carried);
}

struct taking {
	controls_take *take;
	void *into;
};

static void take_slots(void *into, const void *key, const void *value)
{
	const struct bkxdp_control_set *set = value;
	const struct taking *taking = into;

	(void)key;
	for (int i = 0; i < BKXDP_CONTROL_SLOTS && bkxdp_is_used(&set->slot[i]); i++)
		taking->take(taking->into, &set->slot[i]);
}

int controls_read(const struct maps *maps, controls_take *take, void *into)
{
	struct taking taking = {take, into};
	struct bkxdp_active active;
	uint32_t id;
	int error = slot_active(maps, &active);

	if (error)
		return error;
	if (bpf_map_lookup_elem(maps->fd[MAP_CONTROLS], &active.slot, &id))
		return -errno;
	AUTO_CLOSE int fd = bpf_map_get_fd_by_id(id);

	if (fd < 0)
		return -errno;
	return entries_read(fd, sizeof(uint32_t), sizeof(struct bkxdp_control_set), take_slots,
			    &taking);
}

/* ---- counts ---------------------------------------------------------------- */

/* Connections that the host's memory had no room for. */
static int add_lost(const struct maps *maps, struct reading *reading)
{
	uint32_t zero = 0;
	uint64_t lost = 0;

	if (bpf_map_lookup_elem(maps->fd[MAP_MEMORY_LOST], &zero, &lost))
		return -errno;
	reading->no_room += lost;
	return 0;
}

/* CPUs are read one after the other, so an end may be counted whose beginning is not. */
int controls_count(const struct maps *maps, uint32_t table, struct reading *reading)
{
	int cpus = libbpf_num_possible_cpus();
	AUTO_FREE struct bkxdp_control_count *each = must_alloc(cpus > 0 ? cpus : 1, sizeof(*each));
	int64_t remembered = 0;
	int error = cpus < 0 ? cpus : 0;

	reading->no_room = 0;
	for (uint32_t t = 0; t < 2 && !error; t++) {
		error = read_count(maps, t, each, cpus);
		for (int i = 0; i < cpus && !error; i++) {
			reading->no_room += each[i].no_room;
			if (t == table)
				remembered += (int64_t)(each[i].began - each[i].ended);
		}
	}
	reading->remembered = remembered > 0 ? remembered : 0;
	return error ? error : add_lost(maps, reading);
}
