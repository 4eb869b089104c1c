// SPDX-License-Identifier: GPL-2.0-only
#include "packet/packet_summary.h"

#include <stdio.h>

#include "base/strbuf.h"
#include "packet/packet_text.h"

/* ---- from bytes ------------------------------------------------------------- */

static bool is_set(const uint32_t address[4])
{
	return address[0] | address[1] | address[2] | address[3];
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
	struct received frame = {bytes, length, held};
	struct bkxdp_packet packet = {};

	bkxdp_parse(&frame, &packet);
	*summary = (struct packet_summary){
		.packet = packet,
		/* a mapped address is never all zero; :: goes to somewhere else */
		.has_addresses = is_set(packet.saddr) || is_set(packet.daddr),
		.has_ports = has_l4(&packet) && (packet.sport || packet.dport),
		.has_message = has_message(&packet),
	};
	read_link(&frame, &packet, summary);
}

/* ---- to words --------------------------------------------------------------- */

void packet_summary_link(const uint8_t address[static 6], char text[static PACKET_SUMMARY_LINK_MAX])
{
	snprintf(text, PACKET_SUMMARY_LINK_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", address[0],
		 address[1], address[2], address[3], address[4], address[5]);
}

static void print_packet(FILE *out, const struct packet_summary *summary)
{
	packet_print(out, &summary->packet, summary->has_ports, summary->has_message);
}

static void print_frame(FILE *out, const struct packet_summary *summary)
{
	char from[PACKET_SUMMARY_LINK_MAX], to[PACKET_SUMMARY_LINK_MAX];

	if (!summary->has_link) {
		fprintf(out, "frame of %u bytes", summary->packet.length);
		return;
	}
	packet_summary_link(summary->link_from, from);
	packet_summary_link(summary->link_to, to);
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
