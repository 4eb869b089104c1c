// SPDX-License-Identifier: GPL-2.0-only
#include "base/suggest.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

#define NEAR_LENGTH_MAX 40

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Typing errors between two words: a letter too many, missing, wrong, or two swapped. */
static unsigned int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned int row[3][NEAR_LENGTH_MAX + 1] = {};
	unsigned int *before = row[0], *last = row[1], *now = row[2];

	for (size_t j = 0; j <= b_length; j++)
		last[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int *spare = before;

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			now[j] = least(last[j] + 1, now[j - 1] + 1,
				       last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_length];
}

/* One error in three letters is near, and so is a word cut short. */
static bool nearer(const char *word, size_t length, const char *candidate, unsigned int *best)
{
	size_t other = strlen(candidate);
	unsigned int errors;

	if (other > NEAR_LENGTH_MAX)
		return false;
	errors = distance(word, length, candidate, other);
	if (length >= 3 && !strncmp(word, candidate, length))
		errors = 1;
	if (errors * 3 > (length > other ? length : other) || errors >= *best)
		return false;
	*best = errors;
	return true;
}

const char *suggest_nearest(const char *word, const char *const *words, size_t count)
{
	size_t length = strnlen(word, NEAR_LENGTH_MAX + 1);
	unsigned int best = NEAR_LENGTH_MAX;
	const char *found = NULL;

	if (length > NEAR_LENGTH_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (nearer(word, length, words[i], &best))
			found = words[i];
	return found;
}

#define LISTED_MAX 16

static char *list_words(const char *const *word, size_t count)
{
	size_t listed = count < LISTED_MAX ? count : LISTED_MAX;
	struct strbuf text;

	fputs(": there are ", strbuf_open(&text));
	for (size_t i = 0; i < listed; i++) {
		const char *between = !i ? "" : i + 1 < count ? ", " : " and ";

		fprintf(text.out, "%s%s", between, word[i]);
	}
	if (listed < count)
		fprintf(text.out, " and %zu more", count - listed);
	return strbuf_close(&text);
}

char *suggest(const char *word, const char *const *known, size_t count)
{
	const char *nearest = suggest_nearest(word, known, count);

	if (nearest)
		return must_format(": did you mean \"%s\"?", nearest);
	if (!count)
		return must_copy(": there are none");
	if (count == 1)
		return must_format(": there is only %s", known[0]);
	return list_words(known, count);
}

char *suggest_named(const char *word, const void *first, size_t stride, size_t count)
{
	AUTO_FREE const char **known = must_alloc(count, sizeof(*known));

	size_t n_known = 0;

	for (size_t i = 0; i < count; i++) {
		const char *name = (const char *)first + i * stride;

		if (*name) /* else it was refused */
			known[n_known++] = name;
	}
	return suggest(word, known, n_known);
}

int find_named(const char *word, const void *first, size_t stride, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp((const char *)first + i * stride, word))
			return (int)i;
	return -1;
}
