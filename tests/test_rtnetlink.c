// SPDX-License-Identifier: GPL-2.0-only
/*
 * How links, routes and addresses are read from the kernel. The kernel's answers are made up
 * here: this file has its own recvmsg(), which libmnl then calls.
 */
#include <net/if.h> /* must come before <linux/if.h>, which then leaves out what libc has */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "net/addresses.h"
#include "net/links.h"
#include "net/routes.h"
#include "tap.h"

/* ---- a kernel ---------------------------------------------------------------- */

#define DATAGRAMS_MAX 16

static struct datagram {
	char bytes[4096];
	size_t length;
	size_t truncated_below; /* for a buffer that is shorter than this */
	int error;
	unsigned int flags;
} datagram[DATAGRAMS_MAX];
static size_t datagrams, given;

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	struct datagram *next = &datagram[given];

	(void)fd;
	(void)flags;
	if (given == datagrams) {
		errno = ENODATA;
		return -1;
	}
	given++;
	if (next->error) {
		errno = next->error;
		return -1;
	}
	memset(message->msg_name, 0, sizeof(struct sockaddr_nl));
	((struct sockaddr_nl *)message->msg_name)->nl_family = AF_NETLINK;
	message->msg_namelen = sizeof(struct sockaddr_nl);
	message->msg_flags = message->msg_iov->iov_len < next->truncated_below ? MSG_TRUNC : 0;
	memcpy(message->msg_iov->iov_base, next->bytes, next->length);
	return (ssize_t)next->length;
}

static void begin(void)
{
	memset(datagram, 0, sizeof(datagram));
	datagrams = given = 0;
}

static struct datagram *next_datagram(void)
{
	return &datagram[datagrams++];
}

static struct nlmsghdr *last;

/* What follows belongs to the last message. */
static void *put(struct datagram *into, const void *bytes, size_t length)
{
	char *at = into->bytes + into->length;

	if (bytes)
		memcpy(at, bytes, length);
	into->length += NLMSG_ALIGN(length);
	if (last)
		last->nlmsg_len = (uint32_t)(into->bytes + into->length - (char *)last);
	return at;
}

static void put_message(struct datagram *into, int type, const void *header, size_t length)
{
	last = NULL;
	last = put(into, &(struct nlmsghdr){.nlmsg_type = type, .nlmsg_seq = 1}, NLMSG_HDRLEN);
	last->nlmsg_flags = NLM_F_MULTI | into->flags;
	put(into, header, length);
}

static void put_attribute(struct datagram *into, int type, const void *bytes, size_t length)
{
	put(into, &(struct rtattr){.rta_len = RTA_LENGTH(length), .rta_type = type},
	    sizeof(struct rtattr));
	put(into, bytes, length);
}

static void put_u32(struct datagram *into, int type, uint32_t value)
{
	put_attribute(into, type, &value, sizeof(value));
}

static struct rtattr *begin_nest(struct datagram *into, int type)
{
	return put(into, &(struct rtattr){.rta_type = type}, sizeof(struct rtattr));
}

static void end_nest(struct datagram *into, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)(into->bytes + into->length - (char *)nest);
}

static void put_end(struct datagram *into, int error)
{
	put_message(into, NLMSG_DONE, &error, sizeof(error));
}

static void put_link(struct datagram *into, const char *name, int index)
{
	const struct ifinfomsg header = {.ifi_index = index};

	put_message(into, RTM_NEWLINK, &header, sizeof(header));
	put_attribute(into, IFLA_IFNAME, name, strlen(name) + 1);
}

static void put_kind(struct datagram *into, const char *kind, int type, const void *bytes,
		     size_t length)
{
	struct rtattr *info = begin_nest(into, IFLA_LINKINFO), *data;

	put_attribute(into, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	data = begin_nest(into, IFLA_INFO_DATA);
	put_attribute(into, type, bytes, length);
	if (type == IFLA_VLAN_ID)
		put_attribute(into, IFLA_VLAN_PROTOCOL, &(uint16_t){htons(ETH_P_8021AD)}, 2);
	end_nest(into, data);
	end_nest(into, info);
}

static void put_route(struct datagram *into, const struct rtmsg *header, int device)
{
	put_message(into, RTM_NEWROUTE, header, sizeof(*header));
	if (device)
		put_u32(into, RTA_OIF, (uint32_t)device);
}

/* ---- links -------------------------------------------------------------------- */

static void test_links(void)
{
	struct links links = {};
	const struct link *link;
	struct datagram *d;

	begin();
	d = next_datagram();
	put_link(d, "eth1", 2);
	put_u32(d, IFLA_MASTER, 9);
	put_link(d, "eth1.7", 3);
	put_u32(d, IFLA_LINK, 2);
	put_kind(d, "vlan", IFLA_VLAN_ID, &(uint16_t){7}, 2);
	put_link(d, "eth0", 4);
	put_u32(d, IFLA_LINK, 2);
	put_u32(d, IFLA_LINK_NETNSID, 0);
	d = next_datagram();
	put_link(d, "br0", 9);
	put_kind(d, "bridge", IFLA_BR_VLAN_FILTERING, &(uint8_t){1}, 1);
	put_link(d, "sit1", 10);
	put_u32(d, IFLA_LINK, 2);
	put_kind(d, "sit", 1, NULL, 0);
	put_link(d, "vrf0", 11);
	put_kind(d, "vrf", 1, NULL, 0);
	put_end(next_datagram(), 0);

	check_int(links_read(&links), 0, "links of several datagrams");
	check_int(links.n_links, 6, "all of them");
	link = links_find(&links, "eth1");
	check(link && link->index == 2 && link->master == 9 && !link->lower && !link->tag.protocol,
	      "a member of a bridge");
	link = links_find(&links, "eth1.7");
	check(link && link->lower == 2 && link->tag.id == 7 && link->tag.protocol == ETH_P_8021AD,
	      "a VLAN device: its id and protocol");
	link = links_find(&links, "eth0");
	check(link && !link->lower && link->in_other_namespace,
	      "a link in another namespace is none here");
	link = links_find(&links, "br0");
	check(link && link->filters_vlans, "a bridge that filters VLANs");
	link = links_find(&links, "sit1");
	check(link && link->is_tunnel && link->lower == 2, "a tunnel");
	link = links_find(&links, "vrf0");
	check(link && link->is_vrf, "a VRF");
	links_free(&links);
}

static void put_tunnel(struct datagram *d, const char *kind, int type, const char *remote,
		       size_t bytes)
{
	static int index = 20;

	put_link(d, kind, index++);
	put_kind(d, kind, type, remote, bytes);
}

static bool has_remote(const struct links *links, const char *name, uint32_t word2, uint32_t word3)
{
	const struct link *link = links_find(links, name);

	return link && link->is_tunnel && !link->lower && link->has_remote &&
	       ntohl(link->remote[2]) == word2 && ntohl(link->remote[3]) == word3;
}

static void test_tunnels(void)
{
	struct links links = {};
	const struct link *link;
	struct datagram *d;

	begin();
	d = next_datagram();
	put_link(d, "vx0", 10);
	put_kind(d, "vxlan", IFLA_VXLAN_LINK, &(uint32_t){2}, 4);
	put_link(d, "vx1", 11);
	put_u32(d, IFLA_LINK_NETNSID, 0);
	put_kind(d, "vxlan", IFLA_VXLAN_LINK, &(uint32_t){2}, 4);
	put_tunnel(d, "vxlan", IFLA_VXLAN_GROUP, "\x0a\x14\x1e\x05", 4);
	put_tunnel(d, "geneve", IFLA_GENEVE_REMOTE6, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5", 16);
	put_tunnel(d, "gre", IFLA_GRE_REMOTE, "\x0a\x14\x1e\x05", 4);
	put_tunnel(d, "ip6tnl", IFLA_IPTUN_REMOTE, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5", 16);
	put_tunnel(d, "sit", IFLA_IPTUN_REMOTE, "\0\0\0\0", 4);
	put_tunnel(d, "wireguard", 1, NULL, 0);
	put_end(d, 0);

	check_int(links_read(&links), 0, "tunnels");
	link = links_find(&links, "vx0");
	check(link && link->is_tunnel && link->lower == 2 && !link->has_remote,
	      "a vxlan stands on the device that its own attribute names");
	link = links_find(&links, "vx1");
	check(link && link->is_tunnel && !link->lower, "one of another namespace is none here");
	check(has_remote(&links, "vxlan", 0xffff, 0x0a141e05),
	      "a vxlan that names an address only");
	check(has_remote(&links, "geneve", 0, 5), "geneve, an IPv6 address");
	check(has_remote(&links, "gre", 0xffff, 0x0a141e05), "gre");
	check(has_remote(&links, "ip6tnl", 0, 5), "ip6tnl");
	link = links_find(&links, "sit");
	check(link && link->is_tunnel && !link->has_remote, "a tunnel to no one address");
	link = links_find(&links, "wireguard");
	check(link && link->is_tunnel && !link->has_remote, "WireGuard");
	links_free(&links);

	begin();
	d = next_datagram();
	put_tunnel(d, "vxlan", IFLA_VXLAN_GROUP, "abc", 3);
	check_int(links_read(&links), -EBADMSG, "an address of three bytes");
}

/* ---- failures ------------------------------------------------------------------ */

static int read_links(size_t *count)
{
	struct links links = {};
	int error = links_read(&links);

	*count = links.n_links;
	links_free(&links);
	return error;
}

static void put_two(void)
{
	struct datagram *d = next_datagram();

	put_link(d, "eth1", 2);
	put_link(d, "eth2", 3);
}

static void test_failures(void)
{
	struct datagram *d;
	size_t count;

	begin();
	put_two();
	next_datagram()->error = ENOBUFS;
	check_int(read_links(&count), -ENOBUFS, "an answer that cannot be had");
	check_int(count, 0, "nothing of the list is left");

	begin();
	put_two();
	put_end(next_datagram(), -ENOMEM);
	check_int(read_links(&count), -ENOMEM, "a list that ends with an error");
	check_int(count, 0, "nothing of the list is left");

	begin();
	put_message(next_datagram(), NLMSG_ERROR, &(struct nlmsgerr){.error = -EOPNOTSUPP},
		    sizeof(struct nlmsgerr));
	check_int(read_links(&count), -EOPNOTSUPP, "an error instead of a list");

	begin();
	put_message(next_datagram(), NLMSG_ERROR, &(struct nlmsgerr){}, sizeof(struct nlmsgerr));
	check_int(read_links(&count), -EBADMSG, "an acknowledgement instead of a list");

	begin();
	d = next_datagram();
	put_message(d, RTM_NEWLINK, "short", 5);
	check_int(read_links(&count), -EBADMSG, "a message without a whole header");

	begin();
	d = next_datagram();
	put_link(d, "eth1", 2);
	put_attribute(d, IFLA_MASTER, "x", 1);
	check_int(read_links(&count), -EBADMSG, "an index of one byte");
	check_int(count, 0, "nothing of the list is left");
}

static void test_reading_again(void)
{
	size_t count;

	begin();
	datagram[0].flags = NLM_F_DUMP_INTR;
	put_two();
	put_two();
	put_end(next_datagram(), 0);
	check_int(read_links(&count), 0, "a list that changed while it was read is read anew");
	check_int(count, 2, "with each link once");

	begin();
	for (size_t i = 0; i < DATAGRAMS_MAX; i++) {
		datagram[i].flags = NLM_F_DUMP_INTR;
		put_two();
	}
	check_int(read_links(&count), -EINTR, "one that changes each time is an error");
	check_int(count, 0, "and no list");
	check(given < DATAGRAMS_MAX, "after some tries");

	begin();
	datagram[0].truncated_below = 40000;
	put_two();
	datagram[1].truncated_below = 40000;
	put_two();
	put_end(next_datagram(), 0);
	check_int(read_links(&count), 0, "a message that did not fit is asked for with more room");
	check_int(count, 2, "with each link once");
}

/* ---- routes --------------------------------------------------------------------- */

static const struct rtmsg ipv4 = {
	.rtm_family = AF_INET,
	.rtm_table = RT_TABLE_MAIN,
	.rtm_type = RTN_UNICAST,
};
static const struct rtmsg ipv6 = {
	.rtm_family = AF_INET6,
	.rtm_table = RT_TABLE_MAIN,
	.rtm_type = RTN_UNICAST,
};

static void put_hop(struct datagram *into, int device)
{
	const struct rtnexthop hop = {.rtnh_len = sizeof(hop), .rtnh_ifindex = device};

	put(into, &hop, sizeof(hop));
}

static void put_others(struct datagram *d)
{
	struct rtmsg other = ipv4;

	other.rtm_dst_len = 2;
	put_route(d, &other, 81);
	other.rtm_dst_len = 0;
	other.rtm_type = RTN_BLACKHOLE;
	put_route(d, &other, 82);
	other.rtm_type = RTN_UNICAST;
	other.rtm_flags = RTM_F_CLONED;
	put_route(d, &other, 83);
	put_route(d, &ipv6, 84); /* a kernel without IPv6 answers with routes of other families */
}

static void put_nexthops(struct datagram *d)
{
	const struct nhmsg header = {.nh_family = AF_INET};
	const struct nexthop_grp members[] = {{.id = 50}, {.id = 51}};

	put_message(d, RTM_NEWNEXTHOP, &header, sizeof(header));
	put_u32(d, NHA_ID, 50);
	put_u32(d, NHA_OIF, 5);
	put_message(d, RTM_NEWNEXTHOP, &header, sizeof(header));
	put_u32(d, NHA_ID, 51);
	put_u32(d, NHA_OIF, 6);
	put_message(d, RTM_NEWNEXTHOP, &header, sizeof(header));
	put_u32(d, NHA_ID, 52);
	put_attribute(d, NHA_GROUP, members, sizeof(members));
	put_end(d, 0);
}

static bool has_route(const struct default_routes *routes, int family, int device, uint32_t table)
{
	for (size_t i = 0; i < routes->n_routes; i++)
		if (routes->routes[i].family == family && routes->routes[i].device == device &&
		    routes->routes[i].table == table)
			return true;
	return false;
}

static void test_routes(void)
{
	struct default_routes routes = {};
	struct rtmsg half = ipv4, world = ipv6;
	struct datagram *d;
	struct rtattr *nest;

	begin();
	d = next_datagram();
	put_route(d, &ipv4, 2);
	put_u32(d, RTA_TABLE, 1000);
	half.rtm_dst_len = 1;
	put_route(d, &half, 3);
	put_route(d, &ipv4, 0);
	nest = begin_nest(d, RTA_MULTIPATH);
	put_hop(d, 4);
	put_hop(d, 2);
	end_nest(d, nest);
	put_route(d, &ipv4, 0);
	put_u32(d, RTA_NH_ID, 52);
	put_others(d);
	put_end(d, 0);
	d = next_datagram();
	world.rtm_dst_len = 3;
	put_route(d, &world, 2);
	put_end(d, 0);
	put_nexthops(next_datagram());

	check_int(routes_read_defaults(&routes), 0, "routes");
	check(has_route(&routes, AF_INET, 2, 1000), "of a table beyond 255");
	check(has_route(&routes, AF_INET, 3, RT_TABLE_MAIN), "half of the world");
	check(has_route(&routes, AF_INET, 4, RT_TABLE_MAIN), "the first of several hops");
	check(has_route(&routes, AF_INET, 2, RT_TABLE_MAIN), "the second");
	check(has_route(&routes, AF_INET, 5, RT_TABLE_MAIN), "the first of a nexthop group");
	check(has_route(&routes, AF_INET, 6, RT_TABLE_MAIN), "the second");
	check(has_route(&routes, AF_INET6, 2, RT_TABLE_MAIN), "IPv6, 2000::/3");
	for (int device = 81; device <= 84; device++)
		check(!has_route(&routes, AF_INET, device, RT_TABLE_MAIN) &&
			      !has_route(&routes, AF_INET6, device, RT_TABLE_MAIN),
		      "no default route: %d", device);
	routes_free(&routes);
}

static void test_failing_routes(void)
{
	struct default_routes routes = {};
	struct datagram *d;

	begin();
	d = next_datagram();
	put_route(d, &ipv4, 2);
	put_end(d, 0);
	next_datagram()->error = ENOBUFS;
	check_int(routes_read_defaults(&routes), -ENOBUFS, "IPv6 routes that cannot be read");
	check_int(routes.n_routes, 0, "nothing of the IPv4 ones is left");

	begin();
	d = next_datagram();
	put_route(d, &ipv4, 0);
	put_u32(d, RTA_NH_ID, 52);
	put_end(d, 0);
	put_end(next_datagram(), 0);
	next_datagram()->error = ENOBUFS;
	check_int(routes_read_defaults(&routes), -ENOBUFS, "nexthops that cannot be read");
	check_int(routes.n_routes, 0, "nothing of the routes is left");

	begin();
	d = next_datagram();
	put_route(d, &ipv4, 0);
	put_attribute(d, RTA_MULTIPATH, "abcd", 4);
	put_end(d, 0);
	check_int(routes_read_defaults(&routes), -EBADMSG, "a hop that is cut off");
}

/* ---- of one packet -------------------------------------------------------------- */

static int lookup_route(void)
{
	const struct route_query query = {
		.from = {0, 0, htonl(0xffff), htonl(0xc0000209)},
		.to = {0, 0, htonl(0xffff), htonl(0x0a141e06)},
		.sport = 22,
		.dport = 50000,
	};

	return routes_lookup(&query);
}

static int test_failing_lookups(int error)
{
	begin();
	put_message(next_datagram(), NLMSG_ERROR, &(struct nlmsgerr){.error = error},
		    sizeof(struct nlmsgerr));
	return lookup_route();
}

static void test_packet_route(void)
{
	static const int no_route[] = {-ENETUNREACH, -EHOSTUNREACH, -EACCES, -EINVAL};

	begin();
	put_route(next_datagram(), &ipv4, 7);
	check_int(lookup_route(), 7, "the device of a route");
	check_int(given, 1, "one answer is read");
	for (size_t i = 0; i < sizeof(no_route) / sizeof(*no_route); i++)
		check_int(test_failing_lookups(no_route[i]), -ENETUNREACH, "no route: %s",
			  strerror(-no_route[i]));
	check_int(test_failing_lookups(-ENOBUFS), -ENOBUFS, "another error is no answer");
	check_int(test_failing_lookups(0), -EBADMSG, "nor is an acknowledgement");
	begin();
	put_route(next_datagram(), &ipv4, 0);
	check_int(lookup_route(), -EBADMSG, "a route without device");
	begin();
	put_message(next_datagram(), RTM_NEWROUTE, "short", 5);
	check_int(lookup_route(), -EBADMSG, "a route that is cut off");
	begin();
	put_link(next_datagram(), "eth1", 2);
	check_int(lookup_route(), -EBADMSG, "an answer to another question");
	begin();
	next_datagram()->error = EINTR;
	put_route(next_datagram(), &ipv4, 7);
	check_int(lookup_route(), 7, "an interruption is none");
	begin();
	next_datagram()->error = ENOBUFS;
	check_int(lookup_route(), -ENOBUFS, "an answer that cannot be had");
}

/* ---- addresses ------------------------------------------------------------------- */

static void test_addresses(void)
{
	struct ifaddrmsg header = {.ifa_family = AF_INET, .ifa_index = 2};
	struct host_addresses addresses = {};
	struct datagram *d;

	begin();
	d = next_datagram();
	put_message(d, RTM_NEWADDR, &header, sizeof(header));
	put_attribute(d, IFA_ADDRESS, "\x0a\x14\x1e\x05", 4);
	put_attribute(d, IFA_LOCAL, "\x0a\x14\x1e\x01", 4);
	header.ifa_family = AF_INET6;
	put_message(d, RTM_NEWADDR, &header, sizeof(header));
	put_attribute(d, IFA_ADDRESS, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	put_end(d, 0);
	check_int(addresses_read(&addresses), 0, "addresses");
	check_int(addresses.n_addresses, 2, "two of them");
	check(addresses.n_addresses == 2 &&
		      addresses.addresses[0].address[3] == htonl(0x0a141e01) &&
		      addresses.addresses[0].address[2] == htonl(0xffff) &&
		      addresses.addresses[0].device == 2,
	      "ours, not that of the other end of the link");
	check(addresses.n_addresses == 2 &&
		      addresses.addresses[1].address[0] == htonl(0xfe800000) &&
		      addresses.addresses[1].address[3] == htonl(1),
	      "an IPv6 address");
	addresses_free(&addresses);

	begin();
	d = next_datagram();
	put_message(d, RTM_NEWADDR, &header, sizeof(header));
	put_attribute(d, IFA_ADDRESS, "\x0a\x14\x1e\x05", 4);
	put_end(d, 0);
	check_int(addresses_read(&addresses), -EBADMSG, "an IPv6 address of four bytes");
	check_int(addresses.n_addresses, 0, "nothing is left");
}

int main(void)
{
	test_links();
	test_tunnels();
	test_failures();
	test_reading_again();
	test_routes();
	test_failing_routes();
	test_packet_route();
	test_addresses();
	return tap_done();
}
