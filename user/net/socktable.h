/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's socket table, asked from user space: the TCP connections of this network
 * namespace.
 */
#ifndef NET_SOCKTABLE_H
#define NET_SOCKTABLE_H

#include <bkxdp/control_memory.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tcp_connection {
	uint32_t peer[4]; /* network byte order, IPv4 mapped */
	struct bkxdp_connection connection;
	uint32_t device;  /* ifindex of the device that the socket is bound to; 0: none */
	bool is_listened; /* somebody listens on our port, so we did not open it */
};

/* Sets the established connections. Returns 0 or a negative errno. The caller frees the array. */
int socktable_read(struct tcp_connection **connections, size_t *n_connections);

/* The port by which it may be a control connection: ours if the peer opened it, else the peer's. */
uint16_t socktable_port(const struct tcp_connection *tcp, enum bkxdp_opener opener);

/*
 * May the peer have opened the connection, or we? The kernel does not tell. One that we have opened
 * from a control port is taken for the peer's.
 */
bool socktable_may_be(const struct tcp_connection *tcp, enum bkxdp_opener opener);

#endif
