/* SPDX-License-Identifier: GPL-2.0-only */
/* `status --would-drop`: what enforcement would drop and what would let it in, as text and JSON. */
#ifndef CLI_STATUS_DROPS_H
#define CLI_STATUS_DROPS_H

#include <jansson.h>
#include <stddef.h>

#include "stats/drop_groups.h"
#include "stats/snapshot.h"

/* Shows at most `limit` rows (0: all) and their advice. */
void drop_report_print(const struct snapshot *snapshot, const struct drop_groups *groups,
		       size_t limit);
json_t *drop_report_json(const struct snapshot *snapshot, const struct drop_groups *groups,
			 size_t limit);

#endif
