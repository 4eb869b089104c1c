// SPDX-License-Identifier: GPL-2.0-only
#include "build.h"

#include <arpa/inet.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FILLER 0xa5 /* fills bytes that nobody may look at */

struct writer {
	uint8_t *bytes;
	size_t count;
};

static void put8(struct writer *to, int value)
{
	to->bytes[to->count++] = (uint8_t)value;
}

static void put16(struct writer *to, int value)
{
	put8(to, value >> 8);
	put8(to, value);
}

static void put_fill(struct writer *to, int octet, size_t count)
{
	memset(to->bytes + to->count, octet, count);
	to->count += count;
}

static void put_bytes(struct writer *to, const void *bytes, size_t count)
{
	memcpy(to->bytes + to->count, bytes, count);
	to->count += count;
}

static void set16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value & 0xff;
}

static int or_usual(int named, int usual)
{
	if (!named)
		return usual;
	return named == ZERO ? 0 : named;
}

/* A frame, and what the IP layer needs to know about it. */
struct job {
	const struct frame *frame;
	bool six;
	uint8_t from[16], to[16];
	size_t address; /* length of an address in bytes */
	int protocol;
};

static void parse_address(int family, const char *text, uint8_t *to)
{
	/* a wrong address in the table must not look like a test */
	if (inet_pton(family, text, to) != 1)
		abort();
}

static struct job job_of(const struct frame *frame)
{
	struct job job = {.frame = frame, .six = frame->from && strchr(frame->from, ':')};
	int family = job.six ? AF_INET6 : AF_INET;

	parse_address(family, frame->from ? frame->from : PEER, job.from);
	parse_address(family, frame->to ? frame->to : job.six ? SELF6 : SELF, job.to);
	job.address = job.six ? 16 : 4;
	job.protocol = or_usual(frame->protocol, IPPROTO_TCP);
	return job;
}

/* ---- checksums, RFC 1071 ------------------------------------------------- */

static uint32_t sum_bytes(uint32_t sum, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static uint16_t l4_checksum(const struct job *job, const uint8_t *l4, size_t count)
{
	uint32_t sum = sum_bytes(0, l4, count);

	if (job->protocol != IPPROTO_ICMP) {
		sum = sum_bytes(sum, job->from, job->address);
		sum = sum_bytes(sum, job->to, job->address);
		sum += (uint32_t)count + (uint32_t)job->protocol;
	}
	return fold(sum);
}

/* ---- layer 4 ------------------------------------------------------------- */

static void put_tcp(struct writer *to, const struct frame *frame)
{
	int words = 5 + frame->tcp_options / 4;

	put16(to, or_usual(frame->sport, 40000));
	put16(to, or_usual(frame->dport, 10000));
	put_fill(to, 0, 8);
	put8(to, or_usual(frame->doff, words) << 4);
	put8(to, or_usual(frame->flags, SYN));
	put16(to, 65535);
	put_fill(to, 0, 4);
	put_fill(to, 1, (size_t)frame->tcp_options);
}

static void put_udp(struct writer *to, const struct frame *frame)
{
	put16(to, or_usual(frame->sport, 40000));
	put16(to, or_usual(frame->dport, 10000));
	put16(to, or_usual(frame->udp_length, 8 + frame->data));
	put16(to, 0);
}

static void put_icmp(struct writer *to, const struct job *job)
{
	int echo = job->protocol == IPPROTO_ICMP ? 8 : 128;

	put8(to, or_usual(job->frame->icmp, echo));
	put_fill(to, 0, 7);
}

/* Returns the offset of the checksum in the header, or 0 if there is none. */
static size_t put_l4_header(struct writer *to, const struct job *job)
{
	switch (job->protocol) {
	case IPPROTO_TCP:
		put_tcp(to, job->frame);
		return 16;
	case IPPROTO_UDP:
		put_udp(to, job->frame);
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put_icmp(to, job);
		return 2;
	default:
		/*
		 * bytes that look like an allowed port to a parser that reads ports from
		 * anything
		 */
		put16(to, 40000);
		put16(to, 10000);
		put_fill(to, FILLER, 16);
		return 0;
	}
}

static void put_l4(struct writer *to, const struct job *job)
{
	size_t start = to->count, checksum = put_l4_header(to, job);

	put_fill(to, FILLER, (size_t)job->frame->data);
	if (checksum)
		set16(to->bytes + start + checksum,
		      l4_checksum(job, to->bytes + start, to->count - start));
	if (job->frame->l4)
		to->count = start + (size_t)or_usual(job->frame->l4, 0);
}

/* ---- IPv4 ---------------------------------------------------------------- */

static void put_ipv4(struct writer *to, const struct job *job, const struct writer *l4)
{
	const struct frame *frame = job->frame;
	size_t start = to->count, options = (frame->options.count + 3) & ~(size_t)3;
	int header = 20 + (int)options;

	put8(to, or_usual(frame->version, 4) << 4 | or_usual(frame->ihl, header / 4));
	put8(to, 0);
	put16(to, or_usual(frame->total, header + (int)l4->count));
	put16(to, 0x1234);
	put16(to, frame->flags16);
	put8(to, or_usual(frame->hop, 64));
	put8(to, job->protocol);
	put16(to, 0);
	put_bytes(to, job->from, 4);
	put_bytes(to, job->to, 4);
	if (options) {
		put_bytes(to, frame->options.at, frame->options.count);
		put_fill(to, 1, options - frame->options.count);
	}
	set16(to->bytes + start + 10, fold(sum_bytes(0, to->bytes + start, to->count - start)));
	put_bytes(to, l4->bytes, l4->count);
}

/* ---- IPv6 ---------------------------------------------------------------- */

static int length_octet(const struct extension *extension, int size)
{
	switch (extension->type) {
	case FRAGMENT:
		return extension->reserved;
	case AH:
		return or_usual(extension->claims, size / 4 - 2);
	default:
		return or_usual(extension->claims, size / 8 - 1);
	}
}

static void put_extension(struct writer *to, const struct extension *extension, int next)
{
	int size = or_usual(extension->size, 8);
	size_t start = to->count;

	put8(to, next);
	put8(to, length_octet(extension, size));
	switch (extension->type) {
	case FRAGMENT:
		put16(to, extension->offset << 3 | extension->bits << 1 | extension->more);
		put_fill(to, 0x5a, 4); /* identification */
		break;
	case ROUTING:
		put8(to, or_usual(extension->routing, 253));
		put8(to, extension->left);
		break;
	case HOPOPTS:
	case DSTOPTS: /* PadN of 4, then Pad1 */
		put8(to, 1);
		put8(to, 4);
		break;
	}
	put_fill(to, 0, start + (size_t)size - to->count);
}

static void put_extensions(struct writer *to, const struct job *job)
{
	const struct extension *extension = job->frame->extension;

	for (int i = 0; i < BUILD_EXTENSIONS_MAX && extension[i].type; i++) {
		int last = i + 1 == BUILD_EXTENSIONS_MAX || !extension[i + 1].type;

		put_extension(to, &extension[i], last ? job->protocol : extension[i + 1].type);
	}
}

static void put_ipv6(struct writer *to, const struct job *job, const struct writer *l4)
{
	const struct frame *frame = job->frame;
	size_t start = to->count;

	put8(to, or_usual(frame->version, 6) << 4);
	put_fill(to, 0, 5);
	put8(to, frame->extension[0].type ? frame->extension[0].type : job->protocol);
	put8(to, or_usual(frame->hop, 64));
	put_bytes(to, job->from, 16);
	put_bytes(to, job->to, 16);
	put_extensions(to, job);
	put_bytes(to, l4->bytes, l4->count);
	set16(to->bytes + start + 4,
	      (uint16_t)or_usual(frame->payload, (int)(to->count - start) - 40));
}

/* ---- the frame ------------------------------------------------------------ */

static void put_ethernet(struct writer *to, const struct job *job)
{
	static const uint8_t usual[2][6] = {{0x02, 0, 0, 0, 0, 9}, {0x02, 0, 0, 0, 0, 5}};
	const struct frame *frame = job->frame;

	put_bytes(to, frame->mac ? (const void *)ether_aton(frame->mac) : usual[0], 6);
	put_bytes(to, usual[1], 6);
	for (int i = 0; i < BUILD_TAGS_MAX && frame->tag[i].type; i++) {
		put16(to, frame->tag[i].type);
		put16(to, frame->tag[i].tci);
	}
	put16(to, or_usual(frame->type, job->six ? 0x86dd : 0x0800));
}

size_t build(const struct frame *frame, uint8_t bytes[static BUILD_BYTES_MAX])
{
	static uint8_t l4_bytes[BUILD_BYTES_MAX];
	struct writer to = {bytes, 0}, l4 = {l4_bytes, 0};
	struct job job = job_of(frame);

	put_ethernet(&to, &job);
	put_l4(&l4, &job);
	if (job.six)
		put_ipv6(&to, &job, &l4);
	else
		put_ipv4(&to, &job, &l4);
	put_fill(&to, FILLER, (size_t)frame->pad);
	return (size_t)or_usual(frame->cut, (int)to.count);
}
