/* SPDX-License-Identifier: GPL-2.0-only */
/* The SSH connection by which the caller is logged in, from sshd's variable SSH_CONNECTION. */
#ifndef NET_SSH_H
#define NET_SSH_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

struct ssh_end {
	char text[INET6_ADDRSTRLEN]; /* the address without its zone */
	char zone[IF_NAMESIZE];      /* the device of a link-local address, or empty */
	uint32_t address[4];         /* network byte order, IPv4 mapped */
	uint16_t port;
};

struct ssh_connection {
	struct ssh_end client, server;
};

/* Parses "10.20.30.5 50000 10.20.30.1 22". Returns 0 or -EINVAL. */
int ssh_parse(const char *text, struct ssh_connection *connection);

/*
 * Finds the SSH connection of this process, or of its nearest ancestor that has one, because
 * sudo removes the variable. Returns 0, or -ENODATA if none of them has one. If the environment
 * of some ancestor can't be read and no other has the variable, nobody knows: then returns the
 * error, and *unreadable is that process.
 */
int ssh_find(struct ssh_connection *connection, pid_t *unreadable);

#endif
