// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests `connections: sockets` with real sockets on the loopback interface of a network
 * namespace of the test's own, and with frames as if they came from them.
 */
#include <arpa/inet.h>
#include <bkxdp/control_memory.h>
#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/engine.h"
#include "packets.h"
#include "policy/reasons.h"
#include "tap.h"
#include "variants.h"

struct family {
	int number;
	const char *word, *self, *peer, *other_peer;
};

static const struct family families[] = {
	{AF_INET, "IPv4", SELF, PEER, "10.20.30.6"},
	{AF_INET6, "IPv6", SELF6, PEER6, "2001:db8:20::6"},
};

/* ---- sockets --------------------------------------------------------------- */

static void must(bool holds, const char *doing)
{
	if (holds)
		return;
	printf("Bail out! %s: %s\n", doing, strerror(errno));
	exit(1);
}

static socklen_t address_of(const struct family *family, const char *text, int port,
			    struct sockaddr_storage *storage)
{
	struct sockaddr_in6 *six = (void *)storage;
	struct sockaddr_in *four = (void *)storage;

	memset(storage, 0, sizeof(*storage));
	storage->ss_family = (sa_family_t)family->number;
	if (family->number == AF_INET) {
		four->sin_port = htons((uint16_t)port);
		must(inet_pton(AF_INET, text, &four->sin_addr) == 1, text);
		return sizeof(*four);
	}
	six->sin6_port = htons((uint16_t)port);
	must(inet_pton(AF_INET6, text, &six->sin6_addr) == 1, text);
	return sizeof(*six);
}

/* Bound to an address that no interface needs to have. */
static int open_bound(const struct family *family, int type, const char *text, int port)
{
	struct sockaddr_storage storage;
	socklen_t length = address_of(family, text, port, &storage);
	int fd = socket(family->number, type, 0), on = 1;

	must(fd >= 0, "socket");
	must(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
	must(!bind(fd, (struct sockaddr *)&storage, length), "bind");
	return fd;
}

static int open_listening(const struct family *family, const char *text, int port)
{
	int fd = open_bound(family, SOCK_STREAM, text, port);

	must(!listen(fd, 4), "listen");
	return fd;
}

static void connect_to(const struct family *family, int fd, const char *text, int port)
{
	struct sockaddr_storage storage;
	socklen_t length = address_of(family, text, port, &storage);

	must(!connect(fd, (struct sockaddr *)&storage, length), "connect");
}

/* Opens a TCP connection from `from`, with both ends. */
struct connection {
	int opener, taker;
};

static struct connection open_connection(const struct family *family, const char *from, int sport,
					 const char *to, int dport)
{
	struct connection connection;
	int listener = open_listening(family, to, dport);

	connection.opener = open_bound(family, SOCK_STREAM, from, sport);
	connect_to(family, connection.opener, to, dport);
	connection.taker = accept(listener, NULL, NULL);
	must(connection.taker >= 0, "accept");
	close(listener);
	return connection;
}

/* Closes it by RST, so that not even TIME_WAIT is left. */
static void close_connection(struct connection *connection)
{
	struct linger now = {.l_onoff = 1};

	must(!setsockopt(connection->opener, SOL_SOCKET, SO_LINGER, &now, sizeof(now)),
	     "SO_LINGER");
	close(connection->opener);
	close(connection->taker);
}

static void run(const char *command)
{
	must(!system(command), command);
}

static bool enter_namespace(void)
{
	if (unshare(CLONE_NEWNET))
		return false;
	run("ip link set lo up");
	run("ip addr add " SELF "/24 dev lo && ip addr add " PEER "/24 dev lo");
	run("ip addr add 10.20.30.6/24 dev lo");
	run("ip addr add " SELF6 "/64 dev lo nodad && ip addr add " PEER6 "/64 dev lo nodad");
	run("ip addr add 2001:db8:20::6/64 dev lo nodad");
	return true;
}

/* ---- frames ---------------------------------------------------------------- */

static struct engine *engine;
static uint64_t now = ROW_NS;

/* A flow cache entry may outlive its socket by half a second. */
static void wait_for_cache(void)
{
	now += 1000000000;
}

static enum bkxdp_reason verdict(const struct frame *frame)
{
	static uint8_t bytes[BUILD_BYTES_MAX];
	struct judgement got = {};
	int error = engine->judge(engine, bytes, (uint32_t)build(frame, bytes), ++now, &got);

	return error ? BKXDP_DROP_INTERNAL : got.reason;
}

#define VERDICT(family, ...)                                                                       \
	reason_word(verdict(                                                                       \
		&(struct frame){.from = (family)->peer, .to = (family)->self, __VA_ARGS__}))
#define OTHER_VERDICT(family, ...)                                                                 \
	reason_word(verdict(                                                                       \
		&(struct frame){.from = (family)->other_peer, .to = (family)->self, __VA_ARGS__}))

static void test_replies(const struct family *f)
{
	struct connection ours = open_connection(f, f->self, 40000, f->peer, 6101);
	int listener = open_listening(f, f->self, 40001);

	check_text(VERDICT(f, .sport = 6101, .dport = 40000, .flags = ACK), "flow",
		   "%s: an answer to a connection of ours", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40000, .flags = RST), "flow",
		   "%s: also an RST: TCP itself judges it", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40000, .flags = SYN), "connection",
		   "%s: a SYN without ACK is no answer", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40000, .flags = SYN | ECE | CWR),
		   "connection", "%s: nor with more flags", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40002, .flags = RST | ACK), "connection",
		   "%s: not to another port of ours", f->word);
	check_text(VERDICT(f, .sport = 6102, .dport = 40000, .flags = ACK), "port",
		   "%s: not from another port of the peer", f->word);
	check_text(OTHER_VERDICT(f, .sport = 6101, .dport = 40000, .flags = RST | ACK),
		   "connection", "%s: not from another peer", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40001, .flags = SYN | ACK), "connection",
		   "%s: a listening socket is no connection", f->word);
	/* this caches it again, because the SYN above cleared the entry */
	check_text(VERDICT(f, .sport = 6101, .dport = 40000, .flags = ACK), "flow",
		   "%s: and another answer", f->word);
	close_connection(&ours);
	wait_for_cache();
	check_text(VERDICT(f, .sport = 6101, .dport = 40000, .flags = RST | ACK), "connection",
		   "%s: not when the connection is gone", f->word);
	close(listener);
}

/* A segment that ends a connection takes its entry out of the flow cache and leaves none. */
static void test_end(const struct family *f)
{
	struct connection ours = open_connection(f, f->self, 40006, f->peer, 6101);

	check_text(VERDICT(f, .sport = 6101, .dport = 40006, .flags = ACK), "flow",
		   "%s: end: a segment of the connection", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40006, .flags = FIN | ACK), "flow",
		   "%s: end: its last one", f->word);
	close_connection(&ours);
	check_text(VERDICT(f, .sport = 6101, .dport = 40006, .flags = ACK), "stray",
		   "%s: end: what follows is no longer in the cache", f->word);
	wait_for_cache();
	wait_for_cache();
}

/* A listener that never answers, because a filter in front of it drops all packets. */
static int open_syn_sent(const struct family *f, int sport, int dport, int *listener)
{
	struct sock_filter drop = {.code = BPF_RET | BPF_K, .k = 0};
	struct sock_fprog filter = {1, &drop};
	struct sockaddr_storage storage;
	socklen_t length = address_of(f, f->peer, dport, &storage);
	int fd = open_bound(f, SOCK_STREAM | SOCK_NONBLOCK, f->self, sport);

	*listener = open_bound(f, SOCK_STREAM, f->peer, dport);
	must(!setsockopt(*listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)),
	     "SO_ATTACH_FILTER");
	must(!listen(*listener, 4), "listen");
	must(connect(fd, (struct sockaddr *)&storage, length) && errno == EINPROGRESS,
	     "a connect that is not answered");
	return fd;
}

static void test_opening(const struct family *f)
{
	int listener, fd = open_syn_sent(f, 40003, 6101, &listener);

	check_text(VERDICT(f, .sport = 6101, .dport = 40003, .flags = SYN | ACK), "flow",
		   "%s: SYN-SENT: the answer", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40003, .flags = SYN), "flow",
		   "%s: SYN-SENT: a simultaneous open", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40003, .flags = RST | ACK), "flow",
		   "%s: SYN-SENT: a refusal", f->word);
	close(fd);
	close(listener);
}

/* The end that closed first is in TIME_WAIT; a SYN could then reach a listener on the same port. */
static void test_time_wait(const struct family *f)
{
	struct connection ours = open_connection(f, f->self, 40004, f->peer, 6101);

	close(ours.opener);
	close(ours.taker);
	check_text(VERDICT(f, .sport = 6101, .dport = 40004, .flags = FIN | ACK), "flow",
		   "%s: TIME-WAIT: a FIN that comes again", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40004, .flags = SYN), "connection",
		   "%s: TIME-WAIT: a SYN opens nothing", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40004, .flags = SYN | ECE | CWR),
		   "connection", "%s: TIME-WAIT: nor one with more flags", f->word);
}

/* Our kernel answers with a reset, so a server lets go of the session of a client that crashed. */
static void test_strays(const struct family *f)
{
	int listener, strays = 0;

	wait_for_cache();
	wait_for_cache();
	for (int i = 0; i < BKXDP_STRAYS_MAX; i++)
		strays += !strcmp(
			VERDICT(f, .sport = 6101, .dport = 40005, .flags = i % 2 ? ACK : FIN | ACK),
			"stray");
	check_int(strays, BKXDP_STRAYS_MAX, "%s: segments of no connection are strays", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40005, .flags = ACK), "connection",
		   "%s: no more strays than so many within a second", f->word);
	check_text(VERDICT(f, .dport = 50001, .flags = ACK), "connection",
		   "%s: nor to another port", f->word);
	wait_for_cache();
	wait_for_cache();
	check_text(VERDICT(f, .dport = 50001, .flags = ACK), "stray",
		   "%s: inbound, in the next second", f->word);
	check_text(VERDICT(f, .sport = 6101, .dport = 40005, .flags = SYN | ACK), "connection",
		   "%s: an answer to no SYN of ours is no stray", f->word);
	check_text(VERDICT(f, .sport = 6102, .dport = 40005, .flags = ACK), "port",
		   "%s: nor is what no flow has", f->word);
	listener = open_listening(f, f->self, 40006);
	check_text(VERDICT(f, .sport = 6101, .dport = 40006, .flags = ACK), "connection",
		   "%s: nor is what a listener would take", f->word);
	close(listener);
}

/* Under SYN cookies the kernel has no socket until the last ACK of the handshake. */
static void test_syn_cookies(const struct family *f)
{
	int listener = open_listening(f, f->self, 50002);
	struct connection control;

	check_text(VERDICT(f, .dport = 50002, .flags = ACK), "control",
		   "%s: an ACK that finds only a listener opens", f->word);
	control = open_connection(f, f->peer, 41500, f->self, 10000);
	check_text(VERDICT(f, .dport = 50002, .flags = RST | ACK), "connection",
		   "%s: an RST opens nothing", f->word);
	check_text(VERDICT(f, .dport = 50002, .flags = ACK), "flow",
		   "%s: it passes behind a live control connection", f->word);
	close_connection(&control);
	check_text(VERDICT(f, .dport = 50002, .flags = ACK), "control",
		   "%s: but not behind one that has ended", f->word);
	close(listener);
}

static void test_udp(const struct family *f)
{
	int bound = open_bound(f, SOCK_DGRAM, f->self, 40000);

	check_text(VERDICT(f, .protocol = UDP, .sport = 123, .dport = 40000), "flow",
		   "%s: UDP to a bound socket", f->word);
	check_text(VERDICT(f, .protocol = UDP, .sport = 123, .dport = 40001), "connection",
		   "%s: UDP to no socket", f->word);
	connect_to(f, bound, f->peer, 123);
	wait_for_cache();
	check_text(VERDICT(f, .protocol = UDP, .sport = 123, .dport = 40000), "flow",
		   "%s: UDP to a socket connected to the peer", f->word);
	check_text(OTHER_VERDICT(f, .protocol = UDP, .sport = 123, .dport = 40000), "connection",
		   "%s: UDP to a socket connected to another peer", f->word);
	close(bound);
}

static void test_control(const struct family *f)
{
	struct connection control = open_connection(f, f->peer, 41000, f->self, 10000);
	struct connection data;

	check_text(VERDICT(f, .dport = 50000), "flow",
		   "%s: data behind a control connection of which no packet was seen", f->word);
	check_text(VERDICT(f, .sport = 41000, .flags = ACK), "flow", "%s: a packet of it", f->word);
	check_text(VERDICT(f, .protocol = UDP, .dport = 51000), "flow", "%s: UDP data behind it",
		   f->word);
	check_text(OTHER_VERDICT(f, .dport = 50000), "control", "%s: not for another peer",
		   f->word);
	check_text(VERDICT(f, .sport = 42000, .dport = 50000, .flags = RST | ACK), "connection",
		   "%s: a data segment of no connection", f->word);
	data = open_connection(f, f->peer, 42000, f->self, 50000);
	check_text(VERDICT(f, .sport = 42000, .dport = 50000, .flags = ACK), "flow",
		   "%s: a data segment of a connection", f->word);
	/* a forged FIN changes nothing, because the socket is asked */
	check_text(VERDICT(f, .sport = 41000, .flags = RST), "flow", "%s: a forged RST", f->word);
	check_text(VERDICT(f, .sport = 43000, .dport = 50000), "flow",
		   "%s: data behind a forged RST", f->word);
	close_connection(&control);
	wait_for_cache();
	check_text(VERDICT(f, .sport = 43000, .dport = 50000), "control",
		   "%s: no data when the control connection is gone", f->word);
	check_text(VERDICT(f, .sport = 42000, .dport = 50000, .flags = ACK), "flow",
		   "%s: what it opened goes on", f->word);
	close_connection(&data);
}

/* Forged segments make no control connection, and end none. */
static void test_forged_controls(const struct family *f)
{
	struct connection control;

	for (int i = 0; i < 100; i++)
		VERDICT(f, .sport = 1000 + i, .flags = ACK);
	check_text(VERDICT(f, .dport = 50000), "control", "%s: 100 forged control connections",
		   f->word);
	control = open_connection(f, f->peer, 41000, f->self, 10000);
	for (int i = 0; i < 100; i++)
		VERDICT(f, .sport = 41000 + i, .flags = i % 2 ? RST | ACK : FIN | ACK);
	check_text(VERDICT(f, .dport = 50000), "flow", "%s: 100 forged ends of a real one",
		   f->word);
	close_connection(&control);
}

static void test_no_control(const struct family *f)
{
	struct connection other = open_connection(f, f->peer, 10000, f->self, 50003);

	check_text(VERDICT(f, .dport = 50000), "control",
		   "%s: a connection from the control port of the peer is none", f->word);
	close_connection(&other);
	other = open_connection(f, f->self, 10000, f->peer, 50003);
	check_text(VERDICT(f, .dport = 50000), "control", "%s: nor one that we open from our own",
		   f->word);
	close_connection(&other);
	other = open_connection(f, f->other_peer, 41001, f->self, 10000);
	check_text(VERDICT(f, .dport = 50000), "control", "%s: nor another peer's", f->word);
	check_text(OTHER_VERDICT(f, .dport = 50000), "flow", "%s: but it is for that one", f->word);
	close_connection(&other);
}

/* More than the memory lists: the others are counted. */
static void test_many_controls(const struct family *f)
{
	struct connection control[BKXDP_LISTED + 2];
	int count = sizeof(control) / sizeof(control[0]);

	for (int i = 0; i < count; i++)
		control[i] = open_connection(f, f->peer, 41100 + i, f->self, 10000);
	for (int i = 0; i < count - 1; i++) {
		close_connection(&control[i]);
		wait_for_cache();
		check_text(VERDICT(f, .dport = 50000), "flow",
			   "%s: %d of %d control connections are left", f->word, count - 1 - i,
			   count);
	}
	close_connection(&control[count - 1]);
	wait_for_cache();
	check_text(VERDICT(f, .dport = 50000), "control", "%s: none is left", f->word);
}

/* Connections that were there before the kernel was asked to tell of them. */
static struct connection older[2][BKXDP_OLDER + 2];
static const int n_older = sizeof(older[0]) / sizeof(older[0][0]);

static void open_older(void)
{
	for (int i = 0; i < 2; i++)
		for (int n = 0; n < n_older; n++)
			older[i][n] = open_connection(&families[i], families[i].peer, 41200 + n,
						      families[i].self, 10000);
}

static void test_older(const struct family *f, struct connection *connections)
{
	for (int n = 0; n < n_older; n++) {
		check_text(VERDICT(f, .dport = 50000), "flow",
			   "%s: %d control connections are older than the filter", f->word,
			   n_older - n);
		close_connection(&connections[n]);
		wait_for_cache();
	}
	check_text(VERDICT(f, .dport = 50000), "control", "%s: all of them have ended", f->word);
}

static void run_engine(const struct tables *tables, const char *word, enum cache_use cache)
{
	open_older();
	engine = engine_kernel(tables, cache);
	if (!engine) {
		if (kernel_is_closed(errno))
			skip_as(strerror(errno), "connections: sockets, %s", word);
		else
			check(false, "connections: sockets, %s: %s", word, strerror(errno));
		return;
	}
	printf("# %s\n", word);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		test_older(&families[i], older[i]);
		test_replies(&families[i]);
		test_end(&families[i]);
		test_opening(&families[i]);
		test_time_wait(&families[i]);
		test_strays(&families[i]);
		test_syn_cookies(&families[i]);
		test_udp(&families[i]);
		test_control(&families[i]);
		test_forged_controls(&families[i]);
		test_no_control(&families[i]);
		test_many_controls(&families[i]);
	}
	engine->close(engine);
}

int main(void)
{
	struct policy *policy = variant_policy("sockets");
	struct tables *tables = variant_tables(policy);

	stay_on_this_cpu();
	if (enter_namespace()) {
		run_engine(tables, "no cache", CACHE_OFF);
		run_engine(tables, "cache", CACHE_ON);
		run_engine(tables, "one cache entry", CACHE_ONE_ENTRY);
	} else {
		skip("connections: sockets", strerror(errno));
	}
	tables_free(tables);
	policy_free(policy);
	return tap_done();
}
