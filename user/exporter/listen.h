/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses to listen on, as exporters write them, and the sockets for them. */
#ifndef EXPORTER_LISTEN_H
#define EXPORTER_LISTEN_H

#include <stddef.h>

#include "base/diag.h"

/*
 * "127.0.0.1:10471", "[::1]:9100", "host:9100", ":9100" (any address, IPv4 and IPv6).
 * A listening socket, or -1 with complaints.
 */
int listen_open(const char *address, struct diagnostics *diag);

/* "127.0.0.1:10471" of a listening socket; the caller frees it. */
char *listen_name(int fd);

#endif
