/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be said of a frame, of which perhaps only the beginning is there:
 * facts, and words as `explain` takes them. What is not known is not said.
 */
#ifndef PACKET_PACKET_SUMMARY_H
#define PACKET_PACKET_SUMMARY_H

#include <stdbool.h>

#include "packet/user_frame.h"

struct packet_summary {
	struct bkxdp_packet packet;
	bool has_addresses;   /* else nothing of IP is known */
	bool has_ports;       /* else packet.sport, dport and tcp_flags mean nothing */
	bool has_message;     /* else packet.icmp_type means nothing */
	bool has_link;        /* else the next three mean nothing */
	uint8_t link_from[6]; /* MAC address */
	uint8_t link_to[6];
	uint16_t
		ethertype; /* behind the tags; of the first tag where these are against the rules */
};

void packet_summary_read(const uint8_t *bytes, uint32_t held, uint32_t length,
			 struct packet_summary *summary);

#define PACKET_SUMMARY_LINK_MAX 18
/* "02:00:00:00:00:05" */
void packet_summary_link(const uint8_t address[static 6],
			 char text[static PACKET_SUMMARY_LINK_MAX]);

/* "syn-ack", or ""; the caller frees it. */
char *packet_summary_flags(const struct packet_summary *summary);

/* "tcp 10.9.8.7:40000 > 10.20.30.1:445 syn vlan 7"; the caller frees it. */
char *packet_summary_text(const struct packet_summary *summary);

#endif
