// SPDX-License-Identifier: GPL-2.0-only
/* Which format an Accept header chooses, including those of real clients. */
#include "exporter/accept.h"

#include "tap.h"

#define OPEN "application/openmetrics-text"
#define LONG                                                                                       \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void test_format(void)
{
	static const struct {
		const char *accept;
		enum metrics_format format;
	} row[] = {
		{NULL, METRICS_TEXT},
		{"", METRICS_TEXT},
		{",;,", METRICS_TEXT},
		{"*/*", METRICS_TEXT},
		{"text/plain", METRICS_TEXT},
		{OPEN, METRICS_OPENMETRICS},
		{OPEN ";version=1.0.0", METRICS_OPENMETRICS},
		{OPEN "; version=\"1.0.0\"; charset=utf-8", METRICS_OPENMETRICS},
		{OPEN ";version=0.0.1", METRICS_TEXT},
		{OPEN ";version=2.0.0", METRICS_TEXT},
		{OPEN ";q=0", METRICS_TEXT},
		{OPEN ";q=0.000", METRICS_TEXT},
		{OPEN ";q=0.001", METRICS_OPENMETRICS},
		{OPEN ";q=0.5,text/plain;q=0.5", METRICS_OPENMETRICS},
		{OPEN ";q=0.499,text/plain;q=0.5", METRICS_TEXT},
		{"text/plain;q=0.3, " OPEN ";q=0.7", METRICS_OPENMETRICS},
		{"text/plain," OPEN ";q=0.999", METRICS_TEXT},
		{OPEN ";q=7", METRICS_OPENMETRICS},
		{OPEN ";q=", METRICS_TEXT},
		{OPEN ";q=-1", METRICS_TEXT},
		{OPEN ";q=0x1", METRICS_TEXT},
		{LONG, METRICS_TEXT},
		{LONG "," OPEN, METRICS_OPENMETRICS},
		{OPEN ";" LONG ";q=1", METRICS_TEXT},
		/* Prometheus 2 and 3, a browser */
		{OPEN ";version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/"
		      "plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 METRICS_OPENMETRICS},
		{OPEN ";version=1.0.0;escaping=allow-utf-8;q=0.5," OPEN ";version=0.0.1;q=0.4,"
		      "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0."
		      "4;q=0.2,*/*;q=0.1",
		 METRICS_OPENMETRICS},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", METRICS_TEXT},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		check(accept_format(row[i].accept) == row[i].format, "Accept: %.60s",
		      row[i].accept ? row[i].accept : "(none)");
}

static void test_gzip(void)
{
	static const struct {
		const char *accept;
		bool gzip;
	} row[] = {
		{NULL, false},       {"", false},
		{"identity", false}, {"gzip", true},
		{"GZip", true},      {"deflate, gzip;q=0.5, br", true},
		{"gzip;q=0", false}, {"gzip;q=0, *", false},
		{"*", true},         {"*;q=0", false},
		{"gzipped", false},  {"br , gzip ", true},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		check(accept_gzip(row[i].accept) == row[i].gzip, "Accept-Encoding: %s",
		      row[i].accept ? row[i].accept : "(none)");
}

int main(void)
{
	test_format();
	test_gzip();
	return tap_done();
}
