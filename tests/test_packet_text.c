// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets in the words of `explain`: read to facts, printed again, and built to a frame, byte
 * by byte.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "packet/packet_build.h"
#include "packet/packet_text.h"
#include "tap.h"

/* A packet in words, and the same in full. */
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

/* Wrong words, and a part of the message. */
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
	{"tcp 10.20.30.5 > [2001:db8::1]:1", "is IPv6, but the address before it is IPv4"},
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

static int read_text(const char *words, struct packet_words *result, char **problem)
{
	char *copy = strdup(words);
	int wrong = packet_text_read(&copy, 1, result, problem);

	free(copy);
	return wrong;
}

static void test_sentences(void)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
		struct packet_words result;
		char *problem = NULL, *text = NULL;

		if (!read_text(sentences[i].words, &result, &problem))
			text = packet_text(&result.packet);
		check_text(text ? text : problem, sentences[i].full, "read: %s", sentences[i].full);
		free(text);
		free(problem);
	}
}

static void test_mistakes(void)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		struct packet_words result = {.packet.sport = 7};
		char *problem = NULL;
		int wrong = read_text(mistakes[i].words, &result, &problem);

		check(wrong == -EINVAL && result.packet.sport == 7, "refused, nothing written: %s",
		      mistakes[i].words);
		check_has(problem, mistakes[i].part, "complaint: %s", mistakes[i].words);
		free(problem);
	}
}

static void test_many_arguments(void)
{
	char *words[] = {"tcp", "10.20.30.5:40000", ">", "10000", "ack"};
	char *problem = NULL, *text = NULL;
	struct packet_words result;

	if (!packet_text_read(words, sizeof(words) / sizeof(*words), &result, &problem))
		text = packet_text(&result.packet);
	check_text(text, "tcp 10.20.30.5:40000 > 192.0.2.1:10000 ack", "one word an argument");
	free(text);
	free(problem);
}

/* Spaces separate the headers. */
static const struct {
	const char *words, *hex;
} frames[] = {
	{"tcp 10.20.30.5 > 10.20.30.1:10000", "020000000001 020000000002 0800 "
					      "4500 0028 0001 0000 40 06 0000 0a141e05 0a141e01 "
					      "9c40 2710 00000001 00000000 50 02 faf0 00000000"},
	{"tcp 10.20.30.5 > 10.20.30.1:10000 fin-ack vlan 7",
	 "020000000001 020000000002 8100 0007 0800 "
	 "4500 0028 0001 0000 40 06 0000 0a141e05 0a141e01 "
	 "9c40 2710 00000001 00000001 50 11 faf0 00000000"},
	{"udp 10.20.30.5:53 > 10.20.30.1:5000 later-fragment",
	 "020000000001 020000000002 0800 "
	 "4500 001c 0001 00b9 40 11 0000 0a141e05 0a141e01 "
	 "0035 1388 0008 0000"},
	{"udp 10.20.30.5:53 > 10.20.30.1:5000 first-fragment",
	 "020000000001 020000000002 0800 "
	 "4500 001c 0001 2000 40 11 0000 0a141e05 0a141e01 "
	 "0035 1388 0008 0000"},
	{"icmp 10.20.30.5 > 10.20.30.1 unreachable",
	 "020000000001 020000000002 0800 "
	 "4500 001c 0001 0000 40 01 0000 0a141e05 0a141e01 "
	 "03 00 0000 00000001"},
	{"tcp 2001:db8::5 > [2001:db8::1]:22 first-fragment",
	 "020000000001 020000000002 86dd "
	 "60000000 001c 2c 40 20010db8000000000000000000000005 20010db8000000000000000000000001 "
	 "06 00 0001 00000001 "
	 "9c40 0016 00000001 00000000 50 02 faf0 00000000"},
	{"udp 2001:db8::5 > [2001:db8::1]:514 later-fragment",
	 "020000000001 020000000002 86dd "
	 "60000000 0010 2c 40 20010db8000000000000000000000005 20010db8000000000000000000000001 "
	 "11 00 05c8 00000001 "
	 "9c40 0202 0008 0000"},
	{"icmpv6 fe80::5 > fe80::1 router-advertisement vlan 4094",
	 "020000000001 020000000002 8100 0ffe 86dd "
	 "60000000 0008 3a ff fe800000000000000000000000000005 fe800000000000000000000000000001 "
	 "86 00 0000 00000001"},
};

static char *hex_of(const uint8_t *bytes, size_t length)
{
	char *text = calloc(length + 1, 2);

	for (size_t i = 0; text && i < length; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	return text;
}

static char *without_spaces(const char *text)
{
	char *copy = strdup(text), *to = copy;

	for (; *text; text++)
		if (*text != ' ')
			*to++ = *text;
	*to = '\0';
	return copy;
}

static void test_frames(void)
{
	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
		char *problem = NULL, *want = without_spaces(frames[i].hex), *got;
		uint8_t bytes[PACKET_BUILD_MAX];
		struct packet_words result = {};

		read_text(frames[i].words, &result, &problem);
		got = hex_of(bytes, packet_build(&result.packet, bytes));
		check_text(got, want, "frame: %s", frames[i].words);
		free(problem);
		free(want);
		free(got);
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
