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

static const char timed_out[] = "no answer in 5 seconds";

static void add_address(struct prefix_set *set, const struct sockaddr *address)
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

static void add_answers(struct resolution *resolution, struct gaicb *request, int error)
{
	if (error) {
		resolution->problem = gai_strerror(error);
		return;
	}
	for (const struct addrinfo *info = request->ar_result; info; info = info->ai_next)
		add_address(&resolution->address, info->ai_addr);
	prefix_set_normalize(&resolution->address);
	resolution->problem = resolution->address.count ? NULL : "it has no address";
	freeaddrinfo(request->ar_result);
}

static bool any_pending(struct gaicb **requests, size_t n_requests)
{
	for (size_t i = 0; i < n_requests; i++)
		if (gai_error(requests[i]) == EAI_INPROGRESS)
			return true;
	return false;
}

/*
 * Waits until all requests are answered or the time is over. gai_suspend() is no alternative:
 * if a request ends while it returns, glibc's thread wakes a waiter that was on our stack.
 */
static void wait_for_all(struct gaicb **requests, size_t n_requests)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	uint64_t deadline = clock_ns(CLOCK_MONOTONIC) + RESOLVE_SECONDS * NS_PER_S;

	while (any_pending(requests, n_requests) && clock_ns(CLOCK_MONOTONIC) < deadline)
		nanosleep(&pause, NULL);
}

/*
 * A look-up in progress can't be cancelled, and its thread still writes to the request. Such a
 * request is not freed before the process ends.
 */
static void collect(struct resolution *resolution, struct gaicb *request)
{
	int error;

	if (gai_error(request) == EAI_INPROGRESS && gai_cancel(request) == EAI_NOTCANCELED) {
		resolution->problem = timed_out;
		return;
	}
	error = gai_error(request);
	if (error == EAI_CANCELED)
		resolution->problem = timed_out;
	else
		add_answers(resolution, request, error);
	free((void *)request->ar_name);
	free((void *)request->ar_request);
	free(request);
}

static struct gaicb *make_request(const char *name)
{
	struct gaicb *request = must_alloc(1, sizeof(*request));
	struct addrinfo *hints = must_alloc(1, sizeof(*hints));

	hints->ai_socktype = SOCK_STREAM; /* else each address comes once per protocol */
	request->ar_name = must_copy(name);
	request->ar_request = hints;
	return request;
}

void resolve(struct resolution *resolutions, size_t n_resolutions)
{
	AUTO_FREE struct gaicb **requests = must_alloc(n_resolutions, sizeof(*requests));
	int error;

	if (!n_resolutions)
		return;
	for (size_t i = 0; i < n_resolutions; i++)
		requests[i] = make_request(resolutions[i].name);
	error = getaddrinfo_a(GAI_NOWAIT, requests, (int)n_resolutions, NULL);
	if (!error)
		wait_for_all(requests, n_resolutions);
	for (size_t i = 0; i < n_resolutions; i++)
		collect(&resolutions[i], requests[i]);
}

void resolve_free(struct resolution *resolutions, size_t n_resolutions)
{
	for (size_t i = 0; i < n_resolutions; i++)
		free(resolutions[i].address.prefix);
	free(resolutions);
}
