/* SPDX-License-Identifier: GPL-2.0-only */
/* The network namespaces of the machine: those with a name or a mount, of processes and of files.
 */
#ifndef NET_NAMESPACES_H
#define NET_NAMESPACES_H

#include <stdint.h>

/*
 * Does an interface in one of them run this XDP program? 1, 0 or negative errno:
 * -EXDEV where this process may not look into all of them.
 */
int namespaces_run(uint32_t program);

#endif
