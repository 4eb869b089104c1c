/* SPDX-License-Identifier: GPL-2.0-only */
/* Shows a page on the terminal and reads keys from it. The only file that knows ncurses. */
#ifndef CLI_TOP_SCREEN_H
#define CLI_TOP_SCREEN_H

#include <stdbool.h>

#include "cli/top_page.h"

/*
 * Returns NULL, or what is wrong with this terminal as a static sentence. Close it in either
 * case.
 */
const char *screen_open(void);
/* Restores the terminal. It may be called even if nothing was opened. */
void screen_close(void);

void screen_size(unsigned int *width, unsigned int *height);
/* Writes only what differs from what the terminal shows. */
void screen_show(const struct page *page);

enum screen_event {
	SCREEN_NOTHING, /* the time is over */
	SCREEN_RESIZED,
	SCREEN_NEXT, /* tab, right, down */
	SCREEN_PREVIOUS,
	SCREEN_END, /* a signal to end, or the terminal is gone */
	SCREEN_KEY, /* *key */
};
enum screen_event screen_wait(double seconds, int *key);

#endif
