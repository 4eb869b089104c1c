/* SPDX-License-Identifier: GPL-2.0-only */
/* The network devices of this namespace, and which stand on which. */
#ifndef NET_LINKS_H
#define NET_LINKS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_TAGS_MAX 8 /* more are dropped anyway */

struct vlan_tag {
	uint16_t protocol; /* ETH_P_8021Q, ETH_P_8021AD; 0: none */
	uint16_t id;
};

struct link {
	char name[IF_NAMESIZE];
	int index;
	int master; /* the bridge, bond or VRF whose member it is, or 0 */
	int lower;  /* the device that it stands on, or 0; never one of another namespace */
	struct vlan_tag tag; /* of a VLAN device */
	bool filters_vlans;  /* a bridge that puts tags on and takes them off */
	bool is_vrf;
	bool elsewhere;     /* stands on a device of another namespace, or sends from there */
	bool is_tunnel;     /* wraps its packets */
	bool has_remote;    /* a tunnel that names the other end ... */
	uint32_t remote[4]; /* ... by this address: network byte order, IPv4 mapped */
};

struct links {
	struct link *link;
	size_t count;
};

/* 0 or negative errno. */
int links_read(struct links *links);
void links_free(struct links *links);
const struct link *links_find(const struct links *links, const char *name);

/* How the packets of a device look where they come in by the one at the bottom. */
struct way {
	const struct link *link;
	struct vlan_tag tags[LINK_TAGS_MAX]; /* the outermost first */
	size_t n_tags;
	bool retagged; /* by a bridge between */
	bool wrapped;  /* by a tunnel */
};

/*
 * The ways of the device of this index and of all above it; none where there is no
 * such device. A device has more than one where a bridge may have changed its
 * packets' tags. The caller frees the array.
 */
struct way *links_above(const struct links *links, int index, size_t *count);

#endif
