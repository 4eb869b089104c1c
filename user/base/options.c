// SPDX-License-Identifier: GPL-2.0-only
#include "base/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/exit.h"
#include "base/memory.h"

/* What getopt_long() returns for row 0. It is above all characters. */
#define ROW_FIRST 256

static const struct option_row *global_rows;
static size_t n_global_rows;

void options_global(const struct option_row *rows, size_t n_rows)
{
	global_rows = rows;
	n_global_rows = n_rows;
}

static void print_row(FILE *to, const struct option_row *row)
{
	AUTO_FREE char *name = must_format("--%s%s%s", row->name, row->argument ? " " : "",
					   row->argument ? row->argument : "");

	fprintf(to, "  %-26s %s\n", name, row->help);
}

void options_print_global(FILE *to)
{
	for (size_t i = 0; i < n_global_rows; i++)
		print_row(to, &global_rows[i]);
}

static void print_help(const struct usage *usage)
{
	printf("Usage: bkxdp %s %s\n\n%s\nOptions:\n", usage->verb, usage->synopsis, usage->about);
	for (size_t i = 0; i < usage->n_rows; i++)
		print_row(stdout, &usage->rows[i]);
	printf("  %-26s %s\n", "--help", "print this");
	if (n_global_rows)
		puts("\n\"bkxdp --help\" lists the options that all commands have.");
}

/*
 * Returns how many words the global option at argv[0] takes, itself included, or 0 if argv[0]
 * is none.
 */
static int global_words(char **argv)
{
	for (size_t i = 0; i < n_global_rows; i++) {
		const struct option_row *row = &global_rows[i];
		size_t length = strlen(row->name);

		if (strncmp(*argv, "--", 2) != 0 || strncmp(*argv + 2, row->name, length) != 0)
			continue;
		if (!(*argv)[2 + length])
			return row->argument ? 2 : 1;
		if ((*argv)[2 + length] == '=' && row->argument)
			return 1;
	}
	return 0;
}

int options_before_verb(int argc, char **argv)
{
	int verb = 1, words;
	char *word;

	while (verb < argc && (words = global_words(argv + verb))) {
		verb += words;
		if (verb > argc) {
			fail("%s needs a value", argv[argc - 1]);
			return EXIT_MISUSED;
		}
	}
	word = argv[verb];
	memmove(argv + 2, argv + 1, (size_t)(verb - 1) * sizeof(*argv));
	argv[1] = word;
	return -1;
}

static const struct option_row *row_of(const struct usage *usage, size_t i)
{
	return i < usage->n_rows ? &usage->rows[i] : &global_rows[i - usage->n_rows];
}

static void store(const struct option_row *row, const char *value)
{
	if (row->set)
		*row->set = true;
	if (row->value)
		*row->value = value;
	if (row->values)
		*APPEND(row->values->value, row->values->count) = value;
	if (row->handle)
		row->handle(value);
}

static int check_operands(const struct usage *usage, int count)
{
	if (count < usage->least)
		return misuse(usage->verb, "an argument is missing: bkxdp %s %s", usage->verb,
			      usage->synopsis);
	if (usage->most >= 0 && count > usage->most)
		return misuse(usage->verb, "too many arguments: bkxdp %s %s", usage->verb,
			      usage->synopsis);
	return -1;
}

/* optopt is set for an unknown short option; for a long one optind is already past it. */
static int unknown_option(const struct usage *usage, char **argv)
{
	if (optopt)
		return misuse(usage->verb, "there is no option -%c", optopt);
	return misuse(usage->verb, "there is no option %s", argv[optind - 1]);
}

int arguments_read(const struct usage *usage, int argc, char **argv, char ***operands, int *count)
{
	size_t n_rows = usage->n_rows + n_global_rows;
	AUTO_FREE struct option *table = must_alloc(n_rows + 2, sizeof(*table));
	int option;

	for (size_t i = 0; i < n_rows; i++) {
		const struct option_row *row = row_of(usage, i);

		table[i] =
			(struct option){row->name, row->argument ? required_argument : no_argument,
					NULL, ROW_FIRST + (int)i};
	}
	table[n_rows] = (struct option){"help", no_argument, NULL, 'h'};
	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
		if (option == 'h') {
			print_help(usage);
			return EXIT_DONE;
		}
		if (option == ':')
			return misuse(usage->verb, "%s needs a value", argv[optind - 1]);
		if (option == '?')
			return unknown_option(usage, argv);
		store(row_of(usage, (size_t)(option - ROW_FIRST)), optarg);
	}
	*operands = argv + optind;
	*count = argc - optind;
	return check_operands(usage, *count);
}

int arguments_number(const struct number_range *range, const char *text, uint64_t *number)
{
	unsigned long long value;
	char *end;

	if (!text)
		return EXIT_DONE;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < range->least ||
	    value > range->most)
		return misuse(range->verb,
			      "--%s takes a number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
			      range->option, range->least, range->most, text);
	*number = value;
	return EXIT_DONE;
}
