/* SPDX-License-Identifier: GPL-2.0-only */
/* The network namespaces that can be seen from here: those with a name, and those of processes. */
#ifndef NAMESPACES_H
#define NAMESPACES_H

#include <stdint.h>

/* Does an interface in one of them run this XDP program? 1, 0 or negative errno. */
int namespaces_run(uint32_t program);

#endif
