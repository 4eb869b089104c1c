// SPDX-License-Identifier: GPL-2.0-only
#include "netdev.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/route.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "alloc.h"
#include "text.h"

bool netdev_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (!length || length >= IF_NAMESIZE || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || isspace((unsigned char)*name))
			return false;
	return true;
}

static void complain_unknown(const char *interface, struct complaints *complaints)
{
	struct if_nameindex *all = if_nameindex();
	const char **name = NULL, *near;
	AUTO_FREE char *list = must_copy("");
	size_t count = 0;

	for (size_t i = 0; all && all[i].if_index; i++) {
		char *longer = must_format("%s%s%s", list, *list ? ", " : "", all[i].if_name);

		free(list);
		list = longer;
		*APPEND(name, count) = all[i].if_name;
	}
	near = text_nearest(interface, name, count);
	complain(complaints, NULL, "there is no interface \"%s\" here%s%s%s; there are: %s",
		 interface, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "",
		 list);
	free(name);
	if_freenameindex(all);
}

unsigned int netdev_index(const char *interface, struct complaints *complaints)
{
	unsigned int index = netdev_name_is_valid(interface) ? if_nametoindex(interface) : 0;

	if (!index)
		complain_unknown(interface, complaints);
	return index;
}

uint64_t netdev_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/net", &status) ? 0 : status.st_ino;
}

/* ---- the program that it runs ---------------------------------------------- */

#define LINK_BYTES 32768 /* of one interface's attributes */

static int ask_for_link(int fd, unsigned int index)
{
	const struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {
		.header = {sizeof(request), RTM_GETLINK, NLM_F_REQUEST, 1, 0},
		.link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)index},
	};

	return send(fd, &request, sizeof(request), 0) == sizeof(request) ? 0 : -errno;
}

static const struct rtattr *attribute(const struct rtattr *first, int length, int type)
{
	for (const struct rtattr *a = first; RTA_OK(a, length); a = RTA_NEXT(a, length))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

static uint32_t program_of(const struct nlmsghdr *message, bool generic)
{
	const struct ifinfomsg *link = NLMSG_DATA(message);
	const struct rtattr *xdp = attribute(IFLA_RTA(link), (int)IFLA_PAYLOAD(message), IFLA_XDP);
	const struct rtattr *id =
		xdp ? attribute(RTA_DATA(xdp), (int)RTA_PAYLOAD(xdp),
				generic ? IFLA_XDP_SKB_PROG_ID : IFLA_XDP_DRV_PROG_ID)
		    : NULL;
	uint32_t program = 0;

	if (id && RTA_PAYLOAD(id) >= sizeof(program))
		memcpy(&program, RTA_DATA(id), sizeof(program));
	return program;
}

int64_t netdev_xdp(unsigned int index, bool generic)
{
	AUTO_FREE struct nlmsghdr *answer = must_alloc(1, LINK_BYTES);
	AUTO_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int error = fd < 0 ? -errno : ask_for_link(fd, index);
	ssize_t got = error ? 0 : recv(fd, answer, LINK_BYTES, 0);

	if (error || got < 0)
		return error ? error : -errno;
	if (!NLMSG_OK(answer, got))
		return -EBADMSG;
	if (answer->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(answer))->error == -ENODEV ? 0 : -EIO;
	return answer->nlmsg_type == RTM_NEWLINK ? (int64_t)program_of(answer, generic) : -EBADMSG;
}

/* ---- offloads -------------------------------------------------------------- */

static int ethtool(const char *interface, void *command)
{
	struct ifreq request = {};
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	request.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
}

int netdev_rxvlan(const char *interface)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GFLAGS};
	int error = ethtool(interface, &value);

	return error ? error : !!(value.data & ETH_FLAG_RXVLAN);
}

/* Some drivers answer 0 and change nothing, so the answer is what is read back. */
int netdev_set_rxvlan(const char *interface, bool on)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GFLAGS};
	int error = ethtool(interface, &value);

	if (error)
		return error;
	value.cmd = ETHTOOL_SFLAGS;
	value.data = on ? value.data | ETH_FLAG_RXVLAN : value.data & ~ETH_FLAG_RXVLAN;
	error = ethtool(interface, &value);
	if (error)
		return error;
	return netdev_rxvlan(interface) == on ? 0 : -EOPNOTSUPP;
}

bool netdev_is_veth(const char *interface)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};

	return !ethtool(interface, &info) && !strcmp(info.driver, "veth");
}

static bool ipv4_default(const char *interface)
{
	AUTO_FCLOSE FILE *routes = fopen("/proc/net/route", "re");
	char line[512], name[64];
	unsigned int destination, mask;

	while (routes && fgets(line, sizeof(line), routes))
		if (sscanf(line, "%63s %x %*x %*x %*d %*d %*d %x", name, &destination, &mask) ==
			    3 &&
		    !(ntohl(destination) & 0x7fffffff) && !(ntohl(mask) & 0x7fffffff) &&
		    !strcmp(name, interface))
			return true;
	return false;
}

/* Unreachable defaults, which the kernel lists too, lead nowhere. */
static bool ipv6_default(const char *interface)
{
	AUTO_FCLOSE FILE *routes = fopen("/proc/net/ipv6_route", "re");
	char line[512], destination[64], name[64];
	unsigned int bits, flags;

	while (routes && fgets(line, sizeof(line), routes))
		if (sscanf(line, "%63s %x %*s %*x %*s %*x %*x %*x %x %63s", destination, &bits,
			   &flags, name) == 4 &&
		    bits <= 1 && !(flags & RTF_REJECT) && !strcmp(name, interface))
			return true;
	return false;
}

bool netdev_has_default_route(const char *interface)
{
	return ipv4_default(interface) || ipv6_default(interface);
}

static bool is_address(const struct ifaddrs *one, const char *wanted)
{
	char text[INET6_ADDRSTRLEN];
	const void *bytes = NULL;

	if (!one->ifa_addr)
		return false;
	if (one->ifa_addr->sa_family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)one->ifa_addr)->sin_addr;
	else if (one->ifa_addr->sa_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)one->ifa_addr)->sin6_addr;
	return bytes && inet_ntop(one->ifa_addr->sa_family, bytes, text, sizeof(text)) &&
	       !strcmp(text, wanted);
}

bool netdev_has_address(const char *interface, const char *address)
{
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all))
		return false;
	for (const struct ifaddrs *one = all; one && !found; one = one->ifa_next)
		found = !strcmp(one->ifa_name, interface) && is_address(one, address);
	freeifaddrs(all);
	return found;
}

/* ---- devices above one another --------------------------------------------- */

struct device {
	char name[IF_NAMESIZE];
	int index, master, link;
	bool above; /* in the stack */
};

struct devices {
	struct device *device;
	size_t count;
};

static void add_device(struct devices *devices, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	struct device *device = APPEND(devices->device, devices->count);
	int rest = IFLA_PAYLOAD(message);

	device->index = info->ifi_index;
	for (const struct rtattr *a = IFLA_RTA(info); RTA_OK(a, rest); a = RTA_NEXT(a, rest)) {
		if (a->rta_type == IFLA_IFNAME)
			snprintf(device->name, sizeof(device->name), "%s", (char *)RTA_DATA(a));
		if (a->rta_type == IFLA_MASTER)
			memcpy(&device->master, RTA_DATA(a), sizeof(int));
		if (a->rta_type == IFLA_LINK)
			memcpy(&device->link, RTA_DATA(a), sizeof(int));
	}
}

/* rtnetlink(7): all links of this network namespace. */
static void list_devices(struct devices *devices)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg body;
	} question = {
		.head = {sizeof(question), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 0, 0},
	};
	AUTO_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	AUTO_FREE char *buffer = must_alloc(1, 1 << 17);
	ssize_t length;

	if (fd < 0 || send(fd, &question, sizeof(question), 0) < 0)
		return;
	while ((length = recv(fd, buffer, 1 << 17, 0)) > 0) {
		struct nlmsghdr *message = (struct nlmsghdr *)(void *)buffer;

		for (int rest = length; NLMSG_OK(message, rest);
		     message = NLMSG_NEXT(message, rest)) {
			if (message->nlmsg_type != RTM_NEWLINK)
				return;
			add_device(devices, message);
		}
	}
}

/* The two ends of a veth pair name each other as their link; neither is above the other. */
static bool stands_on(const struct device *device, const struct device *below)
{
	if (device->index == below->master)
		return true;
	return device->link == below->index && below->link != device->index;
}

/* Marks what stands directly above a marked device; false when there is nothing more. */
static bool mark_above(struct devices *devices, const struct device *below)
{
	bool marked = false;

	for (size_t i = 0; i < devices->count; i++) {
		struct device *device = &devices->device[i];

		if (device->above || !stands_on(device, below))
			continue;
		device->above = marked = true;
	}
	return marked;
}

char **netdev_stack(const char *interface, size_t *count)
{
	struct devices devices = {};
	bool more = true;
	char **list = NULL;

	list_devices(&devices);
	for (size_t i = 0; i < devices.count; i++)
		devices.device[i].above = !strcmp(devices.device[i].name, interface);
	while (more) {
		more = false;
		for (size_t i = 0; i < devices.count; i++)
			if (devices.device[i].above)
				more |= mark_above(&devices, &devices.device[i]);
	}
	*count = 0;
	for (size_t i = 0; i < devices.count; i++)
		if (devices.device[i].above)
			*APPEND(list, *count) = must_copy(devices.device[i].name);
	free(devices.device);
	return list;
}
