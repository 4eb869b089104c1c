// SPDX-License-Identifier: GPL-2.0-only
#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

static const char late[] = "no answer in 5 seconds";

static void take_address(struct prefix_set *set, const struct sockaddr *address)
{
	const struct sockaddr_in *ipv4 = (const void *)address;
	const struct sockaddr_in6 *ipv6 = (const void *)address;
	struct bkxdp_prefix prefix = {.bits = 128};

	if (address->sa_family == AF_INET) {
		prefix.address[2] = htonl(0xffff);
		prefix.address[3] = ipv4->sin_addr.s_addr;
	} else if (address->sa_family == AF_INET6) {
		memcpy(prefix.address, &ipv6->sin6_addr, sizeof(prefix.address));
	} else {
		return;
	}
	prefix_set_add(set, &prefix);
}

static void take_answer(struct resolution *resolution, struct gaicb *request, int error)
{
	if (error) {
		resolution->why = gai_strerror(error);
		return;
	}
	for (const struct addrinfo *info = request->ar_result; info; info = info->ai_next)
		take_address(&resolution->address, info->ai_addr);
	prefix_set_settle(&resolution->address);
	resolution->why = resolution->address.count ? NULL : "it has no address";
	freeaddrinfo(request->ar_result);
}

static bool any_open(struct gaicb **request, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (gai_error(request[i]) == EAI_INPROGRESS)
			return true;
	return false;
}

/*
 * Waits until none is open or the time is over. Not by gai_suspend(): where a
 * request ends while that returns, glibc's thread goes on to tell a waiter that
 * was on our stack.
 */
static void wait_for_all(struct gaicb **request, size_t count)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + RESOLVE_SECONDS * NS_PER_S;

	while (any_open(request, count) && clock_ns(CLOCK_MONOTONIC) < deadline)
		nanosleep(&pause, NULL);
}

/*
 * A look-up that is under way can't be taken back: its thread still writes to
 * the request. Such a request is left to it, and to the end of the process.
 */
static void finish(struct resolution *resolution, struct gaicb *request)
{
	int error;

	if (gai_error(request) == EAI_INPROGRESS && gai_cancel(request) == EAI_NOTCANCELED) {
		resolution->why = late;
		return;
	}
	error = gai_error(request);
	if (error == EAI_CANCELED)
		resolution->why = late;
	else
		take_answer(resolution, request, error);
	free((void *)request->ar_name);
	free((void *)request->ar_request);
	free(request);
}

static struct gaicb *make_request(const char *name)
{
	struct gaicb *request = must_alloc(1, sizeof(*request));
	struct addrinfo *hints = must_alloc(1, sizeof(*hints));

	hints->ai_socktype = SOCK_STREAM; /* else each address comes once a protocol */
	request->ar_name = must_copy(name);
	request->ar_request = hints;
	return request;
}

void resolve(struct resolution *resolution, size_t count)
{
	AUTO_FREE struct gaicb **request = must_alloc(count, sizeof(*request));
	int error;

	if (!count)
		return;
	for (size_t i = 0; i < count; i++)
		request[i] = make_request(resolution[i].name);
	error = getaddrinfo_a(GAI_NOWAIT, request, (int)count, NULL);
	if (!error)
		wait_for_all(request, count);
	for (size_t i = 0; i < count; i++)
		finish(&resolution[i], request[i]);
}

void resolve_free(struct resolution *resolution, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(resolution[i].address.prefix);
	free(resolution);
}
