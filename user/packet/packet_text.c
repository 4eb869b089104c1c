// SPDX-License-Identifier: GPL-2.0-only
#include "packet/packet_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/strv.h"
#include "net/prefix.h"

#define DEFAULT_SPORT 40000

/* ---- tables of words ------------------------------------------------------ */

static const struct {
	const char *word;
	uint8_t protocol;
	uint8_t kind; /* 0: both */
} protocols[] = {
	{"tcp", IPPROTO_TCP, 0},
	{"udp", IPPROTO_UDP, 0},
	{"icmp", IPPROTO_ICMP, BKXDP_FRAME_IPV4},
	{"icmpv6", IPPROTO_ICMPV6, BKXDP_FRAME_IPV6},
};

static const struct {
	const char *word;
	uint8_t flag;
} flags[] = {
	{"syn", BKXDP_TCP_SYN}, {"fin", BKXDP_TCP_FIN}, {"rst", BKXDP_TCP_RST},
	{"psh", BKXDP_TCP_PSH}, {"urg", BKXDP_TCP_URG}, {"ack", BKXDP_TCP_ACK},
};

/*
 * ICMP messages, with the hop limit that real hosts send. Messages that stay on the link are
 * judged by it.
 */
static const struct {
	const char *word;
	uint8_t protocol;
	uint8_t type;
	uint8_t hop_limit;
} messages[] = {
	{"echo", IPPROTO_ICMP, BKXDP_ICMP_ECHO, 64},
	{"echo-reply", IPPROTO_ICMP, BKXDP_ICMP_ECHO_REPLY, 64},
	{"unreachable", IPPROTO_ICMP, BKXDP_ICMP_UNREACHABLE, 64},
	{"redirect", IPPROTO_ICMP, BKXDP_ICMP_REDIRECT, 64},
	{"time-exceeded", IPPROTO_ICMP, BKXDP_ICMP_TIME_EXCEEDED, 64},
	{"parameter-problem", IPPROTO_ICMP, BKXDP_ICMP_PARAMETER_PROBLEM, 64},
	{"timestamp", IPPROTO_ICMP, BKXDP_ICMP_TIMESTAMP, 64},
	{"echo", IPPROTO_ICMPV6, ICMPV6_ECHO_REQUEST, 64},
	{"echo-reply", IPPROTO_ICMPV6, ICMPV6_ECHO_REPLY, 64},
	{"unreachable", IPPROTO_ICMPV6, ICMPV6_DEST_UNREACH, 64},
	{"packet-too-big", IPPROTO_ICMPV6, ICMPV6_PKT_TOOBIG, 64},
	{"time-exceeded", IPPROTO_ICMPV6, ICMPV6_TIME_EXCEED, 64},
	{"parameter-problem", IPPROTO_ICMPV6, ICMPV6_PARAMPROB, 64},
	{"multicast-query", IPPROTO_ICMPV6, ICMPV6_MGM_QUERY, 1},
	{"router-solicitation", IPPROTO_ICMPV6, BKXDP_ICMPV6_ROUTER_SOLICITATION, 255},
	{"router-advertisement", IPPROTO_ICMPV6, BKXDP_ICMPV6_ROUTER_ADVERTISEMENT, 255},
	{"neighbour-solicitation", IPPROTO_ICMPV6, BKXDP_ICMPV6_NEIGHBOUR_SOLICITATION, 255},
	{"neighbour-advertisement", IPPROTO_ICMPV6, BKXDP_ICMPV6_NEIGHBOUR_ADVERTISEMENT, 255},
	{"redirect", IPPROTO_ICMPV6, BKXDP_ICMPV6_REDIRECT, 255},
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* ---- splitting and reading words ---------------------------------------- */

/* The words that are being read, and what was read so far. */
struct reader {
	char **words;
	size_t n_words;
	size_t next;
	struct packet_words result;
	bool has_flags;
	bool has_icmp_type;
	char *problem;
};

#define refuse(reader, ...) ((reader)->problem = must_format(__VA_ARGS__), -EINVAL)

static void add_word(struct reader *reader, const char *start, size_t length)
{
	char **word = APPEND(reader->words, reader->n_words);

	*word = must_format("%.*s", (int)length, start);
}

/* Splits text into words at spaces; `>` is always a word by itself. */
static void split(struct reader *reader, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, " \t\n>");

		if (length)
			add_word(reader, text, length);
		text += length;
		if (*text == '>')
			add_word(reader, text, 1);
		if (*text)
			text++;
	}
}

static const char *peek(const struct reader *reader)
{
	return reader->next < reader->n_words ? reader->words[reader->next] : NULL;
}

static bool skip_word(struct reader *reader, const char *word)
{
	if (!peek(reader) || strcmp(peek(reader), word) != 0)
		return false;
	reader->next++;
	return true;
}

/* Reads a decimal number without a sign or anything behind it. */
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

static int read_address(struct reader *reader, const char *text, uint8_t *kind, uint32_t address[4])
{
	switch (address_parse(text, address)) {
	case AF_INET:
		*kind = BKXDP_FRAME_IPV4;
		return 0;
	case AF_INET6:
		*kind = BKXDP_FRAME_IPV6;
		return 0;
	default:
		return refuse(reader,
			      "\"%s\" is not an address; write 10.20.30.5, 10.20.30.5:40000, "
			      "2001:db8::5 or [2001:db8::5]:40000",
			      text);
	}
}

/*
 * Splits ADDRESS[:PORT] or [ADDRESS][:PORT] in place. Returns the port, or NULL if there is
 * none.
 */
static char *split_port(char *word)
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

static const char *family_word(uint8_t kind)
{
	return kind == BKXDP_FRAME_IPV4 ? "IPv4" : "IPv6";
}

static int read_endpoint(struct reader *reader, const char *word, uint32_t address[4],
			 uint16_t *port)
{
	AUTO_FREE char *copy = must_copy(word);
	char *port_text = split_port(copy);
	uint8_t kind = 0, other = reader->result.packet.kind;

	if (read_address(reader, copy + (copy[0] == '[' && strchr(word, ']')), &kind, address))
		return -EINVAL;
	if (other && other != kind)
		return refuse(reader, "\"%s\" is %s, but the address before it is %s", word,
			      family_word(kind), family_word(other));
	reader->result.packet.kind = kind;
	if (!port_text)
		return 0;
	if (!port)
		return refuse(reader, "\"%s\" has a port, and ICMP has none", word);
	return read_port(reader, word, port_text, port);
}

/* ---- PROTOCOL SOURCE > DESTINATION WORD... ------------------------------ */

static int read_protocol(struct reader *reader)
{
	const char *word = peek(reader);

	if (!word)
		return refuse(reader, "no packet is given");
	for (size_t i = 0; i < COUNT(protocols); i++) {
		if (strcmp(protocols[i].word, word) != 0)
			continue;
		reader->result.packet.protocol = protocols[i].protocol;
		reader->result.packet.kind = protocols[i].kind;
		reader->next++;
		return 0;
	}
	return refuse(reader, "\"%s\" is not a protocol: tcp, udp, icmp or icmpv6", word);
}

static bool has_ports(const struct bkxdp_packet *packet)
{
	return packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP;
}

static int report_wrong_family(struct reader *reader, const char *word, uint8_t expected)
{
	return refuse(reader, "\"%s\" is not an %s address: %s", word, family_word(expected),
		      expected == BKXDP_FRAME_IPV4 ? "icmp is for IPv4, icmpv6 for IPv6"
						   : "icmpv6 is for IPv6, icmp for IPv4");
}

static int read_source(struct reader *reader)
{
	const char *word = peek(reader);
	uint8_t expected = reader->result.packet.kind;

	if (!word || !strcmp(word, ">"))
		return refuse(reader, "the source address is missing behind \"%s\"",
			      reader->words[reader->next - 1]);
	reader->result.packet.kind = 0;
	if (read_endpoint(reader, word, reader->result.packet.saddr,
			  has_ports(&reader->result.packet) ? &reader->result.packet.sport : NULL))
		return -EINVAL;
	if (expected && expected != reader->result.packet.kind)
		return report_wrong_family(reader, word, expected);
	reader->next++;
	return 0;
}

/* If `>` was not quoted, the shell took it as a redirection, and it is not among the words. */
static int report_no_destination(struct reader *reader)
{
	return refuse(
		reader,
		"the destination port is missing: write \"> PORT\" behind \"%s\", and quote the "
		"packet, or the shell takes \">\" for a redirection; \"to PORT\" needs no quotes",
		reader->words[reader->next - 1]);
}

static int read_destination(struct reader *reader)
{
	struct bkxdp_packet *packet = &reader->result.packet;
	bool ports = has_ports(packet);
	const char *word;

	if (!skip_word(reader, ">") && !skip_word(reader, "to"))
		return ports ? report_no_destination(reader) : 0;
	word = peek(reader);
	if (!word)
		return report_no_destination(reader);
	if (ports && !word[strspn(word, "0123456789")]) {
		if (read_port(reader, word, word, &packet->dport))
			return -EINVAL;
	} else {
		if (read_endpoint(reader, word, packet->daddr, ports ? &packet->dport : NULL))
			return -EINVAL;
		reader->result.has_daddr = true;
	}
	if (ports && !packet->dport)
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

/* Returns the flags of "syn" or "syn-ack", or 0 if the word is none of these. */
static uint8_t flags_of(const char *word)
{
	uint8_t flags_read = 0;

	do {
		size_t length = strcspn(word, "-");
		uint8_t flag = flag_at(word, length);

		if (!flag)
			return 0;
		flags_read |= flag;
		word += length;
	} while (*word++ == '-');
	return flags_read;
}

static bool read_flags(struct reader *reader, const char *word)
{
	uint8_t flags_read = flags_of(word);

	if (!flags_read || reader->result.packet.protocol != IPPROTO_TCP)
		return false;
	reader->result.packet.tcp_flags =
		(reader->has_flags ? reader->result.packet.tcp_flags : 0) | flags_read;
	reader->has_flags = true;
	return true;
}

static bool read_message(struct reader *reader, const char *word)
{
	for (size_t i = 0; i < COUNT(messages); i++) {
		if (messages[i].protocol != reader->result.packet.protocol ||
		    strcmp(messages[i].word, word) != 0)
			continue;
		reader->result.packet.icmp_type = messages[i].type;
		reader->result.packet.hop_limit = messages[i].hop_limit;
		reader->has_icmp_type = true;
		return true;
	}
	return false;
}

static bool read_fragment(struct reader *reader, const char *word)
{
	if (!strcmp(word, "first-fragment"))
		reader->result.packet.fragment = BKXDP_FRAGMENT_FIRST;
	else if (!strcmp(word, "later-fragment"))
		reader->result.packet.fragment = BKXDP_FRAGMENT_LATER;
	else
		return false;
	return true;
}

/* Reads the number behind the word in "vlan N" or "type N". */
static int read_numbered(struct reader *reader, const char *what, unsigned int low,
			 unsigned int high, unsigned int *number)
{
	const char *word =
		reader->next + 1 < reader->n_words ? reader->words[reader->next + 1] : "";

	if (!read_number(word, low, high, number))
		return refuse(reader, "\"%s %s\": the number must be from %u to %u", what, word,
			      low, high);
	reader->next++;
	return 0;
}

static int report_unknown_word(struct reader *reader, const char *word)
{
	const char *known = "vlan N, first-fragment or later-fragment";

	if (reader->result.packet.protocol == IPPROTO_TCP)
		return refuse(reader,
			      "\"%s\" is not known here: write syn, ack, syn-ack, fin-ack, "
			      "rst, %s",
			      word, known);
	if (reader->result.packet.protocol == IPPROTO_UDP)
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
		reader->result.packet.vlan = number;
	} else if (!strcmp(word, "type") && !has_ports(&reader->result.packet)) {
		if (read_numbered(reader, word, 0, 255, &number))
			return -EINVAL;
		reader->result.packet.icmp_type = number;
		reader->has_icmp_type = true;
	} else if (!read_flags(reader, word) && !read_message(reader, word) &&
		   !read_fragment(reader, word)) {
		return report_unknown_word(reader, word);
	}
	reader->next++;
	return 0;
}

static int read_packet(struct reader *reader)
{
	if (read_protocol(reader) || read_source(reader) || read_destination(reader))
		return -EINVAL;
	while (peek(reader))
		if (read_trailing(reader))
			return -EINVAL;
	return 0;
}

/* Uses documentation addresses (RFC 5737, RFC 3849), but never the source of the packet. */
static void set_default_destination(struct bkxdp_packet *packet)
{
	bool ipv4 = packet->kind == BKXDP_FRAME_IPV4;

	address_parse(ipv4 ? "192.0.2.1" : "2001:db8::1", packet->daddr);
	if (bkxdp_same_address(packet->daddr_half, packet->saddr_half))
		address_parse(ipv4 ? "192.0.2.2" : "2001:db8::2", packet->daddr);
}

static void set_defaults(struct reader *reader)
{
	struct bkxdp_packet *packet = &reader->result.packet;

	if (packet->protocol == IPPROTO_TCP && !reader->has_flags)
		packet->tcp_flags = BKXDP_TCP_SYN;
	if (!has_ports(packet) && !reader->has_icmp_type)
		read_message(reader, "echo");
	if (!reader->result.has_daddr)
		set_default_destination(packet);
}

int packet_text_read(char *const *words, size_t n_words, struct packet_words *result,
		     char **problem)
{
	struct reader reader = {.result.packet = {.sport = DEFAULT_SPORT, .hop_limit = 64}};
	int error;

	for (size_t i = 0; i < n_words; i++)
		split(&reader, words[i]);
	error = read_packet(&reader);
	if (error) {
		*problem = reader.problem;
	} else {
		set_defaults(&reader);
		*result = reader.result;
	}
	strv_free(reader.words, reader.n_words);
	return error;
}

/* ---- printing ----------------------------------------------------------- */

const char *packet_protocol_word(uint8_t protocol)
{
	for (size_t i = 0; i < COUNT(protocols); i++)
		if (protocols[i].protocol == protocol)
			return protocols[i].word;
	return NULL;
}

const char *packet_message_word(const struct bkxdp_packet *packet)
{
	for (size_t i = 0; i < COUNT(messages); i++)
		if (messages[i].protocol == packet->protocol &&
		    messages[i].type == packet->icmp_type)
			return messages[i].word;
	return NULL;
}

void packet_address_text(const struct bkxdp_packet *packet, const uint32_t address[static 4],
			 char text[static PACKET_ADDRESS_TEXT_MAX])
{
	bool ipv4 = packet->kind == BKXDP_FRAME_IPV4;

	inet_ntop(ipv4 ? AF_INET : AF_INET6, &address[ipv4 ? 3 : 0], text, PACKET_ADDRESS_TEXT_MAX);
}

void packet_print_flags(FILE *out, const struct bkxdp_packet *packet)
{
	const char *other = "";

	for (size_t i = 0; i < COUNT(flags); i++) {
		if (!(packet->tcp_flags & flags[i].flag))
			continue;
		fprintf(out, "%s%s", other, flags[i].word);
		other = "-";
	}
}

void packet_print_rest(FILE *out, const struct bkxdp_packet *packet)
{
	if (packet->vlan)
		fprintf(out, " vlan %u", packet->vlan);
	if (packet->fragment)
		fputs(packet->fragment == BKXDP_FRAGMENT_FIRST ? " first-fragment"
							       : " later-fragment",
		      out);
}

static void print_protocol(FILE *out, const struct bkxdp_packet *packet)
{
	const char *word = packet_protocol_word(packet->protocol);

	if (word)
		fprintf(out, "%s ", word);
	else if (packet->protocol)
		fprintf(out, "protocol %u ", packet->protocol);
	else
		fputs(packet->kind == BKXDP_FRAME_IPV4 ? "ipv4 " : "ipv6 ", out);
}

static void print_endpoint(FILE *out, const struct bkxdp_packet *packet, const uint32_t address[4],
			   const uint16_t *port)
{
	char text[PACKET_ADDRESS_TEXT_MAX];

	packet_address_text(packet, address, text);
	if (!port)
		fputs(text, out);
	else
		fprintf(out, packet->kind == BKXDP_FRAME_IPV4 ? "%s:%u" : "[%s]:%u", text, *port);
}

static void print_message(FILE *out, const struct bkxdp_packet *packet)
{
	const char *word = packet_message_word(packet);

	if (word)
		fprintf(out, " %s", word);
	else
		fprintf(out, " type %u", packet->icmp_type);
}

void packet_print(FILE *out, const struct bkxdp_packet *packet, bool ports, bool message)
{
	print_protocol(out, packet);
	print_endpoint(out, packet, packet->saddr, ports ? &packet->sport : NULL);
	fputs(" > ", out);
	print_endpoint(out, packet, packet->daddr, ports ? &packet->dport : NULL);
	if (ports && packet->protocol == IPPROTO_TCP && packet->tcp_flags) {
		fputc(' ', out);
		packet_print_flags(out, packet);
	}
	if (message)
		print_message(out, packet);
	packet_print_rest(out, packet);
}

char *packet_text(const struct bkxdp_packet *packet)
{
	struct strbuf text;

	packet_print(strbuf_open(&text), packet, has_ports(packet), !has_ports(packet));
	return strbuf_close(&text);
}
