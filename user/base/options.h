/* SPDX-License-Identifier: GPL-2.0-only */
/* Options as rows: getopt_long's table and the text of --help come from the same place. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* An option that may be given several times keeps all its values. */
struct values {
	const char **value;
	size_t count;
};

struct option_row {
	const char *name;     /* without the dashes */
	const char *argument; /* "FILE", or NULL for a switch */
	const char *help;
	bool *set;                       /* a switch */
	const char **value;              /* one value; the last wins */
	struct values *values;           /* any number */
	void (*take)(const char *value); /* told each value */
};

/*
 * Options of every verb, told by `take`: before the verb by options_before_verb(), behind it by
 * arguments_read(). The rows must live as long as the program.
 */
void options_global(const struct option_row *rows, size_t n_rows);
/*
 * Moves them, where they stand before the verb, behind it, so argv[1] is the verb, or NULL
 * where there is none. Negative: go on. Else an exit status, and what was wrong was said.
 */
int options_before_verb(int argc, char **argv);
/* Their lines of --help. */
void options_print_global(FILE *to);

struct usage {
	const char *verb;
	const char *synopsis; /* "IFACE [OPTION...]" */
	const char *about;    /* what it does, and examples; ends in a line feed */
	const struct option_row *rows;
	size_t n_rows;
	int least, most; /* operands; most -1: any number */
};

/*
 * Reads argv; *operands then points to the first one. Negative: go on. Else the
 * exit status: --help was printed (0), or what was wrong (2).
 */
int arguments_read(const struct usage *usage, int argc, char **argv, char ***operands, int *count);

/* Where an option's number may lie. */
struct number_range {
	const char *verb, *option;
	uint64_t least, most;
};
/* Leaves *number alone where the option was not given; else as above, but 0 for "go on". */
int arguments_number(const struct number_range *range, const char *text, uint64_t *number);

#endif
