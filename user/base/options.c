// SPDX-License-Identifier: GPL-2.0-only
#include "base/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/exit.h"
#include "base/memory.h"

static void print_help(const struct usage *usage)
{
	printf("Usage: bkxdp %s %s\n\n%s\nOptions:\n", usage->verb, usage->synopsis, usage->about);
	for (size_t i = 0; i < usage->n_rows; i++) {
		AUTO_FREE char *name = must_format(
			"--%s%s%s", usage->rows[i].name, usage->rows[i].argument ? " " : "",
			usage->rows[i].argument ? usage->rows[i].argument : "");

		printf("  %-26s %s\n", name, usage->rows[i].help);
	}
	printf("  %-26s %s\n", "--help", "print this");
}

static void store(const struct option_row *row, const char *value)
{
	if (row->set)
		*row->set = true;
	if (row->value)
		*row->value = value;
	if (row->values)
		*APPEND(row->values->value, row->values->count) = value;
}

static int check_operands(const struct usage *usage, int count)
{
	if (count < usage->least)
		return misuse(usage->verb, "something is missing: bkxdp %s %s", usage->verb,
			      usage->synopsis);
	if (usage->most >= 0 && count > usage->most)
		return misuse(usage->verb, "too many arguments: bkxdp %s %s", usage->verb,
			      usage->synopsis);
	return -1;
}

/* getopt is behind a long option, but still within a cluster of short ones. */
static int unknown_option(const struct usage *usage, char **argv)
{
	if (optopt)
		return misuse(usage->verb, "there is no option -%c", optopt);
	return misuse(usage->verb, "there is no option %s", argv[optind - 1]);
}

int arguments_read(const struct usage *usage, int argc, char **argv, char ***operands, int *count)
{
	AUTO_FREE struct option *table = must_alloc(usage->n_rows + 2, sizeof(*table));
	int found;

	for (size_t i = 0; i < usage->n_rows; i++)
		table[i] =
			(struct option){usage->rows[i].name,
					usage->rows[i].argument ? required_argument : no_argument,
					NULL, (int)i + 1};
	table[usage->n_rows] = (struct option){"help", no_argument, NULL, 'h'};
	opterr = 0;
	optind = 1;
	while ((found = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
		if (found == 'h') {
			print_help(usage);
			return EXIT_DONE;
		}
		if (found == ':')
			return misuse(usage->verb, "%s needs a value", argv[optind - 1]);
		if (found == '?')
			return unknown_option(usage, argv);
		store(&usage->rows[found - 1], optarg);
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
			      "--%s takes a number from %" PRIu64 " to %" PRIu64
			      ", and \"%s\" is none",
			      range->option, range->least, range->most, text);
	*number = value;
	return EXIT_DONE;
}
