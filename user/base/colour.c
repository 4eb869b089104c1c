// SPDX-License-Identifier: GPL-2.0-only
#include "base/colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *term_colour(FILE *to, enum colour colour)
{
	static const char *const escapes[] = {
		[PLAIN] = "\033[0m", [BOLD] = "\033[1m",    [GREEN] = "\033[32m",
		[RED] = "\033[31m",  [YELLOW] = "\033[33m",
	};
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (!isatty(fileno(to)) || (no && *no) || (term && !strcmp(term, "dumb")))
		return "";
	return escapes[colour];
}
