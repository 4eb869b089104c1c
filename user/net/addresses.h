/* SPDX-License-Identifier: GPL-2.0-only */
/* The addresses of this host, and the devices that have them. */
#ifndef NET_ADDRESSES_H
#define NET_ADDRESSES_H

#include <stddef.h>
#include <stdint.h>

struct host_address {
	int device;          /* interface index */
	uint32_t address[4]; /* network byte order, IPv4 mapped */
};

struct host_addresses {
	struct host_address *addresses;
	size_t n_addresses;
};

/* Returns 0 or a negative errno. */
int addresses_read(struct host_addresses *addresses);
void addresses_free(struct host_addresses *addresses);

#endif
