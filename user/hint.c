// SPDX-License-Identifier: GPL-2.0-only
#include "hint.h"

#include <string.h>

#include "alloc.h"
#include "text.h"

#define LISTED_MAX 16

static char *list_words(const char *const *word, size_t count)
{
	size_t listed = count < LISTED_MAX ? count : LISTED_MAX;
	char *text = must_copy(": there are ");

	for (size_t i = 0; i < listed; i++) {
		const char *between = !i ? "" : i + 1 < count ? ", " : " and ";
		char *longer = must_format("%s%s%s", text, between, word[i]);

		free(text);
		text = longer;
	}
	if (listed < count) {
		char *longer = must_format("%s and %zu more", text, count - listed);

		free(text);
		text = longer;
	}
	return text;
}

char *hint(const char *word, const char *const *known, size_t count)
{
	const char *nearest = text_nearest(word, known, count);

	if (nearest)
		return must_format(": did you mean \"%s\"?", nearest);
	if (!count)
		return must_copy(": there are none");
	if (count == 1)
		return must_format(": there is only %s", known[0]);
	return list_words(known, count);
}

char *hint_named(const char *word, const void *first, size_t stride, size_t count)
{
	AUTO_FREE const char **known = must_alloc(count, sizeof(*known));

	size_t knowns = 0;

	for (size_t i = 0; i < count; i++) {
		const char *name = (const char *)first + i * stride;

		if (*name) /* else it was refused */
			known[knowns++] = name;
	}
	return hint(word, known, knowns);
}

int find_named(const char *word, const void *first, size_t stride, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp((const char *)first + i * stride, word))
			return (int)i;
	return -1;
}
