/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's socket table as user space sees it: this network namespace's TCP connections. */
#ifndef NET_SOCKTABLE_H
#define NET_SOCKTABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <bkxdp/layout.h>

/* Is our TCP connection with this peer established? False also where that can't be asked. */
bool socktable_established(const uint32_t peer[static 4],
			   const struct bkxdp_connection *connection);

#endif
