// SPDX-License-Identifier: GPL-2.0-only
/* How a verb ends badly: a sentence, and the exit status for it. */
#include <stdarg.h>
#include <stdio.h>

#include "cmd.h"

int fail(const char *format, ...)
{
	va_list args;

	fputs("bkxdp: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAILED;
}

int misuse(const char *verb, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bkxdp %s: ", verb);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see \"bkxdp %s --help\"\n", verb);
	return EXIT_MISUSED;
}
