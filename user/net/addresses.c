// SPDX-License-Identifier: GPL-2.0-only
#include "net/addresses.h"

#include <bkxdp/layout.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "net/rtnetlink.h"

struct taken {
	const struct nlattr *own, *other;
};

/* Where the other end of a link has an address too, that is IFA_ADDRESS, and ours IFA_LOCAL. */
static int take_attribute(const struct nlattr *attribute, void *into)
{
	struct taken *taken = into;

	if (mnl_attr_get_type(attribute) == IFA_LOCAL)
		taken->own = attribute;
	if (mnl_attr_get_type(attribute) == IFA_ADDRESS)
		taken->other = attribute;
	return MNL_CB_OK;
}

static int take_address(const struct nlmsghdr *message, void *into)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct host_addresses *addresses = into;
	struct host_address *address;
	struct taken taken = {};
	bool ipv4;

	if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)
		return MNL_CB_OK;
	ipv4 = header->ifa_family == AF_INET;
	if (mnl_attr_parse(message, sizeof(*header), take_attribute, &taken) < 0)
		return MNL_CB_ERROR;
	if (!taken.own)
		taken.own = taken.other;
	if (!taken.own || mnl_attr_get_payload_len(taken.own) < (ipv4 ? 4 : 16)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	address = APPEND(addresses->address, addresses->count);
	address->device = (int)header->ifa_index;
	address->address[2] = ipv4 ? BKXDP_MAPPED_WORD : 0;
	memcpy(&address->address[ipv4 ? 3 : 0], mnl_attr_get_payload(taken.own), ipv4 ? 4 : 16);
	return MNL_CB_OK;
}

static void forget_addresses(void *into)
{
	addresses_free(into);
}

int addresses_read(struct host_addresses *addresses)
{
	static const struct rtnetlink_list list = {
		.type = RTM_GETADDR,
		.header_size = sizeof(struct ifaddrmsg),
		.family = AF_UNSPEC,
		.take = take_address,
		.forget = forget_addresses,
	};

	return rtnetlink_read(&list, addresses);
}

void addresses_free(struct host_addresses *addresses)
{
	free(addresses->address);
	*addresses = (struct host_addresses){};
}
