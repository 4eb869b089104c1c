// SPDX-License-Identifier: GPL-2.0-only
/* Tests strings that grow, and arrays of strings. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/strv.h"
#include "tap.h"

static void test_empty(void)
{
	struct strbuf strbuf;
	char *text;

	strbuf_open(&strbuf);
	text = strbuf_close(&strbuf);
	check_text(text, "", "nothing printed: an empty string");
	free(text);
}

static void test_separators(void)
{
	static const char *const words[] = {"one", "", "three"};
	struct strbuf strbuf;
	char *text;

	strbuf_open(&strbuf);
	for (size_t i = 0; i < 3; i++)
		fprintf(strbuf_next(&strbuf, ", "), "%s", words[i]);
	text = strbuf_close(&strbuf);
	check_text(text, "one, , three", "a separator between any two, and nowhere else");
	free(text);
	fputs("list:", strbuf_open(&strbuf));
	fputs("one", strbuf_next(&strbuf, " "));
	text = strbuf_close(&strbuf);
	check_text(text, "list: one", "a separator behind what was printed otherwise");
	free(text);
}

/* Longer than any buffer of the C library. */
static void test_long(void)
{
	enum { TIMES = 100000 };
	struct strbuf strbuf;
	char *text;

	strbuf_open(&strbuf);
	for (unsigned int i = 0; i < TIMES; i++)
		fputs("0123456789", strbuf_next(&strbuf, ","));
	text = strbuf_close(&strbuf);
	check(strlen(text) == 11 * TIMES - 1 && !strcmp(text + 11 * (TIMES - 1), "0123456789"),
	      "a long text is whole");
	free(text);
}

static void test_arrays(void)
{
	char **strings = NULL;
	size_t count = 0;

	strv_sort(strings, count);
	strv_free(strings, count);
	*APPEND(strings, count) = must_copy("b");
	*APPEND(strings, count) = must_copy("a10");
	*APPEND(strings, count) = must_copy("");
	*APPEND(strings, count) = must_copy("a1");
	strv_sort(strings, count);
	check(!strcmp(strings[0], "") && !strcmp(strings[1], "a1") && !strcmp(strings[2], "a10") &&
		      !strcmp(strings[3], "b"),
	      "an array is sorted by bytes");
	strv_free(strings, count); /* LeakSanitizer checks that nothing is left */
}

int main(void)
{
	test_empty();
	test_separators();
	test_long();
	test_arrays();
	return tap_done();
}
