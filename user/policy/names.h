/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names that files give.
 */
#ifndef POLICY_NAMES_H
#define POLICY_NAMES_H

#include <stdbool.h>

/* Names of profiles, roles, ports and flows: [a-z0-9-]{1,31}. */
bool name_is_valid(const char *text);

#endif
