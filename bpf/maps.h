/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program keeps and where: its switches, its globals and its maps. */
#ifndef MAPS_H
#define MAPS_H

#include <bkxdp/layout.h>
#include <bkxdp/verdict.h>

#include "frame.h"

/* ---- switches: constants to the verifier, which deletes what they turn off */

/* The socket table can be asked. */
const volatile __u8 bkxdp_sockets = 1;
/* Sources are looked up in a bit map before the trie. */
const volatile __u8 bkxdp_source_prefilter = 1;
/* A test run: the return value carries the verdict, and time is globals.clock. */
const volatile __u8 bkxdp_report = 0;

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

static __always_inline struct scratch *scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch_map, &zero);
}

static __always_inline const struct bkxdp_settings *settings_of(__u32 slot)
{
	return &globals.settings[slot % BKXDP_SLOTS];
}

#endif
