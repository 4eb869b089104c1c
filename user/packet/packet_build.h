/* SPDX-License-Identifier: GPL-2.0-only */
/* The facts of a packet to a frame that has them: the way back from the datapath's parser. */
#ifndef PACKET_PACKET_BUILD_H
#define PACKET_PACKET_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "packet/user_frame.h"

/* Ethernet, a tag, IPv6 with a fragment header, TCP. */
#define PACKET_BUILD_MAX (14 + 4 + 40 + 8 + 20)

/*
 * The frame's length in bytes. The packet is TCP, UDP, ICMP or ICMPv6; its hop_limit is
 * IPv4's time to live, too. Checksums are left zero: the filter does not look at them.
 */
size_t packet_build(const struct bkxdp_packet *packet, uint8_t frame[static PACKET_BUILD_MAX]);

#endif
