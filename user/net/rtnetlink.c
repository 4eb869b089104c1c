// SPDX-License-Identifier: GPL-2.0-only
#include "net/rtnetlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>

#include "base/memory.h"

#define BYTES    32768 /* of one answer: what the kernel fills at most, but for a longer message */
#define TRIES    8
#define SEQUENCE 1 /* one question a socket */

/* A list that broke off ends with its error, which libmnl does not look at. */
static int take_end(const struct nlmsghdr *message, void *into)
{
	int error = 0;

	(void)into;
	if (mnl_nlmsg_get_payload_len(message) >= sizeof(error))
		error = *(const int *)mnl_nlmsg_get_payload(message);
	errno = -error;
	return error < 0 ? MNL_CB_ERROR : MNL_CB_STOP;
}

/* Nor is an acknowledgement a list. */
static int take_error(const struct nlmsghdr *message, void *into)
{
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(message);

	(void)into;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*answer) || answer->error >= 0)
		errno = EBADMSG;
	else
		errno = -answer->error;
	return MNL_CB_ERROR;
}

static int take_nothing(const struct nlmsghdr *message, void *into)
{
	(void)message;
	(void)into;
	return MNL_CB_OK;
}

struct taking {
	const struct rtnetlink_list *list;
	void *into;
};

static int take_message(const struct nlmsghdr *message, void *data)
{
	const struct taking *taking = data;

	/* of RTM_NEWLINK and RTM_GETLINK, and so on, the one is the other plus 2 */
	if (message->nlmsg_type + 2 != taking->list->type)
		return MNL_CB_OK;
	if (mnl_nlmsg_get_payload_len(message) < taking->list->header_size) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	return taking->list->take(message, taking->into);
}

static int take_answers(struct mnl_socket *socket, size_t size, const struct rtnetlink_list *list,
			void *into)
{
	mnl_cb_t control[NLMSG_MIN_TYPE] = {
		[NLMSG_NOOP] = take_nothing,
		[NLMSG_ERROR] = take_error,
		[NLMSG_DONE] = take_end,
	};
	struct taking taking = {list, into};
	AUTO_FREE char *buffer = must_alloc(1, size);
	int more = MNL_CB_OK;

	while (more == MNL_CB_OK) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, size);

		if (length <= 0)
			return length ? -errno : -EBADMSG;
		more = mnl_cb_run2(buffer, length, SEQUENCE, mnl_socket_get_portid(socket),
				   take_message, &taking, control, NLMSG_MIN_TYPE);
	}
	return more < 0 ? -errno : 0;
}

static int ask_for_list(struct mnl_socket *socket, const struct rtnetlink_list *list)
{
	char question[128];
	struct nlmsghdr *header = mnl_nlmsg_put_header(question);
	uint8_t *family;

	header->nlmsg_type = list->type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = SEQUENCE;
	/* the family is the first byte of each kind's header */
	family = mnl_nlmsg_put_extra_header(header, list->header_size);
	*family = list->family;
	return mnl_socket_sendto(socket, header, header->nlmsg_len) < 0 ? -errno : 0;
}

static int open_socket(struct mnl_socket **socket)
{
	int error;

	*socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!*socket)
		return -errno;
	if (mnl_socket_bind(*socket, 0, MNL_SOCKET_AUTOPID) == 0)
		return 0;
	error = -errno;
	mnl_socket_close(*socket);
	return error;
}

static int read_once(const struct rtnetlink_list *list, size_t size, void *into)
{
	struct mnl_socket *socket;
	int error = open_socket(&socket);

	if (error)
		return error;
	error = ask_for_list(socket, list);
	if (!error)
		error = take_answers(socket, size, list, into);
	mnl_socket_close(socket);
	return error;
}

/* EINTR: what is listed changed meanwhile (NLM_F_DUMP_INTR). ENOSPC: a message was cut off. */
int rtnetlink_read(const struct rtnetlink_list *list, void *into)
{
	size_t size = BYTES;
	int error = -EINTR;

	for (unsigned int i = 0; i < TRIES && (error == -EINTR || error == -ENOSPC); i++) {
		error = read_once(list, size, into);
		if (error)
			list->forget(into);
		if (error == -ENOSPC)
			size *= 2;
	}
	return error;
}

/* ---- one answer -------------------------------------------------------------- */

static int take_answer(struct mnl_socket *socket,
		       int (*take)(const struct nlmsghdr *message, void *into), void *into)
{
	mnl_cb_t control[NLMSG_MIN_TYPE] = {
		[NLMSG_NOOP] = take_nothing, [NLMSG_ERROR] = take_error};
	AUTO_FREE char *buffer = must_alloc(1, BYTES);
	ssize_t length;

	do
		length = mnl_socket_recvfrom(socket, buffer, BYTES);
	while (length < 0 && errno == EINTR);
	if (length <= 0)
		return length ? -errno : -EBADMSG;
	return mnl_cb_run2(buffer, length, SEQUENCE, mnl_socket_get_portid(socket), take, into,
			   control, NLMSG_MIN_TYPE) < 0
		       ? -errno
		       : 0;
}

int rtnetlink_ask(struct nlmsghdr *question,
		  int (*take)(const struct nlmsghdr *message, void *into), void *into)
{
	struct mnl_socket *socket;
	int error = open_socket(&socket);

	if (error)
		return error;
	question->nlmsg_flags = NLM_F_REQUEST;
	question->nlmsg_seq = SEQUENCE;
	error = mnl_socket_sendto(socket, question, question->nlmsg_len) < 0 ? -errno : 0;
	if (!error)
		error = take_answer(socket, take, into);
	mnl_socket_close(socket);
	return error;
}
