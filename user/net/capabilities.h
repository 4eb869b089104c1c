/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of the capabilities that the filter needs this process lacks. */
#ifndef NET_CAPABILITIES_H
#define NET_CAPABILITIES_H

/* "CAP_BPF and CAP_NET_ADMIN", or "" where none is missing; the caller frees it. */
char *privileges_missing(void);

#endif
