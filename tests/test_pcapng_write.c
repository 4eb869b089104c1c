// SPDX-License-Identifier: GPL-2.0-only
/* What pcapng_write.c writes is read back by libpcap, and walked block by block. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "packet/pcap_read.h"
#include "packet/pcapng_write.h"
#include "tap.h"

#define TIME 1795183387123456789ull /* above 2^32, and odd nanoseconds */

static char path[] = "/tmp/test_pcapng.XXXXXX";
static uint8_t bytes[192];

static struct pcapng_packet packet_of(uint32_t captured, uint32_t length)
{
	return (struct pcapng_packet){TIME + captured, bytes, captured,   length,
				      false,           0,     "drop port"};
}

/* ---- read back -------------------------------------------------------------- */

static void check_packet(struct capture *capture, uint32_t captured, uint32_t length)
{
	char *problem = NULL;
	struct captured_packet packet;

	if (!check_int(capture_next(capture, &packet, &problem), 1, "%u of %u bytes", captured,
		       length)) {
		free(problem);
		return;
	}
	check_int(packet.wire_length, length, "%u of %u bytes: the length", captured, length);
	check_int(packet.now, TIME + captured, "%u of %u bytes: the time", captured, length);
	check(!memcmp(packet.bytes, bytes, captured), "%u of %u bytes: the bytes", captured,
	      length);
}

/* Each number of bytes that needs padding, and a truncated packet. */
static void test_read_back(void)
{
	static const struct {
		uint32_t captured, length;
	} rows[] = {{60, 60}, {61, 61}, {62, 62}, {63, 63}, {192, 1514}, {192, 9014}, {14, 14}};
	FILE *file = fopen(path, "w");
	struct capture *capture;
	char *problem = NULL;
	struct captured_packet packet;

	check_int(pcapng_begin(file, "eth1", sizeof(bytes)), 0, "begins");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct pcapng_packet row = packet_of(rows[i].captured, rows[i].length);

		check_int(pcapng_add(file, &row), 0, "row %zu is written", i);
	}
	/* not closed: a reader must find all of it already */
	capture = capture_open(path, &problem);
	if (!check(capture, "libpcap takes the file"))
		return;
	/* capture_next() never returns an earlier time than before */
	for (size_t i = 0; i < 6; i++)
		check_packet(capture, rows[i].captured, rows[i].length);
	check_int(capture_next(capture, &packet, &problem), 1, "one of 14 bytes");
	check_int(packet.wire_length, 14, "its length");
	check_int(capture_next(capture, &packet, &problem), 0, "then it ends");
	capture_close(capture);
	fclose(file);
}

/* ---- the blocks themselves -------------------------------------------------- */

struct walk {
	uint8_t bytes[65536];
	size_t length;
	size_t blocks;
	bool is_valid;
};

static uint32_t number_at(const struct walk *walk, size_t offset)
{
	uint32_t number = 0;

	if (offset + sizeof(number) <= walk->length)
		memcpy(&number, walk->bytes + offset, sizeof(number));
	return number;
}

/* A block has its length at both ends. */
static void walk_blocks(struct walk *walk)
{
	size_t offset = 0;

	walk->is_valid = true;
	while (offset < walk->length && walk->is_valid) {
		uint32_t length = number_at(walk, offset + 4);

		walk->is_valid = length >= 12 && length % 4 == 0 &&
				 offset + length <= walk->length &&
				 number_at(walk, offset + length - 4) == length;
		offset += length;
		walk->blocks++;
	}
}

static void write_one(struct walk *walk, const struct pcapng_packet *packet)
{
	FILE *file = fopen(path, "w+");

	memset(walk, 0, sizeof(*walk));
	check_int(pcapng_begin(file, "eth1", sizeof(bytes)), 0, "begins");
	check_int(pcapng_add(file, packet), 0, "one packet is written");
	rewind(file);
	walk->length = fread(walk->bytes, 1, sizeof(walk->bytes), file);
	fclose(file);
	walk_blocks(walk);
}

/* Returns an option of the last block, or NULL. */
static const uint8_t *find_option(const struct walk *walk, uint16_t code, uint16_t *length)
{
	size_t at = 0, end;
	uint16_t option[2];

	for (size_t i = 1; i < walk->blocks; i++)
		at += number_at(walk, at + 4);
	end = at + number_at(walk, at + 4) - 4;
	for (at += 28 + (number_at(walk, at + 20) + 3) / 4 * 4; at + 4 <= end;
	     at += 4 + (option[1] + 3) / 4 * 4) {
		memcpy(option, walk->bytes + at, sizeof(option));
		*length = option[1];
		if (option[0] == code)
			return walk->bytes + at + 4;
	}
	return NULL;
}

static void test_comment(const char *comment, size_t wanted)
{
	struct pcapng_packet packet = packet_of(61, 61);
	static struct walk walk;
	const uint8_t *found;
	uint16_t length = 0;

	packet.comment = comment;
	write_one(&walk, &packet);
	check(walk.is_valid, "comment of %zu bytes: the blocks fit", strlen(comment));
	check_int(walk.blocks, 3, "comment of %zu bytes: section, interface, packet",
		  strlen(comment));
	found = find_option(&walk, 1, &length);
	check(found && length == wanted && !memcmp(found, comment, length),
	      "comment of %zu bytes: its first %zu are there", strlen(comment), wanted);
}

static void test_comments(void)
{
	char comment[3000] = "";

	for (size_t length = 0; length < 8; length++) {
		test_comment(comment, length);
		comment[length] = 'x';
	}
	memset(comment, 'y', sizeof(comment) - 1);
	test_comment(comment, 1024);
}

static void test_options(void)
{
	struct pcapng_packet packet = packet_of(60, 60);
	static struct walk walk;
	const uint8_t *found;
	uint16_t length;
	uint64_t number;

	packet.passed = true;
	packet.missing = 1ull << 40;
	write_one(&walk, &packet);
	found = find_option(&walk, 4, &length);
	if (check(found && length == 8, "says how many are missing")) {
		memcpy(&number, found, sizeof(number));
		check_int(number, 1ll << 40, "all of them");
	}
	found = find_option(&walk, 7, &length);
	if (check(found && length == 9, "has a verdict")) {
		memcpy(&number, found + 1, sizeof(number));
		check_int(found[0], 2, "of XDP");
		check_int(number, 2, "XDP_PASS");
	}
	packet.missing = 0;
	write_one(&walk, &packet);
	check(!find_option(&walk, 4, &length), "says nothing of missing ones where there are none");
}

static void test_failure(void)
{
	FILE *full = fopen("/dev/full", "w");

	if (!full) {
		skip("a full disk is told", "there is no /dev/full");
		return;
	}
	check_int(pcapng_begin(full, "eth1", sizeof(bytes)), -ENOSPC, "a full disk is told");
	fclose(full);
}

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	test_read_back();
	test_comments();
	test_options();
	test_failure();
	unlink(path);
	return tap_done();
}
