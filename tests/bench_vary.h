/* SPDX-License-Identifier: GPL-2.0-only */
/* How a benchmark's packets differ from one another: shared by bench.bpf.c and user space. */
#ifndef BENCH_VARY_H
#define BENCH_VARY_H

#include <linux/types.h>

/*
 * Each packet gets one of `addresses` sources and one of `ports` ports, at
 * random. Offsets are in the frame; addresses and ports in host byte order.
 */
struct bench_vary {
	__u32 addresses; /* 0: the address stays */
	__u32 address_first;
	__u32 address_step;
	__u32 address_at;
	__u32 ports; /* 0: the port stays */
	__u32 port_first;
	__u32 port_at;
	__u32 sum_at; /* of the IPv4 checksum; 0: it is left wrong, because XDP programs don't look
			 at it */
};

#endif
