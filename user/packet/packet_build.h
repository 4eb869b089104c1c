/* SPDX-License-Identifier: GPL-2.0-only */
/* Builds a frame from the facts of a packet: the reverse of the datapath's parser. */
#ifndef PACKET_PACKET_BUILD_H
#define PACKET_PACKET_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "packet/user_frame.h"

/* Bytes of Ethernet, a tag, IPv6, a fragment header and TCP. */
#define PACKET_BUILD_MAX (14 + 4 + 40 + 8 + 20)

/*
 * Returns the frame's length in bytes. The packet must be TCP, UDP, ICMP or ICMPv6; hop_limit
 * is also IPv4's time to live. Checksums are zero, because the filter ignores them.
 */
size_t packet_build(const struct bkxdp_packet *packet, uint8_t frame[static PACKET_BUILD_MAX]);

#endif
