// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's memory of TCP connections. The kernel calls this program when a connection is opened,
 * becomes established and ends (BPF_PROG_TYPE_SOCK_OPS on the root of cgroup v2), so nothing is
 * learned from packets. There is one memory for all filters of the host. They only read it, and ask
 * the socket table about what they find.
 *
 * A control connection is remembered by one insertion and forgotten by one deletion of its tuple,
 * each of which succeeds exactly once. So the count of a peer is right on whatever CPUs the events
 * come, and in whatever order.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bkxdp/control_memory.h>

#include "control_maps.h"

char LICENSE[] SEC("license") = "GPL";

#define AF_INET  2
#define AF_INET6 10

/* ---- what the kernel's structures tell ------------------------------------------ */

struct ns_common___bkxdp {
	unsigned int inum;
} __attribute__((preserve_access_index));
struct net___bkxdp {
	struct ns_common___bkxdp ns;
} __attribute__((preserve_access_index));
struct possible_net___bkxdp {
	struct net___bkxdp *net;
};
struct sock_common___bkxdp {
	struct possible_net___bkxdp skc_net;
} __attribute__((preserve_access_index));
struct sock___bkxdp {
	struct sock_common___bkxdp __sk_common;
} __attribute__((preserve_access_index));

static __always_inline void map_ipv4(__u32 to[4], __u32 from)
{
	to[0] = to[1] = 0;
	to[2] = BKXDP_MAPPED_WORD;
	to[3] = from;
}

/* Returns 0 for a socket of another protocol family. */
static __always_inline int read_addresses(struct bpf_sock_ops *ops, struct bkxdp_tuple *tuple)
{
	__u32 *peer = tuple->peer, *self = tuple->connection.address;

	if (ops->family == AF_INET) {
		map_ipv4(peer, ops->remote_ip4);
		map_ipv4(self, ops->local_ip4);
		return 1;
	}
	if (ops->family != AF_INET6)
		return 0;
	peer[0] = ops->remote_ip6[0];
	peer[1] = ops->remote_ip6[1];
	peer[2] = ops->remote_ip6[2];
	peer[3] = ops->remote_ip6[3];
	self[0] = ops->local_ip6[0];
	self[1] = ops->local_ip6[1];
	self[2] = ops->local_ip6[2];
	self[3] = ops->local_ip6[3];
	return 1;
}

static __always_inline int read_tuple(struct bpf_sock_ops *ops, struct bkxdp_tuple *tuple)
{
	struct bpf_sock *socket = ops->sk;
	struct sock___bkxdp *kernel_socket;

	if (!socket)
		return 0;
	kernel_socket = (struct sock___bkxdp *)bpf_skc_to_tcp_sock(socket);
	if (!kernel_socket || !read_addresses(ops, tuple))
		return 0;
	tuple->netns = kernel_socket->__sk_common.skc_net.net->ns.inum;
	tuple->connection.port = ops->local_port;
	tuple->connection.peer_port = bpf_ntohl(ops->remote_port);
	return 1;
}

static __always_inline const struct bkxdp_wanted *what_is_wanted(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&memory_wanted, &zero);
}

static __always_inline __u32 device_of(struct bpf_sock_ops *ops)
{
	struct bpf_sock *socket = ops->sk;

	return socket ? socket->bound_dev_if : 0;
}

/* Tells the kernel to tell us of this connection's further states, too. */
static __always_inline void follow(struct bpf_sock_ops *ops)
{
	bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
}

/* ---- the count of a peer ---------------------------------------------------------- */

static __always_inline int is_same(const struct bkxdp_connection *a,
				   const struct bkxdp_connection *b)
{
	return a->port == b->port && a->peer_port == b->peer_port &&
	       a->address[0] == b->address[0] && a->address[1] == b->address[1] &&
	       a->address[2] == b->address[2] && a->address[3] == b->address[3];
}

static __always_inline void list(struct bkxdp_control_live *count,
				 const struct bkxdp_connection *connection)
{
	bpf_spin_lock(&count->lock);
	for (int i = 0; i < BKXDP_LISTED; i++) {
		if (count->listed[i].peer_port)
			continue;
		count->listed[i] = *connection;
		break;
	}
	bpf_spin_unlock(&count->lock);
}

static __always_inline void unlist(struct bkxdp_control_live *count,
				   const struct bkxdp_connection *connection)
{
	bpf_spin_lock(&count->lock);
	for (int i = 0; i < BKXDP_LISTED; i++) {
		if (!is_same(&count->listed[i], connection))
			continue;
		count->listed[i].peer_port = 0;
		break;
	}
	bpf_spin_unlock(&count->lock);
}

static __always_inline struct bkxdp_control_peer peer_of(const struct bkxdp_tuple *tuple,
							 const struct bkxdp_tuple_place *place)
{
	const struct bkxdp_connection *connection = &tuple->connection;
	struct bkxdp_control_peer key = {
		.netns = tuple->netns,
		.address = {tuple->peer[0], tuple->peer[1], tuple->peer[2], tuple->peer[3]},
		.device = place->device,
		.port = place->opener == BKXDP_OPENED_BY_US ? connection->peer_port
							    : connection->port,
		.opener = place->opener,
	};

	return key;
}

/* Returns 0 if there is no room. */
static __always_inline int count_in(const struct bkxdp_tuple *tuple,
				    const struct bkxdp_tuple_place *place)
{
	struct bkxdp_control_peer key = peer_of(tuple, place);
	struct bkxdp_control_live *count = bpf_map_lookup_elem(&control_peers, &key);

	if (!count) {
		const struct bkxdp_control_live none = {};

		bpf_map_update_elem(&control_peers, &key, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&control_peers, &key);
	}
	if (!count)
		return 0;
	/* in this order, so that a count without a list is never that of an ended connection */
	list(count, &tuple->connection);
	__sync_fetch_and_add(&count->live, 1);
	return 1;
}

static __always_inline void count_out(const struct bkxdp_tuple *tuple,
				      const struct bkxdp_tuple_place *place)
{
	struct bkxdp_control_peer key = peer_of(tuple, place);
	struct bkxdp_control_live *count = bpf_map_lookup_elem(&control_peers, &key);

	if (!count)
		return;
	__sync_fetch_and_sub(&count->live, 1);
	unlist(count, &tuple->connection);
}

/* ---- control connections ------------------------------------------------------------ */

static __always_inline void note_lost(void)
{
	__u32 zero = 0;
	__u64 *lost = bpf_map_lookup_elem(&memory_lost, &zero);

	if (lost)
		__sync_fetch_and_add(lost, 1);
}

static __always_inline int is_wanted(__u64 port, __u32 opener)
{
	const struct bkxdp_wanted *wanted = what_is_wanted();

	/* the verifier sees the bound only in the register that is added */
	asm volatile("%0 &= 0xffff" : "+r"(port));
	return wanted && (wanted->control_port[port] & BKXDP_CONTROL_PORT(opener));
}

static __always_inline void control_begins(struct bpf_sock_ops *ops, __u32 opener)
{
	__u32 port = opener == BKXDP_OPENED_BY_US ? bpf_ntohl(ops->remote_port) : ops->local_port;
	struct bkxdp_tuple_place place = {.device = device_of(ops), .opener = opener};
	struct bkxdp_tuple tuple = {};

	if (!is_wanted(port, opener) || !read_tuple(ops, &tuple))
		return;
	follow(ops);
	/* its end is told only after this, so it may be counted before its tuple is there */
	if (!count_in(&tuple, &place)) {
		note_lost();
		return;
	}
	if (!bpf_map_update_elem(&control_tuples, &tuple, &place, BPF_NOEXIST))
		return;
	/* there is no room, or the end of a connection with the same tuple was not told */
	note_lost();
	count_out(&tuple, &place);
}

static __always_inline void control_ends(const struct bkxdp_tuple *tuple)
{
	const struct bkxdp_tuple_place *found = bpf_map_lookup_elem(&control_tuples, tuple);
	struct bkxdp_tuple_place place;

	if (!found)
		return;
	place = *found;
	if (!bpf_map_delete_elem(&control_tuples, tuple))
		count_out(tuple, &place);
}

/* ---- connections of sockets that are bound to a device -------------------------------- */

static __always_inline void bound_is_in(struct bpf_sock_ops *ops, __u32 state)
{
	struct bkxdp_bound bound = {.device = device_of(ops), .state = state};
	const struct bkxdp_wanted *wanted = what_is_wanted();
	struct bkxdp_tuple tuple = {};

	if (!wanted || !wanted->bound || !bound.device || !read_tuple(ops, &tuple))
		return;
	follow(ops);
	if (bpf_map_update_elem(&bound_connections, &tuple, &bound, BPF_ANY))
		note_lost();
}

static __always_inline void bound_goes_on(const struct bkxdp_tuple *tuple, __u32 state)
{
	struct bkxdp_bound *bound = bpf_map_lookup_elem(&bound_connections, tuple);

	if (!bound)
		return;
	if (state == BPF_TCP_CLOSE)
		bpf_map_delete_elem(&bound_connections, tuple);
	else
		bound->state = state;
}

/* ---- the kernel's events ---------------------------------------------------------------- */

/*
 * What a peer opens is told of before it is established, with TCP Fast Open even before it is known
 * that the peer is who it says.
 */
static __always_inline void peer_opens(struct bpf_sock_ops *ops)
{
	bound_is_in(ops, ops->state);
	if (is_wanted(ops->local_port, BKXDP_OPENED_BY_PEER))
		follow(ops);
}

static __always_inline void state_changes(struct bpf_sock_ops *ops, __u32 from, __u32 to)
{
	struct bkxdp_tuple tuple = {};

	if (from == BPF_TCP_SYN_RECV && to == BPF_TCP_ESTABLISHED)
		control_begins(ops, BKXDP_OPENED_BY_PEER);
	if (!read_tuple(ops, &tuple))
		return;
	if (to != BPF_TCP_ESTABLISHED)
		control_ends(&tuple);
	bound_goes_on(&tuple, to);
}

SEC("sockops")
int bkxdp_memory(struct bpf_sock_ops *ops)
{
	switch (ops->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		bound_is_in(ops, BPF_TCP_SYN_SENT);
		break;
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		bound_is_in(ops, BPF_TCP_ESTABLISHED);
		control_begins(ops, BKXDP_OPENED_BY_US);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		peer_opens(ops);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		state_changes(ops, ops->args[0], ops->args[1]);
		break;
	}
	return 1;
}
