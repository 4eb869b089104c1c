// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control connections under churn. Real connections of many peers are opened and ended at random,
 * by both sides, with and without a reset, while frames of theirs are judged and filters with
 * memories of their own come and go, each of which meets connections that are older and newer than
 * itself. Whenever all is quiet, each filter must let in exactly those peers that have an
 * established control connection in the kernel's socket table.
 *
 *	CHURN=100000 build/tests/test_churn    that many connections instead of 4,000
 */
#include <arpa/inet.h>
#include <bkxdp/control_memory.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "engine/engine.h"
#include "net/socktable.h"
#include "packets.h"
#include "tap.h"
#include "variants.h"

#define PEERS      48
#define FIRST_PEER 0x0a141e64u /* 10.20.30.100, host byte order */
#define CONTROL    10000
#define OPEN_MAX   400 /* connections at a time */
#define ENGINES    3
#define QUIET      20 /* how often all is quiet and compared */

static void must(bool holds, const char *doing)
{
	if (holds)
		return;
	printf("Bail out! %s: %s\n", doing, strerror(errno));
	exit(1);
}

static void run(const char *command)
{
	must(!system(command), command);
}

static unsigned int chance(unsigned int *seed, unsigned int n)
{
	return (unsigned int)rand_r(seed) % n;
}

static void nap(long milliseconds)
{
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* ---- the connections --------------------------------------------------------- */

/*
 * The peers open connections until `limit` have been opened, about `most` at a time, and then do
 * nothing.
 */
static atomic_bool resting, done;
static atomic_uint opened, limit, most;

static struct sockaddr_in address_of(uint32_t address, int port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	in.sin_addr.s_addr = htonl(address);
	return in;
}

static uint32_t self(void)
{
	struct in_addr address;

	must(inet_pton(AF_INET, SELF, &address) == 1, SELF);
	return ntohl(address.s_addr);
}

static void end(int fd, unsigned int *seed)
{
	struct linger now = {.l_onoff = 1};

	if (!chance(seed, 3))
		must(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), "SO_LINGER");
	close(fd);
}

static int open_one(unsigned int *seed)
{
	struct sockaddr_in from = address_of(FIRST_PEER + chance(seed, PEERS), 0);
	struct sockaddr_in to = address_of(self(), CONTROL);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	must(fd >= 0, "socket");
	must(!setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)), "no port");
	must(!bind(fd, (struct sockaddr *)&from, sizeof(from)), "bind");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Opens connections as the peers, and ends some. */
static void *peers_thread(void *argument)
{
	unsigned int seed = 1, count = 0;
	int fd[OPEN_MAX];

	while (!done) {
		resting = opened >= limit;
		if (resting) {
			nap(1);
		} else if (count < OPEN_MAX && (count < most || !chance(&seed, 4))) {
			fd[count] = open_one(&seed);
			if (fd[count] >= 0) {
				count++;
				atomic_fetch_add(&opened, 1);
			}
		} else if (count) {
			unsigned int which = chance(&seed, count);

			end(fd[which], &seed);
			fd[which] = fd[--count];
		}
	}
	while (count)
		close(fd[--count]);
	return argument;
}

static void serve(int listener, int epoll, unsigned int *seed)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	if (!chance(seed, 8)) {
		end(fd, seed);
		return;
	}
	event.data.fd = fd;
	must(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

/* This host's side: ends some of them at once, and the others when their peer has. */
static void *host_thread(void *argument)
{
	struct epoll_event event = {.events = EPOLLIN};
	int listener = *(int *)argument, epoll = epoll_create1(0);
	unsigned int seed = 2;

	event.data.fd = listener;
	must(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event), "epoll");
	while (!done) {
		if (epoll_wait(epoll, &event, 1, 10) != 1)
			continue;
		if (event.data.fd == listener)
			serve(listener, epoll, &seed);
		else
			end(event.data.fd, &seed);
	}
	close(epoll);
	return argument;
}

/* ---- what is let in, and what should be ------------------------------------------ */

static uint64_t now = ROW_NS;

static bool lets_in(struct engine *engine, unsigned int peer)
{
	struct in_addr address = {htonl(FIRST_PEER + peer)};
	static uint8_t bytes[BUILD_BYTES_MAX];
	struct judgement got = {};
	char text[INET_ADDRSTRLEN];
	struct frame frame = {.to = SELF, .dport = 50000};

	frame.from = inet_ntop(AF_INET, &address, text, sizeof(text));
	must(!engine->judge(engine, bytes, (uint32_t)build(&frame, bytes), ++now, &got), "judge");
	return got.reason == BKXDP_PASS_FLOW;
}

static void read_established(bool established[static PEERS], size_t *count)
{
	struct tcp_connection *tcp;
	size_t n_tcp;

	memset(established, 0, PEERS * sizeof(*established));
	*count = 0;
	must(!socktable_read(&tcp, &n_tcp), "the socket table");
	for (size_t i = 0; i < n_tcp; i++) {
		uint32_t peer = ntohl(tcp[i].peer[3]) - FIRST_PEER;

		if (tcp[i].connection.port != CONTROL || peer >= PEERS)
			continue;
		established[peer] = true;
		(*count)++;
	}
	free(tcp);
}

/* All is quiet when the peers rest and the socket table is the same twice. */
static void become_quiet(bool established[static PEERS], size_t *count)
{
	size_t before = SIZE_MAX;

	do {
		nap(50);
		before = *count;
		read_established(established, count);
	} while (!resting || before != *count);
}

static void compare(struct engine **engines, int round)
{
	unsigned int stale = 0, missing = 0, live = 0;
	bool established[PEERS];
	size_t count = 0;

	become_quiet(established, &count);
	for (int e = 0; e < ENGINES; e++) {
		for (unsigned int peer = 0; peer < PEERS; peer++) {
			bool in = lets_in(engines[e], peer);

			live += established[peer];
			stale += in && !established[peer];
			missing += !in && established[peer];
		}
	}
	printf("# quiet %d: %u opened, %zu established, of %u peers\n", round, opened, count,
	       live / ENGINES);
	check_int(stale, 0, "quiet %d: nobody is let in without a control connection", round);
	check_int(missing, 0, "quiet %d: everybody is who has one", round);
}

/* ---- all ------------------------------------------------------------------------------ */

static struct engine *open_engine(const struct tables *tables)
{
	struct engine *engine = engine_kernel(tables, CACHE_ON);

	must(engine, "an engine");
	return engine;
}

/* Judges frames and replaces a filter while the peers open connections. */
static void disturb(struct engine **engines, const struct tables *tables)
{
	unsigned int seed = 3, judged = 0;

	while (opened < limit) {
		(void)lets_in(engines[chance(&seed, ENGINES)], chance(&seed, PEERS));
		if (++judged % 500)
			continue;
		engines[0]->close(engines[0]);
		engines[0] = open_engine(tables);
	}
}

static void churn(const struct tables *tables, unsigned int count)
{
	struct sockaddr_in address = address_of(self(), CONTROL);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct engine *engines[ENGINES];
	pthread_t peers, host;

	must(listener >= 0 && !bind(listener, (struct sockaddr *)&address, sizeof(address)) &&
		     !listen(listener, 512),
	     "listen");
	must(!pthread_create(&host, NULL, host_thread, &listener), "thread");
	must(!pthread_create(&peers, NULL, peers_thread, NULL), "thread");
	for (int e = 0; e < ENGINES; e++)
		engines[e] = open_engine(tables);
	for (int round = 1; round <= QUIET; round++) {
		most = round % 3 ? PEERS / 2 * (unsigned int)(round % 3) : OPEN_MAX;
		limit = count / QUIET * round;
		disturb(engines, tables);
		compare(engines, round);
	}
	done = true;
	pthread_join(peers, NULL);
	pthread_join(host, NULL);
	for (int e = 0; e < ENGINES; e++)
		engines[e]->close(engines[e]);
	close(listener);
}

static void make_peers(void)
{
	char command[128];

	run("ip link set lo up && ip addr add " SELF "/24 dev lo");
	/* so that the packets of one connection are handled by all CPUs */
	run("echo ffffffff >/sys/class/net/lo/queues/rx-0/rps_cpus 2>/dev/null || true");
	for (unsigned int i = 0; i < PEERS; i++) {
		snprintf(command, sizeof(command), "ip addr add 10.20.30.%u/24 dev lo",
			 (FIRST_PEER & 0xff) + i);
		run(command);
	}
}

int main(void)
{
	struct policy *policy = variant_policy("churn");
	struct tables *tables = variant_tables(policy);
	const char *count = getenv("CHURN");
	struct engine *first;

	if (unshare(CLONE_NEWNET)) {
		skip_as(strerror(errno), "control connections under churn");
		return tap_done();
	}
	make_peers();
	first = engine_kernel(tables, CACHE_OFF);
	if (!first && kernel_is_closed(errno)) {
		skip_as(strerror(errno), "control connections under churn");
		return tap_done();
	}
	must(first, "an engine");
	first->close(first);
	churn(tables, count ? (unsigned int)strtoul(count, NULL, 10) : 4000);
	tables_free(tables);
	policy_free(policy);
	return tap_done();
}
