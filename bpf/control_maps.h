/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps of the host's memory of connections. All filters of a host share them, and keep them
 * pinned; a filter itself uses only the first three.
 */
#ifndef CONTROL_MAPS_H
#define CONTROL_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bkxdp/control_memory.h>

/* Written by the kernel's events only. An entry is never deleted: another CPU may be counting. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BKXDP_MEMORY_PEERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bkxdp_control_peer);
	__type(value, struct bkxdp_control_live);
} control_peers SEC(".maps");

/* Written by user space only. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BKXDP_MEMORY_PEERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bkxdp_control_peer);
	__type(value, struct bkxdp_older);
} control_older SEC(".maps");

/*
 * Connections of sockets that are bound to a device, from their first SYN to their end: a look-up
 * from another device does not find them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BKXDP_MEMORY_BOUND_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bkxdp_tuple);
	__type(value, struct bkxdp_bound);
} bound_connections SEC(".maps");

/* The connections that are counted. Written by the kernel's events only. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BKXDP_MEMORY_CONNECTIONS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bkxdp_tuple);
	__type(value, struct bkxdp_tuple_place);
} control_tuples SEC(".maps");

/* Written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bkxdp_wanted);
} memory_wanted SEC(".maps");

/* How many connections could not be remembered because a map was full. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} memory_lost SEC(".maps");

#endif
