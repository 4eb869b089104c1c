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

/* ---- reading ------------------------------------------------------------ */

/*
 * Kinds of tunnel devices, and the attributes in which each kind names its lower device and its
 * remote address. WireGuard's remote addresses are not among the attributes of its link.
 */
static const struct tunnel {
	const char *kind;
	uint16_t lower, remote, remote6; /* attribute types; 0: none */
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

static int parse_vlan(const struct nlattr *attribute, void *data)
{
	struct link *link = data;
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

static int parse_bridge(const struct nlattr *attribute, void *data)
{
	struct link *link = data;

	if (mnl_attr_get_type(attribute) != IFLA_BR_VLAN_FILTERING)
		return MNL_CB_OK;
	if (mnl_attr_validate(attribute, MNL_TYPE_U8) < 0)
		return refuse();
	link->filters_vlans = mnl_attr_get_u8(attribute);
	return MNL_CB_OK;
}

static int parse_index(const struct nlattr *attribute, int *index)
{
	if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
		return refuse();
	*index = (int)mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

/* An address that is all zero means that there is no single remote. */
static int parse_remote(const struct nlattr *attribute, struct link *link)
{
	static const uint32_t none[4];
	const size_t length = mnl_attr_get_payload_len(attribute);
	const bool ipv4 = length == sizeof(link->remote[3]);

	if (!ipv4 && length != sizeof(link->remote))
		return refuse();
	if (!memcmp(mnl_attr_get_payload(attribute), none, length))
		return MNL_CB_OK;
	link->has_remote = true;
	link->remote[2] = BKXDP_MAPPED_WORD;
	memcpy(&link->remote[ipv4 ? 3 : 0], mnl_attr_get_payload(attribute), length);
	return MNL_CB_OK;
}

struct tunnel_context {
	const struct tunnel *tunnel;
	struct link *link;
};

static int parse_tunnel(const struct nlattr *attribute, void *data)
{
	const struct tunnel_context *context = data;
	const struct tunnel *tunnel = context->tunnel;
	const uint16_t type = mnl_attr_get_type(attribute);

	if (!type)
		return MNL_CB_OK;
	if (type == tunnel->lower)
		return parse_index(attribute, &context->link->lower);
	if (type == tunnel->remote || type == tunnel->remote6)
		return parse_remote(attribute, context->link);
	return MNL_CB_OK;
}

struct kind {
	const char *name;
	const struct nlattr *data;
};

static int parse_kind(const struct nlattr *attribute, void *data)
{
	struct kind *kind = data;

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

static int parse_linkinfo(const struct nlattr *attribute, struct link *link)
{
	struct tunnel_context context = {.link = link};
	struct kind kind = {.name = ""};

	if (mnl_attr_parse_nested(attribute, parse_kind, &kind) < 0)
		return MNL_CB_ERROR;
	context.tunnel = find_tunnel(kind.name);
	link->is_vrf = !strcmp(kind.name, "vrf");
	link->is_tunnel = context.tunnel;
	if (kind.data && context.tunnel)
		return mnl_attr_parse_nested(kind.data, parse_tunnel, &context);
	if (kind.data && !strcmp(kind.name, "vlan"))
		return mnl_attr_parse_nested(kind.data, parse_vlan, link);
	if (kind.data && !strcmp(kind.name, "bridge"))
		return mnl_attr_parse_nested(kind.data, parse_bridge, link);
	return MNL_CB_OK;
}

static int parse_attribute(const struct nlattr *attribute, void *data)
{
	struct link *link = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
			return refuse();
		snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attribute));
		return MNL_CB_OK;
	case IFLA_MASTER:
		return parse_index(attribute, &link->master);
	case IFLA_LINK:
		return parse_index(attribute, &link->lower);
	case IFLA_LINK_NETNSID:
		link->in_other_namespace = true;
		return MNL_CB_OK;
	case IFLA_LINKINFO:
		return parse_linkinfo(attribute, link);
	default:
		return MNL_CB_OK;
	}
}

static int parse_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct links *links = data;
	struct link *link = APPEND(links->links, links->n_links);

	link->index = header->ifi_index;
	if (mnl_attr_parse(message, sizeof(*header), parse_attribute, link) < 0)
		return MNL_CB_ERROR;
	/* its lower device and remote address belong to the other namespace */
	if (link->in_other_namespace) {
		link->lower = 0;
		link->has_remote = false;
	}
	return MNL_CB_OK;
}

static void reset_links(void *data)
{
	links_free(data);
}

int links_read(struct links *links)
{
	static const struct rtnetlink_list list = {
		.type = RTM_GETLINK,
		.header_size = sizeof(struct ifinfomsg),
		.family = AF_UNSPEC,
		.parse = parse_link,
		.reset = reset_links,
	};

	return rtnetlink_read(&list, links);
}

void links_free(struct links *links)
{
	free(links->links);
	*links = (struct links){};
}

const struct link *links_find(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->n_links; i++)
		if (!strcmp(links->links[i].name, name))
			return &links->links[i];
	return NULL;
}

/* ---- paths -------------------------------------------------------------- */

/* The two ends of a veth pair each name the other one as their link; neither is above the other. */
static bool is_above(const struct link *link, const struct link *below)
{
	if (link->index == below->master)
		return true;
	return link->lower == below->index && below->lower != link->index;
}

static bool is_same_path(const struct link_path *a, const struct link_path *b)
{
	if (a->link != b->link || a->n_tags != b->n_tags)
		return false;
	for (size_t i = 0; i < a->n_tags; i++)
		if (a->tags[i].id != b->tags[i].id || a->tags[i].protocol != b->tags[i].protocol)
			return false;
	return true;
}

/*
 * Adds each path only once, so that links that changed while they were read can't cause an
 * endless loop.
 */
static struct link_path *add_path(struct link_path *list, size_t *count,
				  const struct link_path *path)
{
	for (size_t i = 0; i < *count; i++)
		if (is_same_path(&list[i], path))
			return list;
	*APPEND(list, *count) = *path;
	return list;
}

/*
 * Adds the path of `link`, which is directly above the last device of the path `from`. Adds two
 * if the link is a VLAN device above a bridge that filters VLANs, because the bridge may have
 * added the tag.
 */
static struct link_path *add_paths_above(struct link_path *list, size_t *count,
					 const struct link *link, size_t from)
{
	struct link_path path = list[from], tagged;

	path.link = link;
	path.retagged |= link->filters_vlans;
	path.tunneled |= link->is_tunnel;
	if (!link->tag.protocol)
		return add_path(list, count, &path);
	if (path.n_tags < LINK_TAGS_MAX) {
		tagged = path;
		tagged.tags[tagged.n_tags++] = link->tag;
		list = add_path(list, count, &tagged);
	}
	return path.retagged ? add_path(list, count, &path) : list;
}

struct link_path *links_paths(const struct links *links, int index, size_t *count)
{
	struct link_path *list = NULL;

	*count = 0;
	for (size_t i = 0; i < links->n_links; i++)
		if (links->links[i].index == index)
			list = add_path(list, count, &(struct link_path){.link = &links->links[i]});
	for (size_t from = 0; from < *count; from++)
		for (size_t i = 0; i < links->n_links; i++)
			if (is_above(&links->links[i], list[from].link))
				list = add_paths_above(list, count, &links->links[i], from);
	return list;
}
