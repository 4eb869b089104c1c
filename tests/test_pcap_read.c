// SPDX-License-Identifier: GPL-2.0-only
/* Reads pcap and pcapng files in all common variants, made byte by byte, and damaged ones. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "packet/pcap_read.h"
#include "tap.h"

#define ETHERNET  1
#define SLL       113
#define MICRO     0xa1b2c3d4
#define NANO      0xa1b23c4d
#define MUTATIONS 4000

/* A file that is being written, in either byte order. */
struct maker {
	uint8_t bytes[8192];
	size_t length;
	bool big;
};

static void put(struct maker *maker, uint32_t number, int size)
{
	for (int i = 0; i < size; i++)
		maker->bytes[maker->length++] = number >> 8 * (maker->big ? size - 1 - i : i);
}

static void put_zeros(struct maker *maker, size_t count)
{
	memset(maker->bytes + maker->length, 0, count);
	maker->length += count;
}

static void pcap_header(struct maker *maker, uint32_t magic, uint32_t link)
{
	put(maker, magic, 4);
	put(maker, 2, 2);
	put(maker, 4, 2);
	put_zeros(maker, 8);
	put(maker, 65535, 4);
	put(maker, link, 4);
}

/* Its bytes are 0xee, which differs from zeros. */
static void pcap_packet(struct maker *maker, uint32_t seconds, uint32_t fraction, uint32_t held,
			uint32_t length)
{
	put(maker, seconds, 4);
	put(maker, fraction, 4);
	put(maker, held, 4);
	put(maker, length, 4);
	memset(maker->bytes + maker->length, 0xee, held);
	maker->length += held;
}

static void pcapng_header(struct maker *maker, uint32_t link)
{
	put(maker, 0x0a0d0d0a, 4);
	put(maker, 28, 4);
	put(maker, 0x1a2b3c4d, 4);
	put(maker, 1, 2);
	put(maker, 0, 2);
	put(maker, 0xffffffff, 4);
	put(maker, 0xffffffff, 4);
	put(maker, 28, 4);

	put(maker, 1, 4);
	put(maker, 32, 4);
	put(maker, link, 2);
	put(maker, 0, 2);
	put(maker, 65535, 4);
	put(maker, 9, 2); /* if_tsresol: 10^-9 s; the value of an option is padded to 4 bytes */
	put(maker, 1, 2);
	maker->bytes[maker->length] = 9;
	maker->length++;
	put_zeros(maker, 3 + 4);
	put(maker, 32, 4);
}

static void pcapng_packet(struct maker *maker, uint32_t ns, uint32_t held, uint32_t length)
{
	uint32_t padded = (held + 3) & ~3u;

	put(maker, 6, 4);
	put(maker, 32 + padded, 4);
	put(maker, 0, 4);
	put(maker, 0, 4);
	put(maker, ns, 4);
	put(maker, held, 4);
	put(maker, length, 4);
	memset(maker->bytes + maker->length, 0xee, held);
	memset(maker->bytes + maker->length + held, 0, padded - held);
	maker->length += padded;
	put(maker, 32 + padded, 4);
}

static char path[] = "/tmp/bkxdp-test-capture-XXXXXX";

static void store(const void *bytes, size_t length)
{
	FILE *file = fopen(path, "we");

	if (!file || fwrite(bytes, 1, length, file) != length || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static struct capture *open_made(const struct maker *maker, char **problem)
{
	store(maker->bytes, maker->length);
	return capture_open(path, problem);
}

/* ---- files that are sound ------------------------------------------------- */

static void check_packet(struct capture *capture, uint32_t length, uint64_t now, const char *name)
{
	struct captured_packet packet = {};
	char *problem = NULL;

	check_int(capture_next(capture, &packet, &problem), 1, "%s: a packet", name);
	check_int(packet.length, length, "%s: its length", name);
	check_int(packet.now, now, "%s: its time", name);
	check(packet.length && packet.bytes[0] == 0xee, "%s: its bytes", name);
	free(problem);
}

static void check_end(struct capture *capture, const char *name)
{
	struct captured_packet packet;
	char *problem = NULL;

	check_int(capture_next(capture, &packet, &problem), 0, "%s: the end", name);
	free(problem);
	capture_close(capture);
}

static void check_pcap(bool big, bool nano)
{
	struct maker maker = {.big = big};
	char *problem = NULL, name[32];
	struct capture *capture;

	snprintf(name, sizeof(name), "pcap %s-endian %s", big ? "big" : "little",
		 nano ? "ns" : "us");
	pcap_header(&maker, nano ? NANO : MICRO, ETHERNET);
	pcap_packet(&maker, 5, 3, 60, 60);
	pcap_packet(&maker, 4, 0, 61, 61); /* the clock of the capture was set back */
	pcap_packet(&maker, 6, 0, 62, 62);
	capture = open_made(&maker, &problem);
	if (!check(capture, "%s: opens", name))
		return;
	check_packet(capture, 60, 5000000000u + (nano ? 3 : 3000), name);
	check_packet(capture, 61, 5000000000u + (nano ? 3 : 3000), name);
	check_packet(capture, 62, 6000000000u, name);
	check_end(capture, name);
}

static void check_pcapng(bool big)
{
	const char *name = big ? "pcapng big-endian" : "pcapng little-endian";
	struct maker maker = {.big = big};
	char *problem = NULL;
	struct capture *capture;

	pcapng_header(&maker, ETHERNET);
	pcapng_packet(&maker, 7, 60, 60);
	pcapng_packet(&maker, 9, 61, 61);
	capture = open_made(&maker, &problem);
	if (!check(capture, "%s: opens", name))
		return;
	check_packet(capture, 60, 7, name);
	check_packet(capture, 61, 9, name);
	check_end(capture, name);
}

static void test_empty(void)
{
	struct maker maker = {};
	char *problem = NULL;
	struct capture *capture;

	pcap_header(&maker, MICRO, ETHERNET);
	capture = open_made(&maker, &problem);
	if (check(capture, "a capture without packets opens"))
		check_end(capture, "a capture without packets");
}

/* ---- parts of packets ----------------------------------------------------- */

static const struct {
	const char *name;
	uint32_t held, wire, length;
	bool cut;
} parts[] = {
	{"whole and short", 40, 40, 40, false},
	{"snapped behind the headers", 114, 1514, 1514, false},
	{"snapped in the headers", 113, 1514, 1514, true},
	{"nothing captured", 0, 60, 60, true},
	{"more captured than sent", 60, 14, 60, false},
	{"longer than any L3 packet", 200, 0xffffffff, CAPTURE_BYTES_MAX, false},
};

static bool is_filled(const struct captured_packet *packet, uint32_t held)
{
	for (uint32_t i = 0; i < packet->length; i++)
		if (packet->bytes[i] != (i < held ? 0xee : 0))
			return false;
	return true;
}

static void test_parts(void)
{
	struct maker maker = {};
	struct captured_packet packet;
	char *problem = NULL;
	struct capture *capture;

	pcap_header(&maker, MICRO, ETHERNET);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		pcap_packet(&maker, 1, 0, parts[i].held, parts[i].wire);
	capture = open_made(&maker, &problem);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		check_int(capture_next(capture, &packet, &problem), 1, "%s", parts[i].name);
		check_int(packet.length, parts[i].length, "%s: length", parts[i].name);
		check_int(packet.truncated, parts[i].cut, "%s: cut", parts[i].name);
		check(is_filled(&packet, parts[i].held), "%s: zeros behind", parts[i].name);
	}
	capture_close(capture);
}

/* ---- files that are not --------------------------------------------------- */

static void check_refused(const char *part, const char *name)
{
	char *problem = NULL;
	struct capture *capture = capture_open(path, &problem);

	check(!capture, "%s: refused", name);
	check_has(problem, part, "%s: says why", name);
	capture_close(capture);
	free(problem);
}

static void test_refused(void)
{
	struct maker sll = {}, odd = {}, cut = {};

	pcap_header(&sll, MICRO, SLL);
	store(sll.bytes, sll.length);
	check_refused("LINUX_SLL (113)", "capture of `any`");
	check_refused("capture on the interface itself", "capture of `any`");
	pcap_header(&odd, MICRO, 147);
	store(odd.bytes, odd.length);
	check_refused("only Ethernet frames can be judged", "a private link type");
	pcap_header(&cut, MICRO, ETHERNET);
	store(cut.bytes, 10);
	check_refused("not a pcap or pcapng capture", "a file header cut off");
	store("interface: eth1\nuse: []\nmode: auto\n", 35);
	check_refused("not a pcap or pcapng capture", "a text");
	store("", 0);
	check_refused("the file is empty", "an empty file");
	unlink(path);
	check_refused("No such file or directory", "no file");
}

static void test_truncated(void)
{
	struct maker maker = {};
	struct captured_packet packet;
	char *problem = NULL;
	struct capture *capture;

	pcap_header(&maker, MICRO, ETHERNET);
	pcap_packet(&maker, 1, 0, 60, 60);
	pcap_packet(&maker, 2, 0, 60, 60);
	maker.length -= 1;
	capture = open_made(&maker, &problem);
	check_int(capture_next(capture, &packet, &problem), 1, "truncated: the packet before");
	check_int(capture_next(capture, &packet, &problem), -EIO, "truncated: an error");
	check_has(problem, "packet 2 is truncated", "truncated: which packet");
	free(problem);
	capture_close(capture);
}

/* ---- hostile ones: no outcome is expected but that there is one ------------ */

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % limit;
}

static void mutate(struct maker *maker)
{
	for (uint32_t i = random_below(8) + 1; i; i--) {
		uint32_t at = random_below(random_below(2) ? 64 : maker->length);

		maker->bytes[at] = random_below(3) ? random_below(256) : 0xff;
	}
	if (!random_below(4))
		maker->length = random_below(maker->length) + 1;
}

static uint64_t read_all(const struct maker *maker)
{
	struct captured_packet packet;
	char *problem = NULL;
	struct capture *capture = open_made(maker, &problem);
	uint64_t sum = 0, before = 0;
	int found = 0;

	while (capture && (found = capture_next(capture, &packet, &problem)) == 1) {
		for (uint32_t i = 0; i < packet.length; i++)
			sum += packet.bytes[i];
		if (packet.now < before || packet.length > CAPTURE_BYTES_MAX)
			abort();
		before = packet.now;
	}
	if ((!capture || found < 0) != !!problem)
		abort();
	capture_close(capture);
	free(problem);
	return sum;
}

static void test_mutations(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < MUTATIONS; i++) {
		struct maker maker = {.big = i & 1};

		if (i & 2) {
			pcapng_header(&maker, ETHERNET);
			for (int n = 0; n < 4; n++)
				pcapng_packet(&maker, n, 60 + n, 60 + n);
		} else {
			pcap_header(&maker, i & 4 ? NANO : MICRO, ETHERNET);
			for (int n = 0; n < 4; n++)
				pcap_packet(&maker, n, n, 60, 60 + n);
		}
		mutate(&maker);
		sum += read_all(&maker);
	}
	check(sum, "%d mutated captures", MUTATIONS);
}

int main(void)
{
	int file = mkstemp(path);

	if (file < 0) {
		perror(path);
		return 1;
	}
	close(file);
	for (int i = 0; i < 4; i++)
		check_pcap(i & 1, i & 2);
	check_pcapng(false);
	check_pcapng(true);
	test_empty();
	test_parts();
	test_truncated();
	test_mutations();
	test_refused();
	unlink(path);
	return tap_done();
}
