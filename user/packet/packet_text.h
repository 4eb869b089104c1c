/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the facts of a packet from words, and prints them as words:
 *
 *   tcp 10.20.30.5:40000 > 10000
 *   udp [2001:db8::5]:40000 > [2001:db8::1]:514 vlan 7
 *   icmp 10.20.30.5 echo
 *
 * The facts are those that the datapath's parser finds, with kind BKXDP_FRAME_IPV4 or _IPV6.
 */
#ifndef PACKET_PACKET_TEXT_H
#define PACKET_PACKET_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "packet/user_frame.h"

/* What the words say, with defaults for what they leave out. */
struct packet_words {
	struct bkxdp_packet packet; /* hop_limit is also IPv4's time to live; length is 0 */
	bool has_daddr;             /* false: packet.daddr is a placeholder */
};

#define PACKET_TEXT_EXAMPLE "'tcp 10.20.30.5:40000 > 10000'"

/*
 * Reads a packet from words, which may be in one argument or in several. Returns 0, or -EINVAL
 * with a message that quotes the word; the caller frees it.
 */
int packet_text_read(char *const *words, size_t n_words, struct packet_words *result,
		     char **problem);

/* Returns the packet in words, with nothing left out. The caller frees it. */
char *packet_text(const struct bkxdp_packet *packet);

/* Prints that text, but with ports and TCP flags, or the ICMP message, only if they are known. */
void packet_print(FILE *out, const struct bkxdp_packet *packet, bool ports, bool message);

/* Parts of that text. The word of a protocol or an ICMP message is NULL if there is none. */
const char *packet_protocol_word(uint8_t protocol);
const char *packet_message_word(const struct bkxdp_packet *packet);
void packet_print_flags(FILE *out, const struct bkxdp_packet *packet); /* "syn-ack" */
void packet_print_rest(FILE *out, const struct bkxdp_packet *packet);  /* VLAN, fragment */
#define PACKET_ADDRESS_TEXT_MAX 48
/* Writes one of the packet's addresses: "10.20.30.5". */
void packet_address_text(const struct bkxdp_packet *packet, const uint32_t address[static 4],
			 char text[static PACKET_ADDRESS_TEXT_MAX]);

#endif
