/* SPDX-License-Identifier: GPL-2.0-only */
/* `status --would-drop`: what enforcement would drop, and what lets it in, for people and JSON. */
#ifndef STATUS_WOULD_DROP_H
#define STATUS_WOULD_DROP_H

#include <jansson.h>
#include <stddef.h>

#include "counters.h"
#include "groups.h"

/* At most `limit` rows, 0: all, and the advice for these. */
void would_drop_print(const struct snapshot *snapshot, const struct drop_groups *groups,
		      size_t limit);
json_t *would_drop_json(const struct snapshot *snapshot, const struct drop_groups *groups,
			size_t limit);

#endif
