// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter in the kernel: maps, the answers that classify.h asks for,
 * counting, and the program. What a packet is stands in packet.h, what becomes
 * of it in classify.h.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <bkxdp/policy.h>
#include <bkxdp/verdict.h>

char LICENSE[] SEC("license") = "GPL";

/* ---- switches: constants to the verifier, which deletes what they turn off */

/* Frames may have parts beyond the linear one (kernel 5.18). */
const volatile __u8 bkxdp_frags = 0;
/* A test run: the return value carries the verdict, and time is bkxdp_clock. */
const volatile __u8 bkxdp_report = 0;
__u64 bkxdp_clock = 0;

/* ---- maps ----------------------------------------------------------------- */

/* Which slot of the maps below is in force. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bkxdp_active);
} active SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BKXDP_SLOTS);
	__type(key, __u32);
	__type(value, struct bkxdp_settings);
} settings SEC(".maps");

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

struct ports_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BKXDP_PORTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bkxdp_port));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, BKXDP_SLOTS);
	__type(key, __u32);
	__array(values, struct ports_inner);
} ports SEC(".maps");

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
	__uint(max_entries, BKXDP_REASON_COUNT);
	__type(key, __u32);
	__type(value, struct bkxdp_counter);
} reasons SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BKXDP_COUNTERS_MAX);
	__type(key, __u32);
	__type(value, struct bkxdp_counter);
} flows SEC(".maps");

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

/* ---- what packet.h reads a frame by --------------------------------------- */

typedef struct xdp_md bkxdp_frame;

#define BKXDP_STEP __attribute__((noinline))

/*
 * Any offset that the parser can reach lies below: 14 bytes of Ethernet, 8
 * tags, an IPv6 header and 16 extension headers of 2,048 bytes. The verifier
 * takes no offset beyond 65,535.
 */
#define FRAME_OFFSET_MAX 40000

static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	if (bkxdp_frags)
		return bpf_xdp_get_buff_len(ctx);
	return ctx->data_end - ctx->data;
}

/* Headers may lie beyond the linear part; some drivers hand over an empty one (mlx5). */
static __always_inline int frame_read(struct xdp_md *ctx, __u32 offset, void *to, __u32 length)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u64 at = offset;

	/* the register that is compared must be the one that is added, or the verifier can't see it
	 */
	asm volatile("" : "+r"(at));
	if (at > FRAME_OFFSET_MAX)
		return -1;
	if (data + at + length <= end) {
		/* unaligned loads are legal here, and a byte-wise copy is slow */
		__builtin_memcpy(to, __builtin_assume_aligned(data + at, 8), length);
		return 0;
	}
	if (bkxdp_frags)
		return bpf_xdp_load_bytes(ctx, offset, to, length);
	return -1;
}

/* ---- the answers that classify.h asks for --------------------------------- */

struct bkxdp_world {
	__u32 slot;
	__u32 failed; /* a look-up that can't fail did */
};

#include <bkxdp/packet.h>

static __always_inline const struct bkxdp_settings *ask_settings(struct bkxdp_world *world)
{
	return bpf_map_lookup_elem(&settings, &world->slot);
}

static __always_inline bkxdp_peer_class ask_peer(struct bkxdp_world *world, const __u32 address[4])
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

static __always_inline const struct bkxdp_port *ask_port(struct bkxdp_world *world, __u16 port)
{
	void *array = bpf_map_lookup_elem(&ports, &world->slot);
	__u32 key = port;
	const struct bkxdp_port *found = array ? bpf_map_lookup_elem(array, &key) : NULL;

	if (!found)
		world->failed = 1;
	return found;
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
	return bkxdp_report ? bkxdp_clock : bpf_ktime_get_ns();
}

static __always_inline const __u64 *ask_control(struct bkxdp_world *world,
						const struct bkxdp_control_key *key)
{
	const struct bkxdp_control *control = bpf_map_lookup_elem(&controls, key);

	return control ? &control->seen : NULL;
}

/* A failed update leaves the control connection unknown: its data flows are dropped, not passed. */
static __always_inline void tell_control(struct bkxdp_world *world,
					 const struct bkxdp_control_key *key, int live)
{
	struct bkxdp_control control = {.seen = ask_now(world)};

	if (live)
		bpf_map_update_elem(&controls, key, &control, BPF_ANY);
	else
		bpf_map_delete_elem(&controls, key);
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

/* ---- the program ---------------------------------------------------------- */

/*
 * The facts of the packet at hand. In a map and not on the stack: the verifier
 * forgets what it knew of a value once it is in a map, so it walks the decision
 * once and not once for every path through the parser.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bkxdp_packet);
} packets SEC(".maps");

static __always_inline struct bkxdp_packet *facts(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&packets, &zero);
}

BKXDP_STEP __u64 bkxdp_decide(struct xdp_md *ctx, __u32 slot)
{
	struct bkxdp_world world = {.slot = slot};
	const struct bkxdp_packet *packet = facts();
	struct bkxdp_verdict verdict;

	if (!packet || !ctx)
		return BKXDP_DROP_INTERNAL;
	verdict = bkxdp_classify(&world, packet);
	if (world.failed)
		return BKXDP_DROP_INTERNAL;
	return verdict.reason | (__u64)verdict.rule << 32 | (__u64)verdict.counter << 48;
}

static __always_inline struct bkxdp_verdict judge(struct xdp_md *ctx, __u32 slot)
{
	struct bkxdp_verdict verdict = {.reason = BKXDP_DROP_INTERNAL};
	struct bkxdp_packet *packet = facts();

	if (!packet)
		return verdict;
	__builtin_memset(packet, 0, sizeof(*packet));
	bkxdp_parse(ctx, packet);

	__u64 decided = bkxdp_decide(ctx, slot);

	verdict.reason = decided & 0xff;
	verdict.rule = decided >> 32;
	verdict.counter = decided >> 48;
	return verdict;
}

SEC("xdp")
int bkxdp(struct xdp_md *ctx)
{
	__u32 zero = 0, slot, action = XDP_DROP, length = frame_length(ctx);
	const struct bkxdp_active *now = bpf_map_lookup_elem(&active, &zero);
	const struct bkxdp_settings *mode;
	struct bkxdp_verdict verdict;

	if (!now)
		return XDP_DROP;
	slot = now->slot;
	mode = bpf_map_lookup_elem(&settings, &slot);
	verdict = judge(ctx, slot);
	count(&reasons, verdict.reason, length);
	if (verdict.reason == BKXDP_PASS_FLOW)
		count(&flows, verdict.counter, length);
	if (bkxdp_reason_passes(verdict.reason) || (mode && mode->enforcement == BKXDP_AUDIT))
		action = XDP_PASS;
	if (bkxdp_report)
		return BKXDP_REPORT(action, verdict.reason, verdict.rule);
	return action;
}
