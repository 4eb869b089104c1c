// SPDX-License-Identifier: GPL-2.0-only
/*
 * Summaries of frames. A packet that is built from words has the same words as its summary. The
 * summary of the beginning of a frame says nothing that the summary of the whole frame does not
 * say.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "packet/packet_build.h"
#include "packet/packet_summary.h"
#include "packet/packet_text.h"
#include "packets.h"
#include "tap.h"

#define LINK_BYTES (14 + 4 * BUILD_TAGS_MAX)
#define HELD_MOST  400

/* ---- words, a frame, and back ----------------------------------------------- */

static const char *const sentences[] = {
	"tcp 10.20.30.5:40000 > 10.20.30.1:10000 syn",
	"tcp 10.20.30.5:40000 > 10.20.30.1:445 syn-ack",
	"tcp 10.20.30.5:1 > 10.20.30.1:65535 fin-rst-psh-urg-ack vlan 4094",
	"tcp [2001:db8::5]:40000 > [2001:db8::1]:445 rst",
	"tcp 10.20.30.5:40000 > 10.20.30.1:445 syn first-fragment",
	"udp 10.20.30.5:53 > 10.20.30.1:40000",
	"udp [fe80::5]:546 > [ff02::1:2]:547 vlan 7",
	"icmp 10.20.30.5 > 10.20.30.1 echo",
	"icmp 10.20.30.5 > 10.20.30.1 redirect vlan 1",
	"icmp 10.20.30.5 > 10.20.30.1 type 42",
	"icmpv6 2001:db8::5 > 2001:db8::1 echo-reply",
	"icmpv6 fe80::5 > ff02::1 router-advertisement",
};

static void test_words(const char *sentence)
{
	char *words[] = {(char *)sentence}, *problem = NULL, *text;
	uint8_t frame[PACKET_BUILD_MAX];
	struct packet_words result;
	struct packet_summary summary;
	size_t length;

	if (!check_int(packet_text_read(words, 1, &result, &problem), 0, "%s: is read", sentence)) {
		free(problem);
		return;
	}
	length = packet_build(&result.packet, frame);
	packet_summary_read(frame, length, length, &summary);
	text = packet_summary_text(&summary);
	check_text(text, sentence, "%s: comes back", sentence);
	free(text);
}

/* Frames without ports, and frames without an IP packet. */
static void test_other_words(void)
{
	static const uint8_t other[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 5, 0x88, 0xcc};
	struct packet_summary summary;
	char *text;

	packet_summary_read(other, sizeof(other), sizeof(other), &summary);
	text = packet_summary_text(&summary);
	check_text(text, "frame 02:00:00:00:00:05 > 02:00:00:00:00:01 ethertype 0x88cc",
		   "a frame without IP");
	free(text);
	packet_summary_read(other, 10, 10, &summary);
	text = packet_summary_text(&summary);
	check_text(text, "frame of 10 bytes", "a frame that is cut off in its addresses");
	free(text);
}

/* ---- only the beginning ----------------------------------------------------- */

static bool same_addresses(const struct bkxdp_packet *part, const struct bkxdp_packet *whole)
{
	return part->kind == whole->kind &&
	       !memcmp(part->saddr, whole->saddr, sizeof(part->saddr)) &&
	       !memcmp(part->daddr, whole->daddr, sizeof(part->daddr));
}

static bool same_ports(const struct bkxdp_packet *part, const struct bkxdp_packet *whole)
{
	return part->sport == whole->sport && part->dport == whole->dport &&
	       part->tcp_flags == whole->tcp_flags;
}

static bool is_less(uint32_t part, uint32_t whole)
{
	return !part || part == whole;
}

/* Returns what is wrong in the summary of the part, or NULL. */
static const char *contradiction(const struct packet_summary *part,
				 const struct packet_summary *whole, uint32_t held)
{
	if (part->has_addresses && !same_addresses(&part->packet, &whole->packet))
		return "addresses";
	if (part->has_ports && (!whole->has_ports || !same_ports(&part->packet, &whole->packet)))
		return "ports";
	if (part->has_icmp_type &&
	    (!whole->has_icmp_type || part->packet.icmp_type != whole->packet.icmp_type))
		return "message";
	if (!is_less(part->packet.protocol, whole->packet.protocol))
		return "protocol";
	if (!is_less(part->packet.fragment, whole->packet.fragment))
		return "fragment";
	if (!is_less(part->packet.vlan, whole->packet.vlan))
		return "vlan";
	if (part->has_ethernet && memcmp(part->source_mac, whole->source_mac, 6) != 0)
		return "link";
	if (held >= LINK_BYTES && part->ethertype != whole->ethertype)
		return "ethertype";
	return part->packet.length == whole->packet.length ? NULL : "length";
}

static void test_beginnings(const struct row *row)
{
	static uint8_t bytes[BUILD_BYTES_MAX];
	const char *wrong = NULL;
	uint32_t where = 0;

	for (size_t n = 0; n < STEPS_MAX && row->step[n].reason; n++) {
		uint32_t length = (uint32_t)build(&row->step[n].frame, bytes);
		struct packet_summary whole, part;

		packet_summary_read(bytes, length, length, &whole);
		for (uint32_t held = 0; held <= length && held < HELD_MOST && !wrong; held++) {
			/* AddressSanitizer finds reads beyond it */
			uint8_t *beginning = malloc(held ? held : 1);

			memcpy(beginning, bytes, held);
			packet_summary_read(beginning, held, length, &part);
			free(beginning);
			wrong = contradiction(&part, &whole, held);
			where = held;
		}
	}
	check(!wrong, "%s: its beginning says nothing else", row->name);
	if (wrong)
		printf("# %s, of the first %u bytes\n", wrong, where);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++)
		test_words(sentences[i]);
	test_other_words();
	for (size_t i = 0; i < row_count; i++)
		test_beginnings(&rows[i]);
	return tap_done();
}
