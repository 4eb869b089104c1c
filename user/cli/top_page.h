/* SPDX-License-Identifier: GPL-2.0-only */
/* The page that `top` shows, as lines of plain text that fit a terminal. Pure; ASCII only. */
#ifndef CLI_TOP_PAGE_H
#define CLI_TOP_PAGE_H

#include "cli/top_model.h"

#define PAGE_WIDTH_MAX  256
#define PAGE_WIDTH_MIN  40
#define PAGE_HEIGHT_MIN 12

enum page_style { PAGE_PLAIN, PAGE_TITLE, PAGE_HEADING, PAGE_BAD };

struct page_line {
	char text[PAGE_WIDTH_MAX + 1];
	enum page_style style;
};
struct page {
	struct page_line *lines;
	size_t n_lines;
	unsigned int width;
};

/* How the user looks at it. */
struct top_view {
	double interval; /* s */
	enum top_sort sort;
	bool paused, help;
	size_t number, of; /* number and count of the interface; 0: not shown */
	const char *clock; /* "14:15:26", or NULL */
	const char *note;  /* a sentence instead of the table, or NULL */
};

/*
 * With height 0, the page has as many lines as it needs and no line with keys. `top` may be
 * NULL if there is a note.
 */
void page_make(struct page *page, const struct top *top, const struct top_view *view,
	       unsigned int width, unsigned int height);
void page_free(struct page *page);

/* "0", "0.5", "987", "1.23k", "45.6M", "789G"; the text is good until 3 more are made. */
const char *page_si(double value);

#endif
