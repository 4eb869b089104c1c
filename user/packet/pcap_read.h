/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets out of a pcap or pcapng file, as frames to be judged. The only room that knows libpcap.
 */
#ifndef PACKET_PCAP_READ_H
#define PACKET_PCAP_READ_H

#include <stdbool.h>
#include <stdint.h>

/*
 * No verdict depends on a byte past the longest L3 packet: an Ethernet header,
 * 8 tags, an IPv6 header and 65535 bytes. What a file claims beyond is not kept.
 */
#define CAPTURE_BYTES_MAX (14 + 8 * 4 + 40 + 65535)

/* Captured bytes that hold Ethernet, the longest IPv4 and the longest TCP header. */
#define CAPTURE_HEADERS (14 + 40 + 60)

/* Valid until the next one is read. */
struct captured {
	const uint8_t *bytes;
	uint32_t length; /* of bytes; zeros stand for what was not captured */
	uint32_t wire;   /* length when it was captured */
	bool cut;        /* the snap length may have cut the headers themselves */
	uint64_t now;    /* ns; never earlier than the packet before */
};

struct capture;

/* "-" is standard input. NULL with a complaint, which the caller frees. */
struct capture *capture_open(const char *path, char **problem);
/* 1: a packet. 0: the end. -EIO: the file is damaged or cut off here; with a complaint. */
int capture_next(struct capture *capture, struct captured *packet, char **problem);
void capture_close(struct capture *capture);

#endif
