// SPDX-License-Identifier: GPL-2.0-only
#include "net/socktable.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "net/prefix.h"

/* A request of sock_diag(7) for the socket with these addresses and ports. */
struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

static bool is_ipv4(const uint32_t address[static 4])
{
	const struct bkxdp_prefix host = {128, {address[0], address[1], address[2], address[3]}};

	return prefix_is_ipv4(&host);
}

static struct request make_request(const uint32_t peer[static 4],
				   const struct bkxdp_connection *connection)
{
	bool ipv4 = is_ipv4(peer);
	struct request request = {
		.head = {sizeof(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0},
		.body = {.sdiag_family = ipv4 ? AF_INET : AF_INET6,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = 1u << TCP_ESTABLISHED,
			 .id = {.idiag_sport = htons(connection->port),
				.idiag_dport = htons(connection->peer_port),
				.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
	};
	struct inet_diag_sockid *id = &request.body.id;

	memcpy(id->idiag_src, ipv4 ? &connection->address[3] : connection->address, ipv4 ? 4 : 16);
	memcpy(id->idiag_dst, ipv4 ? &peer[3] : peer, ipv4 ? 4 : 16);
	return request;
}

bool socktable_established(const uint32_t peer[static 4], const struct bkxdp_connection *connection)
{
	AUTO_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct request request = make_request(peer, connection);
	union {
		struct nlmsghdr head;
		char bytes[4096];
	} answer;
	const struct inet_diag_msg *info = NLMSG_DATA(&answer.head);
	ssize_t length;

	if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0)
		return false;
	length = recv(fd, &answer, sizeof(answer), 0);
	/* if no socket matches exactly, the kernel answers with a listener */
	return length >= (ssize_t)NLMSG_LENGTH(sizeof(*info)) &&
	       answer.head.nlmsg_type == SOCK_DIAG_BY_FAMILY &&
	       info->idiag_state == TCP_ESTABLISHED;
}
