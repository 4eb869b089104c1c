/* SPDX-License-Identifier: GPL-2.0-only */
/* What is to be known of a network interface without BPF. */
#ifndef NET_NETDEV_H
#define NET_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

/* Could an interface have this name, by the kernel's rules (dev_valid_name() in net/core/dev.c)? */
bool netdev_name_is_valid(const char *name);

/* Its index, 0 where there is none of that name here, or negative errno. */
int netdev_find(const char *interface);
/* The same, or 0 with a complaint that names the nearest interfaces. */
unsigned int netdev_index(const char *interface, struct diagnostics *diag);

/* The name of the interface with this index: 1, 0 where there is none, or negative errno. */
int netdev_name(unsigned int index, char name[static IF_NAMESIZE]);

/* What its frames begin with: ARPHRD_ETHER and others of <net/if_arp.h>, or negative errno. */
int netdev_type(const char *interface);

/* Inode of this process's network namespace; 0 where /proc is not there. */
uint64_t netdev_namespace(void);

/* Ids of the XDP programs that an interface runs, 0 for none. */
struct netdev_programs {
	uint32_t driver, generic;
};
/* 0, -ENODEV where there is no such interface, or another negative errno. */
int netdev_programs(unsigned int index, struct netdev_programs *programs);
/* Id of the XDP program that the interface runs in this mode, 0 for none, or negative errno. */
int64_t netdev_xdp(unsigned int index, bool generic);

/* Does the NIC take VLAN tags off before XDP sees the frame? 0, 1 or negative errno. */
int netdev_rxvlan(const char *interface);
int netdev_set_rxvlan(const char *interface, bool on);
/* Whose tags may be beside the frame, whatever is set here. */
bool netdev_is_veth(const char *interface);

#endif
