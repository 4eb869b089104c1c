// SPDX-License-Identifier: GPL-2.0-only
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

void series_add(struct series *series, double value)
{
	if (series->count < ROUNDS_MAX)
		series->value[series->count++] = value;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Four digits, because runs differ by more than the fifth. */
static json_t *number(double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.*f", value < 1000 && value > -1000 ? 2 : 0, value);
	return json_real(strtod(text, NULL));
}

void row_print(const struct row *row)
{
	struct series sorted = row->value;
	unsigned int n = sorted.count;
	json_t *line;

	if (!n)
		return;
	qsort(sorted.value, n, sizeof(sorted.value[0]), compare);
	line = json_pack("{ss ss ss ss ss so so so si}", "part", row->part, "who", row->who,
			 "policy", row->policy, "what", row->what, "unit", row->unit, "median",
			 number((sorted.value[(n - 1) / 2] + sorted.value[n / 2]) / 2), "min",
			 number(sorted.value[0]), "max", number(sorted.value[n - 1]), "n", (int)n);
	json_dumpf(line, stdout, JSON_REAL_PRECISION(10));
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
