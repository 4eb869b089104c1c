/* SPDX-License-Identifier: GPL-2.0-only */
/* Options as tables: one row makes both getopt_long()'s entry and the line of --help. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* All values of an option that may be given several times. */
struct values {
	const char **value;
	size_t count;
};

struct option_row {
	const char *name;     /* without the dashes */
	const char *argument; /* "FILE", or NULL for a switch */
	const char *help;
	bool *set;                         /* set to true if the option is given */
	const char **value;                /* the option's value; the last one counts */
	struct values *values;             /* all of the option's values */
	void (*handle)(const char *value); /* called with each value */
};

/*
 * Declares the options that all commands have. options_before_verb() moves those that are
 * before the verb; arguments_read() reads them. The rows must live as long as the program.
 */
void options_global(const struct option_row *rows, size_t n_rows);
/*
 * Moves global options that are before the verb to behind it, so that argv[1] is the verb, or
 * NULL if there is none. Returns a negative number if the program should go on, else an exit
 * status after printing what was wrong.
 */
int options_before_verb(int argc, char **argv);
/* Prints their lines of --help. */
void options_print_global(FILE *to);

struct usage {
	const char *verb;
	const char *synopsis; /* "IFACE [OPTION...]" */
	const char *about;    /* what the command does, and examples; ends with a line feed */
	const struct option_row *rows;
	size_t n_rows;
	int least, most; /* number of operands; most -1: no limit */
};

/*
 * Reads the options in argv; *operands is then the first operand. Returns a negative number if
 * the command should go on, else the exit status: 0 if --help was printed, 2 if something was
 * wrong, which has been printed.
 */
int arguments_read(const struct usage *usage, int argc, char **argv, char ***operands, int *count);

/* The numbers that an option takes, inclusive. */
struct number_range {
	const char *verb, *option;
	uint64_t least, most;
};
/*
 * Reads an option's value; leaves *number unchanged if `text` is NULL, because the option was
 * not given. Returns 0, or EXIT_MISUSED after printing what was wrong.
 */
int arguments_number(const struct number_range *range, const char *text, uint64_t *number);

#endif
