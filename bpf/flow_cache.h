/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow cache makes a long backup flow cost the same however large the policy is. It is per
 * CPU, direct-mapped, and holds only passes, so a flood from strangers evicts nothing.
 *
 * An entry is valid for one generation of the policy and for a short time, because the socket
 * that it rests on may close. Segments that open or end a connection never use an entry, and
 * clear it. Never cached are flows that need a live control connection for every packet, and,
 * unless `connections: flags` is set, control flows, because each of their packets is noted.
 */
#ifndef FLOW_CACHE_H
#define FLOW_CACHE_H

#include "frame.h"

#include "fast_parse.h"
#include "maps.h"

#define FLOW_CACHE_ENTRIES 4096

/* The life of an entry: 0.13 s at 1,000 jiffies a second, 1.3 s at 100. */
#define FLOW_CACHE_JIFFIES 128

/* One cache line. */
struct flow_cache_entry {
	struct bkxdp_flow_key key;
	__u64 seen; /* jiffies; 32 bits would wrap within weeks */
	__u32 generation;
	__u16 rule;
	__u16 counter;
	__u64 reserved;
};
_Static_assert(sizeof(struct flow_cache_entry) == 64, "a cache line");

/* Entries in use; 0: no cache. Tests set 1, so that all flows share one entry. */
const volatile __u32 bkxdp_cache_entries = FLOW_CACHE_ENTRIES;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FLOW_CACHE_ENTRIES);
	__type(key, __u32);
	__type(value, struct flow_cache_entry);
} flow_cache SEC(".maps");

static __always_inline __u64 jiffies_now(void)
{
	/* a test run has its own clock, in ns */
	return bkxdp_report ? globals.clock >> 22 : bpf_jiffies64();
}

/* The segment opens or ends a connection, so what was known about it is no longer true. */
static __always_inline int is_syn_fin_rst(__u8 tcp_flags)
{
	return tcp_flags & (BKXDP_TCP_SYN | BKXDP_TCP_FIN | BKXDP_TCP_RST);
}

/*
 * Each field is read with the width with which it was written; a wider load would stall until
 * the stores are done.
 */
static __always_inline struct bkxdp_flow_key flow_key_of(const struct bkxdp_packet *packet)
{
	struct bkxdp_flow_key key = {
		.saddr = {packet->saddr_half[0], packet->saddr_half[1]},
		.daddr = {packet->daddr_half[0], packet->daddr_half[1]},
		.rest = BKXDP_KEY_REST(packet->sport, packet->dport, packet->vlan, packet->kind,
				       packet->protocol),
	};

	return key;
}

static __always_inline struct flow_cache_entry *flow_cache_find(const struct bkxdp_flow_key *key)
{
	__u64 hash = (key->saddr[0] ^ key->saddr[1]) * 0x9e3779b97f4a7c15ull;
	__u32 index;

	hash ^= (key->daddr[0] ^ key->daddr[1]) * 0xc2b2ae3d27d4eb4full;
	hash = (hash ^ hash >> 32 ^ key->rest) * 0x9e3779b97f4a7c15ull;
	index = (hash >> 40) & (bkxdp_cache_entries - 1);
	return bpf_map_lookup_elem(&flow_cache, &index);
}

static __always_inline int same_flow_key(const struct bkxdp_flow_key *a,
					 const struct bkxdp_flow_key *b)
{
	return !((a->saddr[0] ^ b->saddr[0]) | (a->saddr[1] ^ b->saddr[1]) |
		 (a->daddr[0] ^ b->daddr[0]) | (a->daddr[1] ^ b->daddr[1]) | (a->rest ^ b->rest));
}

static __always_inline int flow_cache_holds(const struct flow_cache_entry *entry,
					    const struct bkxdp_flow_key *key, __u32 generation)
{
	return same_flow_key(&entry->key, key) && entry->generation == generation &&
	       jiffies_now() - entry->seen < FLOW_CACHE_JIFFIES;
}

/* Generation 0 is never in force. */
static __always_inline void flow_cache_clear(const struct bkxdp_packet *packet)
{
	const struct bkxdp_flow_key key = flow_key_of(packet);
	struct flow_cache_entry *entry;

	if (!bkxdp_cache_entries)
		return;
	entry = flow_cache_find(&key);
	if (entry && same_flow_key(&entry->key, &key))
		entry->generation = 0;
}

static __always_inline void flow_cache_store(const struct bkxdp_packet *packet, __u32 generation,
					     const struct bkxdp_verdict *verdict)
{
	const struct bkxdp_flow_key key = flow_key_of(packet);
	struct flow_cache_entry *entry;

	if (!bkxdp_cache_entries)
		return;
	entry = flow_cache_find(&key);
	if (!entry)
		return;
	entry->key = key;
	entry->generation = generation;
	entry->seen = jiffies_now();
	entry->rule = verdict->rule;
	entry->counter = verdict->counter;
}

/* ---- peers, so that a new connection of a known one need not walk the trie ---- */

#define PEER_CACHE_ENTRIES 4096

struct peer_cache_entry {
	__u64 address[2];
	__u32 generation;
	bkxdp_peer_class peer_class; /* never 0, so strangers evict nobody */
	__u64 reserved;
};
_Static_assert(sizeof(struct peer_cache_entry) == 32, "half a cache line");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PEER_CACHE_ENTRIES);
	__type(key, __u32);
	__type(value, struct peer_cache_entry);
} peer_cache SEC(".maps");

static __always_inline struct peer_cache_entry *peer_cache_find(const __u64 address[2])
{
	__u64 hash = (address[0] ^ address[1]) * 0x9e3779b97f4a7c15ull;
	__u32 index = (hash >> 40) % PEER_CACHE_ENTRIES;

	return bpf_map_lookup_elem(&peer_cache, &index);
}

static __always_inline int peer_cache_holds(const struct peer_cache_entry *entry,
					    const __u64 address[2], __u32 generation)
{
	return bkxdp_same_address(entry->address, address) && entry->generation == generation;
}

static __always_inline void peer_cache_store(struct peer_cache_entry *entry, const __u64 address[2],
					     __u32 generation, bkxdp_peer_class peer_class)
{
	entry->address[0] = address[0];
	entry->address[1] = address[1];
	entry->generation = generation;
	entry->peer_class = peer_class;
}

#endif
