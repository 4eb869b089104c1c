/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every layout that the XDP program and user space share: the policy's maps, counters, drops
 * for listeners, and their limits. Nobody else declares these layouts; a change of one is
 * a change of BKXDP_ABI.
 *
 * Addresses are 128 bits in network byte order, IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
 * Ports and all other numbers are in host byte order.
 */
#ifndef BKXDP_LAYOUT_H
#define BKXDP_LAYOUT_H

#include <linux/types.h>

/* Pinned maps with another number are refused, not misread. */
#define BKXDP_ABI 6

#define BKXDP_NAME_MAX       32      /* profile, role, port and flow names, with NUL */
#define BKXDP_FLOWS_MAX      4096    /* enabled flows of one interface */
#define BKXDP_RULES_MAX      16384   /* one for each flow, side, pinned port and local range */
#define BKXDP_COUNTERS_MAX   16384   /* flow and side; enough for two policies during a reload */
#define BKXDP_PREFIXES_MAX   4194304 /* prefixes of one interface */
#define BKXDP_SERVICES_MAX   1048576 /* (peer class, port class) pairs that allow anything */
#define BKXDP_CANDIDATES_MAX 8       /* rules with different conditions for the same packet */
#define BKXDP_VLANS          4096    /* 802.1Q VLAN ids; 0 stands for untagged */
#define BKXDP_PORTS          65536
#define BKXDP_SLOTS          2 /* the policy in force and the one being built */

/*
 * The table of control connections: sets of as many slots. If 65,536 connections of different
 * peers are spread over 16,384 sets at random, all find a slot in 98 of 100 tables; 86,000 in
 * half of them. The table takes 12.6 MB, so a policy without `requires` has a single set.
 */
#define BKXDP_CONTROL_SETS  16384 /* a power of two */
#define BKXDP_CONTROL_SLOTS 16
/* Further connections of one peer and control flow use only the first slots of their set. */
#define BKXDP_CONTROL_SLOTS_FURTHER 8
#define BKXDP_CONTROL_LOCKS         256 /* a power of two; sets share them */

/*
 * Under `connections: flags`, a control connection that was silent for this many seconds is no
 * longer live. Linux sends its first keepalive after 7,200 s (net.ipv4.tcp_keepalive_time).
 */
#define BKXDP_CONTROL_SECONDS 7500
/*
 * Seconds for which an ended connection stays ended, so that the last segments of its close do
 * not make it live again.
 */
#define BKXDP_CONTROL_ENDED_SECONDS 120

/* Strays pass within about a second (2^30 ns) on one CPU: our kernel answers with a reset. */
#define BKXDP_STRAYS_MAX 16

/* The third word of a mapped address, 00 00 ff ff on the wire. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BKXDP_MAPPED_WORD 0xffff0000u
#else
#define BKXDP_MAPPED_WORD 0x0000ffffu
#endif

/* Key of the peers: an LPM trie, in which the longest prefix wins. */
struct bkxdp_prefix {
	__u32 bits; /* 0 to 128; an IPv4 prefix of n bits has 96 + n */
	__u32 address[4];
};
/*
 * Its value, a peer class: a number for the set of address groups that cover the prefix. 0:
 * none covers it (an IPv4 hole under a short IPv6 prefix).
 */
typedef __u32 bkxdp_peer_class;

/* Ports of one class are in the same rules. */
enum bkxdp_kind {
	BKXDP_TCP_INBOUND, /* by destination port */
	BKXDP_UDP_INBOUND,
	BKXDP_TCP_REPLY, /* by source port */
	BKXDP_UDP_REPLY,
	BKXDP_KIND_COUNT
};
struct bkxdp_port {
	__u16 classes[BKXDP_KIND_COUNT]; /* 0: in no rule of this kind */
};

/* Key of the services: what a peer class may do with a port class. A hash. */
struct bkxdp_service_key {
	__u32 peer_class;
	__u16 port_class;
	__u16 kind; /* enum bkxdp_kind */
};

/*
 * A rule as the datapath sees it: its conditions and its counter. The id of a control flow is
 * made of its name (flow_control_id()), so it is the same in every policy, and control
 * connections stay live through reloads.
 */
struct bkxdp_candidate {
	__u16 rule; /* position in the policy; the lowest that matches wins */
	__u16 counter;
	__u32 required;  /* number of the requirement, under ..._REQUIRES */
	__u32 control;   /* this flow's own id as a control flow, under ..._IS_CONTROL */
	__u16 local_low; /* reply: our port must lie within these, inclusive */
	__u16 local_high;
	__u16 flags;
	__u16 reserved;
};
#define BKXDP_CANDIDATE_REQUIRES   (1 << 0) /* `required` is set */
#define BKXDP_CANDIDATE_IS_CONTROL (1 << 1) /* `control` is set: some flow requires it */

/*
 * What a flow with `requires` needs: a live connection of a control flow, with the packet's source
 * or, if `by_role` is set, with any of the addresses in `with`. Under `connections: flags` the
 * control flow is known by its id, under `connections: sockets` by its TCP ports and by who opens
 * its connections.
 */
#define BKXDP_REQUIREMENTS_MAX 64 /* of one interface */
#define BKXDP_REQUIRED_PORTS   16
#define BKXDP_WITH_MAX         16
enum bkxdp_opener {
	BKXDP_OPENED_BY_PEER, /* to a port of ours */
	BKXDP_OPENED_BY_US,   /* to a port of the peer's */
};
struct bkxdp_required_port {
	__u16 port;
	__u16 opener; /* enum bkxdp_opener */
};
struct bkxdp_requirement {
	__u32 control; /* id of the control flow */
	__u8 by_role;
	__u8 n_with; /* may be 0 even under `by_role`: then nothing will do */
	__u8 n_ports;
	__u8 reserved;
	struct bkxdp_required_port port[BKXDP_REQUIRED_PORTS];
	__u32 with[BKXDP_WITH_MAX][4];
};

/*
 * The sockets that can take packets of the interface are those that are bound to no device, to the
 * interface itself or to a device above it (bond, bridge, VLAN, VRF).
 */
#define BKXDP_DEVICES_MAX 16
struct bkxdp_devices {
	__u32 netns; /* inode number of the interface's network namespace */
	__u32 vrfs;  /* bit i: device i is a VRF, whose packets no socket takes that is not bound */
	__u32 n_devices;
	__u32 device[BKXDP_DEVICES_MAX]; /* ifindex; the first is the interface itself */
	__u16 vlan[BKXDP_DEVICES_MAX];   /* of the packets that it gets; BKXDP_VLANS: any */
};

struct bkxdp_service {
	__u32 count; /* 1 to BKXDP_CANDIDATES_MAX, in ascending order of rule */
	struct bkxdp_candidate candidate[BKXDP_CANDIDATES_MAX];
};

/* Whose control connections are together in one set of the table. */
struct bkxdp_control_key {
	__u32 address[4]; /* the peer's */
	__u32 control;    /* id of the control flow */
};
/* One TCP connection with a known peer. */
struct bkxdp_connection {
	__u32 address[4]; /* ours */
	__u16 port;       /* ours */
	__u16 peer_port;
};
/*
 * A slot with peer_port 0 was never used, and neither were those after it in its set: no slot is
 * emptied. The lowest bit of `seen` is set if the connection has ended. Under `connections:
 * flags` the other bits are its last segment's time, or its end's (ns, CLOCK_MONOTONIC); otherwise
 * they are 0.
 */
struct bkxdp_control_slot {
	struct bkxdp_control_key key;
	struct bkxdp_connection connection;
	__u64 seen;
};
#define BKXDP_CONTROL_ENDED 1ull
struct bkxdp_control_set {
	struct bkxdp_control_slot slot[BKXDP_CONTROL_SLOTS];
};
/* Words of a key that are hashed. */
#define BKXDP_CONTROL_WORDS 5

/*
 * What one CPU counted in one table. The sum of `began` over all CPUs, less that of `ended`, is the
 * number of connections that are remembered and whose end was not seen.
 */
struct bkxdp_control_count {
	__u64 began;
	__u64 ended;   /* or gave way after too long a silence */
	__u64 no_room; /* segments of connections that found no slot and whose peer had none */
};

/*
 * The source prefilter, asked before the trie. Bit n is set if some peer's address begins with
 * the 16 bits n (IPv4) or with 32 bits that hash to n (IPv6), or if no host may send from an
 * IPv4 address that begins with n. A clear bit means that the source is no peer; a set bit
 * means nothing.
 */
#define BKXDP_PREFILTER_BITS 65536
struct bkxdp_prefilter {
	__u64 ipv4[BKXDP_PREFILTER_BITS / 64];
	__u64 ipv6[BKXDP_PREFILTER_BITS / 64];
};

/* The bit for the first 32 bits of an IPv6 address, in network byte order. */
static inline __u32 bkxdp_prefilter_hash(__u32 top)
{
	return (top * 0x9e3779b1u) >> 16;
}

enum bkxdp_ping { BKXDP_PING_NONE, BKXDP_PING_PEERS, BKXDP_PING_ANY };
enum bkxdp_fragments { BKXDP_FRAGMENTS_DROP, BKXDP_FRAGMENTS_PEERS };
enum bkxdp_connections { BKXDP_CONNECTIONS_SOCKETS, BKXDP_CONNECTIONS_FLAGS };
enum bkxdp_enforcement { BKXDP_ENFORCE, BKXDP_AUDIT };

/* The interface's switches, one for each slot. */
struct bkxdp_settings {
	__u8 enforcement; /* enum bkxdp_enforcement */
	__u8 ping;        /* enum bkxdp_ping */
	__u8 fragments;   /* enum bkxdp_fragments */
	__u8 dhcp;        /* 0, 1 */
	__u8 vlans_any;   /* 1: `vlans` is not asked */
	__u8 connections; /* enum bkxdp_connections */
	__u8 reserved[2];
	__u64 vlans[BKXDP_VLANS / 64]; /* bit n: VLAN id n is allowed */
	__u32 control_sets;            /* of the table of control connections; a power of two */
	__u32 control_table;           /* 0, 1: whose counts are this table's */
	/* random numbers that pick the set, so that nobody can fill a chosen one */
	__u64 control_hash[BKXDP_CONTROL_WORDS + 1];
};

/* The slot in force: one 64-bit word, stored at once. */
struct bkxdp_active {
	__u32 slot;
	__u32 generation; /* counts replacements */
};

/* ---- drops, for listeners ------------------------------------------------ */

/*
 * Drops are reported one by one to listeners (`monitor`), and counted in groups (`top`, `status
 * --would-drop`). In audit mode these are the packets that enforcement would have dropped.
 * Times are ns, CLOCK_MONOTONIC.
 */
#define BKXDP_LISTENERS 4 /* at a time, on one interface */
#define BKXDP_RING_BYTES                                                                           \
	262144 /* of a listener's ring; a power of two, and whole pages on every machine */
#define BKXDP_EVENT_BYTES                                                                          \
	192 /* of a frame; enough for all headers of a packet with tags and options */
#define BKXDP_GROUPS_MAX 16384

/*
 * New groups within about a second (2^30 ns) on one CPU; packets that would begin more are not
 * grouped.
 */
#define BKXDP_NEW_GROUPS_MAX 4096

/*
 * One listener. It is served for a limited time, which it prolongs, so a listener that was
 * killed does not cost anything for long.
 */
struct bkxdp_listener {
	__u64 until;   /* 0: free */
	__u64 reasons; /* bit n: enum bkxdp_reason n is wanted */
	__u32 rate;    /* events in about a second (2^30 ns) on one CPU; more are lost, counted */
	__u32 reserved;
	__u32 address[4]; /* sources that equal this under the mask are wanted */
	__u32 mask[4];
};

/* The program reads these two switches at a drop, and nothing else while both are zero. */
struct bkxdp_watch {
	__u32 listeners; /* 1: there may be a listener below; the program clears it when there is
			    none */
	__u32 groups;    /* 1: drops are grouped until `groups_until`; the program clears it then */
	__u64 groups_until;
	struct bkxdp_listener listener[BKXDP_LISTENERS];
};

/* State of one CPU. */
struct bkxdp_watch_state {
	__u64 window; /* number of the (2^30 ns) second in which the next two count */
	__u32 sent[BKXDP_LISTENERS];
	__u32 new_groups;
	__u32 reserved;
	__u64 lost[BKXDP_LISTENERS]; /* events above the rate, and those that found the ring full */
	__u64 ungrouped;             /* packets that would have begun more groups than allowed */
};

/* One entry of a listener's ring. */
struct bkxdp_event {
	__u64 time;
	__u32 length;     /* bytes of the frame */
	__u16 captured;   /* bytes of it that follow */
	__u8 reason;      /* enum bkxdp_reason */
	__u8 audit;       /* 1: the packet passed, because the policy only audits */
	__u32 generation; /* of the policy by which it was dropped */
	__u32 reserved;
	__u8 frame[BKXDP_EVENT_BYTES];
};

/* Key of a group: what its packets have in common. */
enum bkxdp_group_side {
	BKXDP_GROUP_NONE,    /* no ports */
	BKXDP_GROUP_INBOUND, /* to a port of ours */
	BKXDP_GROUP_REPLY    /* from a port of the peer's, so it looks like an answer */
};
struct bkxdp_group_key {
	__u32 address[4]; /* the source; zero if the frame has none */
	__u16 port;       /* the service's, by `side`; host byte order */
	__u8 side;        /* enum bkxdp_group_side */
	__u8 protocol;    /* IANA number, after all extension headers */
	__u8 reason;      /* enum bkxdp_reason */
	__u8 reserved[3];
};
struct bkxdp_group {
	__u64 packets;
	__u64 bytes;
	__u64 first; /* time */
	__u64 last;
	__u32 generation; /* of the policy by which they were dropped */
	__u32 reserved;
};

_Static_assert(sizeof(struct bkxdp_listener) == 56, "no padding");
_Static_assert(sizeof(struct bkxdp_event) == 24 + BKXDP_EVENT_BYTES, "no padding");
_Static_assert(sizeof(struct bkxdp_group_key) == 24, "no padding in a hash key");
_Static_assert(sizeof(struct bkxdp_group) == 40, "no padding");

/* ---- what every packet asks ------------------------------------------------ */

/*
 * What every packet needs. The program has it at a fixed address, so it needs no look-up. The
 * loader maps it into its memory, writes the slot that is not in force, and then stores
 * `active`.
 */
struct bkxdp_globals {
	struct bkxdp_active active __attribute__((aligned(8)));
	struct bkxdp_watch watch;
	struct bkxdp_settings settings[BKXDP_SLOTS];
	struct bkxdp_prefilter prefilter[BKXDP_SLOTS];
	struct bkxdp_port port[BKXDP_SLOTS][BKXDP_PORTS];
	struct bkxdp_requirement requirement[BKXDP_SLOTS][BKXDP_REQUIREMENTS_MAX];
	struct bkxdp_devices devices[BKXDP_SLOTS];
	__u64 clock; /* of a test run, ns */
};

/* One for each CPU and tally, and one for each CPU, flow and side. */
struct bkxdp_counter {
	__u64 packets;
	__u64 bytes; /* of whole frames, all buffers */
};

/*
 * Whose counter it is. Counters keep their index by name through reloads, also those of
 * flows that the policy no longer has. Names end in NUL; an empty one means that the counter
 * was never used.
 */
struct bkxdp_flow_name {
	char profile[BKXDP_NAME_MAX];
	char flow[BKXDP_NAME_MAX];
	__u32 side;               /* 0 inbound, 1 reply */
	__u16 place[BKXDP_SLOTS]; /* from 1 on, in the order of the slot's policy; 0: not in it */
};
/*
 * The key of the map is the counter's index / BKXDP_NAMES_BLOCK. Names are in blocks, because a
 * scrape reads all of them.
 */
#define BKXDP_NAMES_BLOCK 64
struct bkxdp_flow_names {
	struct bkxdp_flow_name name[BKXDP_NAMES_BLOCK];
};

/*
 * What is shown of a slot's policy and not needed to judge packets by it. Whoever writes
 * another policy into the slot begins with `generation` and ends with `in_force`: if the two
 * are equal, the slot's policy is in force, or was until that of the other slot was.
 */
struct bkxdp_policy_record {
	__u64 loaded; /* s, CLOCK_REALTIME */
	__u64 digest;
	__u32 ipv4_prefixes;
	__u32 ipv6_prefixes;
	__u32 enforcement;   /* enum bkxdp_enforcement */
	__u32 generation;    /* as in struct bkxdp_active */
	__u32 in_force;      /* the generation that was in force last */
	__u32 control_table; /* as in struct bkxdp_settings */
};

/*
 * The attachment, for those who open the pins later. What stands before `version` is the same in
 * every BKXDP_ABI, so that any version can undo the attach of any other.
 */
struct bkxdp_attachment {
	__u32 abi; /* BKXDP_ABI */
	__u32 ifindex;
	__u64 netns;   /* inode of the network namespace */
	__u64 since;   /* s, CLOCK_REALTIME */
	__u32 generic; /* 1: generic mode, 0: driver mode */
	__u32 frags;   /* 1: takes frames of several buffers */
	__u32 rxvlan;  /* 1: detach turns VLAN tag stripping on again */
	char version[BKXDP_NAME_MAX];
	__u32 root; /* id of the program that the interface runs: the filter, or its dispatcher */
	struct bkxdp_policy_record policy[BKXDP_SLOTS];
};

_Static_assert(sizeof(struct bkxdp_flow_name) == 72, "no padding");
_Static_assert(sizeof(struct bkxdp_attachment) == 72 + 40 * BKXDP_SLOTS, "no padding");
_Static_assert(__builtin_offsetof(struct bkxdp_attachment, rxvlan) == 32 &&
		       __builtin_offsetof(struct bkxdp_attachment, version) == 36,
	       "the same in every BKXDP_ABI");
_Static_assert(sizeof(struct bkxdp_prefix) == 20, "LPM key");
_Static_assert(sizeof(struct bkxdp_port) == 8, "one array element");
_Static_assert(sizeof(struct bkxdp_service_key) == 8, "no padding in a hash key");
_Static_assert(sizeof(struct bkxdp_service) == 4 + 20 * BKXDP_CANDIDATES_MAX, "no padding");
_Static_assert(sizeof(struct bkxdp_requirement) ==
		       8 + 4 * BKXDP_REQUIRED_PORTS + 16 * BKXDP_WITH_MAX,
	       "no padding");
_Static_assert(sizeof(struct bkxdp_control_key) == 20, "no padding in a hash key");
_Static_assert(sizeof(struct bkxdp_control_slot) == 48 &&
		       __builtin_offsetof(struct bkxdp_control_slot, seen) == 40,
	       "a connection is compared by 64-bit words");
_Static_assert(sizeof(struct bkxdp_settings) ==
		       16 + BKXDP_VLANS / 8 + 8 * (BKXDP_CONTROL_WORDS + 1),
	       "no padding");

#endif
