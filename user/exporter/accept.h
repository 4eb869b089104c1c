/* SPDX-License-Identifier: GPL-2.0-only */
/* What a client's Accept and Accept-Encoding headers (RFC 9110, 12.5) choose. Pure. */
#ifndef EXPORTER_ACCEPT_H
#define EXPORTER_ACCEPT_H

#include <stdbool.h>

#include "stats/prometheus_text.h"

/* NULL: there is no such header. Text 0.0.4, unless OpenMetrics 1.0 is wanted at least as much. */
enum metrics_format accept_format(const char *accept);
bool accept_gzip(const char *accept_encoding);

#endif
