// SPDX-License-Identifier: GPL-2.0-only
#include "packet/packet_summary.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/memory.h"
#include "packet/user_frame.h"

/* ---- from bytes ------------------------------------------------------------- */

static bool is_set(const uint32_t address[4])
{
	return address[0] | address[1] | address[2] | address[3];
}

/* A mapped address is never all zero; :: goes to somewhere else. */
static int family_of(const struct bkxdp_packet *packet)
{
	if (!is_set(packet->saddr) && !is_set(packet->daddr))
		return 0;
	return packet->kind == BKXDP_FRAME_IPV4 ? AF_INET : AF_INET6;
}

/* An L4 header was looked for, and its first bytes were there. */
static bool has_l4(const struct bkxdp_packet *packet)
{
	return !packet->l3_refused && packet->fragment != BKXDP_FRAGMENT_LATER;
}

static bool has_message(const struct bkxdp_packet *packet)
{
	return has_l4(packet) && !packet->l4_refused &&
	       (packet->protocol == BKXDP_PROTO_ICMP || packet->protocol == BKXDP_PROTO_ICMPV6);
}

static void read_link(bkxdp_frame *frame, const struct bkxdp_packet *packet,
		      struct glimpse *glimpse)
{
	struct bkxdp_ethernet ethernet;

	if (!frame_at(frame, 0, sizeof(ethernet), &ethernet))
		return;
	glimpse->has_link = true;
	memcpy(glimpse->link_from, ethernet.source, sizeof(glimpse->link_from));
	memcpy(glimpse->link_to, ethernet.destination, sizeof(glimpse->link_to));
	glimpse->ethertype = BKXDP_NTOHS(ethernet.type);
	if (!packet->tags_refused)
		glimpse->ethertype = BKXDP_TAGS_TYPE(bkxdp_tags(frame, glimpse->ethertype));
}

void glimpse_read(const uint8_t *bytes, uint32_t held, uint32_t length, struct glimpse *glimpse)
{
	static const enum shred shreds[] = {
		[BKXDP_FRAGMENT_NONE] = SHRED_NONE,
		[BKXDP_FRAGMENT_FIRST] = SHRED_FIRST,
		[BKXDP_FRAGMENT_LATER] = SHRED_LATER,
	};
	struct received frame = {bytes, length, held};
	struct bkxdp_packet packet = {};

	bkxdp_parse(&frame, &packet);
	*glimpse = (struct glimpse){
		.asked = {.family = family_of(&packet),
			  .protocol = packet.protocol,
			  .has_daddr = true,
			  .sport = packet.sport,
			  .dport = packet.dport,
			  .tcp_flags = packet.tcp_flags,
			  .icmp_type = packet.icmp_type,
			  .hop_limit = packet.hop_limit,
			  .vlan = packet.vlan,
			  .fragment = shreds[packet.fragment]},
		.has_ports = has_l4(&packet) && (packet.sport || packet.dport),
		.has_message = has_message(&packet),
		.length = length,
	};
	memcpy(glimpse->asked.saddr, packet.saddr, sizeof(packet.saddr));
	memcpy(glimpse->asked.daddr, packet.daddr, sizeof(packet.daddr));
	read_link(&frame, &packet, glimpse);
}

/* ---- to words --------------------------------------------------------------- */

void glimpse_address(const struct glimpse *glimpse, const uint32_t address[static 4],
		     char text[static GLIMPSE_ADDRESS_MAX])
{
	bool ipv4 = glimpse->asked.family == AF_INET;

	inet_ntop(glimpse->asked.family, ipv4 ? &address[3] : address, text, GLIMPSE_ADDRESS_MAX);
}

void glimpse_link(const uint8_t address[static 6], char text[static GLIMPSE_LINK_MAX])
{
	snprintf(text, GLIMPSE_LINK_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", address[0], address[1],
		 address[2], address[3], address[4], address[5]);
}

static void print_end(FILE *out, const struct glimpse *glimpse, const uint32_t address[static 4],
		      uint16_t port)
{
	char text[GLIMPSE_ADDRESS_MAX];

	glimpse_address(glimpse, address, text);
	if (!glimpse->has_ports)
		fputs(text, out);
	else
		fprintf(out, glimpse->asked.family == AF_INET ? "%s:%u" : "[%s]:%u", text, port);
}

static void print_packet(FILE *out, const struct glimpse *glimpse)
{
	const struct asked *asked = &glimpse->asked;
	const char *protocol = asked_protocol(asked->protocol);

	if (protocol)
		fprintf(out, "%s ", protocol);
	else if (asked->protocol)
		fprintf(out, "protocol %u ", asked->protocol);
	else
		fputs(asked->family == AF_INET ? "ipv4 " : "ipv6 ", out);
	print_end(out, glimpse, asked->saddr, asked->sport);
	fputs(" > ", out);
	print_end(out, glimpse, asked->daddr, asked->dport);
	if (glimpse->has_ports && asked->protocol == IPPROTO_TCP && asked->tcp_flags) {
		fputc(' ', out);
		asked_print_flags(out, asked);
	}
	if (glimpse->has_message)
		asked_print_message(out, asked);
	asked_print_rest(out, asked);
}

static void print_frame(FILE *out, const struct glimpse *glimpse)
{
	char from[GLIMPSE_LINK_MAX], to[GLIMPSE_LINK_MAX];

	if (!glimpse->has_link) {
		fprintf(out, "frame of %u bytes", glimpse->length);
		return;
	}
	glimpse_link(glimpse->link_from, from);
	glimpse_link(glimpse->link_to, to);
	fprintf(out, "frame %s > %s ethertype 0x%04x", from, to, glimpse->ethertype);
	asked_print_rest(out, &glimpse->asked);
}

static void print_flags(FILE *out, const struct glimpse *glimpse)
{
	asked_print_flags(out, &glimpse->asked);
}

static char *printed(const struct glimpse *glimpse, void (*print)(FILE *, const struct glimpse *))
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return must_copy("");
	print(out, glimpse);
	fclose(out);
	return text;
}

char *glimpse_flags(const struct glimpse *glimpse)
{
	return printed(glimpse, print_flags);
}

char *glimpse_text(const struct glimpse *glimpse)
{
	return printed(glimpse, glimpse->asked.family ? print_packet : print_frame);
}
