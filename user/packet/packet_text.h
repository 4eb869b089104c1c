/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet in words -> facts -> a frame:
 *
 *   tcp 10.20.30.5:40000 > 10000
 *   udp [2001:db8::5]:40000 > [2001:db8::1]:514 vlan 7
 *   icmp 10.20.30.5 echo
 */
#ifndef PACKET_PACKET_TEXT_H
#define PACKET_PACKET_TEXT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <bkxdp/layout.h>

enum shred { SHRED_NONE, SHRED_FIRST, SHRED_LATER };

/* What the words say, and defaults for what they leave out. */
struct asked {
	int family; /* AF_INET, AF_INET6 */
	uint8_t protocol;
	uint32_t saddr[4]; /* as the datapath has them: network byte order, IPv4 mapped */
	uint32_t daddr[4];
	bool has_daddr; /* else it is left to the caller, a placeholder by default */
	uint16_t sport; /* host byte order; TCP and UDP */
	uint16_t dport;
	uint8_t tcp_flags;
	uint8_t icmp_type;
	uint8_t hop_limit;
	uint16_t vlan; /* 0: untagged */
	enum shred fragment;
};

/* Ethernet, a tag, IPv6 with a fragment header, TCP. */
#define FRAME_BYTES_MAX (14 + 4 + 40 + 8 + 20)

#define ASKED_EXAMPLE "'tcp 10.20.30.5:40000 > 10000'"

/*
 * Reads words that may stand in one argument or in many. 0, or -EINVAL with a
 * complaint that names the word, which the caller frees.
 */
int asked_read(char *const *words, size_t count, struct asked *asked, char **problem);

/* The same packet, with nothing left out; the caller frees it. */
char *asked_text(const struct asked *asked);

/* Parts of that text. A protocol's or ICMP message's word is NULL where there is none. */
const char *asked_protocol(uint8_t protocol);
const char *asked_message(const struct asked *asked);
void asked_print_flags(FILE *out, const struct asked *asked);
void asked_print_message(FILE *out, const struct asked *asked);
void asked_print_rest(FILE *out, const struct asked *asked); /* VLAN, fragment */

/* The frame's length. Checksums are left zero: the filter does not look at them. */
size_t frame_build(const struct asked *asked, uint8_t frame[static FRAME_BYTES_MAX]);

#endif
