/* SPDX-License-Identifier: GPL-2.0-only */
/* Facts and settings of a network interface that need no BPF. */
#ifndef NET_NETDEV_H
#define NET_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

/* Could an interface have this name, by the kernel's rules (dev_valid_name() in net/core/dev.c)? */
bool netdev_name_is_valid(const char *name);

/* Returns the interface's index, 0 if there is none of that name here, or a negative errno. */
int netdev_find(const char *interface);
/* Returns the interface's index, or 0 with a diagnostic that suggests similar names. */
unsigned int netdev_index(const char *interface, struct diagnostics *diag);

/*
 * Finds the name of the interface with this index. Returns 1, 0 if there is none, or a negative
 * errno.
 */
int netdev_name(unsigned int index, char name[static IF_NAMESIZE]);

/* Returns the link type: ARPHRD_ETHER or another one of <net/if_arp.h>, or a negative errno. */
int netdev_type(const char *interface);

/* Returns the inode of this process's network namespace, or 0 without /proc. */
uint64_t netdev_namespace(void);

/* Ids of the XDP programs that an interface runs; 0: none. */
struct netdev_programs {
	uint32_t driver, generic;
};
/* Returns 0, -ENODEV if there is no such interface, or another negative errno. */
int netdev_programs(unsigned int index, struct netdev_programs *programs);
/*
 * Returns the id of the XDP program that the interface runs in this mode, 0 if there is none,
 * or a negative errno.
 */
int64_t netdev_xdp(unsigned int index, bool generic);

/* Does the NIC remove VLAN tags before XDP sees the frame? Returns 0, 1 or a negative errno. */
int netdev_rxvlan(const char *interface);
int netdev_set_rxvlan(const char *interface, bool on);
/* On a veth device tags may be beside the frame, whatever this setting is. */
bool netdev_is_veth(const char *interface);

#endif
