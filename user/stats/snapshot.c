// SPDX-License-Identifier: GPL-2.0-only
#include "stats/snapshot.h"

#include <stdlib.h>

#include "base/strv.h"

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	strv_free(snapshot->others, snapshot->n_others);
	policy_free(snapshot->policy);
	reading_free(&snapshot->reading);
	free(snapshot->controls);
	free(snapshot);
}
