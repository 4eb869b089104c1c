// SPDX-License-Identifier: GPL-2.0-only
/*
 * The format is draft-ietf-opsawg-pcapng. Numbers are in this machine's byte order, which it
 * allows.
 */
#include "packet/pcapng_write.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
};

enum {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	SECTION_PROGRAM = 4,
	INTERFACE_NAME = 2,
	INTERFACE_RESOLUTION = 9,
	PACKET_FLAGS = 2,
	PACKET_MISSING = 4,
	PACKET_VERDICT = 7,
};

#define MAGIC_BYTE_ORDER 0x1a2b3c4d
#define LINK_ETHERNET    1
#define NANOSECONDS      9 /* negative power of ten */
#define FLAG_INBOUND     1
#define VERDICT_BY_XDP   2
#define XDP_DROPPED      1
#define XDP_PASSED       2

#define TEXT_MAX  1024
#define BLOCK_MAX (256 * 1024)

/*
 * A block that is being built. Its length, which is written near its start and at its end, is
 * known last.
 */
struct block {
	uint8_t *bytes;
	size_t length;
};

static void put(struct block *block, const void *bytes, size_t count)
{
	static const uint8_t zeros[4];
	size_t odd = count % 4;

	memcpy(block->bytes + block->length, bytes, count);
	block->length += count;
	if (!odd)
		return;
	memcpy(block->bytes + block->length, zeros, 4 - odd);
	block->length += 4 - odd;
}

static void put32(struct block *block, uint32_t number)
{
	put(block, &number, sizeof(number));
}

static void put16s(struct block *block, uint16_t first, uint16_t second)
{
	const uint16_t both[] = {first, second};

	put(block, both, sizeof(both));
}

static void put_option(struct block *block, uint16_t code, const void *value, size_t length)
{
	put16s(block, code, length);
	put(block, value, length);
}

static void put_text(struct block *block, uint16_t code, const char *text)
{
	size_t length = strlen(text);

	put_option(block, code, text, length < TEXT_MAX ? length : TEXT_MAX);
}

static void begin_block(struct block *block, uint32_t type, size_t contents)
{
	block->bytes = must_alloc(1, contents + 4 * TEXT_MAX);
	put32(block, type);
	put32(block, 0);
}

static int write_block(struct block *block, FILE *file)
{
	uint32_t length = block->length + sizeof(length);
	size_t written;

	put32(block, length);
	memcpy(block->bytes + sizeof(uint32_t), &length, sizeof(length));
	errno = 0;
	written = fwrite(block->bytes, 1, length, file);
	free(block->bytes);
	if (written == length && !fflush(file))
		return 0;
	return errno ? -errno : -EIO;
}

static int write_section(FILE *file)
{
	static const uint64_t unknown = UINT64_MAX;
	struct block block = {};

	begin_block(&block, BLOCK_SECTION, 0);
	put32(&block, MAGIC_BYTE_ORDER);
	put16s(&block, 1, 0);
	put(&block, &unknown, sizeof(unknown));
	put_text(&block, SECTION_PROGRAM, "bkxdp " BKXDP_VERSION);
	put32(&block, OPTION_END);
	return write_block(&block, file);
}

static int write_interface(FILE *file, const char *interface, uint32_t snap_length)
{
	static const uint8_t resolution = NANOSECONDS;
	struct block block = {};

	begin_block(&block, BLOCK_INTERFACE, 0);
	put16s(&block, LINK_ETHERNET, 0);
	put32(&block, snap_length);
	put_text(&block, INTERFACE_NAME, interface);
	put_option(&block, INTERFACE_RESOLUTION, &resolution, sizeof(resolution));
	put32(&block, OPTION_END);
	return write_block(&block, file);
}

int pcapng_begin(FILE *file, const char *interface, uint32_t snap_length)
{
	int error = write_section(file);

	return error ? error : write_interface(file, interface, snap_length);
}

/* The option is one byte that says whose verdict it is, and the XDP program's return value. */
static void put_verdict(struct block *block, bool passed)
{
	uint64_t value = passed ? XDP_PASSED : XDP_DROPPED;
	uint8_t verdict[1 + sizeof(value)] = {VERDICT_BY_XDP};

	memcpy(verdict + 1, &value, sizeof(value));
	put_option(block, PACKET_VERDICT, verdict, sizeof(verdict));
}

int pcapng_add(FILE *file, const struct pcapng_packet *packet)
{
	static const uint32_t inbound = FLAG_INBOUND;
	struct block block = {};

	if (packet->captured > BLOCK_MAX)
		return -EMSGSIZE;
	begin_block(&block, BLOCK_PACKET, packet->captured);
	put32(&block, 0);
	put32(&block, packet->time >> 32);
	put32(&block, packet->time);
	put32(&block, packet->captured);
	put32(&block, packet->length);
	put(&block, packet->bytes, packet->captured);
	put_text(&block, OPTION_COMMENT, packet->comment);
	put_option(&block, PACKET_FLAGS, &inbound, sizeof(inbound));
	if (packet->missing)
		put_option(&block, PACKET_MISSING, &packet->missing, sizeof(packet->missing));
	put_verdict(&block, packet->passed);
	put32(&block, OPTION_END);
	return write_block(&block, file);
}
