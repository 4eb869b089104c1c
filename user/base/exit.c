// SPDX-License-Identifier: GPL-2.0-only
/* How a command fails: it prints a sentence and returns the exit status for it. */
#include <stdarg.h>
#include <stdio.h>

#include "base/exit.h"
#include "base/memory.h"
#include "base/printable.h"

/* Names and values in the text are made printable. */
__attribute__((format(printf, 1, 0))) static void print_text(const char *format, va_list args)
{
	AUTO_FREE char *text = NULL, *shown = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = must_copy(format);
	shown = printable(text);
	fputs(shown, stderr);
}

int fail(const char *format, ...)
{
	va_list args;

	fputs("bkxdp: ", stderr);
	va_start(args, format);
	print_text(format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAILED;
}

int misuse(const char *verb, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bkxdp %s: ", verb);
	va_start(args, format);
	print_text(format, args);
	va_end(args);
	fprintf(stderr, "; see \"bkxdp %s --help\"\n", verb);
	return EXIT_MISUSED;
}

int exit_with(struct diagnostics *diag)
{
	int status = diag->count ? EXIT_FAILED : EXIT_DONE;

	diag_print(diag);
	diag_free(diag);
	return status;
}
