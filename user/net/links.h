/* SPDX-License-Identifier: GPL-2.0-only */
/* The network devices of this namespace, and which is above which. */
#ifndef NET_LINKS_H
#define NET_LINKS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_TAGS_MAX 8 /* packets with more tags are always dropped */

struct vlan_tag {
	uint16_t protocol; /* ETH_P_8021Q or ETH_P_8021AD; 0: no tag */
	uint16_t id;
};

struct link {
	char name[IF_NAMESIZE];
	int index;
	int master; /* index of the bridge, bond or VRF that it is a member of, or 0 */
	int lower;  /* index of the device below it, or 0; never one of another namespace */
	struct vlan_tag tag; /* the tag of a VLAN device */
	bool filters_vlans;  /* a bridge that adds and removes tags */
	bool is_vrf;
	bool in_other_namespace; /* its lower device or tunnel is in another namespace */
	bool is_tunnel;          /* sends its packets inside others */
	bool has_remote;         /* a tunnel with one remote address */
	uint32_t remote[4];      /* network byte order, IPv4 mapped */
};

struct links {
	struct link *links;
	size_t n_links;
};

/* Returns 0 or a negative errno. */
int links_read(struct links *links);
void links_free(struct links *links);
const struct link *links_find(const struct links *links, const char *name);

/*
 * A path from the lowest device, where packets come in, up to `link`, and how the packets for
 * `link` look when they come in there.
 */
struct link_path {
	const struct link *link;
	struct vlan_tag tags[LINK_TAGS_MAX]; /* outermost first */
	size_t n_tags;
	bool retagged; /* a bridge on the path may change the tags */
	bool tunneled; /* the packets are inside those of a tunnel */
};

/*
 * Returns the paths to the device with this index and to all devices above it, or none if there
 * is no such device. A device has several paths if a bridge may have changed the tags of its
 * packets. The caller frees the array.
 */
struct link_path *links_paths(const struct links *links, int index, size_t *count);

#endif
