/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words to the facts of a packet, and back:
 *
 *   tcp 10.20.30.5:40000 > 10000
 *   udp [2001:db8::5]:40000 > [2001:db8::1]:514 vlan 7
 *   icmp 10.20.30.5 echo
 *
 * The facts are those of the datapath's parser, with kind BKXDP_FRAME_IPV4 or _IPV6.
 */
#ifndef PACKET_PACKET_TEXT_H
#define PACKET_PACKET_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "packet/user_frame.h"

/* What the words say, and defaults for what they leave out. */
struct packet_words {
	struct bkxdp_packet packet; /* hop_limit of IPv4, too; length is 0 */
	bool has_daddr;             /* else packet.daddr is a placeholder */
};

#define PACKET_TEXT_EXAMPLE "'tcp 10.20.30.5:40000 > 10000'"

/*
 * Reads words that may stand in one argument or in many. 0, or -EINVAL with a
 * complaint that names the word, which the caller frees.
 */
int packet_text_read(char *const *words, size_t count, struct packet_words *said, char **problem);

/* The same packet, with nothing left out; the caller frees it. */
char *packet_text(const struct bkxdp_packet *packet);

/* That text, with ports and flags, or an ICMP message, only where they are known. */
void packet_print(FILE *out, const struct bkxdp_packet *packet, bool ports, bool message);

/* Parts of it. A protocol's or an ICMP message's word is NULL where there is none. */
const char *packet_protocol_word(uint8_t protocol);
const char *packet_message_word(const struct bkxdp_packet *packet);
void packet_print_flags(FILE *out, const struct bkxdp_packet *packet); /* "syn-ack" */
void packet_print_rest(FILE *out, const struct bkxdp_packet *packet);  /* VLAN, fragment */
#define PACKET_ADDRESS_TEXT_MAX 48
/* One of its addresses: "10.20.30.5". */
void packet_address_text(const struct bkxdp_packet *packet, const uint32_t address[static 4],
			 char text[static PACKET_ADDRESS_TEXT_MAX]);

#endif
