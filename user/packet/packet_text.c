// SPDX-License-Identifier: GPL-2.0-only
#include "packet/packet_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define DEFAULT_SPORT 40000

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20

/* ---- tables of words ------------------------------------------------------ */

static const struct {
	const char *word;
	uint8_t protocol;
	int family; /* 0: either */
} protocols[] = {
	{"tcp", IPPROTO_TCP, 0},
	{"udp", IPPROTO_UDP, 0},
	{"icmp", IPPROTO_ICMP, AF_INET},
	{"icmpv6", IPPROTO_ICMPV6, AF_INET6},
};

static const struct {
	const char *word;
	uint8_t flag;
} flags[] = {
	{"syn", TCP_SYN}, {"fin", TCP_FIN}, {"rst", TCP_RST},
	{"psh", TCP_PSH}, {"urg", TCP_URG}, {"ack", TCP_ACK},
};

/* Hop limits as real hosts send them: what lives on the link only says so there. */
static const struct {
	const char *word;
	uint8_t protocol;
	uint8_t type;
	uint8_t hop_limit;
} messages[] = {
	{"echo", IPPROTO_ICMP, 8, 64},
	{"echo-reply", IPPROTO_ICMP, 0, 64},
	{"unreachable", IPPROTO_ICMP, 3, 64},
	{"redirect", IPPROTO_ICMP, 5, 64},
	{"time-exceeded", IPPROTO_ICMP, 11, 64},
	{"parameter-problem", IPPROTO_ICMP, 12, 64},
	{"timestamp", IPPROTO_ICMP, 13, 64},
	{"echo", IPPROTO_ICMPV6, 128, 64},
	{"echo-reply", IPPROTO_ICMPV6, 129, 64},
	{"unreachable", IPPROTO_ICMPV6, 1, 64},
	{"packet-too-big", IPPROTO_ICMPV6, 2, 64},
	{"time-exceeded", IPPROTO_ICMPV6, 3, 64},
	{"parameter-problem", IPPROTO_ICMPV6, 4, 64},
	{"multicast-query", IPPROTO_ICMPV6, 130, 1},
	{"router-solicitation", IPPROTO_ICMPV6, 133, 255},
	{"router-advertisement", IPPROTO_ICMPV6, 134, 255},
	{"neighbour-solicitation", IPPROTO_ICMPV6, 135, 255},
	{"neighbour-advertisement", IPPROTO_ICMPV6, 136, 255},
	{"redirect", IPPROTO_ICMPV6, 137, 255},
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* ---- words ---------------------------------------------------------------- */

/* A reader of words: what is left of them, and where a complaint goes. */
struct reader {
	char **word;
	size_t count;
	size_t next;
	struct asked asked;
	bool has_flags;
	bool has_message;
	char *problem;
};

#define refuse(reader, ...) ((reader)->problem = must_format(__VA_ARGS__), -EINVAL)

static void keep_word(struct reader *reader, const char *start, size_t length)
{
	char **word = APPEND(reader->word, reader->count);

	*word = must_format("%.*s", (int)length, start);
}

/* Spaces separate words; `>` is one by itself. */
static void split(struct reader *reader, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, " \t\n>");

		if (length)
			keep_word(reader, text, length);
		text += length;
		if (*text == '>')
			keep_word(reader, text, 1);
		if (*text)
			text++;
	}
}

static const char *peek(const struct reader *reader)
{
	return reader->next < reader->count ? reader->word[reader->next] : NULL;
}

static bool skip_word(struct reader *reader, const char *word)
{
	if (!peek(reader) || strcmp(peek(reader), word) != 0)
		return false;
	reader->next++;
	return true;
}

/* Decimal, without a sign or anything behind it. */
static bool read_number(const char *text, unsigned int low, unsigned int high, unsigned int *number)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value;

	if (!digits || digits > 9 || text[digits])
		return false;
	value = strtoul(text, NULL, 10);
	if (value < low || value > high)
		return false;
	*number = value;
	return true;
}

static int read_port(struct reader *reader, const char *word, const char *text, uint16_t *port)
{
	unsigned int number;

	if (!read_number(text, 1, 65535, &number))
		return refuse(reader, "\"%s\" in \"%s\" is not a port, a number from 1 to 65535",
			      text, word);
	*port = number;
	return 0;
}

static int read_address(struct reader *reader, const char *text, int *family, uint32_t address[4])
{
	uint32_t ipv4;

	if (inet_pton(AF_INET, text, &ipv4) == 1) {
		*family = AF_INET;
		address[0] = 0;
		address[1] = 0;
		address[2] = BKXDP_MAPPED_WORD;
		address[3] = ipv4;
		return 0;
	}
	if (inet_pton(AF_INET6, text, address) == 1) {
		*family = AF_INET6;
		return 0;
	}
	return refuse(reader,
		      "\"%s\" is not an address; write 10.20.30.5, 10.20.30.5:40000, 2001:db8::5 "
		      "or [2001:db8::5]:40000",
		      text);
}

/* Cuts ADDRESS[:PORT] or [ADDRESS][:PORT] in two; NULL: no port there. */
static char *cut_port(char *word)
{
	char *end = word[0] == '[' ? strchr(word, ']') : NULL;
	char *colon = end ? end + 1 : strchr(word, ':');

	if (end)
		*end = '\0';
	if (!colon || *colon != ':' || (!end && strchr(colon + 1, ':')))
		return end && *colon ? colon : NULL;
	*colon = '\0';
	return colon + 1;
}

static int read_endpoint(struct reader *reader, const char *word, uint32_t address[4],
			 uint16_t *port)
{
	AUTO_FREE char *copy = must_copy(word);
	char *port_text = cut_port(copy);
	int family = 0;

	if (read_address(reader, copy + (copy[0] == '[' && strchr(word, ']')), &family, address))
		return -EINVAL;
	if (reader->asked.family && reader->asked.family != family)
		return refuse(reader, "\"%s\" is %s, but %s", word,
			      family == AF_INET ? "IPv4" : "IPv6",
			      reader->asked.family == AF_INET ? "an IPv4 address goes before it"
							      : "an IPv6 address goes before it");
	reader->asked.family = family;
	if (!port_text)
		return 0;
	if (!port)
		return refuse(reader, "\"%s\" has a port, and ICMP has none", word);
	return read_port(reader, word, port_text, port);
}

/* ---- the sentence: PROTOCOL SOURCE > DESTINATION WORD... ------------------ */

static int read_protocol(struct reader *reader)
{
	const char *word = peek(reader);

	if (!word)
		return refuse(reader, "no packet is given");
	for (size_t i = 0; i < COUNT(protocols); i++) {
		if (strcmp(protocols[i].word, word) != 0)
			continue;
		reader->asked.protocol = protocols[i].protocol;
		reader->asked.family = protocols[i].family;
		reader->next++;
		return 0;
	}
	return refuse(reader, "\"%s\" is not a protocol: tcp, udp, icmp or icmpv6", word);
}

static bool has_ports(const struct asked *asked)
{
	return asked->protocol == IPPROTO_TCP || asked->protocol == IPPROTO_UDP;
}

static int wrong_family(struct reader *reader, const char *word, int wanted)
{
	return refuse(reader, "\"%s\" is not an %s address: %s", word,
		      wanted == AF_INET ? "IPv4" : "IPv6",
		      wanted == AF_INET ? "icmp is for IPv4, icmpv6 for IPv6"
					: "icmpv6 is for IPv6, icmp for IPv4");
}

static int read_source(struct reader *reader)
{
	const char *word = peek(reader);
	int wanted = reader->asked.family;

	if (!word || !strcmp(word, ">"))
		return refuse(reader, "the source address is missing behind \"%s\"",
			      reader->word[reader->next - 1]);
	reader->asked.family = 0;
	if (read_endpoint(reader, word, reader->asked.saddr,
			  has_ports(&reader->asked) ? &reader->asked.sport : NULL))
		return -EINVAL;
	if (wanted && wanted != reader->asked.family)
		return wrong_family(reader, word, wanted);
	reader->next++;
	return 0;
}

/* A shell takes an unquoted `>` for itself, and then nothing is left of it here. */
static int no_destination(struct reader *reader)
{
	return refuse(
		reader,
		"the destination port is missing: write \"> PORT\" behind \"%s\", and quote the "
		"packet, or the shell takes \">\" as its own; \"to PORT\" needs no quotes",
		reader->word[reader->next - 1]);
}

static int read_destination(struct reader *reader)
{
	struct asked *asked = &reader->asked;
	bool ports = has_ports(asked);
	const char *word;

	if (!skip_word(reader, ">") && !skip_word(reader, "to"))
		return ports ? no_destination(reader) : 0;
	word = peek(reader);
	if (!word)
		return no_destination(reader);
	if (ports && !word[strspn(word, "0123456789")]) {
		if (read_port(reader, word, word, &asked->dport))
			return -EINVAL;
	} else {
		if (read_endpoint(reader, word, asked->daddr, ports ? &asked->dport : NULL))
			return -EINVAL;
		asked->has_daddr = true;
	}
	if (ports && !asked->dport)
		return refuse(reader, "\"%s\" has no port: write %s:10000", word, word);
	reader->next++;
	return 0;
}

static uint8_t flag_at(const char *text, size_t length)
{
	for (size_t i = 0; i < COUNT(flags); i++)
		if (strlen(flags[i].word) == length && !strncmp(flags[i].word, text, length))
			return flags[i].flag;
	return 0;
}

/* "syn", "syn-ack": 0 where it is no such word. */
static uint8_t flags_of(const char *word)
{
	uint8_t all = 0;

	do {
		size_t length = strcspn(word, "-");
		uint8_t one = flag_at(word, length);

		if (!one)
			return 0;
		all |= one;
		word += length;
	} while (*word++ == '-');
	return all;
}

static bool read_flags(struct reader *reader, const char *word)
{
	uint8_t all = flags_of(word);

	if (!all || reader->asked.protocol != IPPROTO_TCP)
		return false;
	reader->asked.tcp_flags = (reader->has_flags ? reader->asked.tcp_flags : 0) | all;
	reader->has_flags = true;
	return true;
}

static bool read_message(struct reader *reader, const char *word)
{
	for (size_t i = 0; i < COUNT(messages); i++) {
		if (messages[i].protocol != reader->asked.protocol ||
		    strcmp(messages[i].word, word) != 0)
			continue;
		reader->asked.icmp_type = messages[i].type;
		reader->asked.hop_limit = messages[i].hop_limit;
		reader->has_message = true;
		return true;
	}
	return false;
}

static bool read_fragment(struct reader *reader, const char *word)
{
	if (!strcmp(word, "first-fragment"))
		reader->asked.fragment = SHRED_FIRST;
	else if (!strcmp(word, "later-fragment"))
		reader->asked.fragment = SHRED_LATER;
	else
		return false;
	return true;
}

/* "vlan N", "type N": the number behind the word. */
static int read_numbered(struct reader *reader, const char *what, unsigned int low,
			 unsigned int high, unsigned int *number)
{
	const char *word = reader->next + 1 < reader->count ? reader->word[reader->next + 1] : "";

	if (!read_number(word, low, high, number))
		return refuse(reader, "\"%s %s\": the number must be from %u to %u", what, word,
			      low, high);
	reader->next++;
	return 0;
}

static int unknown_word(struct reader *reader, const char *word)
{
	const char *known = "vlan N, first-fragment or later-fragment";

	if (reader->asked.protocol == IPPROTO_TCP)
		return refuse(reader,
			      "\"%s\" is not known here: write syn, ack, syn-ack, fin-ack, "
			      "rst, %s",
			      word, known);
	if (reader->asked.protocol == IPPROTO_UDP)
		return refuse(reader, "\"%s\" is not known here: write %s", word, known);
	return refuse(reader,
		      "\"%s\" is not known here: write echo, echo-reply, unreachable, type N, "
		      "%s",
		      word, known);
}

static int read_trailing(struct reader *reader)
{
	const char *word = peek(reader);
	unsigned int number;

	if (!strcmp(word, "vlan")) {
		if (read_numbered(reader, word, 1, 4094, &number))
			return -EINVAL;
		reader->asked.vlan = number;
	} else if (!strcmp(word, "type") && !has_ports(&reader->asked)) {
		if (read_numbered(reader, word, 0, 255, &number))
			return -EINVAL;
		reader->asked.icmp_type = number;
		reader->has_message = true;
	} else if (!read_flags(reader, word) && !read_message(reader, word) &&
		   !read_fragment(reader, word)) {
		return unknown_word(reader, word);
	}
	reader->next++;
	return 0;
}

static int read_sentence(struct reader *reader)
{
	if (read_protocol(reader) || read_source(reader) || read_destination(reader))
		return -EINVAL;
	while (peek(reader))
		if (read_trailing(reader))
			return -EINVAL;
	return 0;
}

/* Documentation addresses (RFC 5737, RFC 3849), and never the packet's own source. */
static void place_destination(struct asked *asked)
{
	bool ipv4 = asked->family == AF_INET;
	const char *first = ipv4 ? "::ffff:192.0.2.1" : "2001:db8::1";
	const char *second = ipv4 ? "::ffff:192.0.2.2" : "2001:db8::2";

	inet_pton(AF_INET6, first, asked->daddr);
	if (!memcmp(asked->daddr, asked->saddr, sizeof(asked->daddr)))
		inet_pton(AF_INET6, second, asked->daddr);
}

static void set_defaults(struct reader *reader)
{
	struct asked *asked = &reader->asked;

	if (asked->protocol == IPPROTO_TCP && !reader->has_flags)
		asked->tcp_flags = TCP_SYN;
	if (!has_ports(asked) && !reader->has_message)
		read_message(reader, "echo");
	if (!asked->has_daddr)
		place_destination(asked);
}

int asked_read(char *const *words, size_t count, struct asked *asked, char **problem)
{
	struct reader reader = {.asked = {.sport = DEFAULT_SPORT, .hop_limit = 64}};
	int wrong;

	for (size_t i = 0; i < count; i++)
		split(&reader, words[i]);
	wrong = read_sentence(&reader);
	if (wrong) {
		*problem = reader.problem;
	} else {
		set_defaults(&reader);
		*asked = reader.asked;
	}
	for (size_t i = 0; i < reader.count; i++)
		free(reader.word[i]);
	free(reader.word);
	return wrong;
}

/* ---- and back ------------------------------------------------------------- */

static void print_endpoint(FILE *out, const struct asked *asked, const uint32_t address[4],
			   uint16_t port)
{
	bool ipv4 = asked->family == AF_INET;
	char text[INET6_ADDRSTRLEN];

	inet_ntop(asked->family, ipv4 ? (const void *)&address[3] : address, text, sizeof(text));
	if (!has_ports(asked))
		fputs(text, out);
	else
		fprintf(out, ipv4 ? "%s:%u" : "[%s]:%u", text, port);
}

const char *asked_protocol(uint8_t protocol)
{
	for (size_t i = 0; i < COUNT(protocols); i++)
		if (protocols[i].protocol == protocol)
			return protocols[i].word;
	return NULL;
}

void asked_print_flags(FILE *out, const struct asked *asked)
{
	const char *before = "";

	for (size_t i = 0; i < COUNT(flags); i++) {
		if (!(asked->tcp_flags & flags[i].flag))
			continue;
		fprintf(out, "%s%s", before, flags[i].word);
		before = "-";
	}
}

const char *asked_message(const struct asked *asked)
{
	for (size_t i = 0; i < COUNT(messages); i++)
		if (messages[i].protocol == asked->protocol && messages[i].type == asked->icmp_type)
			return messages[i].word;
	return NULL;
}

void asked_print_message(FILE *out, const struct asked *asked)
{
	const char *word = asked_message(asked);

	if (word)
		fprintf(out, " %s", word);
	else
		fprintf(out, " type %u", asked->icmp_type);
}

void asked_print_rest(FILE *out, const struct asked *asked)
{
	if (asked->vlan)
		fprintf(out, " vlan %u", asked->vlan);
	if (asked->fragment)
		fputs(asked->fragment == SHRED_FIRST ? " first-fragment" : " later-fragment", out);
}

static void print_asked(FILE *out, const struct asked *asked)
{
	fprintf(out, "%s ", asked_protocol(asked->protocol));
	print_endpoint(out, asked, asked->saddr, asked->sport);
	fputs(" > ", out);
	print_endpoint(out, asked, asked->daddr, asked->dport);
	if (asked->protocol == IPPROTO_TCP && asked->tcp_flags) {
		fputc(' ', out);
		asked_print_flags(out, asked);
	}
	if (!has_ports(asked))
		asked_print_message(out, asked);
	asked_print_rest(out, asked);
}

char *asked_text(const struct asked *asked)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return must_copy("");
	print_asked(out, asked);
	fclose(out);
	return text;
}

/* ---- the frame ------------------------------------------------------------ */

/* Where the next byte goes. */
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

static void put_ethernet(struct writer *writer, const struct asked *asked)
{
	static const uint8_t to[6] = {0x02, 0, 0, 0, 0, 1}, from[6] = {0x02, 0, 0, 0, 0, 2};

	put_bytes(writer, to, sizeof(to));
	put_bytes(writer, from, sizeof(from));
	if (asked->vlan) {
		put16(writer, 0x8100);
		put16(writer, asked->vlan);
	}
	put16(writer, asked->family == AF_INET ? 0x0800 : 0x86dd);
}

/* 185 units of 8 bytes: what a full first fragment on Ethernet leaves behind it. */
static uint16_t fragment_offset(const struct asked *asked)
{
	return asked->fragment == SHRED_LATER ? 185 : 0;
}

static void put_ipv4(struct writer *writer, const struct asked *asked, uint16_t payload)
{
	put16(writer, 0x4500);
	put16(writer, 20 + payload);
	put16(writer, 1);
	put16(writer, fragment_offset(asked) | (asked->fragment == SHRED_FIRST ? 0x2000 : 0));
	put8(writer, asked->hop_limit);
	put8(writer, asked->protocol);
	put16(writer, 0);
	put_bytes(writer, &asked->saddr[3], 4);
	put_bytes(writer, &asked->daddr[3], 4);
}

static void put_ipv6(struct writer *writer, const struct asked *asked, uint16_t payload)
{
	put32(writer, 0x60000000);
	put16(writer, payload + (asked->fragment ? 8 : 0));
	put8(writer, asked->fragment ? IPPROTO_FRAGMENT : asked->protocol);
	put8(writer, asked->hop_limit);
	put_bytes(writer, asked->saddr, 16);
	put_bytes(writer, asked->daddr, 16);
	if (!asked->fragment)
		return;
	put16(writer, asked->protocol << 8);
	put16(writer, fragment_offset(asked) << 3 | (asked->fragment == SHRED_FIRST));
	put32(writer, 1);
}

static void put_tcp(struct writer *writer, const struct asked *asked)
{
	put16(writer, asked->sport);
	put16(writer, asked->dport);
	put32(writer, 1);
	put32(writer, asked->tcp_flags & TCP_ACK ? 1 : 0);
	put8(writer, 5 << 4);
	put8(writer, asked->tcp_flags);
	put16(writer, 64240);
	put32(writer, 0);
}

static void put_udp(struct writer *writer, const struct asked *asked)
{
	put16(writer, asked->sport);
	put16(writer, asked->dport);
	put16(writer, 8);
	put16(writer, 0);
}

static void put_icmp(struct writer *writer, const struct asked *asked)
{
	put16(writer, asked->icmp_type << 8);
	put16(writer, 0);
	put32(writer, 1);
}

size_t frame_build(const struct asked *asked, uint8_t frame[static FRAME_BYTES_MAX])
{
	struct writer writer = {.frame = frame};
	uint16_t payload = asked->protocol == IPPROTO_TCP ? 20 : 8;

	put_ethernet(&writer, asked);
	if (asked->family == AF_INET)
		put_ipv4(&writer, asked, payload);
	else
		put_ipv6(&writer, asked, payload);
	if (asked->protocol == IPPROTO_TCP)
		put_tcp(&writer, asked);
	else if (asked->protocol == IPPROTO_UDP)
		put_udp(&writer, asked);
	else
		put_icmp(&writer, asked);
	return writer.length;
}
