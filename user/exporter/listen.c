// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"

static int refuse(const char *address, const char *why, struct diagnostics *diag)
{
	diag_at(diag, NULL, "can't listen on \"%s\": %s", address, why);
	return -1;
}

/* The host goes to *host ("" for any), the port's text is returned; NULL where there is none. */
static const char *split(const char *address, char **host)
{
	const char *colon = strrchr(address, ':'), *start = address;
	size_t length = colon ? (size_t)(colon - address) : 0;

	if (!colon || !colon[1])
		return NULL;
	if (*address == '[') {
		if (length < 2 || colon[-1] != ']')
			return NULL;
		start++;
		length -= 2;
	} else if (memchr(address, ':', length)) {
		return NULL;
	}
	*host = must_format("%.*s", (int)length, start);
	return colon + 1;
}

/* getaddrinfo() would take 99999 for 34463. A port may also be a word, such as "https". */
static bool is_number_beyond(const char *port)
{
	size_t digits = strspn(port, "0123456789");

	return !port[digits] && (digits > 5 || strtoul(port, NULL, 10) > UINT16_MAX);
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

/* IPv6 first where any address is meant: one socket of it takes IPv4 as well. */
static int open_first(const struct addrinfo *list, bool any)
{
	int fd = -EADDRNOTAVAIL;

	for (int pass = any ? 0 : 1; pass < 2 && fd < 0; pass++)
		for (const struct addrinfo *info = list; info && fd < 0; info = info->ai_next)
			if (pass || info->ai_family == AF_INET6)
				fd = socket_for(info);
	return fd;
}

int listen_open(const char *address, struct diagnostics *diag)
{
	const struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	AUTO_FREE char *host = NULL;
	struct addrinfo *list;
	const char *port = split(address, &host);
	int fd, error;

	if (!port)
		return refuse(address,
			      "it is no address with a port, such as 127.0.0.1:10471, [::1]:10471 "
			      "or :10471",
			      diag);
	if (is_number_beyond(port))
		return refuse(address, "a port is a number up to 65535", diag);
	error = getaddrinfo(*host ? host : NULL, port, &hints, &list);
	if (error)
		return refuse(address, gai_strerror(error), diag);
	fd = open_first(list, !*host);
	freeaddrinfo(list);
	return fd < 0 ? refuse(address, strerror(-fd), diag) : fd;
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
