/* SPDX-License-Identifier: GPL-2.0-only */
/* The service manager's side: sockets that it opened, and what it is told. */
#ifndef EXPORTER_SYSTEMD_H
#define EXPORTER_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* Was any socket passed to this process? */
bool service_has_sockets(void);
/* The listening sockets that were passed; the caller frees the array. 0, or -1 with complaints. */
int service_sockets(int **fd, size_t *count, struct diagnostics *diag);

/* Nothing where no service manager waits for it. */
void service_ready(const char *status);
void service_reloading(void);
void service_stopping(void);

#endif
