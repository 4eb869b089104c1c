// SPDX-License-Identifier: GPL-2.0-only
#include "net/hostname.h"

#include <ctype.h>
#include <string.h>

#include "net/prefix.h"

static bool is_label(const char *text, size_t length)
{
	if (!length || length > 63 || text[0] == '-' || text[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isascii(text[i]) || (!isalnum((unsigned char)text[i]) && text[i] != '-'))
			return false;
	return true;
}

bool hostname_is_valid(const char *text)
{
	if (strlen(text) > 253 || looks_like_prefix(text))
		return false;
	for (;;) {
		size_t length = strcspn(text, ".");

		if (!is_label(text, length))
			return false;
		text += length;
		if (!*text || !*++text)
			return true;
	}
}
