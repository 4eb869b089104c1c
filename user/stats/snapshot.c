// SPDX-License-Identifier: GPL-2.0-only
#include "stats/snapshot.h"

#include <stdlib.h>

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->n_beside; i++)
		free(snapshot->beside[i]);
	free(snapshot->beside);
	policy_free(snapshot->policy);
	free(snapshot->flows);
	free(snapshot->controls);
	free(snapshot);
}
