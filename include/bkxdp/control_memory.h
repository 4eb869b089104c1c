/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's memory of TCP connections: what bpf/control_memory.bpf.c writes when the kernel tells
 * it of a connection, the filters read, and user space completes. Addresses and ports are as in
 * layout.h.
 */
#ifndef BKXDP_CONTROL_MEMORY_H
#define BKXDP_CONTROL_MEMORY_H

#include <linux/bpf.h>

#include "layout.h"

#define BKXDP_MEMORY_CONNECTIONS_MAX 262144 /* of the host, from or to control ports */
#define BKXDP_MEMORY_PEERS_MAX       262144
#define BKXDP_MEMORY_BOUND_MAX       65536 /* connections of sockets that are bound to a device */

/* What the memory is wanted for. It only grows as long as the memory exists. */
#define BKXDP_CONTROL_PORT(opener) (1 << (opener))
struct bkxdp_wanted {
	__u8 control_port[BKXDP_PORTS]; /* BKXDP_CONTROL_PORT() of such connections */
	__u32 bound; /* 1: all connections of sockets that are bound to a device */
};

/* One TCP connection of this host. A hash key. */
struct bkxdp_tuple {
	__u32 netns; /* inode number of the network namespace, as stat(2) tells it */
	__u32 peer[4];
	struct bkxdp_connection connection;
};
/* What is counted for it, and how. */
struct bkxdp_tuple_place {
	__u32 device; /* ifindex of the device that the socket is bound to; 0: none */
	__u32 opener;
};

/* A connection of a socket that is bound to a device. */
struct bkxdp_bound {
	__u32 device; /* ifindex */
	__u32 state;  /* BPF_TCP_... */
};

/* Established connections of one peer on one control port. A hash key. */
struct bkxdp_control_peer {
	__u32 netns;
	__u32 address[4];
	__u32 device; /* as above */
	__u16 port;   /* whose it is: see enum bkxdp_opener */
	__u8 opener;
	__u8 page; /* of bkxdp_older; else 0 */
};

/*
 * Some of the connections that are counted are listed, so that the socket table can be asked about
 * them. More than can be listed are counted only.
 */
#define BKXDP_LISTED 7
struct bkxdp_control_live {
	__u32 live;
	struct bpf_spin_lock lock;                    /* of the list */
	struct bkxdp_connection listed[BKXDP_LISTED]; /* peer_port 0: none */
};

/*
 * Connections that are older than the memory, or than a port's being a control port. The kernel
 * does not tell of their end, so the socket table is asked about each. Page n follows page n - 1.
 */
#define BKXDP_OLDER       15
#define BKXDP_OLDER_PAGES 8
struct bkxdp_older {
	struct bkxdp_connection connection[BKXDP_OLDER]; /* peer_port 0: none */
};

_Static_assert(sizeof(struct bkxdp_tuple) == 40, "a hash key has no padding");
_Static_assert(sizeof(struct bkxdp_control_peer) == 28, "a hash key has no padding");

#endif
