// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/routes.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/strv.h"
#include "base/printable.h"
#include "datapath/datapath.h"
#include "datapath/scrape_all.h"
#include "exporter/accept.h"
#include "policy/reasons.h"
#include "stats/snapshot.h"

/* Each holds the counters of all flows until it is sent. */
#define STREAMS_MAX 4

struct pages {
	char *telemetry_path;
	uint64_t errors;
	unsigned int streams;
	char *said; /* the complaints of the last scrape */
};

struct pages *pages_new(const char *telemetry_path)
{
	struct pages *pages = must_alloc(1, sizeof(*pages));

	pages->telemetry_path = must_copy(telemetry_path);
	pages->said = must_copy("");
	return pages;
}

void pages_free(struct pages *pages)
{
	free(pages->telemetry_path);
	free(pages->said);
	free(pages);
}

void page_say(struct page *page, unsigned int status, const char *sentence)
{
	*page = (struct page){.status = status,
			      .type = "text/plain; charset=utf-8",
			      .text = must_format("%s\n", sentence)};
}

/* ---- metrics --------------------------------------------------------------- */

static char *joined(const struct diagnostics *diag)
{
	struct strbuf all;

	strbuf_open(&all);
	for (size_t i = 0; i < diag->count; i++)
		fprintf(all.out, "%s\n", diag->text[i]);
	return strbuf_close(&all);
}

/* In the log once, however often it is asked for; and when it is over. */
static void say_once(struct pages *pages, const struct diagnostics *diag)
{
	char *now = joined(diag);

	if (strcmp(now, pages->said))
		fputs(*now ? now : "bkxdp: all interfaces can be read again\n", stderr);
	free(pages->said);
	pages->said = now;
}

static void take_scrape(struct pages *pages, struct scrape *scrape)
{
	struct diagnostics diag = {};

	scrape_all(scrape, &diag);
	say_once(pages, &diag);
	diag_free(&diag);
}

static void answer_metrics(struct pages *pages, const struct page_request *request,
			   struct page *page)
{
	enum metrics_format format = negotiate_format(request->accept);
	struct scrape scrape = {.errors = pages->errors};

	if (pages->streams == STREAMS_MAX) {
		page_say(page, 503, "too many scrapes at a time; try again");
		return;
	}
	if (!request->head) {
		take_scrape(pages, &scrape);
		pages->errors = scrape.errors;
	}
	*page = (struct page){.status = 200,
			      .type = format == METRICS_OPENMETRICS
					      ? "application/openmetrics-text; version=1.0.0; "
						"charset=utf-8"
					      : "text/plain; version=0.0.4; charset=utf-8",
			      .varies = true,
			      .gzip = negotiate_gzip(request->accept_encoding)};
	page->stream = stream_new(&scrape, format, page->gzip);
	pages->streams++;
}

void pages_close(struct pages *pages, struct stream *stream)
{
	stream_free(stream);
	pages->streams--;
}

/* ---- health ---------------------------------------------------------------- */

/* Can the pins be found at all? What is wrong with one interface is in the metrics. */
static void answer_health(struct pages *pages, const struct page_request *request,
			  struct page *page)
{
	struct diagnostics diag = {};
	char **interface;
	size_t count;

	(void)pages;
	(void)request;
	if (!datapath_interfaces(&interface, &count, &diag))
		page_say(page, 200, "ok");
	else
		page_say(page, 503, diag.count ? diag.text[0] : "no pins");
	strv_free(interface, count);
	diag_free(&diag);
}

/* ---- the first page -------------------------------------------------------- */

/* An interface's name may hold what HTML takes for its own. */
static void print_escaped(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>&\"'", *text))
			fprintf(to, "&#%d;", *text);
		else
			fputc(*text, to);
	}
}

static uint64_t packets_of(const struct reading *reading, enum tally_verdict verdict)
{
	uint64_t sum = 0;

	for (unsigned int i = 1; i < BKXDP_TALLIES; i++)
		if (tally_verdict(i) == verdict)
			sum += reading->tally[i].packets;
	return sum;
}

static void print_row(FILE *to, const struct reading *reading)
{
	static const char *const attached[] = {"no", "yes", "unknown"};
	const struct series_head *head = reading->series.head;
	char device[PRINTABLE_DEVICE_MAX];

	(void)printable_put(device, reading->device);
	fputs("<tr><td>", to);
	print_escaped(to, device);
	fprintf(to,
		"</td><td>%s</td><td>%s</td><td>%s</td><td>%u</td><td>%" PRIu64 "</td><td>%" PRIu64
		"</td><td>%" PRIu64 "</td></tr>\n",
		attached[reading->attached], reading->generic ? "generic" : "driver",
		head->enforcement == BKXDP_AUDIT ? "audit" : "enforce", head->flows,
		packets_of(reading, TALLY_PASS), packets_of(reading, TALLY_DROP),
		packets_of(reading, TALLY_WOULD_DROP));
}

static void print_first(FILE *to, const struct pages *pages, const struct scrape *scrape)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
	      "<title>bkxdp exporter</title></head>\n<body>\n<h1>bkxdp exporter</h1>\n"
	      "<p>Version " BKXDP_VERSION ". <a href=\"",
	      to);
	print_escaped(to, pages->telemetry_path);
	fputs("\">Metrics</a>, <a href=\"/healthz\">health</a>.</p>\n"
	      "<table>\n<tr><th>interface</th><th>attached</th><th>mode</th><th>verdict</th>"
	      "<th>flows</th><th>packets passed</th><th>packets dropped</th><th>would be "
	      "dropped</th></tr>\n",
	      to);
	for (size_t i = 0; i < scrape->n_readings; i++)
		print_row(to, &scrape->readings[i]);
	fputs("</table>\n", to);
	if (!scrape->n_readings)
		fputs("<p>No interface is filtered.</p>\n", to);
	if (scrape->errors)
		fprintf(to, "<p>Not all could be read (%" PRIu64 "); the log says why.</p>\n",
			scrape->errors);
	fputs("</body>\n</html>\n", to);
}

static void answer_first(struct pages *pages, const struct page_request *request, struct page *page)
{
	struct scrape scrape = {};
	struct strbuf text;

	(void)request;
	take_scrape(pages, &scrape);
	print_first(strbuf_open(&text), pages, &scrape);
	scrape_free(&scrape);
	*page = (struct page){
		.status = 200, .type = "text/html; charset=utf-8", .text = strbuf_close(&text)};
}

/* ---- which is where -------------------------------------------------------- */

void pages_answer(struct pages *pages, const struct page_request *request, struct page *page)
{
	const struct {
		const char *path;
		void (*answer)(struct pages *pages, const struct page_request *request,
			       struct page *page);
	} known[] = {
		{pages->telemetry_path, answer_metrics},
		{"/healthz", answer_health},
		{"/", answer_first},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(request->path, known[i].path)) {
			known[i].answer(pages, request, page);
			return;
		}
	page_say(page, 404, "there is no such page; \"/\" has links to those that there are");
}
