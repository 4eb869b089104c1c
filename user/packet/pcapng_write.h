/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes packets of one Ethernet interface as pcapng, with what libpcap can't:
 * a comment on each, its verdict, and how many before it are missing.
 */
#ifndef PACKET_PCAPNG_WRITE_H
#define PACKET_PCAPNG_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct pcapng_packet {
	uint64_t time; /* ns since the epoch */
	const uint8_t *bytes;
	uint32_t held;   /* bytes of it that are here */
	uint32_t length; /* of the whole frame */
	bool passed;     /* what XDP did with it */
	uint64_t missing;
	const char *comment;
};

/*
 * Each writes what it has with one call, so that a reader of the growing file
 * finds whole blocks. 0 or negative errno.
 */
int pcapng_begin(FILE *file, const char *interface, uint32_t snap_length);
int pcapng_add(FILE *file, const struct pcapng_packet *packet);

#endif
