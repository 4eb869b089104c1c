// SPDX-License-Identifier: GPL-2.0-only
#include "packet/packet_summary.h"

#include <stdio.h>

#include "base/strbuf.h"
#include "packet/packet_text.h"

/* ---- reading ------------------------------------------------------------ */

static bool is_set(const uint32_t address[4])
{
	return address[0] | address[1] | address[2] | address[3];
}

/* The parser reached the L4 header. */
static bool has_l4(const struct bkxdp_packet *packet)
{
	return !packet->l3_refused && packet->fragment != BKXDP_FRAGMENT_LATER;
}

static bool has_icmp_type(const struct bkxdp_packet *packet)
{
	return has_l4(packet) && !packet->l4_refused &&
	       (packet->protocol == IPPROTO_ICMP || packet->protocol == IPPROTO_ICMPV6);
}

static void read_ethernet(bkxdp_frame *frame, const struct bkxdp_packet *packet,
			  struct packet_summary *summary)
{
	struct ethhdr ethernet;

	if (!frame_at(frame, 0, sizeof(ethernet), &ethernet))
		return;
	summary->has_ethernet = true;
	memcpy(summary->source_mac, ethernet.h_source, sizeof(summary->source_mac));
	memcpy(summary->destination_mac, ethernet.h_dest, sizeof(summary->destination_mac));
	summary->ethertype = BKXDP_NTOHS(ethernet.h_proto);
	if (!packet->tags_refused)
		summary->ethertype = BKXDP_TAGS_TYPE(bkxdp_tags(frame, summary->ethertype));
}

void packet_summary_read(const uint8_t *bytes, uint32_t captured, uint32_t length,
			 struct packet_summary *summary)
{
	struct user_frame frame = {bytes, length, captured};
	struct bkxdp_packet packet = {};

	bkxdp_parse(&frame, &packet);
	*summary = (struct packet_summary){
		.packet = packet,
		/*
		 * a mapped IPv4 address is never all zero, and :: is never both source and
		 * destination
		 */
		.has_addresses = is_set(packet.saddr) || is_set(packet.daddr),
		.has_ports = has_l4(&packet) && (packet.sport || packet.dport),
		.has_icmp_type = has_icmp_type(&packet),
	};
	read_ethernet(&frame, &packet, summary);
}

/* ---- printing ----------------------------------------------------------- */

void packet_summary_mac(const uint8_t address[static 6], char text[static PACKET_SUMMARY_MAC_MAX])
{
	snprintf(text, PACKET_SUMMARY_MAC_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", address[0],
		 address[1], address[2], address[3], address[4], address[5]);
}

static void print_packet(FILE *out, const struct packet_summary *summary)
{
	packet_print(out, &summary->packet, summary->has_ports, summary->has_icmp_type);
}

static void print_frame(FILE *out, const struct packet_summary *summary)
{
	char from[PACKET_SUMMARY_MAC_MAX], to[PACKET_SUMMARY_MAC_MAX];

	if (!summary->has_ethernet) {
		fprintf(out, "frame of %u bytes", summary->packet.length);
		return;
	}
	packet_summary_mac(summary->source_mac, from);
	packet_summary_mac(summary->destination_mac, to);
	fprintf(out, "frame %s > %s ethertype 0x%04x", from, to, summary->ethertype);
	packet_print_rest(out, &summary->packet);
}

static void print_flags(FILE *out, const struct packet_summary *summary)
{
	packet_print_flags(out, &summary->packet);
}

static char *printed(const struct packet_summary *summary,
		     void (*print)(FILE *, const struct packet_summary *))
{
	struct strbuf text;

	print(strbuf_open(&text), summary);
	return strbuf_close(&text);
}

char *packet_summary_flags(const struct packet_summary *summary)
{
	return printed(summary, print_flags);
}

char *packet_summary_text(const struct packet_summary *summary)
{
	return printed(summary, summary->has_addresses ? print_packet : print_frame);
}
