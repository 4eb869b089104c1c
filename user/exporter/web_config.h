/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The web configuration file of Prometheus' exporters: TLS, users, headers. The files that it
 * names are read with it, so that a configuration is whole or is refused.
 */
#ifndef EXPORTER_WEB_CONFIG_H
#define EXPORTER_WEB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

enum tls_version { TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 };
enum client_auth { CLIENT_NONE, CLIENT_IF_GIVEN, CLIENT_REQUIRED };

struct web_pair {
	char *name, *value;
};

struct web_config {
	char *cert, *key; /* PEM; NULL: plain HTTP */
	char *client_ca;  /* PEM, or NULL */
	enum client_auth client_auth;
	enum tls_version least, most;
	struct web_pair *headers; /* of every answer */
	size_t n_headers;
	struct web_pair *users; /* and their bcrypt hashes; none: everybody may ask */
	size_t n_users;
	bool ignored; /* there is no HTTP/2, and the order of suites is always the server's */
	char **files; /* that all this was read from */
	size_t n_files;
	uint64_t stamp; /* of these files as they were */
};

/* NULL with complaints. Without a file name: plain HTTP for everybody. */
struct web_config *web_config_read(const char *file, struct diagnostics *diag);
void web_config_free(struct web_config *config);

/* Has one of the files been written or replaced since? */
bool web_config_is_old(const struct web_config *config);
/* The first of the files that this process can't read (any more), or NULL. */
const char *web_config_unreadable(const struct web_config *config);

#endif
