/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes packets of one Ethernet interface as pcapng, each with what libpcap can't write: a
 * comment, the verdict, and how many packets before it are missing.
 */
#ifndef PACKET_PCAPNG_WRITE_H
#define PACKET_PCAPNG_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct pcapng_packet {
	uint64_t time; /* ns since the epoch */
	const uint8_t *bytes;
	uint32_t captured; /* number of bytes that are present */
	uint32_t length;   /* length of the whole frame */
	bool passed;       /* XDP passed it; false: dropped it */
	uint64_t missing;
	const char *comment;
};

/*
 * Each writes a block with one call, so that a reader of the growing file finds only complete
 * blocks. Returns 0 or a negative errno.
 */
int pcapng_begin(FILE *file, const char *interface, uint32_t snap_length);
int pcapng_add(FILE *file, const struct pcapng_packet *packet);

#endif
