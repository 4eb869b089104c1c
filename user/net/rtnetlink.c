// SPDX-License-Identifier: GPL-2.0-only
#include "net/rtnetlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

#include "base/memory.h"

/* A buffer for an answer. The kernel fills no more, except for a single longer message. */
#define BUFFER_BYTES 32768
#define TRIES_MAX    8
#define SEQUENCE     1 /* each socket has one request */

/* If a list breaks off, its end has an error number, which libmnl ignores. */
static int on_done(const struct nlmsghdr *message, void *data)
{
	int error = 0;

	(void)data;
	if (mnl_nlmsg_get_payload_len(message) >= sizeof(error))
		error = *(const int *)mnl_nlmsg_get_payload(message);
	errno = -error;
	return error < 0 ? MNL_CB_ERROR : MNL_CB_STOP;
}

/* An acknowledgement instead of a list is an error, too. */
static int on_error(const struct nlmsghdr *message, void *data)
{
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(message);

	(void)data;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*answer) || answer->error >= 0)
		errno = EBADMSG;
	else
		errno = -answer->error;
	return MNL_CB_ERROR;
}

static int ignore_message(const struct nlmsghdr *message, void *data)
{
	(void)message;
	(void)data;
	return MNL_CB_OK;
}

struct list_context {
	const struct rtnetlink_list *list;
	void *data;
};

static int on_message(const struct nlmsghdr *message, void *argument)
{
	const struct list_context *context = argument;

	/* RTM_GETLINK is RTM_NEWLINK plus 2, and so are the other types; sock_diag has one type */
	if (message->nlmsg_type + (context->list->bus == NETLINK_ROUTE ? 2 : 0) !=
	    context->list->type)
		return MNL_CB_OK;
	if (mnl_nlmsg_get_payload_len(message) < context->list->header_size) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	return context->list->parse(message, context->data);
}

static int receive_list(struct mnl_socket *socket, size_t size, const struct rtnetlink_list *list,
			void *data)
{
	mnl_cb_t control[NLMSG_MIN_TYPE] = {
		[NLMSG_NOOP] = ignore_message,
		[NLMSG_ERROR] = on_error,
		[NLMSG_DONE] = on_done,
	};
	struct list_context context = {list, data};
	AUTO_FREE char *buffer = must_alloc(1, size);
	int status = MNL_CB_OK;

	while (status == MNL_CB_OK) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, size);

		if (length <= 0)
			return length ? -errno : -EBADMSG;
		status = mnl_cb_run2(buffer, length, SEQUENCE, mnl_socket_get_portid(socket),
				     on_message, &context, control, NLMSG_MIN_TYPE);
	}
	return status < 0 ? -errno : 0;
}

static int request_list(struct mnl_socket *socket, const struct rtnetlink_list *list)
{
	char request[128];
	struct nlmsghdr *header = mnl_nlmsg_put_header(request);
	uint8_t *copy;

	header->nlmsg_type = list->type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = SEQUENCE;
	/* the family is the first byte of every kind of header */
	copy = mnl_nlmsg_put_extra_header(header, list->header_size);
	if (list->request)
		memcpy(copy, list->request, list->header_size);
	*copy = list->family;
	return mnl_socket_sendto(socket, header, header->nlmsg_len) < 0 ? -errno : 0;
}

static int open_socket(struct mnl_socket **socket, int bus)
{
	int error;

	*socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!*socket)
		return -errno;
	if (mnl_socket_bind(*socket, 0, MNL_SOCKET_AUTOPID) == 0)
		return 0;
	error = -errno;
	mnl_socket_close(*socket);
	return error;
}

static int read_once(const struct rtnetlink_list *list, size_t size, void *data)
{
	struct mnl_socket *socket;
	int error = open_socket(&socket, list->bus);

	if (error)
		return error;
	error = request_list(socket, list);
	if (!error)
		error = receive_list(socket, size, list, data);
	mnl_socket_close(socket);
	return error;
}

/*
 * EINTR: the listed objects changed meanwhile (NLM_F_DUMP_INTR). ENOSPC: a message was
 * truncated.
 */
int rtnetlink_read(const struct rtnetlink_list *list, void *data)
{
	size_t size = BUFFER_BYTES;
	int error = -EINTR;

	for (unsigned int i = 0; i < TRIES_MAX && (error == -EINTR || error == -ENOSPC); i++) {
		error = read_once(list, size, data);
		if (error)
			list->reset(data);
		if (error == -ENOSPC)
			size *= 2;
	}
	return error;
}

/* ---- one answer -------------------------------------------------------------- */

static int receive_answer(struct mnl_socket *socket,
			  int (*parse)(const struct nlmsghdr *message, void *data), void *data)
{
	mnl_cb_t control[NLMSG_MIN_TYPE] = {
		[NLMSG_NOOP] = ignore_message, [NLMSG_ERROR] = on_error};
	AUTO_FREE char *buffer = must_alloc(1, BUFFER_BYTES);
	ssize_t length;

	do
		length = mnl_socket_recvfrom(socket, buffer, BUFFER_BYTES);
	while (length < 0 && errno == EINTR);
	if (length <= 0)
		return length ? -errno : -EBADMSG;
	return mnl_cb_run2(buffer, length, SEQUENCE, mnl_socket_get_portid(socket), parse, data,
			   control, NLMSG_MIN_TYPE) < 0
		       ? -errno
		       : 0;
}

int rtnetlink_request(struct nlmsghdr *request,
		      int (*parse)(const struct nlmsghdr *message, void *data), void *data)
{
	struct mnl_socket *socket;
	int error = open_socket(&socket, NETLINK_ROUTE);

	if (error)
		return error;
	request->nlmsg_flags = NLM_F_REQUEST;
	request->nlmsg_seq = SEQUENCE;
	error = mnl_socket_sendto(socket, request, request->nlmsg_len) < 0 ? -errno : 0;
	if (!error)
		error = receive_answer(socket, parse, data);
	mnl_socket_close(socket);
	return error;
}
