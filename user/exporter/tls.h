/* SPDX-License-Identifier: GPL-2.0-only */
/* What TLS needs beyond the HTTP library. */
#ifndef EXPORTER_TLS_H
#define EXPORTER_TLS_H

#include <stdbool.h>

#include "exporter/web_config.h"

/* Why certificate, key and authorities can't be used, or NULL. */
const char *tls_objection(const struct web_config *config);
/* The versions and suites that are offered, as GnuTLS' priority string; the caller frees it. */
char *tls_priorities(const struct web_config *config);
/* Did the client of this gnutls_session_t prove what client_auth_type asks? */
bool tls_client_is_known(void *session, const struct web_config *config);

#endif
