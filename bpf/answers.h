/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's answers to what classify.h, flows.h and control.h ask: peers, ports and
 * services from the policy's maps, connections from the socket table, control connections
 * from it and from the host's memory, or under `connections: flags` from what was seen.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "frame.h"

#include <bpf/bpf_endian.h>
#include <bkxdp/classify.h>
#include <bkxdp/control.h>
#include <bkxdp/flows.h>

#include "flow_cache.h"
#include "maps.h"

struct bkxdp_world {
	struct xdp_md *ctx;
	__u32 slot;
	__u32 stranger; /* the prefilter says that the source is no peer */
	__u32 generation;
	__u32 failed; /* a look-up that can't fail did */
};

/* A verdict in one register: reason, whether the flow cache may keep it, rule, counter. */
#define BKXDP_PACKED(reason, cacheable, rule, counter)                                             \
	((reason) | (__u64)(cacheable) << 16 | (__u64)(rule) << 32 | (__u64)(counter) << 48)

static __always_inline __u64 pack(const struct bkxdp_verdict *v)
{
	return BKXDP_PACKED(v->reason, v->cacheable, v->rule, v->counter);
}

static __always_inline struct bkxdp_verdict unpack(__u64 packed)
{
	struct bkxdp_verdict verdict = {
		.reason = packed,
		.cacheable = packed >> 16,
		.rule = packed >> 32,
		.counter = packed >> 48,
	};

	return verdict;
}

static __always_inline int is_mapped(const __u32 address[4])
{
	return !address[0] && !address[1] && address[2] == BKXDP_MAPPED_WORD;
}

/* The source prefilter: 0 if certainly no peer's address begins like this one. */
static __always_inline int may_be_peer(__u32 slot, const __u64 half[2])
{
	const struct bkxdp_prefilter *bits = &globals.prefilter[slot % BKXDP_SLOTS];
	__u32 bit;

	if (!half[0] && bkxdp_word(half[1], 0) == BKXDP_MAPPED_WORD) {
		bit = bpf_ntohl(bkxdp_word(half[1], 1)) >> 16;
		return bits->ipv4[bit / 64] >> (bit % 64) & 1;
	}
	bit = bkxdp_prefilter_hash(bkxdp_word(half[0], 0)) % BKXDP_PREFILTER_BITS;
	return bits->ipv6[bit / 64] >> (bit % 64) & 1;
}

static __always_inline bkxdp_peer_class look_up_peer(struct bkxdp_world *world,
						     const __u32 address[4])
{
	struct bkxdp_prefix key = {.bits = 128};
	void *trie = bpf_map_lookup_elem(&peers, &world->slot);
	bkxdp_peer_class *peer;

	if (!trie) {
		world->failed = 1;
		return 0;
	}
	__builtin_memcpy(key.address, address, sizeof(key.address));
	peer = bpf_map_lookup_elem(trie, &key);
	return peer ? *peer : 0;
}

static __always_inline bkxdp_peer_class ask_peer(struct bkxdp_world *world, const __u32 address[4])
{
	const __u64 half[2] = {((const __u64 *)address)[0], ((const __u64 *)address)[1]};
	struct peer_cache_entry *entry = NULL;
	bkxdp_peer_class peer_class;

	if (world->stranger)
		return 0;
	if (bkxdp_cache_entries)
		entry = peer_cache_find(half);
	if (entry && peer_cache_holds(entry, half, world->generation))
		return entry->peer_class;
	peer_class = look_up_peer(world, address);
	if (entry && peer_class)
		peer_cache_store(entry, half, world->generation, peer_class);
	return peer_class;
}

static __always_inline const struct bkxdp_port *ask_port(struct bkxdp_world *world, __u16 port)
{
	return &globals.port[world->slot % BKXDP_SLOTS][port];
}

static __always_inline const struct bkxdp_service *ask_service(struct bkxdp_world *world,
							       const struct bkxdp_service_key *key)
{
	void *hash = bpf_map_lookup_elem(&services, &world->slot);

	if (!hash) {
		world->failed = 1;
		return NULL;
	}
	return bpf_map_lookup_elem(hash, key);
}

static __always_inline __u64 ask_now(struct bkxdp_world *world)
{
	return bkxdp_report ? globals.clock : bpf_ktime_get_ns();
}

/*
 * In the kernel's order: the peer is the source. Returns the size, which tells the kernel the
 * address family.
 */
static __always_inline __u32 make_tuple(struct bpf_sock_tuple *tuple, const __u32 peer[4],
					__u16 peer_port, const __u32 local[4], __u16 port)
{
	if (is_mapped(peer)) {
		tuple->ipv4.saddr = peer[3];
		tuple->ipv4.daddr = local[3];
		tuple->ipv4.sport = bpf_htons(peer_port);
		tuple->ipv4.dport = bpf_htons(port);
		return sizeof(tuple->ipv4);
	}
	__builtin_memcpy(tuple->ipv6.saddr, peer, sizeof(tuple->ipv6.saddr));
	__builtin_memcpy(tuple->ipv6.daddr, local, sizeof(tuple->ipv6.daddr));
	tuple->ipv6.sport = bpf_htons(peer_port);
	tuple->ipv6.dport = bpf_htons(port);
	return sizeof(tuple->ipv6);
}

/* The state of this connection's TCP socket, else of the socket that listens there; 0: neither. */
static __always_inline __u32 tcp_state(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 size)
{
	struct bpf_sock *socket = bpf_skc_lookup_tcp(ctx, tuple, size, BPF_F_CURRENT_NETNS, 0);
	__u32 state = 0;

	if (socket) {
		state = socket->state;
		bpf_sk_release(socket);
	}
	return state;
}

/* The kernel's lookup skips sockets that are connected to another peer. */
static __always_inline int udp_is_bound(struct xdp_md *ctx, struct bpf_sock_tuple *tuple,
					__u32 size)
{
	struct bpf_sock *socket = bpf_sk_lookup_udp(ctx, tuple, size, BPF_F_CURRENT_NETNS, 0);

	if (!socket)
		return 0;
	bpf_sk_release(socket);
	return 1;
}

static __always_inline enum bkxdp_socket socket_of(struct xdp_md *ctx,
						   const struct bkxdp_packet *packet)
{
	struct bpf_sock_tuple tuple = {};
	__u32 size, state;

	size = make_tuple(&tuple, packet->saddr, packet->sport, packet->daddr, packet->dport);
	if (packet->protocol == IPPROTO_UDP)
		return udp_is_bound(ctx, &tuple, size) ? BKXDP_SOCKET_CONNECTION
						       : BKXDP_SOCKET_NONE;
	state = tcp_state(ctx, &tuple, size);
	if (!state)
		return BKXDP_SOCKET_NONE;
	/* In TIME-WAIT, for instance, a SYN would reach whoever listens on our old port now. */
	if ((packet->tcp_flags & (BKXDP_TCP_SYN | BKXDP_TCP_ACK)) == BKXDP_TCP_SYN)
		return state == BPF_TCP_SYN_SENT ? BKXDP_SOCKET_CONNECTION : BKXDP_SOCKET_LISTENER;
	return state == BPF_TCP_LISTEN ? BKXDP_SOCKET_LISTENER : BKXDP_SOCKET_CONNECTION;
}

/* Does the i-th device above the interface get packets of this VLAN? */
static __always_inline int gets_vlan(const struct bkxdp_devices *devices, __u32 i, __u16 vlan)
{
	__u16 wanted = devices->vlan[i % BKXDP_DEVICES_MAX];

	return wanted == BKXDP_VLANS || wanted == vlan;
}

/*
 * The state of this TCP connection if its socket is bound to the interface or to a device above it;
 * 0: there is no such socket.
 */
static __always_inline __u32 bound_state(struct scratch *s, const struct bkxdp_devices *devices)
{
	const struct bkxdp_packet *packet = &s->packet;
	const struct bkxdp_bound *bound;

	s->tuple.netns = devices->netns;
	__builtin_memcpy(s->tuple.peer, packet->saddr, sizeof(s->tuple.peer));
	__builtin_memcpy(s->tuple.connection.address, packet->daddr, sizeof(packet->daddr));
	s->tuple.connection.port = packet->dport;
	s->tuple.connection.peer_port = packet->sport;
	bound = bpf_map_lookup_elem(&bound_connections, &s->tuple);
	if (!bound)
		return 0;
	for (__u32 i = 0; i < BKXDP_DEVICES_MAX && i < devices->n_devices; i++)
		if (devices->device[i] == bound->device && gets_vlan(devices, i, packet->vlan))
			return bound->state;
	return 0;
}

/*
 * What a look-up from this interface, which has found `found`, does not find: a socket that is
 * bound to a device above it.
 */
static __always_inline enum bkxdp_socket
socket_above(struct scratch *s, const struct bkxdp_devices *devices, enum bkxdp_socket found)
{
	__u32 state = bound_state(s, devices);

	if (!state)
		return found == BKXDP_SOCKET_NONE ? BKXDP_SOCKET_UNKNOWN : found;
	if ((s->packet.tcp_flags & (BKXDP_TCP_SYN | BKXDP_TCP_ACK)) == BKXDP_TCP_SYN)
		return state == BPF_TCP_SYN_SENT ? BKXDP_SOCKET_CONNECTION : BKXDP_SOCKET_LISTENER;
	return BKXDP_SOCKET_CONNECTION;
}

/*
 * The bits of bkxdp_lacks(). They are made here, in a global function, so that the verifier
 * knows nothing of them at its callers and has one state to check instead of one for each.
 */
BKXDP_SUBPROG __u32 bkxdp_connection(struct xdp_md *ctx, __u32 slot)
{
	const struct bkxdp_devices *devices = devices_of(slot);
	struct scratch *s = scratch();
	enum bkxdp_socket socket;

	if (!bkxdp_sockets || !s || !ctx)
		return BKXDP_WANTS_CONNECTION;
	socket = socket_of(ctx, &s->packet);
	if (socket != BKXDP_SOCKET_CONNECTION && devices->n_devices > 1 &&
	    s->packet.protocol == IPPROTO_TCP)
		socket = socket_above(s, devices, socket);
	return bkxdp_lacks(&s->packet, socket);
}

static __always_inline __u32 ask_connection(struct bkxdp_world *world,
					    const struct bkxdp_packet *packet)
{
	return bkxdp_connection(world->ctx, world->slot);
}

static __always_inline int ask_stray(struct bkxdp_world *world)
{
	struct scratch *s = scratch();
	__u64 window = ask_now(world) >> 30;

	if (!s)
		return 0;
	if (s->stray_window != window) {
		s->stray_window = window;
		s->strays = 0;
	}
	return s->strays++ < BKXDP_STRAYS_MAX;
}

/*
 * Is the connection in the scratch, with the peer of the key there, established? A global function,
 * as are those below, so that the verifier checks it once.
 */
BKXDP_SUBPROG int bkxdp_established(struct xdp_md *ctx)
{
	struct scratch *s = scratch();
	__u32 size;

	if (!bkxdp_sockets || !s || !ctx)
		return 0;
	size = make_tuple(&s->sock_tuple, s->key.address, s->asked.peer_port, s->asked.address,
			  s->asked.port);
	return tcp_state(ctx, &s->sock_tuple, size) == BPF_TCP_ESTABLISHED;
}

static __always_inline int is_established(struct xdp_md *ctx, struct scratch *s,
					  const struct bkxdp_connection *connection)
{
	if (!connection->peer_port)
		return 0;
	s->asked = *connection;
	return bkxdp_established(ctx);
}

/*
 * By the key in the scratch: connections that the kernel told of. The socket table has the last
 * word on those that are listed. If none is, the count of others is believed, as it is for sockets
 * bound to a device above, which can't be looked up. If some are and do not exist, it is not: then
 * the kernel did not tell of all.
 */
BKXDP_SUBPROG int bkxdp_counted(struct xdp_md *ctx, __u32 slot)
{
	const struct bkxdp_control_live *count;
	struct scratch *s = scratch();
	__u32 listed = 0;

	if (!s || !ctx)
		return 0;
	count = bpf_map_lookup_elem(&control_peers, &s->key);
	if (!count || !count->live)
		return 0;
	if (s->key.device && s->key.device != devices_of(slot)->device[0])
		return 1;
	for (int i = 0; i < BKXDP_LISTED; i++) {
		listed += !!count->listed[i].peer_port;
		if (is_established(ctx, s, &count->listed[i]))
			return 1;
	}
	return !listed;
}

/* By the key in the scratch: connections that the kernel does not tell of. */
BKXDP_SUBPROG int bkxdp_older(struct xdp_md *ctx)
{
	struct scratch *s = scratch();
	int found = 0;

	if (!s || !ctx)
		return 0;
	for (__u8 page = 0; page < BKXDP_OLDER_PAGES && !found; page++) {
		const struct bkxdp_older *older;

		s->key.page = page;
		older = bpf_map_lookup_elem(&control_older, &s->key);
		if (!older)
			break;
		for (int i = 0; i < BKXDP_OLDER && !found; i++)
			found = is_established(ctx, s, &older->connection[i]);
	}
	s->key.page = 0;
	return found;
}

static __always_inline int host_has(struct xdp_md *ctx, __u32 slot, struct scratch *s, __u32 device)
{
	s->key.device = device;
	return bkxdp_counted(ctx, slot) || bkxdp_older(ctx);
}

static __always_inline int is_in_vrf(const struct bkxdp_devices *devices, __u16 vlan)
{
	__u32 in = 0;

	for (__u32 i = 0; i < BKXDP_DEVICES_MAX && i < devices->n_devices; i++)
		in |= (devices->vrfs >> i) & gets_vlan(devices, i, vlan);
	return in & 1;
}

/* For sockets bound to no device, unless the packet is for a VRF, and to each that counts. */
static __always_inline int any_device_has(struct xdp_md *ctx, __u32 slot, struct scratch *s)
{
	const struct bkxdp_devices *devices = devices_of(slot);
	__u16 vlan = s->packet.vlan;

	s->key.netns = devices->netns;
	if (!(devices->vrfs && is_in_vrf(devices, vlan)) && host_has(ctx, slot, s, 0))
		return 1;
	for (__u32 i = 0; i < BKXDP_DEVICES_MAX && i < devices->n_devices; i++)
		if (gets_vlan(devices, i, vlan) && host_has(ctx, slot, s, devices->device[i]))
			return 1;
	return 0;
}

BKXDP_SUBPROG int bkxdp_ask_host(struct xdp_md *ctx, __u32 slot, __u32 number, __u32 n, __u32 i)
{
	const struct bkxdp_requirement *required = requirement_of(slot, number);
	const struct bkxdp_required_port *port = &required->port[i % BKXDP_REQUIRED_PORTS];
	struct scratch *s = scratch();

	if (!s || !ctx)
		return 0;
	__builtin_memcpy(s->key.address, bkxdp_required_peer(&s->packet, required, n),
			 sizeof(s->key.address));
	s->key.port = port->port;
	s->key.opener = port->opener;
	return any_device_has(ctx, slot, s);
}

static __always_inline int ask_established(struct bkxdp_world *world,
					   const struct bkxdp_packet *packet, __u32 number, __u32 n,
					   __u32 i)
{
	return bkxdp_ask_host(world->ctx, world->slot, number, n, i);
}

static __always_inline struct bkxdp_control_set *find_controls(struct bkxdp_world *world,
							       __u32 number)
{
	void *table = bpf_map_lookup_elem(&controls, &world->slot);

	return table ? bpf_map_lookup_elem(table, &number) : NULL;
}

static __always_inline struct bkxdp_control_lock *control_lock(struct bkxdp_world *world,
							       __u32 number)
{
	__u32 index = number % BKXDP_CONTROL_LOCKS;

	return bpf_map_lookup_elem(&control_locks, &index);
}

static __always_inline void lock_controls(struct bkxdp_control_lock *lock)
{
	bpf_spin_lock(&lock->lock);
}

static __always_inline void unlock_controls(struct bkxdp_control_lock *lock)
{
	bpf_spin_unlock(&lock->lock);
}

static __always_inline void count_control(struct bkxdp_world *world,
					  const struct bkxdp_settings *settings, __u32 changes)
{
	__u32 table = settings->control_table;
	struct bkxdp_control_count *count = bpf_map_lookup_elem(&control_counts, &table);

	if (!count)
		return;
	if (changes & BKXDP_CONTROL_BEGAN)
		count->began++;
	if (changes & BKXDP_CONTROL_LEFT)
		count->ended++;
	if (changes & BKXDP_CONTROL_NO_ROOM)
		count->no_room++;
}

BKXDP_SUBPROG int bkxdp_noted(struct xdp_md *ctx, __u32 slot, __u32 number, __u32 n)
{
	const struct bkxdp_requirement *required = requirement_of(slot, number);
	struct bkxdp_world world = {.ctx = ctx, .slot = slot};
	const struct scratch *s = scratch();

	if (!s || !ctx)
		return 0;
	return bkxdp_is_noted(&world, settings_of(slot), required->control,
			      bkxdp_required_peer(&s->packet, required, n));
}

static __always_inline int ask_noted(struct bkxdp_world *world, const struct bkxdp_packet *packet,
				     __u32 number, __u32 n)
{
	return bkxdp_noted(world->ctx, world->slot, number, n);
}

BKXDP_SUBPROG int bkxdp_live(struct xdp_md *ctx, __u32 slot, __u32 number)
{
	struct bkxdp_world world = {.ctx = ctx, .slot = slot};

	if (!ctx)
		return 0;
	return bkxdp_requirement_holds(&world, NULL, settings_of(slot),
				       requirement_of(slot, number), number);
}

BKXDP_SUBPROG int bkxdp_passed(struct xdp_md *ctx, __u32 slot, __u32 control)
{
	struct bkxdp_world world = {.ctx = ctx, .slot = slot};
	const struct bkxdp_settings *settings = settings_of(slot);
	const struct scratch *s = scratch();

	if (s && ctx)
		bkxdp_note_control(&world, &s->packet, settings, control);
	return 0;
}

static __always_inline int ask_control(struct bkxdp_world *world, const struct bkxdp_packet *packet,
				       const struct bkxdp_settings *settings, __u32 required)
{
	return bkxdp_live(world->ctx, world->slot, required);
}

static __always_inline void tell_control(struct bkxdp_world *world,
					 const struct bkxdp_packet *packet,
					 const struct bkxdp_settings *settings, __u32 control)
{
	bkxdp_passed(world->ctx, world->slot, control);
}

#endif
