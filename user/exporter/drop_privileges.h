/* SPDX-License-Identifier: GPL-2.0-only */
/* Giving up, for good, what a process needed only to start. */
#ifndef EXPORTER_DROP_PRIVILEGES_H
#define EXPORTER_DROP_PRIVILEGES_H

#include <stdbool.h>

#include "base/diag.h"

/*
 * Root becomes `user`, with that user's groups; NULL: this process stays who it is. It keeps no
 * capability, except CAP_BPF if `works`, which is asked without any, says that it is needed. It can
 * gain none and load no BPF program. 0, or -1 with complaints.
 */
int drop_privileges(const char *user, bool (*works)(void), struct diagnostics *diag);

#endif
