/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads packets from a pcap or pcapng file as frames. Only this room uses libpcap. */
#ifndef PACKET_PCAP_READ_H
#define PACKET_PCAP_READ_H

#include <stdbool.h>
#include <stdint.h>

/*
 * No verdict depends on a byte behind the longest L3 packet: an Ethernet header, 8 tags, an
 * IPv6 header and 65535 bytes. Whatever a file has beyond that is not read.
 */
#define CAPTURE_BYTES_MAX (14 + 8 * 4 + 40 + 65535)

/* Bytes of an Ethernet, the longest IPv4 and the longest TCP header. */
#define CAPTURE_HEADERS (14 + 40 + 60)

/* A packet; valid until the next one is read. */
struct captured_packet {
	const uint8_t *bytes;
	uint32_t length;      /* of bytes; those that were not captured are zeros */
	uint32_t wire_length; /* length on the wire */
	bool truncated;       /* part of the headers may be missing */
	uint64_t now;         /* ns; never earlier than that of the packet before */
};

struct capture;

/* Opens a file; "-" is standard input. Returns NULL with a message, which the caller frees. */
struct capture *capture_open(const char *path, char **problem);
/*
 * Returns 1 if there is a packet, 0 at the end, or -EIO with a message if the file is damaged
 * or truncated here.
 */
int capture_next(struct capture *capture, struct captured_packet *packet, char **problem);
void capture_close(struct capture *capture);

#endif
