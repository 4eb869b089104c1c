/* SPDX-License-Identifier: GPL-2.0-only */
/* What TLS needs beyond the HTTP library: the only room that knows GnuTLS. */
#ifndef EXPORTER_TLS_H
#define EXPORTER_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "exporter/web_config.h"

/* Why certificate, key and authorities can't be used, or NULL. */
const char *web_tls_objection(const struct web_config *config);
/* The protocol versions as a priority string of GnuTLS; the caller frees it. */
char *web_tls_priorities(const struct web_config *config);
/* Did the client of this session prove what client_auth_type asks? */
bool web_tls_client_is_known(void *session, const struct web_config *config);

/* Bytes of a base64 text; the caller frees them. NULL where it is none. */
char *web_tls_base64(const char *text, size_t *size);
#define WEB_TLS_HASH 32
/* A keyed hash (HMAC-SHA-256), to know something again without keeping it. */
int web_tls_hash(const unsigned char key[static WEB_TLS_HASH], const void *bytes, size_t size,
		 unsigned char hash[static WEB_TLS_HASH]);

#endif
