/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests to the kernel by rtnetlink(7), and lists by sock_diag(7). A list is returned whole or
 * not at all.
 */
#ifndef NET_RTNETLINK_H
#define NET_RTNETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct rtnetlink_list {
	uint16_t type;      /* RTM_GETLINK, RTM_GETROUTE or the like */
	size_t header_size; /* struct ifinfomsg, struct rtmsg or the like */
	uint8_t family;
	int bus;             /* NETLINK_ROUTE, which is 0, or NETLINK_SOCK_DIAG */
	const void *request; /* the header to send; NULL: all zero but the family */
	/* Called with each message of the list, whose header is complete; an mnl_cb_t. */
	int (*parse)(const struct nlmsghdr *message, void *data);
	/* Drops what was parsed so far, because the list must be read again. */
	void (*reset)(void *data);
};

/* Reads a list to `data`. Returns 0, or a negative errno after a reset. */
int rtnetlink_read(const struct rtnetlink_list *list, void *data);

/*
 * Sends a request that has one answer, and calls parse() with it. Returns 0, or a negative
 * errno, which may be the kernel's answer. Sets the flags and the sequence number of the
 * request.
 */
int rtnetlink_request(struct nlmsghdr *request,
		      int (*parse)(const struct nlmsghdr *message, void *data), void *data);

#endif
