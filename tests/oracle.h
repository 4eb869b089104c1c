/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second opinion on a verdict. It is written from docs/verdicts.md alone, and uses the policy
 * and not its tables, without packet.h and classify.h. It knows less than they do (no tags, no
 * extension headers) and must never contradict them.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "engine/engine.h"
#include "policy/policy.h"

/* Returns what is wrong with the judgement, or NULL. */
const char *oracle_objects(const struct policy *policy, const uint8_t *frame, size_t length,
			   const struct judgement *judgement);

#endif
