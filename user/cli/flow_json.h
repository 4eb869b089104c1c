/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON that `explain` and `monitor` share: flows, places and the nearest flow. */
#ifndef CLI_FLOW_JSON_H
#define CLI_FLOW_JSON_H

#include <jansson.h>

#include "engine/nearest.h"
#include "policy/policy.h"

json_t *place_json(const struct place *place);
json_t *flow_json(const struct flow *flow);
/* `text` comes from nearest_text(). */
json_t *nearest_json(const struct policy *policy, const struct nearest *nearest, const char *text);

#endif
