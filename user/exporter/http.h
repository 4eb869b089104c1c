/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP server: the only room that knows libmicrohttpd. One thread; whoever is
 * slow, silent or many is cut off before others have to wait.
 */
#ifndef EXPORTER_HTTP_H
#define EXPORTER_HTTP_H

#include "base/diag.h"
#include "exporter/routes.h"
#include "exporter/web_config.h"

struct web_plan {
	const int *listener; /* listening sockets, not blocking */
	size_t listeners;
	const char *config_file; /* or NULL */
	struct pages *pages;
};

struct web;
/* Takes the configuration, which was read from config_file. NULL with complaints. */
struct web *web_start(const struct web_plan *plan, struct web_config *config,
		      struct diagnostics *diag);
/* Serves until SIGTERM or SIGINT, which must be blocked, as must SIGHUP: read the files again. */
void web_serve(struct web *web);
void web_stop(struct web *web);

#endif
