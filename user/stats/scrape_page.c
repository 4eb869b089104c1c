// SPDX-License-Identifier: GPL-2.0-only
#include "stats/scrape_page.h"

#include <inttypes.h>
#include <string.h>

#include "base/printable.h"
#include "base/strbuf.h"
#include "policy/reasons.h"

/* The name of an interface may contain characters that are special in HTML. */
static void print_escaped(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>&\"'", *text))
			fprintf(to, "&#%d;", *text);
		else
			fputc(*text, to);
	}
}

static void print_row(FILE *to, const struct reading *reading)
{
	static const char *const attached[] = {"no", "yes", "unknown"};
	uint64_t packets[TALLY_VERDICTS] = {};
	char device[PRINTABLE_DEVICE_MAX];

	(void)printable_put(device, reading->device);
	fputs("<tr><td>", to);
	print_escaped(to, device);
	fprintf(to, "</td><td>%s</td><td>%s</td><td>%s</td><td>%zu</td>",
		attached[reading->attached], reading->generic ? "generic" : "driver",
		reading->audits ? "audit" : "enforce", reading->n_flows);
	for (unsigned int i = 1; i < BKXDP_TALLIES; i++)
		packets[tally_verdict(i)] += reading->tally[i].packets;
	for (unsigned int i = 0; i < TALLY_VERDICTS; i++)
		fprintf(to, "<td>%" PRIu64 "</td>", packets[i]);
	fputs("</tr>\n", to);
}

static void print_page(FILE *to, const struct scrape *scrape, const char *telemetry_path)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
	      "<title>bkxdp exporter</title></head>\n<body>\n<h1>bkxdp exporter</h1>\n"
	      "<p>Version " BKXDP_VERSION ". <a href=\"",
	      to);
	print_escaped(to, telemetry_path);
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

char *scrape_page(const struct scrape *scrape, const char *telemetry_path)
{
	struct strbuf text;

	print_page(strbuf_open(&text), scrape, telemetry_path);
	return strbuf_close(&text);
}
