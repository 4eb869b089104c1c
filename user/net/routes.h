/* SPDX-License-Identifier: GPL-2.0-only */
/* The devices of this host's default routes, and the device by which a packet leaves. */
#ifndef NET_ROUTES_H
#define NET_ROUTES_H

#include <stddef.h>
#include <stdint.h>

/* A default route; one with several devices is several of these. */
struct default_route {
	int family;       /* AF_INET or AF_INET6 */
	int device;       /* interface index; 0 until the nexthop object is read */
	uint32_t table;   /* any table, because a rule or a VRF may use it */
	uint32_t nexthop; /* id of the nexthop object, or 0 */
};

struct default_routes {
	struct default_route *routes;
	size_t n_routes;
};

/*
 * Adds the default routes of both families in all tables. Returns 0 or a negative errno; then
 * nothing is added.
 */
int routes_read_defaults(struct default_routes *routes);
void routes_free(struct default_routes *routes);

/* What this host's rules and routes look at in a packet that it sends. */
struct route_query {
	uint32_t from[4]; /* network byte order, IPv4 mapped; all zero: any of our addresses */
	uint32_t to[4];
	uint16_t sport, dport; /* TCP ports, host byte order; 0: not TCP */
	int vrf;               /* index of the VRF whose tables are used, or 0 */
};

/*
 * Asks the kernel for the packet's route. Returns the index of the device by which it leaves,
 * -ENETUNREACH if there is no route, or another negative errno.
 */
int routes_lookup(const struct route_query *query);

#endif
