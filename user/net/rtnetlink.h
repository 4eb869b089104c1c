/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel answers by rtnetlink(7): whole lists, or an error; never a part of one. */
#ifndef NET_RTNETLINK_H
#define NET_RTNETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct rtnetlink_list {
	uint16_t type;      /* RTM_GETLINK, RTM_GETROUTE ... */
	size_t header_size; /* struct ifinfomsg, struct rtmsg ..., in question and answers */
	uint8_t family;
	/* Takes a message of the list, which has a whole header: an mnl_cb_t. */
	int (*take)(const struct nlmsghdr *message, void *into);
	/* Forgets all that was taken: the list has to be read anew. */
	void (*forget)(void *into);
};

/* 0, or a negative errno with nothing taken. */
int rtnetlink_read(const struct rtnetlink_list *list, void *into);

/*
 * A question that has one answer, which take() takes: 0, or a negative errno, the
 * kernel's own or of the asking. The question's flags and sequence number are set here.
 */
int rtnetlink_ask(struct nlmsghdr *question,
		  int (*take)(const struct nlmsghdr *message, void *into), void *into);

#endif
