// SPDX-License-Identifier: GPL-2.0-only
#include "net/links.h"

#include <arpa/inet.h>
#include <bkxdp/layout.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "net/rtnetlink.h"

/* ---- reading --------------------------------------------------------------- */

/*
 * What sends its packets within others of another protocol; and by which attributes
 * of its own it names the device that it stands on, and the other end's address.
 * WireGuard's are not among its link's attributes.
 */
static const struct tunnel {
	const char *kind;
	uint16_t lower, remote, remote6; /* 0: none */
} tunnels[] = {
	{"erspan", .remote = IFLA_GRE_REMOTE},
	{"geneve", .remote = IFLA_GENEVE_REMOTE, .remote6 = IFLA_GENEVE_REMOTE6},
	{"gre", .remote = IFLA_GRE_REMOTE},
	{"gretap", .remote = IFLA_GRE_REMOTE},
	{"ip6erspan", .remote = IFLA_GRE_REMOTE},
	{"ip6gre", .remote = IFLA_GRE_REMOTE},
	{"ip6gretap", .remote = IFLA_GRE_REMOTE},
	{"ip6tnl", .remote = IFLA_IPTUN_REMOTE},
	{"ipip", .remote = IFLA_IPTUN_REMOTE},
	{.kind = "macsec"},
	{"sit", .remote = IFLA_IPTUN_REMOTE},
	{"vti", .remote = IFLA_VTI_REMOTE},
	{"vti6", .remote = IFLA_VTI_REMOTE},
	{"vxlan", IFLA_VXLAN_LINK, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6},
	{.kind = "wireguard"},
	{.kind = "xfrm"},
};

static const struct tunnel *find_tunnel(const char *kind)
{
	for (size_t i = 0; i < sizeof(tunnels) / sizeof(*tunnels); i++)
		if (!strcmp(kind, tunnels[i].kind))
			return &tunnels[i];
	return NULL;
}

static int refuse(void)
{
	errno = EBADMSG;
	return MNL_CB_ERROR;
}

static int take_vlan(const struct nlattr *attribute, void *into)
{
	struct link *link = into;
	bool is_id = mnl_attr_get_type(attribute) == IFLA_VLAN_ID;

	if (!is_id && mnl_attr_get_type(attribute) != IFLA_VLAN_PROTOCOL)
		return MNL_CB_OK;
	if (mnl_attr_validate(attribute, MNL_TYPE_U16) < 0)
		return refuse();
	if (is_id)
		link->tag.id = mnl_attr_get_u16(attribute);
	else
		link->tag.protocol = ntohs(mnl_attr_get_u16(attribute));
	return MNL_CB_OK;
}

static int take_bridge(const struct nlattr *attribute, void *into)
{
	struct link *link = into;

	if (mnl_attr_get_type(attribute) != IFLA_BR_VLAN_FILTERING)
		return MNL_CB_OK;
	if (mnl_attr_validate(attribute, MNL_TYPE_U8) < 0)
		return refuse();
	link->filters_vlans = mnl_attr_get_u8(attribute);
	return MNL_CB_OK;
}

static int take_index(const struct nlattr *attribute, int *index)
{
	if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
		return refuse();
	*index = (int)mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

/* All zero: to no one address. */
static int take_remote(const struct nlattr *attribute, struct link *link)
{
	static const uint32_t nobody[4];
	const size_t length = mnl_attr_get_payload_len(attribute);
	const bool ipv4 = length == sizeof(link->remote[3]);

	if (!ipv4 && length != sizeof(link->remote))
		return refuse();
	if (!memcmp(mnl_attr_get_payload(attribute), nobody, length))
		return MNL_CB_OK;
	link->has_remote = true;
	link->remote[2] = BKXDP_MAPPED_WORD;
	memcpy(&link->remote[ipv4 ? 3 : 0], mnl_attr_get_payload(attribute), length);
	return MNL_CB_OK;
}

struct wrapper {
	const struct tunnel *tunnel;
	struct link *link;
};

static int take_tunnel(const struct nlattr *attribute, void *into)
{
	const struct wrapper *wrapper = into;
	const struct tunnel *tunnel = wrapper->tunnel;
	const uint16_t type = mnl_attr_get_type(attribute);

	if (!type)
		return MNL_CB_OK;
	if (type == tunnel->lower)
		return take_index(attribute, &wrapper->link->lower);
	if (type == tunnel->remote || type == tunnel->remote6)
		return take_remote(attribute, wrapper->link);
	return MNL_CB_OK;
}

struct kind {
	const char *name;
	const struct nlattr *data;
};

static int take_kind(const struct nlattr *attribute, void *into)
{
	struct kind *kind = into;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_INFO_KIND:
		if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
			return refuse();
		kind->name = mnl_attr_get_str(attribute);
		return MNL_CB_OK;
	case IFLA_INFO_DATA:
		kind->data = attribute;
		return MNL_CB_OK;
	default:
		return MNL_CB_OK;
	}
}

static int take_info(const struct nlattr *attribute, struct link *link)
{
	struct wrapper wrapper = {.link = link};
	struct kind kind = {.name = ""};

	if (mnl_attr_parse_nested(attribute, take_kind, &kind) < 0)
		return MNL_CB_ERROR;
	wrapper.tunnel = find_tunnel(kind.name);
	link->is_vrf = !strcmp(kind.name, "vrf");
	link->is_tunnel = wrapper.tunnel;
	if (kind.data && wrapper.tunnel)
		return mnl_attr_parse_nested(kind.data, take_tunnel, &wrapper);
	if (kind.data && !strcmp(kind.name, "vlan"))
		return mnl_attr_parse_nested(kind.data, take_vlan, link);
	if (kind.data && !strcmp(kind.name, "bridge"))
		return mnl_attr_parse_nested(kind.data, take_bridge, link);
	return MNL_CB_OK;
}

static int take_attribute(const struct nlattr *attribute, void *into)
{
	struct link *link = into;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
			return refuse();
		snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attribute));
		return MNL_CB_OK;
	case IFLA_MASTER:
		return take_index(attribute, &link->master);
	case IFLA_LINK:
		return take_index(attribute, &link->lower);
	case IFLA_LINK_NETNSID:
		link->elsewhere = true;
		return MNL_CB_OK;
	case IFLA_LINKINFO:
		return take_info(attribute, link);
	default:
		return MNL_CB_OK;
	}
}

static int take_link(const struct nlmsghdr *message, void *into)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct links *links = into;
	struct link *link = APPEND(links->link, links->count);

	link->index = header->ifi_index;
	if (mnl_attr_parse(message, sizeof(*header), take_attribute, link) < 0)
		return MNL_CB_ERROR;
	/* what is named counts there */
	if (link->elsewhere) {
		link->lower = 0;
		link->has_remote = false;
	}
	return MNL_CB_OK;
}

static void forget_links(void *into)
{
	links_free(into);
}

int links_read(struct links *links)
{
	static const struct rtnetlink_list list = {
		.type = RTM_GETLINK,
		.header_size = sizeof(struct ifinfomsg),
		.family = AF_UNSPEC,
		.take = take_link,
		.forget = forget_links,
	};

	return rtnetlink_read(&list, links);
}

void links_free(struct links *links)
{
	free(links->link);
	*links = (struct links){};
}

const struct link *links_find(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->count; i++)
		if (!strcmp(links->link[i].name, name))
			return &links->link[i];
	return NULL;
}

/* ---- above one another ----------------------------------------------------- */

/* The two ends of a veth pair name each other as their link; neither is above the other. */
static bool stands_on(const struct link *link, const struct link *below)
{
	if (link->index == below->master)
		return true;
	return link->lower == below->index && below->lower != link->index;
}

static bool same_way(const struct way *a, const struct way *b)
{
	if (a->link != b->link || a->n_tags != b->n_tags)
		return false;
	for (size_t i = 0; i < a->n_tags; i++)
		if (a->tags[i].id != b->tags[i].id || a->tags[i].protocol != b->tags[i].protocol)
			return false;
	return true;
}

/* Each once, so that links that changed while they were read make no circle. */
static struct way *add_way(struct way *list, size_t *count, const struct way *way)
{
	for (size_t i = 0; i < *count; i++)
		if (same_way(&list[i], way))
			return list;
	*APPEND(list, *count) = *way;
	return list;
}

/* The way of a device that stands on the last of a way; two, where a bridge may have untagged. */
static struct way *climb(struct way *list, size_t *count, const struct link *link, size_t from)
{
	struct way way = list[from], tagged;

	way.link = link;
	way.retagged |= link->filters_vlans;
	way.wrapped |= link->is_tunnel;
	if (!link->tag.protocol)
		return add_way(list, count, &way);
	if (way.n_tags < LINK_TAGS_MAX) {
		tagged = way;
		tagged.tags[tagged.n_tags++] = link->tag;
		list = add_way(list, count, &tagged);
	}
	return way.retagged ? add_way(list, count, &way) : list;
}

struct way *links_above(const struct links *links, int index, size_t *count)
{
	struct way *list = NULL;

	*count = 0;
	for (size_t i = 0; i < links->count; i++)
		if (links->link[i].index == index)
			list = add_way(list, count, &(struct way){.link = &links->link[i]});
	for (size_t from = 0; from < *count; from++)
		for (size_t i = 0; i < links->count; i++)
			if (stands_on(&links->link[i], list[from].link))
				list = climb(list, count, &links->link[i], from);
	return list;
}
