/* SPDX-License-Identifier: GPL-2.0-only */
/* Who may read the pinned counters beside root: the group of the exporter. */
#ifndef READERS_H
#define READERS_H

#include <sys/types.h>

#define READERS "bkxdp" /* the group, and the exporter's own user */

/* 0: this machine has no such group. */
gid_t readers_group(void);

#endif
