/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy as JSON and back. So it is kept beside the maps of its filter, for commands to
 * see the policy that runs and not the files of today. The map `names` says which flow
 * counts where, and struct bkxdp_policy_record has the digest and when it was loaded.
 */
#ifndef POLICY_POLICY_JSON_H
#define POLICY_POLICY_JSON_H

#include "policy/policy.h"

/* Of each group of addresses; how many there are is kept, too. */
#define POLICY_JSON_PREFIXES 4

/* The caller frees it. NULL where a name or path in it is not valid UTF-8, as JSON must be. */
char *policy_json_write(const struct policy *policy);

/* The caller frees it; it has no digest. NULL with EBADMSG where the text is no policy. */
struct policy *policy_json_read(const char *text);

#endif
