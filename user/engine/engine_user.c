// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine in user space: the datapath's parser and classifier over the compiled tables, with
 * sorted arrays instead of the kernel's maps.
 */
#include "engine/engine.h"

#include <string.h>

#include "base/memory.h"
#include "packet/user_frame.h"

/* must come after user_frame.h, which says how they read a frame */
#include <bkxdp/classify.h>
#include <bkxdp/control.h>
#include <bkxdp/flows.h>

struct bkxdp_world {
	struct engine engine;
	const struct tables *tables;
	/* of each peer entry: index + 1 of the longest prefix that covers it; 0: none */
	size_t *covering;
	struct bkxdp_control_set *controls;
	struct bkxdp_control_slot asked;
	uint64_t now;
	uint64_t stray_window; /* number of the (2^30 ns) second in which strays count */
	unsigned int strays;
	uint64_t counted[BKXDP_TALLIES];
};

/*
 * Finds the longest prefix that contains the address: the last entry that does not begin above
 * it, or one that covers that entry.
 */
static bkxdp_peer_class ask_peer(struct bkxdp_world *world, const __u32 address[4])
{
	const struct peer_entry *peer = world->tables->peers;
	size_t low = 0, high = world->tables->n_peers;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(peer[middle].prefix.address, address, 16) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low && !prefix_contains(&peer[low - 1].prefix, address))
		low = world->covering[low - 1];
	return low ? peer[low - 1].peer_class : 0;
}

static const struct bkxdp_port *ask_port(struct bkxdp_world *world, __u16 port)
{
	return &world->tables->port[port];
}

static const struct bkxdp_service *ask_service(struct bkxdp_world *world,
					       const struct bkxdp_service_key *key)
{
	struct service_entry wanted = {.key = *key};
	const struct service_entry *found =
		bsearch(&wanted, world->tables->services, world->tables->n_services, sizeof(wanted),
			service_compare);

	return found ? &found->value : NULL;
}

static __u64 ask_now(struct bkxdp_world *world)
{
	return world->now;
}

static struct bkxdp_control_set *find_controls(struct bkxdp_world *world, __u32 number)
{
	return &world->controls[number];
}

/* There is one thread, so there is nothing to lock. */
struct bkxdp_control_lock {
	int unused;
};

static struct bkxdp_control_lock *control_lock(struct bkxdp_world *world, __u32 number)
{
	static struct bkxdp_control_lock lock;

	(void)world;
	(void)number;
	return &lock;
}

static void lock_controls(struct bkxdp_control_lock *lock)
{
	(void)lock;
}

static void unlock_controls(struct bkxdp_control_lock *lock)
{
	(void)lock;
}

static void count_control(struct bkxdp_world *world, const struct bkxdp_settings *settings,
			  __u32 changes)
{
	(void)world;
	(void)settings;
	(void)changes;
}

/*
 * There are no sockets here, so under `connections: sockets` no packet answers a connection of
 * ours.
 */
static __u32 ask_connection(struct bkxdp_world *world, const struct bkxdp_packet *packet)
{
	(void)world;
	return bkxdp_lacks(packet, BKXDP_SOCKET_NONE);
}

static int ask_stray(struct bkxdp_world *world)
{
	if (world->stray_window != world->now >> 30) {
		world->stray_window = world->now >> 30;
		world->strays = 0;
	}
	return world->strays++ < BKXDP_STRAYS_MAX;
}

static int ask_established(struct bkxdp_world *world, const struct bkxdp_packet *packet,
			   __u32 number, __u32 n, __u32 i)
{
	(void)world;
	(void)packet;
	(void)number;
	(void)n;
	(void)i;
	return 0;
}

static int ask_noted(struct bkxdp_world *world, const struct bkxdp_packet *packet, __u32 number,
		     __u32 n)
{
	const struct bkxdp_requirement *required = &world->tables->requirement[number];

	return bkxdp_is_noted(world, &world->tables->settings, required->control,
			      bkxdp_required_peer(packet, required, n));
}

static int ask_control(struct bkxdp_world *world, const struct bkxdp_packet *packet,
		       const struct bkxdp_settings *settings, __u32 required)
{
	return bkxdp_requirement_holds(world, packet, settings,
				       &world->tables->requirement[required], required);
}

static void tell_control(struct bkxdp_world *world, const struct bkxdp_packet *packet,
			 const struct bkxdp_settings *settings, __u32 control)
{
	bkxdp_note_control(world, packet, settings, control);
}

static struct bkxdp_world *world_of(struct engine *engine)
{
	return (struct bkxdp_world *)engine;
}

static int user_judge(struct engine *engine, const void *frame, uint32_t length, uint64_t now,
		      struct judgement *judgement)
{
	struct bkxdp_world *world = world_of(engine);
	struct user_frame bytes = {frame, length, length};
	struct bkxdp_packet packet = {};
	bool audit = world->tables->settings.enforcement == BKXDP_AUDIT;
	struct bkxdp_verdict verdict;

	world->now = now;
	bkxdp_parse(&bytes, &packet);
	verdict = bkxdp_classify(world, &packet, &world->tables->settings);
	world->counted[bkxdp_tally(verdict.reason, audit)]++;
	judgement->reason = verdict.reason;
	judgement->rule = verdict.rule;
	judgement->passes = bkxdp_reason_passes(verdict.reason) || audit;
	return 0;
}

static uint64_t user_counted(struct engine *engine, unsigned int tally)
{
	return world_of(engine)->counted[tally];
}

static void user_close(struct engine *engine)
{
	struct bkxdp_world *world = world_of(engine);

	free(world->controls);
	free(world->covering);
	free(world);
}

/*
 * Entries are sorted, so an entry that covers this one covers the entry before, or is that
 * entry.
 */
static size_t *find_covering(const struct tables *tables)
{
	size_t *covering = must_alloc(tables->n_peers, sizeof(*covering));

	for (size_t i = 0; i < tables->n_peers; i++) {
		size_t outer = i;

		while (outer &&
		       !(prefix_covers(&tables->peers[outer - 1].prefix, &tables->peers[i].prefix)))
			outer = covering[outer - 1];
		covering[i] = outer;
	}
	return covering;
}

struct engine *engine_user(const struct tables *tables)
{
	struct bkxdp_world *world = must_alloc(1, sizeof(*world));

	world->engine = (struct engine){"user", user_judge, user_counted, user_close};
	world->tables = tables;
	world->covering = find_covering(tables);
	world->controls = must_alloc(tables->settings.control_sets, sizeof(*world->controls));
	return &world->engine;
}
