// SPDX-License-Identifier: GPL-2.0-only
/* Words of `explain` -> facts -> a frame that the datapath's own parser reads back. */
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "tap.h"

typedef const struct received bkxdp_frame;
struct received {
	const uint8_t *bytes;
	uint32_t length;
};

#define BKXDP_STEP static

static uint32_t frame_length(bkxdp_frame *frame)
{
	return frame->length;
}

static uint32_t frame_near(bkxdp_frame *frame)
{
	return frame->length;
}

static int frame_read(bkxdp_frame *frame, uint32_t offset, void *to, uint32_t length)
{
	if (offset > frame->length || length > frame->length - offset)
		return -1;
	memcpy(to, frame->bytes + offset, length);
	return 0;
}

#include <bkxdp/packet.h>

/* What is said, and the same in full. */
static const struct {
	const char *words, *full;
} sentences[] = {
	{"tcp 10.20.30.5:40000 > 10000", "tcp 10.20.30.5:40000 > 192.0.2.1:10000 syn"},
	{"tcp 10.20.30.5 to 10000", "tcp 10.20.30.5:40000 > 192.0.2.1:10000 syn"},
	{"tcp 10.20.30.5>10.20.30.1:22", "tcp 10.20.30.5:40000 > 10.20.30.1:22 syn"},
	{" tcp\t10.20.30.5:1  >\n2 ", "tcp 10.20.30.5:1 > 192.0.2.1:2 syn"},
	{"tcp 10.20.30.5 > 1 ack", "tcp 10.20.30.5:40000 > 192.0.2.1:1 ack"},
	{"tcp 10.20.30.5 > 1 syn-ack", "tcp 10.20.30.5:40000 > 192.0.2.1:1 syn-ack"},
	{"tcp 10.20.30.5 > 1 ack-syn", "tcp 10.20.30.5:40000 > 192.0.2.1:1 syn-ack"},
	{"tcp 10.20.30.5 > 1 fin ack", "tcp 10.20.30.5:40000 > 192.0.2.1:1 fin-ack"},
	{"tcp 10.20.30.5 > 1 rst", "tcp 10.20.30.5:40000 > 192.0.2.1:1 rst"},
	{"tcp 192.0.2.1 > 1", "tcp 192.0.2.1:40000 > 192.0.2.2:1 syn"},
	{"tcp 10.20.30.5 > 1 vlan 7 first-fragment",
	 "tcp 10.20.30.5:40000 > 192.0.2.1:1 syn vlan 7 first-fragment"},
	{"tcp [2001:db8:20::5]:40000 > [2001:db8:20::1]:10000 syn",
	 "tcp [2001:db8:20::5]:40000 > [2001:db8:20::1]:10000 syn"},
	{"tcp 2001:db8:20::5 > 10000", "tcp [2001:db8:20::5]:40000 > [2001:db8::1]:10000 syn"},
	{"tcp [2001:db8:20::5] > 10000", "tcp [2001:db8:20::5]:40000 > [2001:db8::1]:10000 syn"},
	{"tcp 2001:db8::1 > 1", "tcp [2001:db8::1]:40000 > [2001:db8::2]:1 syn"},
	{"udp 10.20.30.5:53 > 5000 later-fragment",
	 "udp 10.20.30.5:53 > 192.0.2.1:5000 later-fragment"},
	{"udp 2001:db8:20::5 > 514 vlan 4094 later-fragment",
	 "udp [2001:db8:20::5]:40000 > [2001:db8::1]:514 vlan 4094 later-fragment"},
	{"icmp 10.20.30.5", "icmp 10.20.30.5 > 192.0.2.1 echo"},
	{"icmp 10.20.30.5 echo-reply", "icmp 10.20.30.5 > 192.0.2.1 echo-reply"},
	{"icmp 10.20.30.5 > 10.20.30.1 unreachable", "icmp 10.20.30.5 > 10.20.30.1 unreachable"},
	{"icmp 10.20.30.5 type 250", "icmp 10.20.30.5 > 192.0.2.1 type 250"},
	{"icmpv6 fe80::1 router-advertisement",
	 "icmpv6 fe80::1 > 2001:db8::1 router-advertisement"},
	{"icmpv6 2001:db8:20::5 type 128", "icmpv6 2001:db8:20::5 > 2001:db8::1 echo"},
};

/* What is wrong, and a part of the complaint. */
static const struct {
	const char *words, *part;
} mistakes[] = {
	{"", "no packet is given"},
	{"tcpp 10.20.30.5 > 1", "\"tcpp\" is not a protocol"},
	{"tcp", "source address is missing behind \"tcp\""},
	{"tcp > 10000", "source address is missing behind \"tcp\""},
	{"tcp 10.20.30.5", "\"to PORT\" needs no quotes"},
	{"tcp 10.20.30.5:40000", "destination port is missing"},
	{"tcp 10.20.30.5 >", "destination port is missing"},
	{"tcp 10.20.30.5 10000", "destination port is missing"},
	{"tcp 10.20.30.500 > 1", "\"10.20.30.500\" is not an address"},
	{"tcp backup.example.com > 1", "\"backup.example.com\" is not an address"},
	{"tcp 10.20.30.5:0 > 1", "\"0\" in \"10.20.30.5:0\" is not a port"},
	{"tcp 10.20.30.5:65536 > 1", "\"65536\""},
	{"tcp 10.20.30.5:99999999999 > 1", "\"99999999999\""},
	{"tcp 10.20.30.5:-1 > 1", "\"-1\""},
	{"tcp 10.20.30.5: > 1", "\"\" in \"10.20.30.5:\""},
	{"tcp 10.20.30.5 > 0", "\"0\" in \"0\""},
	{"tcp 10.20.30.5 > 10.20.30.1", "\"10.20.30.1\" has no port"},
	{"tcp 10.20.30.5 > [2001:db8::1]:1", "is IPv6, but an IPv4 address goes before it"},
	{"tcp [2001:db8::1 > 1", "\"[2001:db8::1\" is not an address"},
	{"tcp [2001:db8::1]x > 1", "\"x\" in \"[2001:db8::1]x\" is not a port"},
	{"tcp [] > 1", "\"\" is not an address"},
	{"tcp 10.20.30.5 > 1 sin", "\"sin\" is not known here: write syn"},
	{"tcp 10.20.30.5 > 1 syn-", "\"syn-\" is not known here"},
	{"tcp 10.20.30.5 > 1 echo", "\"echo\" is not known here"},
	{"udp 10.20.30.5 > 1 syn", "\"syn\" is not known here: write vlan N"},
	{"tcp 10.20.30.5 > 1 vlan", "\"vlan \": the number must be from 1 to 4094"},
	{"tcp 10.20.30.5 > 1 vlan 4095", "\"vlan 4095\": the number must be from 1 to 4094"},
	{"icmp 10.20.30.5 type 256", "\"type 256\": the number must be from 0 to 255"},
	{"icmp 10.20.30.5:7 echo", "has a port, and ICMP has none"},
	{"icmp 2001:db8::1", "icmp is for IPv4, icmpv6 for IPv6"},
	{"icmpv6 10.20.30.5", "icmpv6 is for IPv6, icmp for IPv4"},
};

static int read_text(const char *words, struct asked *asked, char **complaint)
{
	char *copy = strdup(words);
	int wrong = asked_read(&copy, 1, asked, complaint);

	free(copy);
	return wrong;
}

static void test_sentences(void)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		struct asked asked;
		char *complaint = NULL, *text = NULL;

		if (!read_text(sentences[i].words, &asked, &complaint))
			text = asked_text(&asked);
		check_text(text ? text : complaint, sentences[i].full, "read: %s",
			   sentences[i].full);
		free(text);
		free(complaint);
	}
}

static void test_mistakes(void)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		struct asked asked = {.sport = 7};
		char *complaint = NULL;
		int wrong = read_text(mistakes[i].words, &asked, &complaint);

		check(wrong == -EINVAL && asked.sport == 7, "refused, nothing written: %s",
		      mistakes[i].words);
		check_has(complaint, mistakes[i].part, "complaint: %s", mistakes[i].words);
		free(complaint);
	}
}

static void test_many_arguments(void)
{
	char *words[] = {"tcp", "10.20.30.5:40000", ">", "10000", "ack"};
	char *complaint = NULL, *text = NULL;
	struct asked asked;

	if (!asked_read(words, sizeof(words) / sizeof(*words), &asked, &complaint))
		text = asked_text(&asked);
	check_text(text, "tcp 10.20.30.5:40000 > 192.0.2.1:10000 ack", "one word an argument");
	free(text);
	free(complaint);
}

static bool is_same(const struct bkxdp_packet *packet, const struct asked *asked)
{
	bool ports = packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP;

	if (packet->fragment == BKXDP_FRAGMENT_LATER)
		return true;
	if (ports)
		return packet->sport == asked->sport && packet->dport == asked->dport &&
		       packet->tcp_flags == asked->tcp_flags;
	return packet->icmp_type == asked->icmp_type;
}

/* The datapath's parser must find what was asked for, and nothing to refuse. */
static void test_frames(void)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		uint8_t bytes[FRAME_BYTES_MAX];
		struct bkxdp_packet packet = {};
		struct asked asked = {};
		char *complaint = NULL;

		read_text(sentences[i].words, &asked, &complaint);
		bkxdp_parse(&(struct received){bytes, frame_build(&asked, bytes)}, &packet);
		check(!packet.tags_refused && !packet.l3_refused && !packet.l4_refused &&
			      packet.protocol == asked.protocol && packet.vlan == asked.vlan &&
			      packet.fragment == (int)asked.fragment &&
			      !memcmp(packet.saddr, asked.saddr, 16) &&
			      !memcmp(packet.daddr, asked.daddr, 16) && is_same(&packet, &asked),
		      "frame: %s", sentences[i].full);
		free(complaint);
	}
}

int main(void)
{
	test_sentences();
	test_mistakes();
	test_many_arguments();
	test_frames();
	return tap_done();
}
