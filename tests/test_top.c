// SPDX-License-Identifier: GPL-2.0-only
/* top: rates and rows from readings, and a page that fits from rows. */
#include <netinet/in.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cli/top_json.h"
#include "cli/top_page.h"
#include "policy/reasons.h"
#include "tap.h"

#define SECOND 1000000000ull
#define FLOWS  4

/* ---- readings --------------------------------------------------------------- */

/* The memory to which a sample points. */
struct made {
	struct top_sample sample;
	struct flow_count flow[FLOWS];
	struct {
		char profile[2][BKXDP_NAME_MAX];
		char name[FLOWS][BKXDP_NAME_MAX];
	} text;
	struct drop_group group[4];
};

/*
 * A sample of the flows vendor/b, vendor/a, site/c and a/answers at `at` s, with these numbers
 * of packets of 100 bytes.
 */
static void make(struct made *made, const char *device, unsigned int at, const uint64_t packets[4])
{
	static const char *const names[FLOWS] = {"b", "a", "c", "a"};

	memset(made, 0, sizeof(*made));
	snprintf(made->sample.reading.device, IF_NAMESIZE, "%s", device);
	made->sample.time = at * SECOND;
	made->sample.grouped = true;
	made->sample.groups.group = made->group;
	made->sample.reading.attached = ATTACHED_YES;
	snprintf(made->text.profile[0], BKXDP_NAME_MAX, "%s", "vendor");
	snprintf(made->text.profile[1], BKXDP_NAME_MAX, "%s", "site");
	for (size_t i = 0; i < FLOWS; i++) {
		snprintf(made->text.name[i], BKXDP_NAME_MAX, "%s", names[i]);
		made->flow[i] = (struct flow_count){
			.profile = (i == 2) * BKXDP_NAME_MAX,
			.name = (2 + i) * BKXDP_NAME_MAX,
			.side = i == 3 ? SIDE_REPLY : SIDE_INBOUND,
			.sum = {packets[i], packets[i] * 100},
		};
	}
	made->sample.reading.names = made->text.profile[0];
	made->sample.reading.flows = made->flow;
	made->sample.reading.n_flows = FLOWS;
}

static void add_group(struct made *made, const char *source, uint16_t port, uint64_t packets,
		      uint64_t first)
{
	struct drop_group *group = &made->group[made->sample.groups.count++];
	struct bkxdp_prefix prefix;
	const char *why;

	if (prefix_parse(source, &prefix, &why))
		abort();
	memcpy(group->key.address, prefix.address, sizeof(group->key.address));
	group->key.port = port;
	group->key.side = BKXDP_GROUP_INBOUND;
	group->key.protocol = IPPROTO_TCP;
	group->key.reason = BKXDP_DROP_SOURCE;
	group->sum = (struct bkxdp_group){packets, packets * 60, first, first, 1, 0};
	qsort(made->group, made->sample.groups.count, sizeof(*group), groups_compare);
}

/* Returns "name=packets/bits a second, ..." of a table; the caller frees it. */
static char *rows_text(const struct top_rows *rows)
{
	char *text = must_copy("");

	for (size_t i = 0; i < rows->count; i++) {
		const struct top_row *row = &rows->row[i];
		char *longer =
			must_format("%s%s%s %s=%g/%g", text, i ? ", " : "", row->what, row->detail,
				    row->amount.packet_rate, row->amount.bit_rate);

		free(text);
		text = longer;
	}
	return text;
}

static void check_rows(const struct made *before, const struct made *now, enum top_sort sort,
		       enum top_table table, const char *wanted, const char *name)
{
	struct top top;
	char *text;

	top_make(&before->sample, &now->sample, sort, &top);
	text = rows_text(&top.table[table]);
	check_text(text, wanted, "%s", name);
	free(text);
	top_free(&top);
}

/* ---- rates -------------------------------------------------------------------- */

static void test_flows(void)
{
	static const struct made nothing;
	struct made before, now;

	make(&before, "eth1", 10, (uint64_t[]){100, 200, 0, 5});
	make(&now, "eth1", 12, (uint64_t[]){120, 210, 0, 5});
	check_rows(&before, &now, TOP_BY_BITS, TOP_FLOWS,
		   "vendor/b inbound=10/8000, vendor/a inbound=5/4000, vendor/a reply=0/0",
		   "rates, most bits first, and no flow that never had a packet");
	before.flow[0].sum.bytes = now.flow[0].sum.bytes;
	check_rows(&before, &now, TOP_BY_BITS, TOP_FLOWS,
		   "vendor/a inbound=5/4000, vendor/b inbound=10/0, vendor/a reply=0/0", "by bits");
	check_rows(&before, &now, TOP_BY_PACKETS, TOP_FLOWS,
		   "vendor/b inbound=10/0, vendor/a inbound=5/4000, vendor/a reply=0/0",
		   "by packets");
	check_rows(&before, &now, TOP_BY_NAME, TOP_FLOWS,
		   "vendor/a inbound=5/4000, vendor/a reply=0/0, vendor/b inbound=10/0", "by name");
	check_rows(&nothing, &now, TOP_BY_NAME, TOP_FLOWS,
		   "vendor/a inbound=0/0, vendor/a reply=0/0, vendor/b inbound=0/0",
		   "no rates from one reading");
	make(&before, "eth2", 10, (uint64_t[]){100, 200, 0, 5});
	check_rows(&before, &now, TOP_BY_NAME, TOP_FLOWS,
		   "vendor/a inbound=0/0, vendor/a reply=0/0, vendor/b inbound=0/0",
		   "nor from another interface's");
}

static void test_restarts(void)
{
	struct made before, now;

	make(&before, "eth1", 10, (uint64_t[]){1000, 1000, 1000, 1000});
	make(&now, "eth1", 11, (uint64_t[]){10, 0, 1000, 1001});
	check_rows(&before, &now, TOP_BY_PACKETS, TOP_FLOWS,
		   "vendor/b inbound=10/8000, vendor/a reply=1/800, site/c inbound=0/0",
		   "a counter that began anew is not negative");
	/* a reload moved and added flows */
	snprintf(before.text.name[0], BKXDP_NAME_MAX, "%s", "a");
	before.flow[0].sum = (struct bkxdp_counter){1, 100};
	snprintf(before.text.name[1], BKXDP_NAME_MAX, "%s", "gone");
	make(&now, "eth1", 11, (uint64_t[]){7, 3, 0, 0});
	check_rows(&before, &now, TOP_BY_PACKETS, TOP_FLOWS,
		   "vendor/b inbound=7/5600, vendor/a inbound=2/1600",
		   "flows are known by name, and a new one counts from nothing");
}

static void test_sources(void)
{
	struct made before, now;
	const uint64_t none[FLOWS] = {};

	make(&before, "eth1", 10, none);
	make(&now, "eth1", 12, none);
	add_group(&before, "10.0.0.1", 445, 10, 5);
	add_group(&before, "10.0.0.2", 445, 10, 5);
	add_group(&now, "10.0.0.1", 445, 30, 5);
	add_group(&now, "10.0.0.2", 445, 16, 11 * SECOND);
	add_group(&now, "10.0.0.3", 22, 2, 11 * SECOND);
	check_rows(&before, &now, TOP_BY_PACKETS, TOP_SOURCES,
		   "10.0.0.1 to tcp 445=10/4800, 10.0.0.2 to tcp 445=8/3840, "
		   "10.0.0.3 to tcp 22=1/480",
		   "a group, one that was lost and began anew, and a new one");
	before.sample.grouped = false;
	before.sample.groups.count = 0;
	check_rows(&before, &now, TOP_BY_NAME, TOP_SOURCES,
		   "10.0.0.1 to tcp 445=0/0, 10.0.0.2 to tcp 445=0/0, 10.0.0.3 to tcp 22=0/0",
		   "no rates where the first reading failed");
}

static long long packets_in(const json_t *json, const char *sum)
{
	return json_integer_value(json_object_get(json_object_get(json, sum), "packets"));
}

static void test_totals(void)
{
	const uint64_t none[FLOWS] = {};
	struct made before, now;
	struct top top;
	json_t *json, *row;

	make(&before, "eth1", 10, none);
	make(&now, "eth1", 11, none);
	now.sample.reading.tally[BKXDP_PASS_ARP] = (struct bkxdp_counter){2, 200};
	now.sample.reading.tally[BKXDP_PASS_FLOW] = (struct bkxdp_counter){3, 300};
	now.sample.reading.tally[BKXDP_DROP_PORT] = (struct bkxdp_counter){5, 500};
	now.sample.reading.tally[bkxdp_tally(BKXDP_DROP_PORT, 1)] = (struct bkxdp_counter){7, 700};
	top_make(&before.sample, &now.sample, TOP_BY_BITS, &top);
	check_int(top.sum[TALLY_PASS].packets, 5, "what passed, with and without a flow");
	check_int((long long)top.sum[TALLY_PASS].bit_rate, 4000, "its rate");
	check_int(top.sum[TALLY_DROP].packets, 5, "what was dropped");
	check_int(top.sum[TALLY_WOULD_DROP].packets, 7, "and what would have been");
	check_rows(&before, &now, TOP_BY_BITS, TOP_REASONS,
		   "port would drop=7/5600, port drop=5/4000", "a reason for either");
	json = top_json(&top);
	check_int(packets_in(json, "dropped"), 5, "JSON: dropped");
	check_int(packets_in(json, "would_drop"), 7, "JSON: what would have been");
	row = json_array_get(json_object_get(json, "reasons"), 0);
	check_text(json_string_value(json_object_get(row, "verdict")), "would_drop",
		   "JSON: a row tells which");
	json_decref(json);
	top_free(&top);
	make(&now, "a\033[2Jb\x80", 11, none);
	top_make(&before.sample, &now.sample, TOP_BY_BITS, &top);
	check_text(top.device, "a\\x1b[2Jb\\x80", "a name cannot command the terminal");
	top_free(&top);
}

/* ---- numbers ------------------------------------------------------------------ */

static const struct {
	double value;
	const char *text;
} numbers[] = {
	{0, "0"},        {0.04, "0"},        {0.5, "0.5"},      {9.96, "10.0"},
	{12.34, "12.3"}, {99.96, "100"},     {999.4, "999"},    {999.6, "1.00k"},
	{1234, "1.23k"}, {9996, "10.0k"},    {123456, "123k"},  {999600, "1.00M"},
	{1e9, "1.00G"},  {4.56e13, "45.6T"}, {1.8e19, "18.0E"},
};

/* ---- pages -------------------------------------------------------------------- */

static void make_full(struct made *before, struct made *now)
{
	make(before, "eth1", 10, (uint64_t[]){1, 1, 1, 1});
	make(now, "eth1", 11, (uint64_t[]){1000, 2000, 30000, 1});
	snprintf(now->text.name[0], BKXDP_NAME_MAX, "%s", "a-name-of-thirty-one-characters");
	snprintf(now->text.profile[0], BKXDP_NAME_MAX, "%s", "a-vendor-of-some-thirty-letters");
	add_group(now, "2001:db8:1111:2222:3333:4444:5555:6666", 65535, 10, 5);
	add_group(now, "10.0.0.1", 445, 10, 5);
	for (int tally = BKXDP_DROP_MALFORMED; tally < BKXDP_TALLIES; tally++)
		now->sample.reading.tally[tally] =
			(struct bkxdp_counter){UINT64_MAX >> 8, UINT64_MAX >> 4};
}

/*
 * Checks that no line is wider than the screen, that all bytes are printable, and that there
 * are as many lines as fit.
 */
static bool fits(const struct page *page, unsigned int width, unsigned int height)
{
	if (height && page->n_lines > height)
		return false;
	for (size_t i = 0; i < page->n_lines; i++) {
		const char *text = page->lines[i].text;

		if (strlen(text) > width)
			return false;
		for (; *text; text++)
			if (*text < ' ' || *text > '~')
				return false;
	}
	return true;
}

static bool has(const struct page *page, const char *text)
{
	for (size_t i = 0; i < page->n_lines; i++)
		if (strstr(page->lines[i].text, text))
			return true;
	return false;
}

static bool has_style(const struct page *page, enum page_style style)
{
	for (size_t i = 0; i < page->n_lines; i++)
		if (page->lines[i].style == style)
			return true;
	return false;
}

static void test_sizes(void)
{
	static const struct top_view views[] = {
		{.interval = 1, .number = 1, .of = 2, .clock = "14:15:26"},
		{.interval = 0.5, .paused = true, .sort = TOP_BY_PACKETS},
		{.interval = 60, .help = true},
		{.interval = 1, .note = "eth1 is not filtered any more"},
	};
	struct made before, now;
	bool fit = true, whole = true;
	struct top top;

	make_full(&before, &now);
	top_make(&before.sample, &now.sample, TOP_BY_BITS, &top);
	for (unsigned int width = 1; width <= 300; width += width < 120 ? 1 : 20)
		for (unsigned int height = 0; height <= 60; height++)
			for (size_t v = 0; v < sizeof(views) / sizeof(*views); v++) {
				struct page page;

				page_make(&page, views[v].note ? NULL : &top, &views[v], width,
					  height);
				fit = fit &&
				      fits(&page, width > PAGE_WIDTH_MIN ? width : 80, height);
				if (width >= PAGE_WIDTH_MIN && height >= PAGE_HEIGHT_MIN)
					whole = whole && page.n_lines == height;
				page_free(&page);
			}
	check(fit, "every size is kept, from 1x1 to 300x60");
	check(whole, "and used to the last line");
	top_free(&top);
}

static void test_page(void)
{
	struct top_view view = {.interval = 1, .number = 1, .of = 1};
	struct made before, now;
	struct page page;
	char wanted[16];
	struct top top;

	make_full(&before, &now);
	top_make(&before.sample, &now.sample, TOP_BY_BITS, &top);
	page_make(&page, &top, &view, 80, 24);
	check(has(&page, "2001:db8:1111:2222:3333:4444:5555:6666 "),
	      "80x24: the longest address is whole");
	check(has(&page, "site/c"), "80x24: a flow");
	snprintf(wanted, sizeof(wanted), " of %d)",
		 2 * (BKXDP_REASON_COUNT - BKXDP_DROP_MALFORMED));
	check(has(&page, wanted), "80x24: says how many reasons do not fit");
	page_free(&page);
	page_make(&page, &top, &view, 40, 12);
	check(has(&page, "10.0.0.1 "), "40x12: an address is whole");
	check(has(&page, "30.0k"), "40x12: a rate");
	page_free(&page);
	view.note = "a sentence that is longer than one line of \033[31m this screen";
	page_make(&page, NULL, &view, 40, 12);
	check_text(page.lines[1].text, "a sentence that is longer than one line", "a sentence");
	check_text(page.lines[2].text, "of ?[31m this screen", "on two lines, and harmless");
	page_free(&page);
	view.note = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	page_make(&page, NULL, &view, 40, 12);
	check_int(strlen(page.lines[2].text), 28, "and a word that is longer than a line");
	page_free(&page);
	view.note = NULL;
	page_make(&page, &top, &view, 39, 12);
	check(has(&page, "too small"), "39x12: too small");
	check(!has(&page, "site"), "39x12: and nothing else");
	page_free(&page);
	top_free(&top);
	make(&now, "eth1", 11, (uint64_t[]){0, 0, 0, 0});
	top_make(&before.sample, &now.sample, TOP_BY_BITS, &top);
	page_make(&page, &top, &view, 80, 0);
	check(has(&page, "no packet of a flow yet"), "an empty table says so");
	check(!has(&page, "q quit"), "no keys where there are none to press");
	page_free(&page);
	top_free(&top);
}

/* What audit would have dropped is shown apart from what is dropped, and is never red. */
static void test_verdicts(void)
{
	struct top_view view = {.interval = 1, .number = 1, .of = 1};
	const uint64_t none[FLOWS] = {};
	struct made before, now;
	struct page page;
	struct top top;

	make(&before, "eth1", 10, none);
	make(&now, "eth1", 11, none);
	top_make(&before.sample, &now.sample, TOP_BY_BITS, &top);
	page_make(&page, &top, &view, 80, 24);
	check(has(&page, "dropped ") && !has(&page, "would drop"), "enforce: what is dropped");
	page_free(&page);
	top_free(&top);
	now.sample.reading.audits = true;
	now.sample.reading.tally[bkxdp_tally(BKXDP_DROP_SOURCE_INVALID, 1)].packets = 7;
	top_make(&before.sample, &now.sample, TOP_BY_BITS, &top);
	page_make(&page, &top, &view, 80, 24);
	check(has(&page, "would drop     7.0 packets/s"), "audit: what would be");
	check(has(&page, "dropped          0 packets/s"), "audit: and that nothing is");
	check(has(&page, "WOULD DROP FROM"), "audit: its sources");
	check(!has_style(&page, PAGE_BAD), "audit: no loss to show in red");
	page_free(&page);
	top_free(&top);
	now.sample.reading.audits = false;
	now.sample.reading.tally[BKXDP_DROP_SOURCE_INVALID].packets = 5;
	top_make(&before.sample, &now.sample, TOP_BY_BITS, &top);
	page_make(&page, &top, &view, 40, 12);
	check(has(&page, "source-invalid would"), "40x12: a reason that is whole, and its verdict");
	check(has(&page, "source-invalid drop "), "40x12: each of them");
	check(has_style(&page, PAGE_BAD), "40x12: drops are shown in red");
	page_free(&page);
	top_free(&top);
}

int main(void)
{
	test_flows();
	test_restarts();
	test_sources();
	test_totals();
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		check_text(page_si(numbers[i].value), numbers[i].text, "%g", numbers[i].value);
	test_sizes();
	test_page();
	test_verdicts();
	return tap_done();
}
