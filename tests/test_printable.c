// SPDX-License-Identifier: GPL-2.0-only
/* Printable texts have no control bytes, are valid UTF-8, and differ if the texts differ. */
#include <jansson.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/memory.h"
#include "base/printable.h"
#include "tap.h"

static const struct {
	const char *text, *shown;
} rows[] = {
	{"eth1", "eth1"},
	{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
	{"a\033[2Jb", "a\\x1b[2Jb"},
	{"\a\t\n\r\x7f", "\\x07\\x09\\x0a\\x0d\\x7f"},
	{"\xff", "\\xff"},
	{"caf\xe9", "caf\\xe9"},
	{"\xc2\x9b"
	 "2J",
	 "\\xc2\\x9b2J"}, /* a control character above 0x7f, in UTF-8 */
	{"\x9b"
	 "2J",
	 "\\x9b2J"},       /* the same, not in UTF-8 */
	{"\xc3", "\\xc3"}, /* truncated */
	{"\xe2\x82", "\\xe2\\x82"},
	{"\xe2\x82z", "\\xe2\\x82z"},
	{"\xc0\xaf", "\\xc0\\xaf"}, /* an overlong encoding */
	{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
	{"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* half of a surrogate pair */
	{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above the last code point */
	{"a\\b", "a\\b"},
	{"\\xff", "\\x5cxff"},
	{"\\\xff", "\\\\xff"},
	{"", ""},
};

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		AUTO_FREE char *shown = printable(rows[i].text);

		check_text(shown, rows[i].shown, "row %zu", i + 1);
	}
}

static bool is_clean(const char *text)
{
	json_t *json = json_string(text);

	json_decref(json);
	for (; json && *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return json != NULL;
}

/* All texts of two bytes: the printable text is clean, and no longer than promised. */
static void test_all_pairs(void)
{
	unsigned int problem = 0;

	for (unsigned int i = 1; i < 0x10000; i++) {
		char text[3] = {(char)(i & 0xff), (char)(i >> 8)};
		AUTO_FREE char *shown = printable(text);

		problem += !is_clean(shown) || strlen(shown) > 4 * strlen(text);
	}
	check_int((int)problem, 0, "every pair of bytes is clean");
}

/* The value that a diagnostic quotes, and the name of its file, are made printable. */
static void test_diagnostic(void)
{
	struct diagnostics diag = {};
	struct place place = {.file = "a\033[1m.yaml", .line = 1, .column = 2};

	diag_at(&diag, &place, "\"%s\" is no name", "\033]0;x\a");
	check_text(diag.text[0], "a\\x1b[1m.yaml:1:2: \"\\x1b]0;x\\x07\" is no name",
		   "a complaint");
	diag_free(&diag);
}

int main(void)
{
	test_rows();
	test_all_pairs();
	test_diagnostic();
	return tap_done();
}
