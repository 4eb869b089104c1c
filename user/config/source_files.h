/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files that a policy was read from: their paths, as a list to be kept with the policy,
 * and when the newest of them was last written.
 */
#ifndef CONFIG_SOURCE_FILES_H
#define CONFIG_SOURCE_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/*
 * Paths, each with its NUL: first the interface file, then the profiles of the policy's flows,
 * and an empty one at the end. Without an interface file there is nothing to reload from, and
 * the list is empty. The caller frees it; `size` is in bytes.
 */
char *source_files(const struct policy *policy, size_t *size);

/* When the newest was last written, s since the epoch; 0 if the list is empty or its first is gone.
 */
uint64_t source_files_changed(const char *files);

#endif
