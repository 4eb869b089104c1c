/* SPDX-License-Identifier: GPL-2.0-only */
/* By which devices this host's default routes lead. */
#ifndef ROUTES_H
#define ROUTES_H

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

#endif
