/* SPDX-License-Identifier: GPL-2.0-only */
/* Who may read the pinned counters beside root: the group of the exporter. */
#ifndef DATAPATH_EXPORTER_GROUP_H
#define DATAPATH_EXPORTER_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

#define READERS "bkxdp" /* the group, and the exporter's own user */

/* 0: this machine has no such group. */
gid_t readers_group(void);
/* Where any user may load programs, one could by them write to maps that he may only read. */
bool readers_could_write(void);

#endif
