// SPDX-License-Identifier: GPL-2.0-only
#include "packet/packet_build.h"

#include <string.h>

/* A frame that is being written; the next byte goes to frame[length]. */
struct writer {
	uint8_t *frame;
	size_t length;
};

static void put8(struct writer *writer, uint8_t byte)
{
	writer->frame[writer->length++] = byte;
}

static void put16(struct writer *writer, uint16_t number)
{
	put8(writer, number >> 8);
	put8(writer, number);
}

static void put32(struct writer *writer, uint32_t number)
{
	put16(writer, number >> 16);
	put16(writer, number);
}

static void put_bytes(struct writer *writer, const void *bytes, size_t count)
{
	memcpy(writer->frame + writer->length, bytes, count);
	writer->length += count;
}

static void put_ethernet(struct writer *writer, const struct bkxdp_packet *packet)
{
	static const uint8_t to[6] = {0x02, 0, 0, 0, 0, 1}, from[6] = {0x02, 0, 0, 0, 0, 2};

	put_bytes(writer, to, sizeof(to));
	put_bytes(writer, from, sizeof(from));
	if (packet->vlan) {
		put16(writer, ETH_P_8021Q);
		put16(writer, packet->vlan);
	}
	put16(writer, packet->kind == BKXDP_FRAME_IPV4 ? ETH_P_IP : ETH_P_IPV6);
}

/* In units of 8 bytes: a full first fragment on Ethernet has 1,480 bytes. */
static uint16_t fragment_offset(const struct bkxdp_packet *packet)
{
	return packet->fragment == BKXDP_FRAGMENT_LATER ? 185 : 0;
}

static void put_ipv4(struct writer *writer, const struct bkxdp_packet *packet, uint16_t payload)
{
	put16(writer, 0x4500);
	put16(writer, 20 + payload);
	put16(writer, 1);
	put16(writer,
	      fragment_offset(packet) |
		      (packet->fragment == BKXDP_FRAGMENT_FIRST ? BKXDP_IPV4_MORE_FRAGMENTS : 0));
	put8(writer, packet->hop_limit);
	put8(writer, packet->protocol);
	put16(writer, 0);
	put_bytes(writer, &packet->saddr[3], 4);
	put_bytes(writer, &packet->daddr[3], 4);
}

static void put_ipv6(struct writer *writer, const struct bkxdp_packet *packet, uint16_t payload)
{
	put32(writer, 0x60000000);
	put16(writer, payload + (packet->fragment ? 8 : 0));
	put8(writer, packet->fragment ? IPPROTO_FRAGMENT : packet->protocol);
	put8(writer, packet->hop_limit);
	put_bytes(writer, packet->saddr, 16);
	put_bytes(writer, packet->daddr, 16);
	if (!packet->fragment)
		return;
	put16(writer, packet->protocol << 8);
	put16(writer, fragment_offset(packet) << 3 | (packet->fragment == BKXDP_FRAGMENT_FIRST));
	put32(writer, 1);
}

static void put_tcp(struct writer *writer, const struct bkxdp_packet *packet)
{
	put16(writer, packet->sport);
	put16(writer, packet->dport);
	put32(writer, 1);
	put32(writer, packet->tcp_flags & BKXDP_TCP_ACK ? 1 : 0);
	put8(writer, 5 << 4);
	put8(writer, packet->tcp_flags);
	put16(writer, 64240);
	put32(writer, 0);
}

static void put_udp(struct writer *writer, const struct bkxdp_packet *packet)
{
	put16(writer, packet->sport);
	put16(writer, packet->dport);
	put16(writer, 8);
	put16(writer, 0);
}

static void put_icmp(struct writer *writer, const struct bkxdp_packet *packet)
{
	put16(writer, packet->icmp_type << 8);
	put16(writer, 0);
	put32(writer, 1);
}

size_t packet_build(const struct bkxdp_packet *packet, uint8_t frame[static PACKET_BUILD_MAX])
{
	struct writer writer = {.frame = frame};
	uint16_t payload = packet->protocol == IPPROTO_TCP ? 20 : 8;

	put_ethernet(&writer, packet);
	if (packet->kind == BKXDP_FRAME_IPV4)
		put_ipv4(&writer, packet, payload);
	else
		put_ipv6(&writer, packet, payload);
	if (packet->protocol == IPPROTO_TCP)
		put_tcp(&writer, packet);
	else if (packet->protocol == IPPROTO_UDP)
		put_udp(&writer, packet);
	else
		put_icmp(&writer, packet);
	return writer.length;
}
