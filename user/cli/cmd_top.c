// SPDX-License-Identifier: GPL-2.0-only
/* top: what passes and what is dropped now, as a live table, or once for a pipe. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/strv.h"
#include "cli/cmd.h"
#include "cli/top_json.h"
#include "cli/top_live.h"
#include "datapath/datapath.h"
#include "stats/snapshot.h"

#define ONCE_WIDTH 100

/* ---- one frame -------------------------------------------------------------- */

static void print_frame(const struct top *top, const struct request *request)
{
	const struct top_view view = {.interval = request->interval, .sort = request->sort};
	struct page page;

	page_make(&page, top, &view, ONCE_WIDTH, 0);
	for (size_t i = 0; i < page.n_lines; i++)
		puts(page.lines[i].text);
	page_free(&page);
}

struct pair {
	struct top_sample before, now;
};

static json_t *frame_of(const struct pair *pair, const struct request *request)
{
	json_t *json = NULL;
	struct top top;

	top_make(&pair->before, &pair->now, request->sort, &top);
	if (request->json)
		json = top_json(&top);
	else
		print_frame(&top, request);
	top_free(&top);
	return json;
}

/* Reads all interfaces at the same moment, and again at the next one. */
static void take_pairs(struct pair *pair, char *const *interface, size_t count, double interval,
		       struct diagnostics *diag)
{
	struct timespec pause = {.tv_sec = (time_t)interval};

	pause.tv_nsec = (long)((interval - (double)pause.tv_sec) * 1e9);
	for (size_t i = 0; i < count; i++) {
		top_ask_for_groups(interface[i], interval);
		(void)top_take_sample(interface[i], &pair[i].before, diag);
	}
	while (count && !diag->count && nanosleep(&pause, &pause) && errno == EINTR)
		;
	for (size_t i = 0; i < count; i++)
		if (!diag->count)
			(void)top_take_sample(interface[i], &pair[i].now, diag);
}

static void print_pairs(struct pair *pair, size_t count, const struct request *request)
{
	json_t *list = json_array();
	bool first = true;

	for (size_t i = 0; i < count; i++) {
		json_t *json;

		if (!pair[i].now.time)
			continue;
		if (!first && !request->json)
			putchar('\n');
		first = false;
		json = frame_of(&pair[i], request);
		if (json)
			json_array_append_new(list, json);
	}
	if (request->json) {
		json_dumpf(request->interface ? json_array_get(list, 0) : list, stdout,
			   JSON_INDENT(1) | JSON_REAL_PRECISION(9));
		putchar('\n');
	}
	json_decref(list);
}

static int show_once(const struct request *request, char *const *interface, size_t count,
		     struct diagnostics *diag)
{
	AUTO_FREE struct pair *pair = must_alloc(count, sizeof(*pair));

	if (!count && !request->json)
		puts("no interface is filtered; \"bkxdp attach IFACE\" attaches one");
	take_pairs(pair, interface, count, request->interval, diag);
	if (!diag->count && (count || request->json))
		print_pairs(pair, count, request);
	for (size_t i = 0; i < count; i++) {
		top_sample_free(&pair[i].before);
		top_sample_free(&pair[i].now);
	}
	return exit_with(diag);
}

/* ---- the verb --------------------------------------------------------------- */

struct flags {
	bool once, json;
	const char *interval, *sort;
};

static int read_interval(const char *text, double *interval)
{
	char *end_of_number;
	double number;

	if (!text)
		return 0;
	number = strtod(text, &end_of_number);
	if (*end_of_number || !(number >= INTERVAL_LEAST && number <= INTERVAL_MOST))
		return misuse("top", "--interval %s: not a number of seconds from %g to %g", text,
			      INTERVAL_LEAST, INTERVAL_MOST);
	*interval = number;
	return 0;
}

static int read_sort(const char *text, enum top_sort *sort)
{
	if (!text)
		return 0;
	for (int i = 0; i < TOP_SORTS; i++)
		if (!strcmp(text, top_sort_words[i])) {
			*sort = i;
			return 0;
		}
	return misuse("top", "--sort %s: it is one of bits, packets, name", text);
}

static int show(const struct request *request, bool once)
{
	struct diagnostics diag = {};
	struct snapshot *snapshot;
	char *one[] = {(char *)request->interface}, **interface = one;
	size_t count = 1;
	int status;

	/* it reports what is missing or may not be read, before a screen hides that */
	if (request->interface) {
		snapshot = datapath_snapshot(request->interface, &diag);
		snapshot_free(snapshot);
	} else {
		(void)datapath_interfaces(&interface, &count, &diag);
	}
	if (diag.count)
		status = exit_with(&diag);
	else if (once)
		status = show_once(request, interface, count, &diag);
	else
		status = top_live(request);
	if (interface != one)
		strv_free(interface, count);
	return status;
}

static int start(const struct flags *flags, struct request *request)
{
	int status = read_interval(flags->interval, &request->interval);

	if (!status)
		status = read_sort(flags->sort, &request->sort);
	if (status)
		return status;
	if (flags->json && !flags->once)
		return misuse("top", "--json goes with --once");
	if (!flags->once && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return misuse("top", "this is not a terminal; --once prints one frame");
	return show(request, flags->once);
}

int cmd_top(int argc, char **argv)
{
	struct request request = {.interval = 1};
	struct flags flags = {};
	const struct option_row rows[] = {
		{"interval", "SECONDS", "between two readings, 0.5 to 60 (1)",
		 .value = &flags.interval},
		{"sort", "KEY", "bits, packets or name (bits)", .value = &flags.sort},
		{"once", NULL, "print one frame of one interval, and end", .set = &flags.once},
		{"json", NULL, "with --once: for programs", .set = &request.json},
	};
	const struct usage usage = {
		"top",
		"[IFACE] [OPTION...]",
		"Shows what passes and what is dropped now: flows, reasons, and "
		"sources of drops, in\npackets and bits a second. \"h\" helps, "
		"\"q\" leaves.\n",
		rows,
		sizeof(rows) / sizeof(*rows),
		0,
		1};
	char **operands, pinned[IF_NAMESIZE];
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status >= 0)
		return status;
	if (count)
		request.interface = datapath_pinned_as(operands[0], pinned);
	flags.json = request.json;
	return start(&flags, &request);
}
