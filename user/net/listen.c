// SPDX-License-Identifier: GPL-2.0-only
#include "net/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"

static int refuse(const char *address, const char *why, struct diagnostics *diag)
{
	diag_at(diag, NULL, "can't listen on \"%s\": %s", address, why);
	return -1;
}

static int socket_for(const struct addrinfo *info)
{
	int on = 1, off = 0, error;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (info->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!bind(fd, info->ai_addr, info->ai_addrlen) && !listen(fd, SOMAXCONN))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

/* The first that can be had; a socket or negative errno. */
static int open_host(const char *host, const char *port, const char **why)
{
	const struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	int fd = -EADDRNOTAVAIL, error = getaddrinfo(host, port, &hints, &list);

	*why = gai_strerror(error);
	if (error)
		return -EINVAL;
	for (const struct addrinfo *info = list; info && fd < 0; info = info->ai_next)
		fd = socket_for(info);
	freeaddrinfo(list);
	*why = strerror(-fd);
	return fd;
}

int listen_at(const char *address, struct diagnostics *diag)
{
	char host[256], port[8], end;
	bool any = sscanf(address, ":%7[0-9]%c", port, &end) == 1;
	const char *why;
	int fd;

	if (!any && sscanf(address, "[%255[^]]]:%7[0-9]%c", host, port, &end) != 2 &&
	    sscanf(address, "%255[^]:[]:%7[0-9]%c", host, port, &end) != 2)
		return refuse(address,
			      "it is no address with a port, such as 127.0.0.1:10471, [::1]:10471 "
			      "or :10471",
			      diag);
	if (atoi(port) > UINT16_MAX)
		return refuse(address, "a port is a number up to 65535", diag);
	/* one socket of IPv6 takes IPv4 as well, but not every machine has IPv6 */
	fd = open_host(any ? "::" : host, port, &why);
	if (fd < 0 && any)
		fd = open_host("0.0.0.0", port, &why);
	return fd < 0 ? refuse(address, why, diag) : fd;
}

char *listen_name(int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getsockname(fd, (struct sockaddr *)&address, &length) ||
	    getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return must_copy("a socket");
	return must_format(strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}
