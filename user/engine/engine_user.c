// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user engine: the datapath's own parser and classifier over the compiled
 * tables. Where the kernel has a map, here is a sorted array.
 */
#include "engine/engine.h"

#include <search.h>
#include <string.h>

#include "base/memory.h"
#include "packet/user_frame.h"

/* behind user_frame.h, which says how they read a frame */
#include <bkxdp/classify.h>
#include <bkxdp/control.h>
#include <bkxdp/flows.h>

/* A control connection that was seen; a node of the tree. */
struct seen {
	struct bkxdp_control_key key;
	struct bkxdp_control control;
};

struct bkxdp_world {
	struct engine engine;
	const struct tables *tables;
	size_t *around; /* of each peer entry: the next shorter prefix that covers it, plus one */
	void *controls; /* tsearch() tree of struct seen */
	uint64_t now;
	uint64_t counted[BKXDP_TALLIES];
};

/* The last entry that does not begin behind the address, or the nearest around it. */
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
	while (low && !prefix_holds(&peer[low - 1].prefix, address))
		low = world->around[low - 1];
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

static int compare_seen(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bkxdp_control_key));
}

static struct bkxdp_control *find_control(struct bkxdp_world *world,
					  const struct bkxdp_control_key *key)
{
	struct seen **found = tfind(key, &world->controls, compare_seen);

	return found ? &(*found)->control : NULL;
}

static struct bkxdp_control *add_control(struct bkxdp_world *world,
					 const struct bkxdp_control_key *key)
{
	struct bkxdp_control *found = find_control(world, key);
	struct seen *seen;

	if (found)
		return found;
	seen = must_alloc(1, sizeof(*seen));
	seen->key = *key;
	tsearch(seen, &world->controls, compare_seen);
	return &seen->control;
}

/* There is no kernel here, so no socket: by sockets, no reply is one of ours. */
static int ask_connection(struct bkxdp_world *world, const struct bkxdp_packet *packet)
{
	(void)world;
	(void)packet;
	return 0;
}

static int ask_established(struct bkxdp_world *world, const struct bkxdp_packet *packet,
			   const struct bkxdp_connection *connection)
{
	(void)world;
	(void)packet;
	(void)connection;
	return 0;
}

static int ask_control(struct bkxdp_world *world, const struct bkxdp_packet *packet,
		       const struct bkxdp_settings *settings, __u32 control)
{
	return bkxdp_control_is_live(world, packet, settings, control);
}

static void tell_control(struct bkxdp_world *world, const struct bkxdp_packet *packet,
			 const struct bkxdp_settings *settings, __u32 control)
{
	bkxdp_note_control(world, packet, settings, control);
}

static struct bkxdp_found ask_side(struct bkxdp_world *world, const struct bkxdp_packet *packet,
				   const struct bkxdp_settings *settings, bkxdp_peer_class peer,
				   int reply, __u32 before)
{
	return bkxdp_search_side(world, packet, settings, peer, reply, before);
}

static struct bkxdp_verdict ask_flows(struct bkxdp_world *world, const struct bkxdp_packet *packet,
				      const struct bkxdp_settings *settings, bkxdp_peer_class peer)
{
	return bkxdp_judge_flows(world, packet, settings, peer);
}

static struct bkxdp_world *world_of(struct engine *engine)
{
	return (struct bkxdp_world *)engine;
}

static int user_judge(struct engine *engine, const void *frame, uint32_t length, uint64_t now,
		      struct judgement *judgement)
{
	struct bkxdp_world *world = world_of(engine);
	struct received received = {frame, length, length};
	struct bkxdp_packet packet = {};
	bool audit = world->tables->settings.enforcement == BKXDP_AUDIT;
	struct bkxdp_verdict verdict;

	world->now = now;
	bkxdp_parse(&received, &packet);
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

	tdestroy(world->controls, free);
	free(world->around);
	free(world);
}

/* Entries are sorted, so those around the one at hand are those around the one before, or fewer. */
static size_t *find_around(const struct tables *tables)
{
	size_t *around = must_alloc(tables->n_peers, sizeof(*around));

	for (size_t i = 0; i < tables->n_peers; i++) {
		size_t outer = i;

		while (outer &&
		       !(prefix_covers(&tables->peers[outer - 1].prefix, &tables->peers[i].prefix)))
			outer = around[outer - 1];
		around[i] = outer;
	}
	return around;
}

struct engine *engine_user(const struct tables *tables)
{
	struct bkxdp_world *world = must_alloc(1, sizeof(*world));

	world->engine = (struct engine){"user", user_judge, user_counted, user_close};
	world->tables = tables;
	world->around = find_around(tables);
	return &world->engine;
}
