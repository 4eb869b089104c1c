// SPDX-License-Identifier: GPL-2.0-only
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/printable.h"
#include "base/strbuf.h"
#include "base/strv.h"

static char *place_text(const struct place *place)
{
	if (!place)
		return must_copy("bkxdp");
	if (!place->line)
		return must_copy(place->file);
	return must_format("%s:%u:%u", place->file, place->line, place->column);
}

/* What the kernel says may have several lines. */
static void make_one_line(char *text)
{
	while ((text = strpbrk(text, "\n\t")))
		*text++ = ' ';
}

static char *one_line(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = must_copy(format);
	make_one_line(text);
	return text;
}

static void add(struct diagnostics *diag, const char *text)
{
	if (diag->count == DIAGNOSTICS_MAX)
		diag->n_omitted++;
	else
		*APPEND(diag->text, diag->count) = printable(text);
}

void diag_at(struct diagnostics *diag, const struct place *place, const char *format, ...)
{
	AUTO_FREE char *where = place_text(place), *message = NULL, *text = NULL;
	va_list args;

	va_start(args, format);
	message = one_line(format, args);
	va_end(args);
	text = must_format("%s: %s", where, message);
	add(diag, text);
}

void diag_add(struct diagnostics *diag, const char *format, ...)
{
	AUTO_FREE char *text = NULL;
	va_list args;

	va_start(args, format);
	text = one_line(format, args);
	va_end(args);
	add(diag, text);
}

void diag_print(const struct diagnostics *diag)
{
	for (size_t i = 0; i < diag->count; i++)
		fprintf(stderr, "%s\n", diag->text[i]);
	if (diag->n_omitted)
		fprintf(stderr, "and %zu more that are not shown\n", diag->n_omitted);
}

void diag_free(struct diagnostics *diag)
{
	strv_free(diag->text, diag->count);
	*diag = (struct diagnostics){};
}

bool diag_is_news(const struct diagnostics *diag, char **before)
{
	AUTO_FREE char *old = *before;
	struct strbuf all;

	strbuf_open(&all);
	for (size_t i = 0; i < diag->count; i++)
		fprintf(all.out, "%s\n", diag->text[i]);
	*before = strbuf_close(&all);
	return strcmp(*before, old ? old : "");
}
