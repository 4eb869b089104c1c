/* SPDX-License-Identifier: GPL-2.0-only */
/* The exporter's group, which may read the pinned counters besides root. */
#ifndef DATAPATH_EXPORTER_GROUP_H
#define DATAPATH_EXPORTER_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

#define READERS "bkxdp" /* the group, and the exporter's own user */

/* Returns 0 if this machine has no such group. */
gid_t readers_group(void);
/*
 * Returns true if any user may load BPF programs. Such a program could write to maps that the user
 * may only read.
 */
bool readers_could_write(void);

#endif
