/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's socket table, asked from user space: the TCP connections of this network
 * namespace.
 */
#ifndef NET_SOCKTABLE_H
#define NET_SOCKTABLE_H

#include <bkxdp/layout.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Is our TCP connection with this peer established? Returns false also if the kernel can't be
 * asked.
 */
bool socktable_established(const uint32_t peer[static 4],
			   const struct bkxdp_connection *connection);

#endif
