// SPDX-License-Identifier: GPL-2.0-only
#include "net/ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

/* The text of *problem if it quotes a value; valid until the thread's next call. */
static __thread char problem_text[160];

static int refuse(const char **problem, const char *text)
{
	*problem = text;
	return -EINVAL;
}

/* Takes digits only. A leading zero is refused, because YAML 1.1 would read it as octal. */
static int parse_port(const char *text, size_t length, uint16_t *port, const char **problem)
{
	unsigned long value = 0;

	if (!length || strspn(text, "0123456789") < length)
		return refuse(problem, "is not a port or a range of ports such as 50000-50100");
	if (length > 1 && text[0] == '0')
		return refuse(problem, "has a leading zero");
	for (size_t i = 0; i < length && value <= UINT16_MAX; i++)
		value = value * 10 + (unsigned long)(text[i] - '0');
	if (value < 1 || value > UINT16_MAX)
		return refuse(problem, "is outside 1-65535");
	*port = (uint16_t)value;
	return 0;
}

int port_range_parse(const char *text, struct port_range *range, const char **problem)
{
	size_t first = strcspn(text, "-");
	struct port_range parsed;

	if (parse_port(text, first, &parsed.low, problem))
		return -EINVAL;
	parsed.high = parsed.low;
	if (text[first] == '-' &&
	    parse_port(text + first + 1, strlen(text + first + 1), &parsed.high, problem))
		return -EINVAL;
	if (parsed.high < parsed.low) {
		snprintf(problem_text, sizeof(problem_text),
			 "is a range in reverse order: write %u-%u", (unsigned int)parsed.high,
			 (unsigned int)parsed.low);
		return refuse(problem, problem_text);
	}
	*range = parsed;
	return 0;
}

void port_set_add(struct port_set *set, struct port_range range)
{
	*APPEND(set->range, set->count) = range;
}

static int by_low_port(const void *a, const void *b)
{
	const struct port_range *left = a, *right = b;

	return (int)left->low - (int)right->low;
}

void port_set_normalize(struct port_set *set)
{
	size_t last_index = 0;

	if (!set->count)
		return;
	qsort(set->range, set->count, sizeof(*set->range), by_low_port);
	for (size_t i = 1; i < set->count; i++) {
		struct port_range *last = &set->range[last_index], next = set->range[i];

		if (next.low > (unsigned int)last->high + 1)
			set->range[++last_index] = next;
		else if (next.high > last->high)
			last->high = next.high;
	}
	set->count = last_index + 1;
}

bool port_set_has(const struct port_set *set, uint16_t port)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->range[i].low <= port && port <= set->range[i].high)
			return true;
	return false;
}

unsigned int port_set_size(const struct port_set *set)
{
	unsigned int size = 0;

	for (size_t i = 0; i < set->count; i++)
		size += (unsigned int)(set->range[i].high - set->range[i].low) + 1;
	return size;
}

char *port_set_text(const struct port_set *set)
{
	struct strbuf text;

	strbuf_open(&text);
	for (size_t i = 0; i < set->count; i++) {
		struct port_range range = set->range[i];

		fprintf(strbuf_next(&text, ","), "%u", (unsigned int)range.low);
		if (range.high > range.low)
			fprintf(text.out, "%c%u", range.high - range.low > 1 ? '-' : ',',
				(unsigned int)range.high);
	}
	return strbuf_close(&text);
}
