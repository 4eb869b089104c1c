/* SPDX-License-Identifier: GPL-2.0-only */
/* By which devices this host's default routes lead, and its packets leave. */
#ifndef NET_ROUTES_H
#define NET_ROUTES_H

#include <stddef.h>
#include <stdint.h>

/* One for each device of a route. */
struct default_route {
	int family;       /* AF_INET, AF_INET6 */
	int device;       /* its index; 0 until its nexthop object is found */
	uint32_t table;   /* any: a rule or a VRF may ask it */
	uint32_t nexthop; /* id of its nexthop object, or 0 */
};

struct default_routes {
	struct default_route *route;
	size_t count;
};

/* Of both families, in all tables. 0 or negative errno. */
int routes_read_defaults(struct default_routes *routes);
void routes_free(struct default_routes *routes);

/* Packets of this host, as its rules and routes look at them. */
struct route_question {
	uint32_t from[4]; /* network byte order, IPv4 mapped; all zero: any address of ours */
	uint32_t to[4];
	uint16_t sport, dport; /* of TCP, host byte order; 0: of no port */
	int vrf;               /* whose tables are asked: its index, or 0 */
};

/*
 * The index of the device by which they leave, as the kernel answers now: > 0.
 * -ENETUNREACH where it has no route for them, else the errno of what failed.
 */
int routes_ask(const struct route_question *question);

#endif
