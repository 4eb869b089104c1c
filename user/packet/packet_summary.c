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
	       (packet->protocol == IPPROTO_ICMP || packet->protocol == IPPROTO_ICMPV6);
}

static void read_link(bkxdp_frame *frame, const struct bkxdp_packet *packet,
		      struct packet_summary *summary)
{
	struct ethhdr ethernet;

	if (!frame_at(frame, 0, sizeof(ethernet), &ethernet))
		return;
	summary->has_link = true;
	memcpy(summary->link_from, ethernet.h_source, sizeof(summary->link_from));
	memcpy(summary->link_to, ethernet.h_dest, sizeof(summary->link_to));
	summary->ethertype = BKXDP_NTOHS(ethernet.h_proto);
	if (!packet->tags_refused)
		summary->ethertype = BKXDP_TAGS_TYPE(bkxdp_tags(frame, summary->ethertype));
}

void packet_summary_read(const uint8_t *bytes, uint32_t held, uint32_t length,
			 struct packet_summary *summary)
{
	static const enum shred shreds[] = {
		[BKXDP_FRAGMENT_NONE] = SHRED_NONE,
		[BKXDP_FRAGMENT_FIRST] = SHRED_FIRST,
		[BKXDP_FRAGMENT_LATER] = SHRED_LATER,
	};
	struct received frame = {bytes, length, held};
	struct bkxdp_packet packet = {};

	bkxdp_parse(&frame, &packet);
	*summary = (struct packet_summary){
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
	memcpy(summary->asked.saddr, packet.saddr, sizeof(packet.saddr));
	memcpy(summary->asked.daddr, packet.daddr, sizeof(packet.daddr));
	read_link(&frame, &packet, summary);
}

/* ---- to words --------------------------------------------------------------- */

void packet_summary_address(const struct packet_summary *summary, const uint32_t address[static 4],
			    char text[static PACKET_SUMMARY_ADDRESS_MAX])
{
	bool ipv4 = summary->asked.family == AF_INET;

	inet_ntop(summary->asked.family, ipv4 ? &address[3] : address, text,
		  PACKET_SUMMARY_ADDRESS_MAX);
}

void packet_summary_link(const uint8_t address[static 6], char text[static PACKET_SUMMARY_LINK_MAX])
{
	snprintf(text, PACKET_SUMMARY_LINK_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", address[0],
		 address[1], address[2], address[3], address[4], address[5]);
}

static void print_end(FILE *out, const struct packet_summary *summary,
		      const uint32_t address[static 4], uint16_t port)
{
	char text[PACKET_SUMMARY_ADDRESS_MAX];

	packet_summary_address(summary, address, text);
	if (!summary->has_ports)
		fputs(text, out);
	else
		fprintf(out, summary->asked.family == AF_INET ? "%s:%u" : "[%s]:%u", text, port);
}

static void print_packet(FILE *out, const struct packet_summary *summary)
{
	const struct asked *asked = &summary->asked;
	const char *protocol = asked_protocol(asked->protocol);

	if (protocol)
		fprintf(out, "%s ", protocol);
	else if (asked->protocol)
		fprintf(out, "protocol %u ", asked->protocol);
	else
		fputs(asked->family == AF_INET ? "ipv4 " : "ipv6 ", out);
	print_end(out, summary, asked->saddr, asked->sport);
	fputs(" > ", out);
	print_end(out, summary, asked->daddr, asked->dport);
	if (summary->has_ports && asked->protocol == IPPROTO_TCP && asked->tcp_flags) {
		fputc(' ', out);
		asked_print_flags(out, asked);
	}
	if (summary->has_message)
		asked_print_message(out, asked);
	asked_print_rest(out, asked);
}

static void print_frame(FILE *out, const struct packet_summary *summary)
{
	char from[PACKET_SUMMARY_LINK_MAX], to[PACKET_SUMMARY_LINK_MAX];

	if (!summary->has_link) {
		fprintf(out, "frame of %u bytes", summary->length);
		return;
	}
	packet_summary_link(summary->link_from, from);
	packet_summary_link(summary->link_to, to);
	fprintf(out, "frame %s > %s ethertype 0x%04x", from, to, summary->ethertype);
	asked_print_rest(out, &summary->asked);
}

static void print_flags(FILE *out, const struct packet_summary *summary)
{
	asked_print_flags(out, &summary->asked);
}

static char *printed(const struct packet_summary *summary,
		     void (*print)(FILE *, const struct packet_summary *))
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return must_copy("");
	print(out, summary);
	fclose(out);
	return text;
}

char *packet_summary_flags(const struct packet_summary *summary)
{
	return printed(summary, print_flags);
}

char *packet_summary_text(const struct packet_summary *summary)
{
	return printed(summary, summary->asked.family ? print_packet : print_frame);
}
