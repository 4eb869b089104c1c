/* SPDX-License-Identifier: GPL-2.0-only */
/* Giving up, for good, what a process needed only to start. */
#ifndef EXPORTER_DROP_PRIVILEGES_H
#define EXPORTER_DROP_PRIVILEGES_H

#include <stdbool.h>

#include "base/diag.h"

/*
 * Root becomes `user`, with that user's groups; NULL: stays who it is. No capability
 * stays, except CAP_BPF where `works` says, asked without any, that it is needed;
 * and no program started from here gains any. 0, or -1 with complaints.
 */
int unprivileged_become(const char *user, bool (*works)(void), struct diagnostics *diag);

/* Is there a user of that name? */
bool unprivileged_user_exists(const char *user);

#endif
