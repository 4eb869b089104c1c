/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP server: the only file that knows libmicrohttpd. It has one thread; whoever is slow,
 * silent or one of a crowd is cut off before others have to wait.
 */
#ifndef EXPORTER_HTTP_H
#define EXPORTER_HTTP_H

#include "base/diag.h"
#include "exporter/routes.h"
#include "exporter/web_config.h"

struct http_plan {
	int *listeners; /* sockets that do not block */
	size_t n_listeners;
	const char *config_file; /* or NULL */
	struct routes routes;
};

/*
 * Serves until SIGTERM or SIGINT; reads the files of the configuration again if they change, and on
 * SIGHUP. Owns the configuration. 0, or -1 with complaints if it can't begin.
 */
int http_serve(struct http_plan *plan, struct web_config *config, struct diagnostics *diag);

#endif
