/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a policy as JSON and reads it back. The JSON is stored beside the maps of the filter, so
 * that commands show the policy that runs and not the files of today. Which flow has which counter
 * is in the map `names`; the digest and the time of loading are in struct bkxdp_policy_record.
 */
#ifndef POLICY_POLICY_JSON_H
#define POLICY_POLICY_JSON_H

#include "policy/policy.h"

/* Prefixes that are stored of each group; their total number is stored, too. */
#define POLICY_JSON_PREFIXES 4

/*
 * The caller frees the result. Returns NULL if a name or path is not valid UTF-8, which JSON
 * requires.
 */
char *policy_json_write(const struct policy *policy);

/*
 * The caller frees the result, whose digest is not set. Returns NULL with EBADMSG if the text is
 * not a policy.
 */
struct policy *policy_json_read(const char *text);

#endif
