// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter in the kernel: maps, the answers that classify.h asks for,
 * counting, and the program. What a packet is stands in packet.h, what becomes
 * of it in classify.h.
 */
#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <bkxdp/layout.h>
#include <bkxdp/verdict.h>

char LICENSE[] SEC("license") = "GPL";

/* ---- switches: constants to the verifier, which deletes what they turn off */

/* Frames may have parts beyond the linear one (kernel 5.18). */
const volatile __u8 bkxdp_frags = 0;
/* The socket table can be asked. */
const volatile __u8 bkxdp_sockets = 1;
/* Sources are looked up in a bit map before the trie. */
const volatile __u8 bkxdp_source_prefilter = 1;
/* A test run: the return value carries the verdict, and time is words.clock. */
const volatile __u8 bkxdp_report = 0;

/* ---- what packet.h reads a frame by --------------------------------------- */

typedef struct xdp_md bkxdp_frame;

#define BKXDP_SUBPROG __attribute__((noinline))

/*
 * Any offset that the parser can reach lies below: 14 bytes of Ethernet, 8
 * tags, an IPv6 header and 16 extension headers of 2,048 bytes. The verifier
 * takes no offset beyond 65,535.
 */
#define FRAME_OFFSET_MAX 40000

/* Bytes of the first buffer: most frames have no other. */
static __always_inline __u32 frame_near(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data;
}

static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	return bkxdp_frags ? bpf_xdp_get_buff_len(ctx) : frame_near(ctx);
}

/*
 * Headers may lie beyond the linear part; some drivers hand over an empty one
 * (mlx5). Loads from the frame itself may be unaligned: no alignment is assumed
 * of a frame by the machines that have XDP drivers.
 */
static __always_inline const void *frame_at(struct xdp_md *ctx, __u32 offset, __u32 length,
					    void *spare)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u64 at = offset;

	/* the register that is compared must be the one that is added, or the verifier can't see it
	 */
	asm volatile("" : "+r"(at));
	if (at > FRAME_OFFSET_MAX)
		return NULL;
	if (data + at + length <= end)
		return data + at;
	if (bkxdp_frags && !bpf_xdp_load_bytes(ctx, offset, spare, length))
		return spare;
	return NULL;
}

static __always_inline const void *frame_begin(struct xdp_md *ctx)
{
	return (void *)(long)ctx->data;
}

static __always_inline const void *frame_end(struct xdp_md *ctx)
{
	return (void *)(long)ctx->data_end;
}

#include <bkxdp/packet.h>
#include "fast_parse.h"

/* ---- maps ----------------------------------------------------------------- */

/* Which slot of the maps below is in force, and what each packet asks of a policy. */
struct bkxdp_globals globals;

/*
 * Inner maps: only their shape stands here, the loader makes each to measure.
 * value_size and not __type: libbpf 1.1 finds no size in an inner __type.
 */
struct peers_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct bkxdp_prefix));
	__uint(value_size, sizeof(bkxdp_peer_class));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, BKXDP_SLOTS);
	__type(key, __u32);
	__array(values, struct peers_inner);
} peers SEC(".maps");

struct services_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct bkxdp_service_key));
	__uint(value_size, sizeof(struct bkxdp_service));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, BKXDP_SLOTS);
	__type(key, __u32);
	__array(values, struct services_inner);
} services SEC(".maps");

/* Control connections by peer: lives through reloads. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, BKXDP_CONTROLS_MAX);
	__type(key, struct bkxdp_control_key);
	__type(value, struct bkxdp_control);
} controls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BKXDP_TALLIES);
	__type(key, __u32);
	__type(value, struct bkxdp_counter);
} reasons SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BKXDP_COUNTERS_MAX);
	__type(key, __u32);
	__type(value, struct bkxdp_counter);
} flows SEC(".maps");

/*
 * The packet at hand. In a map and not on the stack: the verifier forgets what
 * it knew of a value once it is in a map, so it walks the decision once and not
 * once for every path through the parser; and a global function finds it here.
 */
struct scratch {
	struct bkxdp_packet packet;
	struct bkxdp_connection asked; /* for bkxdp_established() */
	__u32 control;                 /* of what bkxdp_inbound() or bkxdp_reply() found */
	struct bkxdp_control nothing;  /* stays zero: too large for the stack */
	struct bkxdp_event event;      /* of a drop, for those who listen */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch_map SEC(".maps");

/* Not for the program: what user space must find again, kept where the policy is. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BKXDP_COUNTERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct bkxdp_flow_name);
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bkxdp_attachment);
} attachment SEC(".maps");

#include "flow_cache.h"

/* ---- the answers that classify.h asks for --------------------------------- */

struct bkxdp_world {
	struct xdp_md *ctx;
	__u32 slot;
	__u32 stranger; /* the source is no peer, at the first look */
	__u32 generation;
	__u32 failed; /* a look-up that can't fail did */
};

static __always_inline const struct bkxdp_settings *settings_of(__u32 slot)
{
	return &globals.settings[slot % BKXDP_SLOTS];
}

static __always_inline int is_mapped(const __u32 address[4])
{
	return !address[0] && !address[1] && address[2] == BKXDP_MAPPED_WORD;
}

/* False only where no peer's address begins like this one. */
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

/* As the kernel's tables have it: the peer is the source. The size says the family. */
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

static __always_inline struct scratch *scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch_map, &zero);
}

/* State of the TCP socket for exactly this connection, or of the listener behind it; 0: none. */
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

/* The kernel itself leaves out sockets that are connected to another peer. */
static __always_inline int udp_is_bound(struct xdp_md *ctx, struct bpf_sock_tuple *tuple,
					__u32 size)
{
	struct bpf_sock *socket = bpf_sk_lookup_udp(ctx, tuple, size, BPF_F_CURRENT_NETNS, 0);

	if (!socket)
		return 0;
	bpf_sk_release(socket);
	return 1;
}

BKXDP_SUBPROG int bkxdp_connection(struct xdp_md *ctx)
{
	const struct scratch *s = scratch();
	struct bpf_sock_tuple tuple = {};
	__u32 size, state;

	if (!bkxdp_sockets || !s || !ctx)
		return 0;
	size = make_tuple(&tuple, s->packet.saddr, s->packet.sport, s->packet.daddr,
			  s->packet.dport);
	if (s->packet.protocol == BKXDP_PROTO_UDP)
		return udp_is_bound(ctx, &tuple, size);
	state = tcp_state(ctx, &tuple, size);
	/* in TIME-WAIT, say, a SYN would reach a listener on our former port */
	if ((s->packet.tcp_flags & (BKXDP_TCP_SYN | BKXDP_TCP_ACK)) == BKXDP_TCP_SYN)
		return state == BPF_TCP_SYN_SENT;
	return state && state != BPF_TCP_LISTEN;
}

BKXDP_SUBPROG int bkxdp_established(struct xdp_md *ctx)
{
	const struct scratch *s = scratch();
	struct bpf_sock_tuple tuple = {};
	__u32 size;

	if (!bkxdp_sockets || !s || !ctx)
		return 0;
	size = make_tuple(&tuple, s->packet.saddr, s->asked.peer_port, s->asked.address,
			  s->asked.port);
	return tcp_state(ctx, &tuple, size) == BPF_TCP_ESTABLISHED;
}

static __always_inline int ask_connection(struct bkxdp_world *world,
					  const struct bkxdp_packet *packet)
{
	return bkxdp_connection(world->ctx);
}

static __always_inline int ask_established(struct bkxdp_world *world,
					   const struct bkxdp_packet *packet,
					   const struct bkxdp_connection *connection)
{
	struct scratch *s = scratch();

	if (!s || !connection->peer_port)
		return 0;
	s->asked = *connection;
	return bkxdp_established(world->ctx);
}

static __always_inline struct bkxdp_control *find_control(struct bkxdp_world *world,
							  const struct bkxdp_control_key *key)
{
	return bpf_map_lookup_elem(&controls, key);
}

static __always_inline struct bkxdp_control *add_control(struct bkxdp_world *world,
							 const struct bkxdp_control_key *key)
{
	struct bkxdp_control *found = bpf_map_lookup_elem(&controls, key);
	const struct scratch *s = scratch();

	if (found || !s)
		return found;
	bpf_map_update_elem(&controls, key, &s->nothing, BPF_NOEXIST);
	return bpf_map_lookup_elem(&controls, key);
}

#include <bkxdp/control.h>

/* Global functions, so that the verifier walks them once and not at every candidate. */
BKXDP_SUBPROG int bkxdp_live(struct xdp_md *ctx, __u32 slot, __u32 control)
{
	struct bkxdp_world world = {.ctx = ctx, .slot = slot};
	const struct bkxdp_settings *settings = settings_of(slot);
	const struct scratch *s = scratch();

	if (!s || !ctx)
		return 0;
	return bkxdp_control_is_live(&world, &s->packet, settings, control);
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
				       const struct bkxdp_settings *settings, __u32 control)
{
	return bkxdp_live(world->ctx, world->slot, control);
}

static __always_inline void tell_control(struct bkxdp_world *world,
					 const struct bkxdp_packet *packet,
					 const struct bkxdp_settings *settings, __u32 control)
{
	bkxdp_passed(world->ctx, world->slot, control);
}

#include <bkxdp/flows.h>

/* What a side's search found, in one register; its control flow is left at hand. */
#define FOUND_FAILED (1ull << 63)

static __always_inline __u64 search_side(struct xdp_md *ctx, __u32 slot, bkxdp_peer_class peer,
					 int reply, __u32 before)
{
	struct bkxdp_world world = {.ctx = ctx, .slot = slot};
	const struct bkxdp_settings *settings = settings_of(slot);
	struct scratch *s = scratch();
	struct bkxdp_found found;

	if (!s || !ctx)
		return FOUND_FAILED;
	found = bkxdp_search_side(&world, &s->packet, settings, peer, reply, before);
	s->control = found.control;
	if (world.failed)
		return FOUND_FAILED;
	return found.rule | (__u64)found.counter << 16 | (__u64)(found.flags & 0xff) << 32 |
	       (__u64)found.wants << 40 | (__u64)found.holds << 48;
}

/* A function each: in one, the verifier would walk the one side's questions in the other's state.
 */
BKXDP_SUBPROG __u64 bkxdp_inbound(struct xdp_md *ctx, __u32 slot, bkxdp_peer_class peer,
				  __u32 before)
{
	return search_side(ctx, slot, peer, 0, before);
}

BKXDP_SUBPROG __u64 bkxdp_reply(struct xdp_md *ctx, __u32 slot, bkxdp_peer_class peer, __u32 before)
{
	return search_side(ctx, slot, peer, 1, before);
}

static __always_inline struct bkxdp_found ask_side(struct bkxdp_world *world,
						   const struct bkxdp_packet *packet,
						   const struct bkxdp_settings *settings,
						   bkxdp_peer_class peer, int reply, __u32 before)
{
	__u64 packed = reply ? bkxdp_reply(world->ctx, world->slot, peer, before)
			     : bkxdp_inbound(world->ctx, world->slot, peer, before);
	const struct scratch *s = scratch();
	struct bkxdp_found found = {
		.rule = packed,
		.counter = packed >> 16,
		.flags = packed >> 32 & 0xff,
		.wants = packed >> 40,
		.holds = packed >> 48 & 1,
		.control = s ? s->control : 0,
	};

	if (packed & FOUND_FAILED)
		world->failed = 1;
	return found;
}

/* A verdict in one register: reason, whether the flow cache may keep it, rule, counter. */
#define BKXDP_PACKED(reason, keeps, rule, counter)                                                 \
	((reason) | (__u64)(keeps) << 16 | (__u64)(rule) << 32 | (__u64)(counter) << 48)

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

BKXDP_SUBPROG __u64 bkxdp_ask_flows(struct xdp_md *ctx, __u32 slot, bkxdp_peer_class peer)
{
	struct bkxdp_world world = {.ctx = ctx, .slot = slot};
	const struct bkxdp_settings *settings = settings_of(slot);
	const struct scratch *s = scratch();
	struct bkxdp_verdict verdict;

	if (!s || !ctx)
		return BKXDP_DROP_INTERNAL;
	verdict = bkxdp_judge_flows(&world, &s->packet, settings, peer);
	return world.failed ? BKXDP_DROP_INTERNAL : pack(&verdict);
}

static __always_inline struct bkxdp_verdict ask_flows(struct bkxdp_world *world,
						      const struct bkxdp_packet *packet,
						      const struct bkxdp_settings *settings,
						      bkxdp_peer_class peer)
{
	return unpack(bkxdp_ask_flows(world->ctx, world->slot, peer));
}

#include <bkxdp/classify.h>

/* ---- counting: never changes a verdict ------------------------------------ */

static __always_inline void count(void *map, __u32 index, __u32 bytes)
{
	struct bkxdp_counter *counter = bpf_map_lookup_elem(map, &index);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += bytes;
}

#include "fast_path.h"

/* ---- the program ---------------------------------------------------------- */

/* What becomes of a packet: a verdict, and whether it is only counted. */
struct fate {
	struct bkxdp_verdict verdict;
	__u32 audit;
};

static __always_inline void read_packet(struct xdp_md *ctx, struct bkxdp_packet *packet)
{
	__builtin_memset(packet, 0, sizeof(*packet));
	bkxdp_parse(ctx, packet);
}

/* By the policy's maps. */
static __always_inline void decide(const struct bkxdp_packet *packet, struct bkxdp_world *world,
				   struct fate *fate)
{
	const struct bkxdp_settings *settings = settings_of(world->slot);

	fate->audit = settings->enforcement == BKXDP_AUDIT;
	fate->verdict = bkxdp_classify(world, packet, settings);
	if (world->failed)
		fate->verdict = bkxdp_decided(BKXDP_DROP_INTERNAL);
}

/* The long way. */
static __always_inline void judge(struct xdp_md *ctx, const struct bkxdp_packet *packet,
				  const struct bkxdp_active *now, struct fate *fate)
{
	struct bkxdp_world world = {.ctx = ctx, .slot = now->slot, .generation = now->generation};
	struct bkxdp_flow_key conversation = {};
	struct flow_cache_entry *entry = NULL;

	world.stranger = bkxdp_source_prefilter && !may_be_peer(now->slot, packet->saddr_half);
	if (bkxdp_cache_entries && !world.stranger && is_well_formed(packet)) {
		conversation = flow_key_of(packet);
		entry = flow_cache_find(&conversation);
	}
	if (entry && is_syn_fin_rst(packet->tcp_flags)) {
		flow_cache_clear(entry, &conversation);
		entry = NULL;
	}
	decide(packet, &world, fate);
	if (entry && fate->verdict.cacheable)
		flow_cache_store(entry, &conversation, now->generation, &fate->verdict);
}

/*
 * Counted, told to those who look, and done. `unseen`: the packet at hand is not this one, for
 * nobody looked when it was judged; whoever has come since sees the next.
 */
static __always_inline int settle(struct xdp_md *ctx, const struct fate *fate, __u32 length,
				  __u32 generation, int unseen)
{
	const struct bkxdp_verdict *verdict = &fate->verdict;
	__u32 action = XDP_DROP;

	count(&reasons, bkxdp_tally(verdict->reason, fate->audit), length);
	if (verdict->reason == BKXDP_PASS_FLOW)
		count(&flows, verdict->counter, length);
	if (bkxdp_reason_passes(verdict->reason) || fate->audit)
		action = XDP_PASS;
	if (!unseen && !bkxdp_reason_passes(verdict->reason) && is_watched(fate->audit))
		bkxdp_watch_drop(ctx, verdict->reason, fate->audit, generation);
	if (bkxdp_report)
		return BKXDP_REPORT(action, verdict->reason, verdict->rule);
	return action;
}

SEC("xdp")
int bkxdp(struct xdp_md *ctx)
{
	struct fate fate = {};
	struct bkxdp_active now;
	__u32 length = 0;
	struct scratch *s;
	__u64 quick;

	/* once: a packet sees one policy */
	*(__u64 *)&now = *(const volatile __u64 *)&globals.active;
	quick = fast_verdict(ctx, &now, &length);
	if (quick && quick != BKXDP_HANDED_OVER) {
		fate.verdict = unpack(quick);
		return settle(ctx, &fate, length, now.generation, 1);
	}
	s = scratch();
	if (s) {
		if (!quick)
			read_packet(ctx, &s->packet);
		judge(ctx, &s->packet, &now, &fate);
		length = s->packet.length;
	} else {
		fate.verdict = bkxdp_decided(BKXDP_DROP_INTERNAL);
		length = frame_length(ctx);
	}
	return settle(ctx, &fate, length, now.generation, 0);
}
