// SPDX-License-Identifier: GPL-2.0-only
#include "policy/names.h"

#include <string.h>

#include <bkxdp/layout.h>

bool name_is_valid(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length && length < BKXDP_NAME_MAX && !text[length];
}
