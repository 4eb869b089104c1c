/* SPDX-License-Identifier: GPL-2.0-only */
/* The SSH connection by which the caller is here, as sshd tells it in SSH_CONNECTION. */
#ifndef NET_SSH_H
#define NET_SSH_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

struct ssh_end {
	char text[INET6_ADDRSTRLEN]; /* without its zone */
	char zone[IF_NAMESIZE];      /* of a link-local address: the device, or empty */
	uint32_t address[4];         /* network byte order, IPv4 mapped */
	uint16_t port;
};

struct ssh_connection {
	struct ssh_end client, server;
};

/* "10.20.30.5 50000 10.20.30.1 22": 0 or -EINVAL. */
int ssh_parse(const char *text, struct ssh_connection *connection);

/*
 * Of this process or the nearest that it comes from, for sudo drops the variable.
 * 0, or -ENODATA where none of them has one. A process whose environment cannot be
 * read is passed over, but where no other has one, the error is why, and *unread is
 * who: nobody knows, then.
 */
int ssh_find(struct ssh_connection *connection, pid_t *unread);

#endif
