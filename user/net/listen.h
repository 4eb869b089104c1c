/* SPDX-License-Identifier: GPL-2.0-only */
/* Listening sockets for addresses as people write them. */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "base/diag.h"

/*
 * "127.0.0.1:10471", "[::1]:9100", "host:9100" or ":9100" (every address of this host, IPv4 and
 * IPv6). A TCP socket that listens and does not block, or -1 with a complaint.
 */
int listen_at(const char *address, struct diagnostics *diag);

/* "127.0.0.1:10471" of a listening socket; the caller frees it. */
char *listen_name(int fd);

#endif
