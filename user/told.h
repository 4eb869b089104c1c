/* SPDX-License-Identifier: GPL-2.0-only */
/* What `explain` and `monitor` tell programs alike: JSON of flows, places and the nearest flow. */
#ifndef TOLD_H
#define TOLD_H

#include <jansson.h>

#include "nearest.h"
#include "policy.h"

json_t *told_place(const struct place *place);
json_t *told_flow(const struct flow *flow);
/* text: of nearest_text(). */
json_t *told_nearest(const struct policy *policy, const struct nearest *nearest, const char *text);

#endif
