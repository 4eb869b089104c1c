// SPDX-License-Identifier: GPL-2.0-only
#include "cli/top_live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/exit.h"
#include "base/memory.h"
#include "base/strv.h"
#include "cli/top_screen.h"
#include "datapath/datapath.h"

/* ---- reading ---------------------------------------------------------------- */

void top_ask_for_groups(const char *interface, double interval)
{
	(void)datapath_group_drops(interface, (unsigned int)interval + 6);
}

int top_take_sample(const char *interface, struct top_sample *sample, struct diagnostics *diag)
{
	int status = datapath_scrape(interface, &sample->reading, diag);

	if (status != 1)
		return status;
	sample->time = clock_ns(CLOCK_MONOTONIC);
	sample->grouped = !datapath_groups(interface, &sample->groups);
	return 1;
}

void top_sample_free(struct top_sample *sample)
{
	reading_free(&sample->reading);
	groups_free(&sample->groups);
	memset(sample, 0, sizeof(*sample));
}

/* ---- which interface --------------------------------------------------------- */

struct live {
	char interface[IF_NAMESIZE]; /* the interface that is shown; "": none */
	struct top_sample before, now;
	struct top_view view;
	char *note; /* why there is no table to show */
	char clock[16];
	uint64_t last; /* time of the reading, ns */
	double wait;   /* time from that reading to the next one, s */
};

static void live_forget(struct live *live)
{
	top_sample_free(&live->before);
	top_sample_free(&live->now);
}

static void live_note(struct live *live, char *note)
{
	free(live->note);
	live->note = note;
	live->view.note = note;
}

static void choose(struct live *live, const char *interface)
{
	if (!strcmp(live->interface, interface))
		return;
	snprintf(live->interface, sizeof(live->interface), "%s", interface);
	live_forget(live);
	live->view.paused = false;
}

/*
 * Moves by `step` among the interfaces that exist now. An interface that was detached stays
 * selected, because it may come back. Returns false if there is nothing to read.
 */
static bool find_interface(struct live *live, int step, struct diagnostics *diag)
{
	size_t count, place = 0;
	char **interface;
	bool found;

	if (datapath_interfaces(&interface, &count, diag))
		return false;
	while (place < count && strcmp(interface[place], live->interface) != 0)
		place++;
	found = place < count;
	if (found)
		place = (place + count + (size_t)step) % count;
	else if (count && (step || !*live->interface))
		place = 0;
	if (place < count)
		choose(live, interface[place]);
	found = place < count;
	live->view.number = place + 1;
	live->view.of = found ? count : 0;
	strv_free(interface, count);
	return found;
}

/* ---- readings ----------------------------------------------------------------- */

static void read_interface(struct live *live, struct diagnostics *diag)
{
	struct top_sample sample = {};

	top_ask_for_groups(live->interface, live->view.interval);
	if (live->view.paused)
		return;
	switch (top_take_sample(live->interface, &sample, diag)) {
	case 1:
		top_sample_free(&live->before);
		live->before = live->now;
		live->now = sample;
		live_note(live, NULL);
		break;
	case 0:
		live_note(live, must_format("%s is being attached or detached", live->interface));
	}
}

static void say_absent(struct live *live)
{
	if (*live->interface)
		live_note(live, must_format("%s is not filtered any more", live->interface));
	else
		live_note(live,
			  must_copy("no interface is filtered; \"bkxdp attach\" attaches one"));
	live_forget(live);
}

static void set_clock(struct live *live)
{
	time_t now = time(NULL);
	struct tm broken;

	strftime(live->clock, sizeof(live->clock), "%H:%M:%S", localtime_r(&now, &broken));
	live->view.clock = live->clock;
}

/* The first reading has no rates, so the second follows soon. */
static void live_read(struct live *live, int step)
{
	struct diagnostics diag = {};

	if (find_interface(live, step, &diag))
		read_interface(live, &diag);
	else if (!diag.count)
		say_absent(live);
	if (diag.count) {
		live_note(live, must_copy(diag.text[0]));
		live_forget(live);
	}
	if (!live->view.paused)
		set_clock(live);
	live->wait = live->before.time ? live->view.interval : INTERVAL_LEAST;
	live->last = clock_ns(CLOCK_MONOTONIC);
	diag_free(&diag);
}

/* ---- screen and keys -------------------------------------------------------- */

static void live_show(struct live *live)
{
	unsigned int width, height;
	struct page page;
	struct top top = {};

	screen_size(&width, &height);
	if (live->now.time)
		top_make(&live->before, &live->now, live->view.sort, &top);
	page_make(&page, live->now.time ? &top : NULL, &live->view, width, height);
	screen_show(&page);
	page_free(&page);
	top_free(&top);
}

static void change_interval(struct live *live, int step)
{
	static const double steps[] = {INTERVAL_LEAST, 1, 2, 5, 10, 30, INTERVAL_MOST};
	const int count = sizeof(steps) / sizeof(*steps);
	int i = 0;

	while (i < count - 1 && steps[i] < live->view.interval)
		i++;
	/* a value between two steps goes down to the lower one */
	i += step;
	live->view.interval = steps[i < 0 ? 0 : i >= count ? count - 1 : i];
	live->wait = live->view.interval;
}

/* Returns false if the user wants to leave. */
static bool live_key(struct live *live, int key)
{
	if (key == 'q' || key == 'Q')
		return false;
	if (live->view.help) {
		live->view.help = false;
		return true;
	}
	switch (key) {
	case 's':
		live->view.sort = (live->view.sort + 1) % TOP_SORTS;
		break;
	case 'p':
	case ' ':
		live->view.paused = !live->view.paused;
		break;
	case '+':
		change_interval(live, 1);
		break;
	case '-':
		change_interval(live, -1);
		break;
	case 'h':
	case '?':
		live->view.help = true;
	}
	return true;
}

static double time_left(const struct live *live)
{
	double left = live->wait - (double)(clock_ns(CLOCK_MONOTONIC) - live->last) / 1e9;

	return left > 0 ? left : 0;
}

/* Returns false if the user wants to leave. */
static bool live_event(struct live *live)
{
	int key;

	switch (screen_wait(time_left(live), &key)) {
	case SCREEN_END:
		return false;
	case SCREEN_NEXT:
		live_read(live, 1);
		break;
	case SCREEN_PREVIOUS:
		live_read(live, -1);
		break;
	case SCREEN_KEY:
		return live_key(live, key);
	default:
		break;
	}
	if (!time_left(live))
		live_read(live, 0);
	return true;
}

int top_live(const struct request *request)
{
	struct live live = {.view = {.interval = request->interval, .sort = request->sort}};
	const char *wrong = screen_open();

	if (wrong) {
		screen_close();
		return fail("%s", wrong);
	}
	choose(&live, request->interface ? request->interface : "");
	live_read(&live, 0);
	do {
		live_show(&live);
	} while (live_event(&live));
	screen_close();
	live_forget(&live);
	live_note(&live, NULL);
	return EXIT_DONE;
}
