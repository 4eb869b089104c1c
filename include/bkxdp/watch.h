/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Drops, for those who look: one by one to whoever listens (`monitor`), and
 * grouped (`top`, `status --would-drop`). In audit mode these are the packets
 * that enforcement would have dropped.
 *
 * Layouts shared by the XDP program and user space, as policy.h; a change of
 * one is a change of BKXDP_ABI. Times are ns, CLOCK_MONOTONIC.
 */
#ifndef BKXDP_WATCH_H
#define BKXDP_WATCH_H

#include <linux/types.h>

#define BKXDP_LISTENERS   4      /* at a time, on one interface */
#define BKXDP_RING_BYTES  262144 /* a listener's; a power of two, whole pages everywhere */
#define BKXDP_EVENT_BYTES 192    /* of a frame: all headers of a packet with tags and options */
#define BKXDP_GROUPS_MAX  16384

/* Groups that begin within about a second (2^30 ns), on one CPU; what is above is not grouped. */
#define BKXDP_NEW_GROUPS_MAX 4096

/*
 * A place for one who listens. It is served for a limited time, which the
 * listener prolongs: one that was killed costs nothing for long.
 */
struct bkxdp_listener {
	__u64 until;   /* 0: free */
	__u64 reasons; /* bit n: enum bkxdp_reason n is wanted */
	__u32 rate; /* events in about a second (2^30 ns), on one CPU; more are lost, and counted */
	__u32 unused;
	__u32 address[4]; /* sources wanted: those that equal this under the mask */
	__u32 mask[4];
};

/* The program looks here at a drop, and at nothing else while all is zero. */
struct bkxdp_watch {
	__u32 listeners; /* 1: some place below may be taken; the program clears it when none is */
	__u32 groups;    /* 1: drops are grouped until `groups_until`; likewise */
	__u64 groups_until;
	struct bkxdp_listener listener[BKXDP_LISTENERS];
};

/* One CPU's. */
struct bkxdp_watch_state {
	__u64 window; /* number of the second that the following two count in */
	__u32 sent[BKXDP_LISTENERS];
	__u32 new_groups;
	__u32 unused;
	__u64 lost[BKXDP_LISTENERS]; /* events above the rate, or into a full ring */
	__u64 ungrouped;             /* packets of groups that were too many */
};

/* In the ring of a listener. */
struct bkxdp_event {
	__u64 time;
	__u32 length;     /* bytes of the frame */
	__u16 captured;   /* bytes of it that follow */
	__u8 reason;      /* enum bkxdp_reason */
	__u8 audit;       /* 1: it passed, for the policy only audits */
	__u32 generation; /* of the policy by which it was dropped */
	__u32 unused;
	__u8 frame[BKXDP_EVENT_BYTES];
};

/* What dropped packets of one kind have in common. */
enum bkxdp_group_side {
	BKXDP_GROUP_NONE,    /* no ports */
	BKXDP_GROUP_INBOUND, /* to a port of ours */
	BKXDP_GROUP_REPLY    /* from a port of the peer's: an answer, by its looks */
};
struct bkxdp_group_key {
	__u32 address[4]; /* the source, as in policy.h; zero where the frame has none */
	__u16 port;       /* of the service, by `side`; host byte order */
	__u8 side;        /* enum bkxdp_group_side */
	__u8 protocol;    /* IANA; behind extension headers */
	__u8 reason;      /* enum bkxdp_reason */
	__u8 unused[3];
};
struct bkxdp_group {
	__u64 packets;
	__u64 bytes;
	__u64 first; /* time */
	__u64 last;
	__u32 generation; /* of the policy by which they were dropped */
	__u32 unused;
};

_Static_assert(sizeof(struct bkxdp_listener) == 56, "no padding");
_Static_assert(sizeof(struct bkxdp_event) == 24 + BKXDP_EVENT_BYTES, "no padding");
_Static_assert(sizeof(struct bkxdp_group_key) == 24, "no padding in a hash key");
_Static_assert(sizeof(struct bkxdp_group) == 40, "no padding");

#endif
