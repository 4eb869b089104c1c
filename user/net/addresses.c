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

struct address_attributes {
	const struct nlattr *local, *address;
};

/* On a point-to-point link IFA_ADDRESS is the other end's address, and IFA_LOCAL is ours. */
static int parse_attribute(const struct nlattr *attribute, void *data)
{
	struct address_attributes *attributes = data;

	if (mnl_attr_get_type(attribute) == IFA_LOCAL)
		attributes->local = attribute;
	if (mnl_attr_get_type(attribute) == IFA_ADDRESS)
		attributes->address = attribute;
	return MNL_CB_OK;
}

static int parse_address(const struct nlmsghdr *message, void *data)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct host_addresses *addresses = data;
	struct host_address *address;
	struct address_attributes attributes = {};
	bool ipv4;

	if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)
		return MNL_CB_OK;
	ipv4 = header->ifa_family == AF_INET;
	if (mnl_attr_parse(message, sizeof(*header), parse_attribute, &attributes) < 0)
		return MNL_CB_ERROR;
	if (!attributes.local)
		attributes.local = attributes.address;
	if (!attributes.local || mnl_attr_get_payload_len(attributes.local) < (ipv4 ? 4 : 16)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	address = APPEND(addresses->addresses, addresses->n_addresses);
	address->device = (int)header->ifa_index;
	address->address[2] = ipv4 ? BKXDP_MAPPED_WORD : 0;
	memcpy(&address->address[ipv4 ? 3 : 0], mnl_attr_get_payload(attributes.local),
	       ipv4 ? 4 : 16);
	return MNL_CB_OK;
}

static void reset_addresses(void *data)
{
	addresses_free(data);
}

int addresses_read(struct host_addresses *addresses)
{
	static const struct rtnetlink_list list = {
		.type = RTM_GETADDR,
		.header_size = sizeof(struct ifaddrmsg),
		.family = AF_UNSPEC,
		.parse = parse_address,
		.reset = reset_addresses,
	};

	return rtnetlink_read(&list, addresses);
}

void addresses_free(struct host_addresses *addresses)
{
	free(addresses->addresses);
	*addresses = (struct host_addresses){};
}
