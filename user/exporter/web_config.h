/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The web configuration file of Prometheus' exporters: TLS, users, headers. What
 * it names is read with it, so that a configuration is whole or is refused.
 */
#ifndef EXPORTER_WEB_CONFIG_H
#define EXPORTER_WEB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/diag.h"

enum tls_version { TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 };
enum client_auth { CLIENT_NONE, CLIENT_IF_GIVEN, CLIENT_REQUIRED };

struct web_user {
	char *name;
	char *hash; /* bcrypt */
};
struct web_header {
	char *name, *value;
};

/* A file as it was when it was read. */
struct web_file {
	char *path;
	struct timespec written;
	unsigned long long inode;
};

struct web_config {
	char *cert, *key; /* PEM; NULL: plain HTTP */
	char *client_ca;  /* PEM, or NULL */
	enum client_auth client_auth;
	enum tls_version least, most;
	struct web_header *header;
	size_t headers;
	struct web_user *user; /* none: everybody may ask */
	size_t users;
	struct web_file *file;
	size_t files;
};

/* NULL with complaints. Without a file name: plain HTTP for everybody. */
struct web_config *web_config_read(const char *file, struct diagnostics *diag);
void web_config_free(struct web_config *config);

/* Has one of the files been written or replaced since? */
bool web_config_is_old(const struct web_config *config);
/* The first of the files that this process can't read (any more), or NULL. */
const char *web_config_unreadable(const struct web_config *config);

#endif
