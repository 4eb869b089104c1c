/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second opinion on a verdict: written from the contract alone, over the
 * policy and not over its tables, without packet.h and classify.h. It knows
 * less than they do (no tags, no extension headers) and must never contradict.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "engine/engine.h"
#include "policy/policy.h"

/* What is wrong with the judgement, or NULL. */
const char *oracle_objects(const struct policy *policy, const uint8_t *frame, size_t length,
			   const struct judgement *judgement);

#endif
