// SPDX-License-Identifier: GPL-2.0-only
#include "cli/top_page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "policy/reasons.h"

/* ---- numbers ---------------------------------------------------------------- */

const char *page_si(double value)
{
	static const char prefixes[] = "\0kMGTPE";
	static char text[4][16];
	static unsigned int turn;
	char *to = text[turn++ % 4];
	size_t i = 0;

	/* 999.6 has three digits only if it is written as 1.00k */
	for (; value >= 999.5 && i < sizeof(prefixes) - 2; i++)
		value /= 1000;
	snprintf(to, sizeof(text[0]), "%.*f%c",
		 value < 0.05 || value >= 99.95            ? 0
		 : value >= 9.995 || (!i && value >= 0.05) ? 1
							   : 2,
		 value, prefixes[i]);
	return to;
}

/* ---- lines ------------------------------------------------------------------ */

__attribute__((format(printf, 3, 4))) static void add_line(struct page *page, enum page_style style,
							   const char *format, ...)
{
	struct page_line *line = APPEND(page->lines, page->n_lines);
	size_t size = page->width + 1;
	va_list args;
	int length;

	line->style = style;
	va_start(args, format);
	length = vsnprintf(line->text, size, format, args);
	va_end(args);
	/* text that does not fit ends in a mark */
	if (length >= 0 && (size_t)length >= size)
		line->text[page->width - 1] = '~';
	for (size_t i = strlen(line->text); i && line->text[i - 1] == ' '; i--)
		line->text[i - 1] = '\0';
	/* interface names may contain nearly any byte */
	for (char *c = line->text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* A sentence on as many lines as it needs, broken between words if possible. */
static void add_sentence(struct page *page, enum page_style style, const char *text)
{
	while (*text) {
		size_t length = strlen(text), cut = length;

		if (length > page->width)
			for (cut = page->width; cut && text[cut] != ' '; cut--)
				;
		if (!cut)
			cut = page->width;
		add_line(page, style, "%.*s", (int)cut, text);
		text += cut;
		text += strspn(text, " ");
	}
}

/* Cut to the width of a column, with a mark if it was longer. */
static const char *fitted(const char *text, size_t width, char to[static TOP_TEXT_MAX])
{
	if (width >= TOP_TEXT_MAX)
		width = TOP_TEXT_MAX - 1;
	snprintf(to, TOP_TEXT_MAX, "%.*s", (int)width, text);
	if (strlen(text) > width && width)
		to[width - 1] = '~';
	return to;
}

/* ---- the head --------------------------------------------------------------- */

static void add_title(struct page *page, const struct top *top, const struct top_view *view)
{
	AUTO_FREE char *number =
		view->of > 1 ? must_format(" (%zu of %zu)", view->number, view->of) : must_copy("");
	AUTO_FREE char *left = top ? must_format("bkxdp top: %s%s, %s, %s%s", top->device, number,
						 top->generic ? "generic mode" : "driver mode",
						 top->audits ? "audit" : "enforce",
						 top->attached ? "" : ", NOT ATTACHED")
				   : must_copy("bkxdp top");
	AUTO_FREE char *right = must_format("by %s, %s%g s  %s", top_sort_words[view->sort],
					    view->paused ? "PAUSED, " : "", view->interval,
					    view->clock ? view->clock : "");
	size_t room = strlen(left) + 2 + strlen(right);

	if (room <= page->width)
		add_line(page, PAGE_TITLE, "%s%*s", left, (int)(page->width - strlen(left)), right);
	else
		add_line(page, PAGE_TITLE, "%s%s", view->paused ? "PAUSED " : "", left);
}

static void add_total(struct page *page, const char *word, const struct top_amount *amount,
		      bool rates, enum page_style style)
{
	if (rates)
		add_line(page, style, "%-10s %7s packets/s %7s bits/s %12llu packets", word,
			 page_si(amount->packet_rate), page_si(amount->bit_rate),
			 (unsigned long long)amount->packets);
	else
		add_line(page, style, "%-10s %7s packets/s %7s bits/s %12llu packets", word, "-",
			 "-", (unsigned long long)amount->packets);
}

static void add_head(struct page *page, const struct top *top, const struct top_view *view)
{
	const struct top_amount *dropped = &top->sum[TALLY_DROP],
				*would_drop = &top->sum[TALLY_WOULD_DROP];

	add_title(page, top, view);
	add_total(page, "passed", &top->sum[TALLY_PASS], top->seconds > 0, PAGE_PLAIN);
	add_total(page, "dropped", dropped, top->seconds > 0,
		  dropped->packet_rate > 0 ? PAGE_BAD : PAGE_PLAIN);
	/* what an audit found stays visible after it, for comparison */
	if (top->audits || would_drop->packets)
		add_total(page, "would drop", would_drop, top->seconds > 0, PAGE_PLAIN);
}

/* ---- tables ----------------------------------------------------------------- */

/* The columns of a table at this width. The first takes what is left. */
struct columns {
	size_t what, detail, reason, total;
};
#define RATES      (2 * 10)
#define WIDE       76 /* from this width on there is room for totals */
#define WIDER      100
#define WHAT_LEAST 15 /* the width of an IPv4 address */

static size_t longest(const struct top_rows *rows)
{
	size_t most = 0;

	for (size_t i = 0; i < rows->count; i++)
		if (strlen(rows->row[i].what) > most)
			most = strlen(rows->row[i].what);
	return most;
}

static struct columns columns_of(enum top_table table, const struct top_rows *rows, size_t width)
{
	static const size_t detail[] = {[TOP_FLOWS] = 8, [TOP_REASONS] = 10, [TOP_SOURCES] = 14};
	struct columns columns = {.detail = detail[table]};
	size_t taken;

	/* a cut "would drop" is still understood */
	if (width < RATES + detail[table] + 1 + WHAT_LEAST)
		columns.detail = table == TOP_REASONS ? 5 : 0;
	taken = RATES + (columns.detail ? columns.detail + 1 : 0);
	if (width >= (table == TOP_SOURCES ? WIDER : WIDE)) {
		columns.total = 13;
		taken += 14;
	}
	/* a whole address is worth more than a reason that another table shows */
	if (table == TOP_SOURCES && width >= taken + 15 + longest(rows)) {
		columns.reason = 14;
		taken += 15;
	}
	columns.what = width - taken;
	return columns;
}

static void add_columns(struct page *page, enum page_style style, const struct columns *columns,
			const char *const cell[static 6])
{
	char what[TOP_TEXT_MAX], total[20];
	size_t left = columns->what < TOP_TEXT_MAX ? columns->what : TOP_TEXT_MAX - 1;

	snprintf(total, sizeof(total), "%*s", columns->total ? 14 : 0,
		 columns->total ? cell[5] : "");
	add_line(page, style, "%-*s%*s%-*.*s%*s%-*.*s %9s %9s%s", (int)left,
		 fitted(cell[0], left, what), columns->detail ? 1 : 0, "", (int)columns->detail,
		 (int)columns->detail, cell[1], columns->reason ? 1 : 0, "", (int)columns->reason,
		 (int)columns->reason, cell[2], cell[3], cell[4], total);
}

static void add_row(struct page *page, const struct columns *columns, const struct top_row *row,
		    bool rates, enum page_style style)
{
	AUTO_FREE char *total = must_format("%llu", (unsigned long long)row->amount.packets);
	const char *const cell[] = {
		row->what,
		row->detail,
		row->reason ? row->reason : "",
		rates ? page_si(row->amount.packet_rate) : "-",
		rates ? page_si(row->amount.bit_rate) : "-",
		total,
	};

	add_columns(page, style, columns, cell);
}

static const struct {
	const char *what, *detail, *none;
} tables[TOP_TABLES] = {
	[TOP_FLOWS] = {"FLOW", "SIDE", "no packet of a flow yet"},
	[TOP_REASONS] = {"DROP REASON", "", "nothing to drop yet"},
	[TOP_SOURCES] = {"DROPPED SOURCE", "SERVICE", "nothing dropped while watched"},
};

/* Drops that go on now. What only would be dropped is not lost, so it does not count. */
static bool is_bad(const struct top *top, enum top_table table, const struct top_row *row)
{
	bool dropped = table == TOP_REASONS ? tally_verdict(row->tally) == TALLY_DROP
					    : table == TOP_SOURCES && !top->audits;

	return dropped && row->amount.packet_rate > 0;
}

static void add_table(struct page *page, const struct top *top, enum top_table number, size_t shown)
{
	const struct top_rows *rows = &top->table[number];
	struct columns columns = columns_of(number, rows, page->width);
	char what[TOP_TEXT_MAX];
	const char *const cell[] = {
		what, tables[number].detail, "REASON", "PACKETS/S", "BITS/S", "PACKETS"};
	const char *heading =
		number == TOP_SOURCES && top->audits ? "WOULD DROP FROM" : tables[number].what;

	if (shown < rows->count)
		snprintf(what, sizeof(what), "%s (%zu of %zu)", heading, shown, rows->count);
	else
		snprintf(what, sizeof(what), "%s", heading);
	add_columns(page, PAGE_HEADING, &columns, cell);
	for (size_t i = 0; i < shown; i++)
		add_row(page, &columns, &rows->row[i], top->seconds > 0,
			is_bad(top, number, &rows->row[i]) ? PAGE_BAD : PAGE_PLAIN);
	if (!rows->count && number == TOP_SOURCES && !top->grouped)
		add_line(page, PAGE_PLAIN, "  (the sources can't be read)");
	else if (!rows->count)
		add_line(page, PAGE_PLAIN, "  (%s)", tables[number].none);
}

/*
 * Gives lines to the tables in turn, until none are left or no table wants more. An empty table
 * needs one line to say so.
 */
static void share(const struct top *top, size_t room, size_t shown[static TOP_TABLES])
{
	bool wanted = true;

	memset(shown, 0, TOP_TABLES * sizeof(*shown));
	for (int i = 0; i < TOP_TABLES; i++)
		room -= room && !top->table[i].count;
	while (room && wanted) {
		wanted = false;
		for (int i = 0; i < TOP_TABLES && room; i++) {
			if (shown[i] == top->table[i].count)
				continue;
			shown[i]++;
			room--;
			wanted = true;
		}
	}
}

#define ONCE_SOURCES 20 /* rows of a table if the number of lines is not limited */
#define AIRY         20 /* from this height on, empty lines separate the tables */

static void add_tables(struct page *page, const struct top *top, unsigned int height)
{
	bool airy = !height || height >= AIRY;
	size_t shown[TOP_TABLES], used = page->n_lines + TOP_TABLES + (airy ? TOP_TABLES : 0) + 1;

	share(top, height ? (height > used ? height - used : 0) : SIZE_MAX, shown);
	if (!height && shown[TOP_SOURCES] > ONCE_SOURCES)
		shown[TOP_SOURCES] = ONCE_SOURCES;
	for (enum top_table table = 0; table < TOP_TABLES; table++) {
		if (airy)
			add_line(page, PAGE_PLAIN, "%s", "");
		add_table(page, top, table, shown[table]);
	}
}

/* ---- the whole -------------------------------------------------------------- */

static const char *const help[] = {
	"",
	"q             leave",
	"tab, arrows   another interface",
	"s             sort by bits, packets, name",
	"p, space      pause, and go on",
	"+ -           look less often, more often",
	"h ?           this page",
	"",
	"Rates are those of the last interval. Sources are",
	"counted while somebody watches, in audit mode always.",
};

static void add_help(struct page *page)
{
	for (size_t i = 0; i < sizeof(help) / sizeof(*help); i++)
		add_line(page, PAGE_PLAIN, "%s", help[i]);
}

static void add_keys(struct page *page, const struct top_view *view, unsigned int height)
{
	if (page->n_lines > height - 1)
		page->n_lines = height - 1;
	while (page->n_lines < height - 1)
		add_line(page, PAGE_PLAIN, "%s", "");
	add_line(page, PAGE_TITLE,
		 view->help ? "any key: back"
			    : "q quit  tab interface  s sort  p pause  +- "
			      "interval  h help");
}

void page_make(struct page *page, const struct top *top, const struct top_view *view,
	       unsigned int width, unsigned int height)
{
	*page = (struct page){.width = width < PAGE_WIDTH_MAX ? width + !width : PAGE_WIDTH_MAX};
	if (width < PAGE_WIDTH_MIN || (height && height < PAGE_HEIGHT_MIN)) {
		add_line(page, PAGE_PLAIN, "too small");
		if (height != 1)
			add_line(page, PAGE_PLAIN, "%ux%u, need %dx%d", width, height,
				 PAGE_WIDTH_MIN, PAGE_HEIGHT_MIN);
		return;
	}
	if (view->help || view->note) {
		add_title(page, view->note ? NULL : top, view);
		if (view->note)
			add_sentence(page, PAGE_BAD, view->note);
		if (view->help)
			add_help(page);
	} else {
		add_head(page, top, view);
		add_tables(page, top, height);
	}
	if (height)
		add_keys(page, view, height);
}

void page_free(struct page *page)
{
	free(page->lines);
	memset(page, 0, sizeof(*page));
}
