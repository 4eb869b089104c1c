/* SPDX-License-Identifier: GPL-2.0-only */
/* The capabilities that the filter needs, and that this process does not have. */
#ifndef NET_CAPABILITIES_H
#define NET_CAPABILITIES_H

/* Returns "CAP_BPF, CAP_NET_ADMIN", or "" if none is missing; the caller frees it. */
char *capabilities_missing(void);

#endif
