/* SPDX-License-Identifier: GPL-2.0-only */
/* Names in profiles and interface files. */
#ifndef POLICY_NAMES_H
#define POLICY_NAMES_H

#include <stdbool.h>

/* Returns true for a valid name of a profile, role, port or flow: [a-z0-9-]{1,31}. */
bool name_is_valid(const char *text);

#endif
