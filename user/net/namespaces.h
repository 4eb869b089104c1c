/* SPDX-License-Identifier: GPL-2.0-only */
/* All network namespaces of the machine: named, mounted, of processes, and open as files. */
#ifndef NET_NAMESPACES_H
#define NET_NAMESPACES_H

#include <stdint.h>

/*
 * Does an interface in any namespace run the XDP program with this id? Returns 1, 0 or a
 * negative errno: -EXDEV if this process may not look into all of them.
 */
int namespaces_run_program(uint32_t program);

#endif
