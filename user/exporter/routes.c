// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/routes.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/strv.h"
#include "datapath/datapath.h"
#include "datapath/scrape_all.h"
#include "exporter/accept.h"
#include "stats/scrape_page.h"

struct answer answer_say(unsigned int status, const char *sentence)
{
	return (struct answer){.status = status,
			       .type = "text/plain; charset=utf-8",
			       .text = must_format("%s\n", sentence)};
}

static void take_scrape(struct routes *routes, struct scrape *scrape)
{
	struct diagnostics diag = {};

	scrape_all(scrape, &diag);
	if (diag_is_news(&diag, &routes->said)) {
		diag_print(&diag);
		if (!diag.count)
			fputs("bkxdp: all interfaces can be read again\n", stderr);
	}
	diag_free(&diag);
}

/*
 * The text as a file in memory, so that nothing else is held for whoever reads it slowly. Gzip at
 * its fastest level: the lines are so much alike that the others gain next to nothing. -1: no
 * memory.
 */
static int write_text(const struct scrape *scrape, enum metrics_format format, bool gzip)
{
	struct rendering rendering = {.scrape = scrape, .format = format};
	int fd = memfd_create("scrape", MFD_CLOEXEC);
	gzFile to = fd < 0 ? NULL : gzdopen(dup(fd), gzip ? "wb1" : "wbT");
	bool whole = to;
	char piece[16384];
	unsigned int length;

	while (whole && (length = metrics_fill(&rendering, piece, sizeof(piece))))
		whole = gzwrite(to, piece, length) == (int)length;
	if (to && gzclose(to) == Z_OK && whole)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static struct answer answer_metrics(struct routes *routes, const struct request *request)
{
	enum metrics_format format = accept_format(request->accept);
	struct scrape scrape = {.errors = routes->errors};
	struct answer answer = {
		.status = 200,
		.type = format == METRICS_OPENMETRICS
				? "application/openmetrics-text; version=1.0.0; charset=utf-8"
				: "text/plain; version=0.0.4; charset=utf-8",
		.gzip = accept_gzip(request->accept_encoding),
	};

	take_scrape(routes, &scrape);
	routes->errors = scrape.errors;
	answer.scrape = write_text(&scrape, format, answer.gzip);
	scrape_free(&scrape);
	if (answer.scrape < 0)
		return answer_say(500, "out of memory");
	answer.size = lseek(answer.scrape, 0, SEEK_END);
	return answer;
}

/* Can the pins be found at all? What is wrong with one interface is in the metrics. */
static struct answer answer_health(struct routes *routes, const struct request *request)
{
	struct diagnostics diag = {};
	struct answer answer;
	char **interfaces;
	size_t count;
	int error = datapath_interfaces(&interfaces, &count, &diag);

	(void)routes;
	(void)request;
	answer = !error ? answer_say(200, "ok")
			: answer_say(503, diag.count ? diag.text[0] : "no pins");
	strv_free(interfaces, count);
	diag_free(&diag);
	return answer;
}

static struct answer answer_first(struct routes *routes, const struct request *request)
{
	struct answer answer = {.status = 200, .type = "text/html; charset=utf-8"};
	struct scrape scrape = {};

	(void)request;
	take_scrape(routes, &scrape);
	answer.text = scrape_page(&scrape, routes->telemetry_path);
	scrape_free(&scrape);
	return answer;
}

struct answer routes_answer(struct routes *routes, const struct request *request)
{
	const struct {
		const char *path;
		struct answer (*answer)(struct routes *routes, const struct request *request);
	} known[] = {
		{routes->telemetry_path, answer_metrics},
		{"/healthz", answer_health},
		{"/", answer_first},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(request->path, known[i].path))
			return known[i].answer(routes, request);
	return answer_say(404, "there is no such page; \"/\" has links to those that there are");
}
