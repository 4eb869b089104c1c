// SPDX-License-Identifier: GPL-2.0-only
#include "facts.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "alloc.h"
#include "received.h"

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

static void read_link(bkxdp_frame *frame, const struct bkxdp_packet *packet, struct facts *facts)
{
	struct bkxdp_ethernet ethernet;

	if (!frame_at(frame, 0, sizeof(ethernet), &ethernet))
		return;
	facts->has_link = true;
	memcpy(facts->link_from, ethernet.source, sizeof(facts->link_from));
	memcpy(facts->link_to, ethernet.destination, sizeof(facts->link_to));
	facts->ethertype = BKXDP_NTOHS(ethernet.type);
	if (!packet->tags_refused)
		facts->ethertype = BKXDP_TAGS_TYPE(bkxdp_tags(frame, facts->ethertype));
}

void facts_read(const uint8_t *bytes, uint32_t held, uint32_t length, struct facts *facts)
{
	static const enum shred shreds[] = {
		[BKXDP_FRAGMENT_NONE] = SHRED_NONE,
		[BKXDP_FRAGMENT_FIRST] = SHRED_FIRST,
		[BKXDP_FRAGMENT_LATER] = SHRED_LATER,
	};
	struct received frame = {bytes, length, held};
	struct bkxdp_packet packet = {};

	bkxdp_parse(&frame, &packet);
	*facts = (struct facts){
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
	memcpy(facts->asked.saddr, packet.saddr, sizeof(packet.saddr));
	memcpy(facts->asked.daddr, packet.daddr, sizeof(packet.daddr));
	read_link(&frame, &packet, facts);
}

/* ---- to words --------------------------------------------------------------- */

void facts_address(const struct facts *facts, const uint32_t address[static 4],
		   char text[static FACTS_ADDRESS_MAX])
{
	bool ipv4 = facts->asked.family == AF_INET;

	inet_ntop(facts->asked.family, ipv4 ? &address[3] : address, text, FACTS_ADDRESS_MAX);
}

void facts_link(const uint8_t address[static 6], char text[static FACTS_LINK_MAX])
{
	snprintf(text, FACTS_LINK_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", address[0], address[1],
		 address[2], address[3], address[4], address[5]);
}

static void print_end(FILE *out, const struct facts *facts, const uint32_t address[static 4],
		      uint16_t port)
{
	char text[FACTS_ADDRESS_MAX];

	facts_address(facts, address, text);
	if (!facts->has_ports)
		fputs(text, out);
	else
		fprintf(out, facts->asked.family == AF_INET ? "%s:%u" : "[%s]:%u", text, port);
}

static void print_packet(FILE *out, const struct facts *facts)
{
	const struct asked *asked = &facts->asked;
	const char *protocol = asked_protocol(asked->protocol);

	if (protocol)
		fprintf(out, "%s ", protocol);
	else if (asked->protocol)
		fprintf(out, "protocol %u ", asked->protocol);
	else
		fputs(asked->family == AF_INET ? "ipv4 " : "ipv6 ", out);
	print_end(out, facts, asked->saddr, asked->sport);
	fputs(" > ", out);
	print_end(out, facts, asked->daddr, asked->dport);
	if (facts->has_ports && asked->protocol == IPPROTO_TCP && asked->tcp_flags) {
		fputc(' ', out);
		asked_print_flags(out, asked);
	}
	if (facts->has_message)
		asked_print_message(out, asked);
	asked_print_rest(out, asked);
}

static void print_frame(FILE *out, const struct facts *facts)
{
	char from[FACTS_LINK_MAX], to[FACTS_LINK_MAX];

	if (!facts->has_link) {
		fprintf(out, "frame of %u bytes", facts->length);
		return;
	}
	facts_link(facts->link_from, from);
	facts_link(facts->link_to, to);
	fprintf(out, "frame %s > %s ethertype 0x%04x", from, to, facts->ethertype);
	asked_print_rest(out, &facts->asked);
}

static void print_flags(FILE *out, const struct facts *facts)
{
	asked_print_flags(out, &facts->asked);
}

static char *printed(const struct facts *facts, void (*print)(FILE *, const struct facts *))
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return must_copy("");
	print(out, facts);
	fclose(out);
	return text;
}

char *facts_flags(const struct facts *facts)
{
	return printed(facts, print_flags);
}

char *facts_text(const struct facts *facts)
{
	return printed(facts, facts->asked.family ? print_packet : print_frame);
}
