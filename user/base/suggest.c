// SPDX-License-Identifier: GPL-2.0-only
#include "base/suggest.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

#define NEAR_LENGTH_MAX 40

static unsigned int minimum(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/*
 * The Damerau-Levenshtein distance of two words: how many letters are missing, too many, wrong,
 * or swapped with the next one.
 */
static unsigned int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned int row[3][NEAR_LENGTH_MAX + 1] = {};
	unsigned int *second_last = row[0], *previous = row[1], *current = row[2];

	for (size_t j = 0; j <= b_length; j++)
		previous[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int *reused = second_last;

		current[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			current[j] = minimum(previous[j] + 1, current[j - 1] + 1,
					     previous[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    second_last[j - 2] + 1 < current[j])
				current[j] = second_last[j - 2] + 1;
		}
		second_last = previous;
		previous = current;
		current = reused;
	}
	return previous[b_length];
}

/*
 * Updates *best and returns true if the candidate is closer than the best one so far. One error
 * in three letters is close enough, and so is the beginning of a word.
 */
static bool is_nearer(const char *word, size_t length, const char *candidate, unsigned int *best)
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

const char *suggest_nearest(const char *word, const char *const *words, size_t n_words)
{
	size_t length = strnlen(word, NEAR_LENGTH_MAX + 1);
	unsigned int best = NEAR_LENGTH_MAX;
	const char *found = NULL;

	if (length > NEAR_LENGTH_MAX)
		return NULL;
	for (size_t i = 0; i < n_words; i++)
		if (is_nearer(word, length, words[i], &best))
			found = words[i];
	return found;
}

#define LISTED_MAX 16

static char *list_words(const char *const *words, size_t n_words)
{
	size_t listed = n_words < LISTED_MAX ? n_words : LISTED_MAX;
	struct strbuf text;

	fputs(": there are ", strbuf_open(&text));
	for (size_t i = 0; i < listed; i++) {
		const char *between = !i ? "" : i + 1 < n_words ? ", " : " and ";

		fprintf(text.out, "%s%s", between, words[i]);
	}
	if (listed < n_words)
		fprintf(text.out, " and %zu more", n_words - listed);
	return strbuf_close(&text);
}

char *suggest(const char *word, const char *const *known, size_t n_known)
{
	const char *nearest = suggest_nearest(word, known, n_known);

	if (nearest)
		return must_format(": did you mean \"%s\"?", nearest);
	if (!n_known)
		return must_copy(": there are none");
	if (n_known == 1)
		return must_format(": there is only %s", known[0]);
	return list_words(known, n_known);
}

char *suggest_named(const char *word, const void *first, size_t stride, size_t count)
{
	AUTO_FREE const char **known = must_alloc(count, sizeof(*known));

	size_t n_known = 0;

	for (size_t i = 0; i < count; i++) {
		const char *name = (const char *)first + i * stride;

		if (*name) /* empty if the name was invalid */
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
