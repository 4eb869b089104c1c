/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A summary of a frame, perhaps of only its first bytes: facts, and the words that `explain`
 * takes. Unknown facts are left out.
 */
#ifndef PACKET_PACKET_SUMMARY_H
#define PACKET_PACKET_SUMMARY_H

#include <stdbool.h>

#include "packet/user_frame.h"

struct packet_summary {
	struct bkxdp_packet packet;
	bool has_addresses;    /* false: nothing of IP is known */
	bool has_ports;        /* false: packet.sport, dport and tcp_flags are unknown */
	bool has_icmp_type;    /* false: packet.icmp_type is unknown */
	bool has_ethernet;     /* false: the next three are unknown */
	uint8_t source_mac[6]; /* MAC addresses */
	uint8_t destination_mac[6];
	uint16_t ethertype; /* behind the tags, or of the first tag if the tags are invalid */
};

/* Reads the summary of a frame of `length` bytes, of which the first `captured` are at `bytes`. */
void packet_summary_read(const uint8_t *bytes, uint32_t captured, uint32_t length,
			 struct packet_summary *summary);

#define PACKET_SUMMARY_MAC_MAX 18
/* Writes "02:00:00:00:00:05". */
void packet_summary_mac(const uint8_t address[static 6], char text[static PACKET_SUMMARY_MAC_MAX]);

/* Returns "syn-ack" or "", which the caller frees. */
char *packet_summary_flags(const struct packet_summary *summary);

/* Returns "tcp 10.9.8.7:40000 > 10.20.30.1:445 syn vlan 7", which the caller frees. */
char *packet_summary_text(const struct packet_summary *summary);

#endif
