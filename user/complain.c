// SPDX-License-Identifier: GPL-2.0-only
#include "complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"

static char *place_text(const struct place *place)
{
	if (!place)
		return must_copy("bkxdp");
	if (!place->line)
		return must_copy(place->file);
	return must_format("%s:%u:%u", place->file, place->line, place->column);
}

/* A file's bytes must not steer the terminal that they are shown on. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

void complain(struct complaints *complaints, const struct place *place, const char *format, ...)
{
	AUTO_FREE char *where = NULL, *what = NULL;
	va_list args;

	if (complaints->count == COMPLAINTS_MAX) {
		complaints->unsaid++;
		return;
	}
	va_start(args, format);
	if (vasprintf(&what, format, args) < 0)
		what = must_copy(format);
	va_end(args);
	make_printable(what);
	where = place_text(place);
	*APPEND(complaints->text, complaints->count) = must_format("%s: %s", where, what);
}

void complaints_print(const struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->count; i++)
		fprintf(stderr, "%s\n", complaints->text[i]);
	if (complaints->unsaid)
		fprintf(stderr, "and %zu more like these\n", complaints->unsaid);
}

void complaints_free(struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->count; i++)
		free(complaints->text[i]);
	free(complaints->text);
	*complaints = (struct complaints){};
}
