// SPDX-License-Identifier: GPL-2.0-only
/* Options that all commands have, before the command and behind it. */
#include <stdlib.h>
#include <string.h>

#include "base/exit.h"
#include "base/options.h"
#include "base/strbuf.h"
#include "tap.h"

static const char *handled;

static void handle(const char *value)
{
	handled = value;
}

static const struct option_row global[] = {
	{"dir", "DIR", "a folder", .handle = handle},
};

/* The words; argv afterwards; the exit status, or -1; the value that the option got. */
static const struct {
	const char *words, *moved;
	int status;
	const char *value;
} lines[] = {
	{"bkxdp run eth1", "bkxdp run eth1", -1, NULL},
	{"bkxdp --dir a run eth1", "bkxdp run --dir a eth1", -1, "a"},
	{"bkxdp --dir=a run eth1", "bkxdp run --dir=a eth1", -1, "a"},
	{"bkxdp --dir a --dir=b run eth1", "bkxdp run --dir a --dir=b eth1", -1, "b"},
	{"bkxdp --dir a run --dir c eth1", "bkxdp run --dir a --dir c eth1", -1, "c"},
	{"bkxdp run eth1 --dir a", "bkxdp run eth1 --dir a", -1, "a"},
	{"bkxdp run --dir a -- eth1", "bkxdp run --dir a -- eth1", -1, "a"},
	{"bkxdp --dir run run eth1", "bkxdp run --dir run eth1", -1, "run"},
	{"bkxdp --directory run eth1", "bkxdp --directory run eth1", -1, NULL},
	{"bkxdp --help", "bkxdp --help", -1, NULL},
	{"bkxdp --dir a --help", "bkxdp --help --dir a", -1, NULL},
	{"bkxdp --dir", NULL, EXIT_MISUSED, NULL},
	{"bkxdp --dir a --dir", NULL, EXIT_MISUSED, NULL},
};

#define WORDS_MAX 10

static int split(char *line, char *argv[static WORDS_MAX])
{
	int argc = 0;

	for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return argc;
}

static char *joined(int argc, char **argv)
{
	struct strbuf text;

	strbuf_open(&text);
	for (int i = 0; i < argc; i++)
		fputs(argv[i], strbuf_next(&text, " "));
	return strbuf_close(&text);
}

/* A command that takes one operand and has no options of its own. */
static void run_verb(int argc, char **argv)
{
	const struct usage usage = {
		.verb = "run", .synopsis = "IFACE", .about = "", .least = 1, .most = 1};
	char **operands;
	int count;

	check_int(arguments_read(&usage, argc, argv, &operands, &count), -1, "the verb goes on");
	check(count == 1 && !strcmp(operands[0], "eth1"), "with its operand");
}

static void test_line(size_t i)
{
	char *argv[WORDS_MAX], *line = strdup(lines[i].words), *moved;
	int argc = split(line, argv);

	handled = NULL;
	check_int(options_before_verb(argc, argv), lines[i].status, "%s", lines[i].words);
	if (lines[i].moved) {
		moved = joined(argc, argv);
		check_text(moved, lines[i].moved, "%s: the verb comes first", lines[i].words);
		free(moved);
		if (!strcmp(argv[1], "run"))
			run_verb(argc - 1, argv + 1);
	}
	check_text(handled, lines[i].value, "%s: the value", lines[i].words);
	free(line);
}

static void test_no_verb(void)
{
	char program[] = "bkxdp", option[] = "--dir=a";
	char *nothing[] = {program, NULL}, *options[] = {program, option, NULL};

	check_int(options_before_verb(1, nothing), -1, "no word");
	check(!nothing[1], "no word: no verb");
	check_int(options_before_verb(2, options), -1, "an option alone");
	check(!options[1], "an option alone: no verb");
}

int main(void)
{
	options_global(global, 1);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		test_line(i);
	test_no_verb();
	return tap_done();
}
