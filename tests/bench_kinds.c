// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of the traffic that is measured. All addresses are those of scripts/bench:
 * 10.20.30.5 is a peer in every policy; 16.0.0.0/28 and every second /28 after it are the other
 * peers, as many as the policy has.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

/* Offsets in a frame without tags. */
#define AT_SUM   24
#define AT_FROM  26
#define AT_FROM6 22
#define AT_SPORT 34
#define AT_DPORT 36

#define DATA_PORT 50000 /* the backup flow, which every policy allows */
#define SHORT     6     /* bytes of data that fill the shortest frame: 60 bytes, on the wire 64 */

#define ACKS(...)                                                                                  \
	{                                                                                          \
		.dport = DATA_PORT, .flags = ACK, .data = SHORT, __VA_ARGS__                       \
	}
#define STRANGERS                                                                                  \
	.addresses = 1u << 28, .address_first = IPV4(96, 0, 0, 0), .address_step = 1,              \
	.address_at = AT_FROM
#define FLOWS(sources, each)                                                                       \
	.addresses = sources, .address_first = IPV4(16, 0, 0, 1), .address_step = 32,              \
	.address_at = AT_FROM, .ports = each, .port_first = 20000, .port_at = AT_SPORT

static const struct kind kinds[] = {
	{"long", "one long flow", .frame = ACKS(), .passes = true},
	{"flows-1000", "1,000 flows of one peer", .frame = ACKS(), .passes = true,
	 .vary = {FLOWS(1, 1000)}},
	{"flows-100000", "100,000 flows of 100 peers", .frame = ACKS(), .passes = true,
	 .vary = {FLOWS(100, 1000)}},
	{"control", "a control connection", .passes = true,
	 .frame = {.dport = 10000, .flags = ACK, .data = SHORT}},
	{"first", "first packet, one peer", .passes = true,
	 .frame = {.dport = DATA_PORT, .flags = SYN, .data = SHORT}},
	{"first-control", "first packet of a control connection", .passes = true,
	 .frame = {.dport = 10000, .flags = SYN, .data = SHORT}},
	{"first-any", "first packet, any peer at random", .passes = true, .any_peer = true,
	 .frame = {.dport = DATA_PORT, .flags = SYN, .data = SHORT}, .vary = {FLOWS(1, 1000)}},
	{"reply", "first answer to a connection of ours", .passes = true,
	 .frame = {.sport = 6000, .dport = 40001, .flags = SYN | ACK, .data = SHORT}},
	{"director", "answers of a director", .passes = true,
	 .frame = {.sport = 2546, .dport = 40003, .flags = ACK, .data = SHORT}},
	{"reply-none", "answer to no connection of ours",
	 .frame = {.sport = 6000, .dport = 40002, .flags = SYN | ACK, .data = SHORT}},
	{"stranger", "strangers, random sources", .frame = ACKS(), .vary = {STRANGERS}},
	{"stranger-one", "one stranger", .frame = ACKS(.from = "96.1.2.3")},
	{"neighbour", "strangers in a peer's /16", .frame = ACKS(),
	 .vary = {.addresses = 32768,
		  .address_first = IPV4(10, 20, 128, 0),
		  .address_step = 1,
		  .address_at = AT_FROM}},
	{"scan", "a peer scans ports", .frame = {.flags = SYN, .data = SHORT},
	 .vary = {.ports = 8192, .port_first = 1024, .port_at = AT_DPORT}},
	{"long-ipv6", "one long flow, IPv6", .passes = true,
	 .frame = ACKS(.from = PEER6, .to = SELF6)},
	{"stranger-ipv6", "strangers, IPv6", .frame = ACKS(.from = "2400::1", .to = SELF6),
	 .vary = {.addresses = 1 << 26,
		  .address_first = 0x24000000,
		  .address_step = 1,
		  .address_at = AT_FROM6}},
	{"long-vlan", "one long flow, one VLAN tag", .passes = true,
	 .frame = ACKS(.tag = {{CTAG, 100}})},
	{"long-1500", "one long flow, 1,500 bytes", .passes = true,
	 .frame = {.dport = DATA_PORT, .flags = ACK, .data = 1460}},
	{"long-9000", "one long flow, 9,000 bytes", .passes = true,
	 .frame = {.dport = DATA_PORT, .flags = ACK, .data = 8960}},
	{"sent-strangers", "strangers, all dropped", .as_sent = true, .frame = ACKS(),
	 .vary = {STRANGERS}},
	/* for another station, so that the stack drops at once what the filter passes */
	{"sent-allowed", "1,000 flows of one peer, all passed", .as_sent = true, .passes = true,
	 .frame = ACKS(.mac = "02:00:00:00:00:77"), .vary = {FLOWS(1, 1000)}},
	{"sent-peers", "any peer at random, all passed", .as_sent = true, .passes = true,
	 .any_peer = true, .frame = ACKS(.mac = "02:00:00:00:00:77"), .vary = {FLOWS(1, 1000)}},
};

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	fprintf(stderr, "bench: there is no kind of traffic \"%s\"\n", name);
	return NULL;
}

struct bench_vary kind_vary(const struct kind *kind, uint32_t prefixes)
{
	struct bench_vary vary = kind->vary;

	if (kind->any_peer)
		vary.addresses = prefixes;
	if (kind->as_sent)
		vary.sum_at = AT_SUM;
	return vary;
}

static int tcp_socket(const char *address, uint16_t port)
{
	struct sockaddr_in self = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0)
		return -1;
	inet_pton(AF_INET, address, &self.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, (struct sockaddr *)&self, sizeof(self)))
		return fd;
	close(fd);
	return -1;
}

/* Both ends are on this host, which makes no difference to the socket table. */
static int connection(const char *from, uint16_t sport, const char *to, uint16_t dport)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(dport)};
	int server = tcp_socket(to, dport), client = tcp_socket(from, sport);

	inet_pton(AF_INET, to, &peer.sin_addr);
	if (server < 0 || client < 0 || listen(server, 1) ||
	    connect(client, (struct sockaddr *)&peer, sizeof(peer)) ||
	    accept(server, NULL, NULL) < 0) {
		fprintf(stderr, "bench: no connection %s:%u > %s:%u: %s\n", from, sport, to, dport,
			strerror(errno));
		return -1;
	}
	return 0;
}

int kind_sockets(void)
{
	if (connection(PEER, 40000, SELF, DATA_PORT) || connection(PEER, 40000, SELF, 10000) ||
	    connection(SELF, 40001, PEER, 6000))
		return -1;
	return 0;
}
