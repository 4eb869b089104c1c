// SPDX-License-Identifier: GPL-2.0-only
#include "net/socktable.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/memory.h"
#include "net/rtnetlink.h"

struct table {
	struct tcp_connection *connections;
	size_t n_connections;
	size_t n_kept; /* of the families that were read before */
	uint8_t listens[BKXDP_PORTS];
};

static void copy_address(uint32_t to[static 4], const __be32 *from, uint8_t family)
{
	if (family == AF_INET6) {
		memcpy(to, from, 16);
		return;
	}
	to[0] = to[1] = 0;
	to[2] = BKXDP_MAPPED_WORD;
	to[3] = *from;
}

static int take(const struct nlmsghdr *message, void *data)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
	struct tcp_connection *connection;
	struct table *table = data;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*socket)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	if (socket->idiag_state == TCP_LISTEN) {
		table->listens[ntohs(socket->id.idiag_sport)] = 1;
		return MNL_CB_OK;
	}
	connection = APPEND(table->connections, table->n_connections);
	memset(connection, 0, sizeof(*connection));
	copy_address(connection->peer, socket->id.idiag_dst, socket->idiag_family);
	copy_address(connection->connection.address, socket->id.idiag_src, socket->idiag_family);
	connection->connection.port = ntohs(socket->id.idiag_sport);
	connection->connection.peer_port = ntohs(socket->id.idiag_dport);
	connection->device = socket->id.idiag_if;
	return MNL_CB_OK;
}

static void forget(void *data)
{
	struct table *table = data;

	table->n_connections = table->n_kept;
}

static int read_family(struct table *table, uint8_t family)
{
	const struct inet_diag_req_v2 request = {
		.sdiag_family = family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = 1u << TCP_ESTABLISHED | 1u << TCP_LISTEN,
	};
	const struct rtnetlink_list list = {
		.type = SOCK_DIAG_BY_FAMILY,
		.header_size = sizeof(request),
		.family = family,
		.bus = NETLINK_SOCK_DIAG,
		.request = &request,
		.parse = take,
		.reset = forget,
	};

	table->n_kept = table->n_connections;
	return rtnetlink_read(&list, table);
}

int socktable_read(struct tcp_connection **connections, size_t *n_connections)
{
	AUTO_FREE struct table *table = must_alloc(1, sizeof(*table));
	int error = read_family(table, AF_INET);

	if (!error)
		error = read_family(table, AF_INET6);
	if (error) {
		free(table->connections);
		return error;
	}
	for (size_t i = 0; i < table->n_connections; i++)
		table->connections[i].is_listened =
			table->listens[table->connections[i].connection.port];
	*connections = table->connections;
	*n_connections = table->n_connections;
	return 0;
}

uint16_t socktable_port(const struct tcp_connection *tcp, enum bkxdp_opener opener)
{
	return opener == BKXDP_OPENED_BY_US ? tcp->connection.peer_port : tcp->connection.port;
}

bool socktable_may_be(const struct tcp_connection *tcp, enum bkxdp_opener opener)
{
	return opener == BKXDP_OPENED_BY_PEER || !tcp->is_listened;
}
