// SPDX-License-Identifier: GPL-2.0-only
#include "stats/reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Flows of one profile are next to each other, so its name is stored once for all of them. */
void reading_name_flows(struct reading *reading, const struct counter_names *names,
			const uint16_t *counters, size_t n_counters)
{
	char *text = must_alloc(n_counters + 1, 2 * BKXDP_NAME_MAX), *to = text, *profile = NULL;

	reading->flows = must_alloc(n_counters, sizeof(*reading->flows));
	reading->n_flows = n_counters;
	for (size_t i = 0; i < n_counters; i++) {
		const struct bkxdp_flow_name *name = &names->name[counters[i]];

		if (!profile || strcmp(profile, name->profile) != 0) {
			profile = to;
			to = stpcpy(to, name->profile) + 1;
		}
		reading->flows[i] = (struct flow_count){
			.profile = profile - text, .name = to - text, .side = name->side};
		to = stpcpy(to, name->flow) + 1;
	}
	reading->names = must_alloc(to - text + 1, 1);
	memcpy(reading->names, text, to - text);
	free(text);
}

void reading_free(struct reading *reading)
{
	free(reading->flows);
	free(reading->names);
	memset(reading, 0, sizeof(*reading));
}
