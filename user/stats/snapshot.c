// SPDX-License-Identifier: GPL-2.0-only
#include "stats/snapshot.h"

#include <stdlib.h>

#include "base/strv.h"

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	strv_free(snapshot->beside, snapshot->n_beside);
	policy_free(snapshot->policy);
	reading_free(&snapshot->reading);
	free(snapshot->controls);
	free(snapshot);
}
