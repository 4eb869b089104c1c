// SPDX-License-Identifier: GPL-2.0-only
#include "net/routes.h"

#include <arpa/inet.h>
#include <bkxdp/layout.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "net/rtnetlink.h"

static int refuse(void)
{
	errno = EBADMSG;
	return MNL_CB_ERROR;
}

/* ---- routes ---------------------------------------------------------------- */

struct taken {
	struct default_routes *routes;
	struct default_route route; /* what each device of it shares */
	const struct nlattr *multipath;
};

static int take_number(const struct nlattr *attribute, uint32_t *number)
{
	if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
		return refuse();
	*number = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int take_attribute(const struct nlattr *attribute, void *into)
{
	struct taken *taken = into;
	uint32_t device;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_TABLE:
		return take_number(attribute, &taken->route.table);
	case RTA_NH_ID:
		return take_number(attribute, &taken->route.nexthop);
	case RTA_OIF:
		if (take_number(attribute, &device) == MNL_CB_ERROR)
			return MNL_CB_ERROR;
		taken->route.device = (int)device;
		return MNL_CB_OK;
	case RTA_MULTIPATH:
		taken->multipath = attribute;
		return MNL_CB_OK;
	default:
		return MNL_CB_OK;
	}
}

static void add_route(struct default_routes *routes, const struct default_route *route)
{
	*APPEND(routes->route, routes->count) = *route;
}

static int add_multipath(struct taken *taken)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(taken->multipath);
	int rest = mnl_attr_get_payload_len(taken->multipath);

	for (; RTNH_OK(hop, rest); rest -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		taken->route.device = hop->rtnh_ifindex;
		add_route(taken->routes, &taken->route);
	}
	return rest > 0 ? refuse() : MNL_CB_OK;
}

/*
 * Also in parts (0.0.0.0/1 and 128.0.0.0/1; 2000::/3 or its halves), as VPNs make
 * them to leave the first one alone. Blackholes and the like lead nowhere.
 */
static bool is_default(const struct rtmsg *route, int family)
{
	return route->rtm_family == family && route->rtm_type == RTN_UNICAST &&
	       !(route->rtm_flags & RTM_F_CLONED) &&
	       route->rtm_dst_len <= (family == AF_INET ? 1 : 4);
}

static int take_route(const struct nlmsghdr *message, struct default_routes *routes, int family)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct taken taken = {.routes = routes, .route.family = family};

	if (!is_default(header, family))
		return MNL_CB_OK;
	taken.route.table = header->rtm_table;
	if (mnl_attr_parse(message, sizeof(*header), take_attribute, &taken) < 0)
		return MNL_CB_ERROR;
	if (taken.multipath)
		return add_multipath(&taken);
	if (taken.route.device || taken.route.nexthop)
		add_route(routes, &taken.route);
	return MNL_CB_OK;
}

static int take_ipv4(const struct nlmsghdr *message, void *into)
{
	return take_route(message, into, AF_INET);
}

static int take_ipv6(const struct nlmsghdr *message, void *into)
{
	return take_route(message, into, AF_INET6);
}

static void forget_routes(void *into)
{
	routes_free(into);
}

static int read_routes(int family, struct default_routes *routes)
{
	const struct rtnetlink_list list = {
		.type = RTM_GETROUTE,
		.header_size = sizeof(struct rtmsg),
		.family = family,
		.take = family == AF_INET ? take_ipv4 : take_ipv6,
		.forget = forget_routes,
	};

	return rtnetlink_read(&list, routes);
}

/* ---- nexthop objects -------------------------------------------------------- */

struct nexthop {
	uint32_t id, device, member; /* of a group: one entry a member */
};

struct nexthops {
	struct nexthop *nexthop;
	size_t count;
};

struct taken_nexthop {
	struct nexthop nexthop;
	const struct nlattr *group;
};

static int take_nexthop_attribute(const struct nlattr *attribute, void *into)
{
	struct taken_nexthop *taken = into;

	switch (mnl_attr_get_type(attribute)) {
	case NHA_ID:
		return take_number(attribute, &taken->nexthop.id);
	case NHA_OIF:
		return take_number(attribute, &taken->nexthop.device);
	case NHA_GROUP:
		taken->group = attribute;
		return MNL_CB_OK;
	default:
		return MNL_CB_OK;
	}
}

static int take_nexthop(const struct nlmsghdr *message, void *into)
{
	struct nexthops *nexthops = into;
	struct taken_nexthop taken = {};
	const struct nexthop_grp *member;

	if (mnl_attr_parse(message, sizeof(struct nhmsg), take_nexthop_attribute, &taken) < 0)
		return MNL_CB_ERROR;
	if (!taken.group) {
		*APPEND(nexthops->nexthop, nexthops->count) = taken.nexthop;
		return MNL_CB_OK;
	}
	member = mnl_attr_get_payload(taken.group);
	for (size_t i = 0; i < mnl_attr_get_payload_len(taken.group) / sizeof(*member); i++) {
		taken.nexthop.member = member[i].id;
		*APPEND(nexthops->nexthop, nexthops->count) = taken.nexthop;
	}
	return MNL_CB_OK;
}

static void forget_nexthops(void *into)
{
	struct nexthops *nexthops = into;

	free(nexthops->nexthop);
	*nexthops = (struct nexthops){};
}

/* The devices of this nexthop, and of its members, which are no groups. */
static void add_devices(const struct nexthops *nexthops, uint32_t id,
			const struct default_route *route, struct default_routes *into)
{
	for (size_t i = 0; i < nexthops->count; i++) {
		const struct nexthop *nexthop = &nexthops->nexthop[i];
		struct default_route found = *route;

		if (nexthop->id != id)
			continue;
		if (nexthop->member && nexthop->member != id)
			add_devices(nexthops, nexthop->member, route, into);
		found.device = (int)nexthop->device;
		if (found.device)
			add_route(into, &found);
	}
}

/* The kernel may name a route's nexthop object alone (sysctl nexthop_compat_mode = 0). */
static int find_devices(struct default_routes *routes)
{
	static const struct rtnetlink_list list = {
		.type = RTM_GETNEXTHOP,
		.header_size = sizeof(struct nhmsg),
		.family = AF_UNSPEC,
		.take = take_nexthop,
		.forget = forget_nexthops,
	};
	struct nexthops nexthops = {};
	int error = rtnetlink_read(&list, &nexthops);

	for (size_t i = 0, before = routes->count; !error && i < before; i++) {
		const struct default_route route = routes->route[i];

		if (!route.device)
			add_devices(&nexthops, route.nexthop, &route, routes);
	}
	forget_nexthops(&nexthops);
	return error;
}

static bool lacks_devices(const struct default_routes *routes)
{
	for (size_t i = 0; i < routes->count; i++)
		if (!routes->route[i].device)
			return true;
	return false;
}

/* ---- both -------------------------------------------------------------------- */

static void add_all(struct default_routes *into, const struct default_routes *from)
{
	for (size_t i = 0; i < from->count; i++)
		add_route(into, &from->route[i]);
}

int routes_read_defaults(struct default_routes *routes)
{
	struct default_routes ipv4 = {}, ipv6 = {};
	int error = read_routes(AF_INET, &ipv4);

	if (!error)
		error = read_routes(AF_INET6, &ipv6);
	add_all(&ipv4, &ipv6);
	routes_free(&ipv6);
	if (!error && lacks_devices(&ipv4))
		error = find_devices(&ipv4);
	if (!error)
		add_all(routes, &ipv4);
	routes_free(&ipv4);
	return error;
}

void routes_free(struct default_routes *routes)
{
	free(routes->route);
	*routes = (struct default_routes){};
}

/* ---- of one packet ------------------------------------------------------------ */

static bool is_ipv4(const uint32_t address[4])
{
	return !address[0] && !address[1] && address[2] == BKXDP_MAPPED_WORD;
}

static void put_address(struct nlmsghdr *message, uint16_t type, const uint32_t address[4],
			uint8_t *bits)
{
	const bool ipv4 = is_ipv4(address);

	*bits = ipv4 ? 32 : 128;
	mnl_attr_put(message, type, ipv4 ? 4 : 16, &address[ipv4 ? 3 : 0]);
}

static int take_device(const struct nlattr *attribute, void *into)
{
	return mnl_attr_get_type(attribute) == RTA_OIF ? take_number(attribute, into) : MNL_CB_OK;
}

static int take_reply(const struct nlmsghdr *message, void *into)
{
	if (message->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(struct rtmsg))
		return refuse();
	return mnl_attr_parse(message, sizeof(struct rtmsg), take_device, into);
}

static void put_question(struct nlmsghdr *message, const struct route_question *question)
{
	static const uint32_t any[4];
	struct rtmsg *header;

	message->nlmsg_type = RTM_GETROUTE;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->rtm_family = is_ipv4(question->to) ? AF_INET : AF_INET6;
	put_address(message, RTA_DST, question->to, &header->rtm_dst_len);
	if (memcmp(question->from, any, sizeof(any)))
		put_address(message, RTA_SRC, question->from, &header->rtm_src_len);
	if (question->sport) {
		mnl_attr_put_u8(message, RTA_IP_PROTO, IPPROTO_TCP);
		mnl_attr_put_u16(message, RTA_SPORT, htons(question->sport));
		mnl_attr_put_u16(message, RTA_DPORT, htons(question->dport));
	}
	if (question->vrf)
		mnl_attr_put_u32(message, RTA_OIF, (uint32_t)question->vrf);
}

/* Blackholes and what is prohibited have errors of their own; so has a source not ours. */
static bool is_no_route(int error)
{
	return error == -ENETUNREACH || error == -EHOSTUNREACH || error == -EACCES ||
	       error == -EINVAL;
}

int routes_ask(const struct route_question *question)
{
	char bytes[256];
	struct nlmsghdr *message = mnl_nlmsg_put_header(bytes);
	uint32_t device = 0;
	int error;

	put_question(message, question);
	error = rtnetlink_ask(message, take_reply, &device);
	if (is_no_route(error))
		return -ENETUNREACH;
	if (!error && !device)
		return -EBADMSG;
	return error ? error : (int)device;
}
