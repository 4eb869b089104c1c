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

/* ---- default routes by family ------------------------------------------- */

struct parsed_route {
	struct default_routes *routes;
	struct default_route route; /* what all devices of this route have in common */
	const struct nlattr *multipath;
};

static int parse_u32(const struct nlattr *attribute, uint32_t *number)
{
	if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
		return refuse();
	*number = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int parse_attribute(const struct nlattr *attribute, void *data)
{
	struct parsed_route *parsed = data;
	uint32_t device;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_TABLE:
		return parse_u32(attribute, &parsed->route.table);
	case RTA_NH_ID:
		return parse_u32(attribute, &parsed->route.nexthop);
	case RTA_OIF:
		if (parse_u32(attribute, &device) == MNL_CB_ERROR)
			return MNL_CB_ERROR;
		parsed->route.device = (int)device;
		return MNL_CB_OK;
	case RTA_MULTIPATH:
		parsed->multipath = attribute;
		return MNL_CB_OK;
	default:
		return MNL_CB_OK;
	}
}

static void add_route(struct default_routes *routes, const struct default_route *route)
{
	*APPEND(routes->routes, routes->n_routes) = *route;
}

static int add_multipath(struct parsed_route *parsed)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(parsed->multipath);
	int remaining = mnl_attr_get_payload_len(parsed->multipath);

	for (; RTNH_OK(hop, remaining);
	     remaining -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		parsed->route.device = hop->rtnh_ifindex;
		add_route(parsed->routes, &parsed->route);
	}
	return remaining > 0 ? refuse() : MNL_CB_OK;
}

/*
 * Halves of the address space (0.0.0.0/1 and 128.0.0.0/1; 2000::/3 or its halves) count, too:
 * VPNs make them to leave the real default route alone. Blackhole routes and the like lead
 * nowhere.
 */
static bool is_default(const struct rtmsg *route, int family)
{
	return route->rtm_family == family && route->rtm_type == RTN_UNICAST &&
	       !(route->rtm_flags & RTM_F_CLONED) &&
	       route->rtm_dst_len <= (family == AF_INET ? 1 : 4);
}

static int parse_route(const struct nlmsghdr *message, struct default_routes *routes, int family)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct parsed_route parsed = {.routes = routes, .route.family = family};

	if (!is_default(header, family))
		return MNL_CB_OK;
	parsed.route.table = header->rtm_table;
	if (mnl_attr_parse(message, sizeof(*header), parse_attribute, &parsed) < 0)
		return MNL_CB_ERROR;
	if (parsed.multipath)
		return add_multipath(&parsed);
	if (parsed.route.device || parsed.route.nexthop)
		add_route(routes, &parsed.route);
	return MNL_CB_OK;
}

static int parse_ipv4_route(const struct nlmsghdr *message, void *data)
{
	return parse_route(message, data, AF_INET);
}

static int parse_ipv6_route(const struct nlmsghdr *message, void *data)
{
	return parse_route(message, data, AF_INET6);
}

static void reset_routes(void *data)
{
	routes_free(data);
}

static int read_routes(int family, struct default_routes *routes)
{
	const struct rtnetlink_list list = {
		.type = RTM_GETROUTE,
		.header_size = sizeof(struct rtmsg),
		.family = family,
		.parse = family == AF_INET ? parse_ipv4_route : parse_ipv6_route,
		.reset = reset_routes,
	};

	return rtnetlink_read(&list, routes);
}

/* ---- nexthop objects ---------------------------------------------------- */

struct nexthop {
	uint32_t id, device, member; /* of a group: one entry per member */
};

struct nexthops {
	struct nexthop *nexthops;
	size_t n_nexthops;
};

struct parsed_nexthop {
	struct nexthop nexthop;
	const struct nlattr *group;
};

static int parse_nexthop_attribute(const struct nlattr *attribute, void *data)
{
	struct parsed_nexthop *parsed = data;

	switch (mnl_attr_get_type(attribute)) {
	case NHA_ID:
		return parse_u32(attribute, &parsed->nexthop.id);
	case NHA_OIF:
		return parse_u32(attribute, &parsed->nexthop.device);
	case NHA_GROUP:
		parsed->group = attribute;
		return MNL_CB_OK;
	default:
		return MNL_CB_OK;
	}
}

static int parse_nexthop(const struct nlmsghdr *message, void *data)
{
	struct nexthops *nexthops = data;
	struct parsed_nexthop parsed = {};
	const struct nexthop_grp *member;

	if (mnl_attr_parse(message, sizeof(struct nhmsg), parse_nexthop_attribute, &parsed) < 0)
		return MNL_CB_ERROR;
	if (!parsed.group) {
		*APPEND(nexthops->nexthops, nexthops->n_nexthops) = parsed.nexthop;
		return MNL_CB_OK;
	}
	member = mnl_attr_get_payload(parsed.group);
	for (size_t i = 0; i < mnl_attr_get_payload_len(parsed.group) / sizeof(*member); i++) {
		parsed.nexthop.member = member[i].id;
		*APPEND(nexthops->nexthops, nexthops->n_nexthops) = parsed.nexthop;
	}
	return MNL_CB_OK;
}

static void reset_nexthops(void *data)
{
	struct nexthops *nexthops = data;

	free(nexthops->nexthops);
	*nexthops = (struct nexthops){};
}

/*
 * Adds the route once for each device of the nexthop object or of its members. Members are
 * never groups.
 */
static void add_devices(const struct nexthops *nexthops, uint32_t id,
			const struct default_route *route, struct default_routes *to)
{
	for (size_t i = 0; i < nexthops->n_nexthops; i++) {
		const struct nexthop *nexthop = &nexthops->nexthops[i];
		struct default_route resolved = *route;

		if (nexthop->id != id)
			continue;
		if (nexthop->member && nexthop->member != id)
			add_devices(nexthops, nexthop->member, route, to);
		resolved.device = (int)nexthop->device;
		if (resolved.device)
			add_route(to, &resolved);
	}
}

/*
 * If the sysctl nexthop_compat_mode is 0, routes have the id of their nexthop object and no
 * device.
 */
static int resolve_nexthops(struct default_routes *routes)
{
	static const struct rtnetlink_list list = {
		.type = RTM_GETNEXTHOP,
		.header_size = sizeof(struct nhmsg),
		.family = AF_UNSPEC,
		.parse = parse_nexthop,
		.reset = reset_nexthops,
	};
	struct nexthops nexthops = {};
	int error = rtnetlink_read(&list, &nexthops);

	for (size_t i = 0, n_before = routes->n_routes; !error && i < n_before; i++) {
		const struct default_route route = routes->routes[i];

		if (!route.device)
			add_devices(&nexthops, route.nexthop, &route, routes);
	}
	reset_nexthops(&nexthops);
	return error;
}

static bool has_unresolved_nexthops(const struct default_routes *routes)
{
	for (size_t i = 0; i < routes->n_routes; i++)
		if (!routes->routes[i].device)
			return true;
	return false;
}

/* ---- all default routes ------------------------------------------------- */

static void add_all(struct default_routes *to, const struct default_routes *from)
{
	for (size_t i = 0; i < from->n_routes; i++)
		add_route(to, &from->routes[i]);
}

int routes_read_defaults(struct default_routes *routes)
{
	struct default_routes ipv4 = {}, ipv6 = {};
	int error = read_routes(AF_INET, &ipv4);

	if (!error)
		error = read_routes(AF_INET6, &ipv6);
	add_all(&ipv4, &ipv6);
	routes_free(&ipv6);
	if (!error && has_unresolved_nexthops(&ipv4))
		error = resolve_nexthops(&ipv4);
	if (!error)
		add_all(routes, &ipv4);
	routes_free(&ipv4);
	return error;
}

void routes_free(struct default_routes *routes)
{
	free(routes->routes);
	*routes = (struct default_routes){};
}

/* ---- the route of one packet -------------------------------------------- */

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

static int parse_device(const struct nlattr *attribute, void *data)
{
	return mnl_attr_get_type(attribute) == RTA_OIF ? parse_u32(attribute, data) : MNL_CB_OK;
}

static int parse_reply(const struct nlmsghdr *message, void *data)
{
	if (message->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(struct rtmsg))
		return refuse();
	return mnl_attr_parse(message, sizeof(struct rtmsg), parse_device, data);
}

static void put_query(struct nlmsghdr *message, const struct route_query *query)
{
	static const uint32_t any[4];
	struct rtmsg *header;

	message->nlmsg_type = RTM_GETROUTE;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->rtm_family = is_ipv4(query->to) ? AF_INET : AF_INET6;
	put_address(message, RTA_DST, query->to, &header->rtm_dst_len);
	if (memcmp(query->from, any, sizeof(any)))
		put_address(message, RTA_SRC, query->from, &header->rtm_src_len);
	if (query->sport) {
		mnl_attr_put_u8(message, RTA_IP_PROTO, IPPROTO_TCP);
		mnl_attr_put_u16(message, RTA_SPORT, htons(query->sport));
		mnl_attr_put_u16(message, RTA_DPORT, htons(query->dport));
	}
	if (query->vrf)
		mnl_attr_put_u32(message, RTA_OIF, (uint32_t)query->vrf);
}

/* Blackhole and prohibit routes have their own errors, and so has a source that is not ours. */
static bool is_no_route(int error)
{
	return error == -ENETUNREACH || error == -EHOSTUNREACH || error == -EACCES ||
	       error == -EINVAL;
}

int routes_lookup(const struct route_query *query)
{
	char bytes[256];
	struct nlmsghdr *message = mnl_nlmsg_put_header(bytes);
	uint32_t device = 0;
	int error;

	put_query(message, query);
	error = rtnetlink_request(message, parse_reply, &device);
	if (is_no_route(error))
		return -ENETUNREACH;
	if (!error && !device)
		return -EBADMSG;
	return error ? error : (int)device;
}
