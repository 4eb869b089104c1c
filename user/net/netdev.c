// SPDX-License-Identifier: GPL-2.0-only
#include "net/netdev.h"

#include <ctype.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/suggest.h"

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

static void report_unknown(const char *interface, struct diagnostics *diag)
{
	struct if_nameindex *interfaces = if_nameindex();
	const char **known = NULL, *nearest;
	AUTO_FREE char *list = NULL;
	struct strbuf names;
	size_t n_known = 0;

	strbuf_open(&names);
	for (size_t i = 0; interfaces && interfaces[i].if_index; i++) {
		fputs(interfaces[i].if_name, strbuf_next(&names, ", "));
		*APPEND(known, n_known) = interfaces[i].if_name;
	}
	list = strbuf_close(&names);
	nearest = suggest_nearest(interface, known, n_known);
	diag_at(diag, NULL, "there is no interface \"%s\" here%s%s%s; there are: %s", interface,
		nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "",
		list);
	free(known);
	if_freenameindex(interfaces);
}

static int device_ioctl(const char *interface, unsigned long command, struct ifreq *request)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", interface);
	return ioctl(fd, command, request) ? -errno : 0;
}

/* if_nametoindex() is no alternative: its errno means nothing if it could not open a socket. */
int netdev_find(const char *interface)
{
	struct ifreq request = {};
	int error;

	if (!netdev_name_is_valid(interface))
		return 0;
	error = device_ioctl(interface, SIOCGIFINDEX, &request);
	if (error == -ENODEV)
		return 0;
	return error ? error : request.ifr_ifindex;
}

unsigned int netdev_index(const char *interface, struct diagnostics *diag)
{
	int index = netdev_find(interface);

	if (index > 0)
		return index;
	if (index)
		diag_at(diag, NULL, "the interface \"%s\" could not be looked up: %s", interface,
			strerror(-index));
	else
		report_unknown(interface, diag);
	return 0;
}

int netdev_name(unsigned int index, char name[static IF_NAMESIZE])
{
	if (if_indextoname(index, name))
		return 1;
	return errno == ENXIO || errno == ENODEV ? 0 : -errno;
}

int netdev_type(const char *interface)
{
	struct ifreq request = {};
	int error = device_ioctl(interface, SIOCGIFHWADDR, &request);

	return error ? error : request.ifr_hwaddr.sa_family;
}

uint64_t netdev_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/net", &status) ? 0 : status.st_ino;
}

/* ---- its XDP program ---------------------------------------------------- */

#define LINK_BYTES 32768 /* more than the attributes of one interface take */

static int request_link(int fd, unsigned int index)
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

static uint32_t read_id(const struct rtattr *xdp, int type)
{
	const struct rtattr *id =
		xdp ? attribute(RTA_DATA(xdp), (int)RTA_PAYLOAD(xdp), type) : NULL;
	uint32_t program = 0;

	if (id && RTA_PAYLOAD(id) >= sizeof(program))
		memcpy(&program, RTA_DATA(id), sizeof(program));
	return program;
}

static void read_programs(const struct nlmsghdr *message, struct netdev_programs *programs)
{
	const struct ifinfomsg *link = NLMSG_DATA(message);
	const struct rtattr *xdp = attribute(IFLA_RTA(link), (int)IFLA_PAYLOAD(message), IFLA_XDP);

	programs->driver = read_id(xdp, IFLA_XDP_DRV_PROG_ID);
	programs->generic = read_id(xdp, IFLA_XDP_SKB_PROG_ID);
}

/* bpf_xdp_query() is no alternative: it makes the kernel list all links to read one. */
int netdev_programs(unsigned int index, struct netdev_programs *programs)
{
	AUTO_FREE struct nlmsghdr *answer = must_alloc(1, LINK_BYTES);
	AUTO_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int error = fd < 0 ? -errno : request_link(fd, index);
	ssize_t length = error ? 0 : recv(fd, answer, LINK_BYTES, 0);

	if (error || length < 0)
		return error ? error : -errno;
	if (!NLMSG_OK(answer, length))
		return -EBADMSG;
	if (answer->nlmsg_type == RTM_NEWLINK) {
		read_programs(answer, programs);
		return 0;
	}
	if (answer->nlmsg_type == NLMSG_ERROR)
		error = ((const struct nlmsgerr *)NLMSG_DATA(answer))->error;
	return error ? error : -EBADMSG;
}

int64_t netdev_xdp(unsigned int index, bool generic)
{
	struct netdev_programs programs = {};
	int error = netdev_programs(index, &programs);

	if (error)
		return error == -ENODEV ? 0 : error;
	return generic ? programs.generic : programs.driver;
}

/* ---- offloads -------------------------------------------------------------- */

static int ethtool(const char *interface, void *command)
{
	struct ifreq request = {.ifr_data = command};

	return device_ioctl(interface, SIOCETHTOOL, &request);
}

int netdev_rxvlan(const char *interface)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GFLAGS};
	int error = ethtool(interface, &value);

	return error ? error : !!(value.data & ETH_FLAG_RXVLAN);
}

/* Some drivers return 0 and change nothing, so the setting is read back. */
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
