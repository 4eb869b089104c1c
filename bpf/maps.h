/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program keeps: its switches, its globals and its maps. */
#ifndef MAPS_H
#define MAPS_H

#include <bkxdp/layout.h>
#include <bkxdp/verdict.h>

#include "control_maps.h"
#include "frame.h"

/* ---- switches: constants to the verifier, which deletes what they turn off */

/* 1: the socket table can be asked. */
const volatile __u8 bkxdp_sockets = 1;
/* 1: the prefilter is asked about a source before the trie is. */
const volatile __u8 bkxdp_source_prefilter = 1;
/* 1: a test run. The return value carries the verdict, and the time is globals.clock. */
const volatile __u8 bkxdp_report = 0;

/* ---- maps ----------------------------------------------------------------- */

/* Which slot of the maps below is in force, and what every packet needs of a policy. */
struct bkxdp_globals globals;

/*
 * Inner maps: only their layout is declared here, the loader creates each with the size that it
 * needs. They have value_size and not __type because libbpf 1.1 finds no size in an inner
 * __type.
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

/*
 * `connections: flags`: control connections, a table of sets. A reload puts the same table into the
 * other slot, so it forgets none, unless its policy knows control connections in another way.
 */
struct controls_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bkxdp_control_set));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, BKXDP_SLOTS);
	__type(key, __u32);
	__array(values, struct controls_inner);
} controls SEC(".maps");

/* They are not in the sets, because maps in maps may not have locks. */
struct bkxdp_control_lock {
	struct bpf_spin_lock lock;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BKXDP_CONTROL_LOCKS);
	__type(key, __u32);
	__type(value, struct bkxdp_control_lock);
} control_locks SEC(".maps");

/* By settings.control_table. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct bkxdp_control_count);
} control_counts SEC(".maps");

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
 * The packet that is being judged. It is in a map and not on the stack, because the verifier
 * forgets what it knew about a value that is in a map. So it checks the decision once and not
 * once for every path through the parser. Global functions find the packet here, too.
 */
struct scratch {
	struct bkxdp_packet packet;
	/* Arguments of global functions; the stack is short of space. */
	struct bkxdp_control_peer key; /* of bkxdp_counted() and bkxdp_older() */
	struct bkxdp_connection asked; /* of bkxdp_established() */
	struct bkxdp_tuple tuple;
	struct bpf_sock_tuple sock_tuple;
	__u64 stray_window; /* number of the (2^30 ns) second in which strays count */
	__u32 strays;
	struct bkxdp_event event; /* of a drop, for listeners */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch_map SEC(".maps");

/* The program does not use these two. They hold what user space must find again with the policy. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BKXDP_COUNTERS_MAX / BKXDP_NAMES_BLOCK);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct bkxdp_flow_names);
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

static __always_inline const struct bkxdp_requirement *requirement_of(__u32 slot, __u32 number)
{
	return &globals.requirement[slot % BKXDP_SLOTS][number % BKXDP_REQUIREMENTS_MAX];
}

static __always_inline const struct bkxdp_devices *devices_of(__u32 slot)
{
	return &globals.devices[slot % BKXDP_SLOTS];
}

#endif
