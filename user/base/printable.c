// SPDX-License-Identifier: GPL-2.0-only
#include "base/printable.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/*
 * UTF-8 sequences: the range of the first byte, and that of the second (the Unicode standard,
 * table 3-7).
 */
static const struct {
	unsigned char first, last, low, high;
	size_t bytes;
} sequences[] = {
	{0x20, 0x7e, 0, 0, 1},       {0xc2, 0xc2, 0xa0, 0xbf, 2}, /* 80 to 9f are controls */
	{0xc3, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool are_continuation_bytes(const unsigned char *byte, size_t bytes)
{
	for (size_t i = 2; i < bytes; i++)
		if (byte[i] < 0x80 || byte[i] > 0xbf)
			return false;
	return true;
}

/* Returns the length of the character at `text` in bytes, or 0 if it can't be shown as it is. */
static size_t character_length(const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;

	if (byte[0] == '\\' && byte[1] == 'x')
		return 0;
	for (size_t i = 0; i < sizeof(sequences) / sizeof(*sequences); i++) {
		if (byte[0] < sequences[i].first || byte[0] > sequences[i].last)
			continue;
		if (sequences[i].bytes == 1)
			return 1;
		if (byte[1] < sequences[i].low || byte[1] > sequences[i].high)
			return 0;
		return are_continuation_bytes(byte, sequences[i].bytes) ? sequences[i].bytes : 0;
	}
	return 0;
}

char *printable_put(char *to, const char *text)
{
	while (*text) {
		size_t bytes = character_length(text);

		if (bytes) {
			to = mempcpy(to, text, bytes);
			text += bytes;
		} else {
			to += sprintf(to, "\\x%02x", (unsigned char)*text++);
		}
	}
	*to = '\0';
	return to;
}

char *printable(const char *text)
{
	char *shown = must_alloc(strlen(text) + 1, 4);

	(void)printable_put(shown, text);
	return shown;
}
