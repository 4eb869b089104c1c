// SPDX-License-Identifier: GPL-2.0-only
/* monitor: dropped packets as they happen, as text, JSON or a capture. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/printable.h"
#include "base/suggest.h"
#include "cli/cmd.h"
#include "cli/drop_print.h"
#include "datapath/datapath.h"
#include "datapath/drop_events.h"
#include "engine/engine.h"
#include "net/prefix.h"
#include "packet/pcapng_write.h"
#include "policy/reasons.h"

/* The words of the reasons to drop. */
#define WORD_OF_PASS(word)
#define WORD_OF_DROP(word)                        " " word
#define REASON_WORD(name, word, verdict, meaning) WORD_OF_##verdict(word)

static const char about[] =
	"Shows the packets that the filter drops, as they happen (under audit: those that it\n"
	"would drop), one line each: time, reason, the packet in the words that explain takes,\n"
	"and the flow that comes nearest. Ends with Ctrl-C.\n"
	"\n"
	"The kernel compares REASON and ADDRESS, so packets that were not asked for cost nothing.\n"
	"Packets above --rate, or faster than they are read, are counted, and the count is\n"
	"shown. The first 192 bytes of each packet are kept.\n"
	"\n"
	"REASON:" BKXDP_REASONS(
		REASON_WORD) "\n"
			     "\n"
			     "  bkxdp monitor eth1 --from 10.20.30.5\n"
			     "  bkxdp monitor eth1 --reason port,control --count 10\n"
			     "  bkxdp monitor eth1 --write - | wireshark -k -i -\n"
			     "\n"
			     "Exit status: 0 ended by a signal or by --count, 1 failed or the "
			     "filter is gone,\n"
			     "2 misused.\n";

#define RATE_DEFAULT 1000
#define RATE_MOST    1000000
#define COUNT_MOST   1000000000
#define WAIT_MS      200
#define TURN_EVENTS  256 /* after this time signals, losses and the filter itself are checked */

static volatile sig_atomic_t signalled;

struct monitor {
	const char *interface;
	const char *name; /* the same in printable form */
	struct watch *watch;
	struct watch_filter filter;
	bool json;
	bool silent;   /* standard output is reserved for the packets */
	FILE *capture; /* or NULL */
	const char *path;
	uint64_t most; /* packets to show; 0: no limit */

	struct policy *policy;
	uint32_t generation; /* of that policy */

	uint64_t wall; /* ns between the kernel's clock and the time of day */
	int turn;      /* events left in this turn; TURN_EVENTS: none was seen yet */
	uint64_t shown;
	uint64_t lost_shown; /* lost events that were shown with a packet */
	uint64_t lost_said;  /* on standard error */
	uint64_t unserved;
	uint64_t checked; /* ns */
};

/* ---- one event -------------------------------------------------------------- */

/* A packet that another policy dropped is shown without a nearest flow. */
static const struct policy *policy_of(struct monitor *monitor, const struct bkxdp_event *event)
{
	struct policy *newer = NULL;

	if (event->generation > monitor->generation)
		newer = watch_policy(monitor->watch, &monitor->generation);
	if (newer) {
		policy_free(monitor->policy);
		monitor->policy = newer;
	}
	return event->generation == monitor->generation ? monitor->policy : NULL;
}

/* The kernel is asked once each turn. */
static uint64_t newly_lost(struct monitor *monitor)
{
	uint64_t before = monitor->lost_shown;

	if (monitor->turn == TURN_EVENTS)
		monitor->lost_shown = watch_lost(monitor->watch);
	return monitor->lost_shown - before;
}

static void print_json(const struct drop *drop)
{
	json_t *json = drop_json(drop);

	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
}

static int capture(const struct monitor *monitor, const struct drop *drop)
{
	AUTO_FREE char *comment = drop_comment(drop);
	const struct pcapng_packet packet = {
		.time = drop->time,
		.bytes = drop->event->frame,
		.captured = drop->event->captured,
		.length = drop->event->length,
		.passed = drop->event->audit,
		.missing = drop->lost,
		.comment = comment,
	};

	return pcapng_add(monitor->capture, &packet);
}

static int tell(struct monitor *monitor, const struct drop *drop)
{
	errno = 0;
	if (monitor->json)
		print_json(drop);
	else if (!monitor->silent)
		drop_print(stdout, drop);
	if (ferror(stdout))
		return errno == EINTR ? -ECANCELED : -errno;
	return monitor->capture ? capture(monitor, drop) : 0;
}

static int see(void *context, const struct bkxdp_event *event)
{
	struct monitor *monitor = context;
	struct drop drop = {.device = monitor->interface, .time = event->time + monitor->wall};
	int error;

	if (event->captured > BKXDP_EVENT_BYTES || event->reason >= BKXDP_REASON_COUNT)
		return -EBADMSG;
	drop.lost = newly_lost(monitor);
	drop_read(&drop, event, policy_of(monitor, event));
	error = tell(monitor, &drop);
	drop_free(&drop);
	if (error)
		return error;
	if (++monitor->shown == monitor->most)
		return -ECANCELED;
	return --monitor->turn ? 0 : -EAGAIN;
}

/* ---- what is said beside ---------------------------------------------------- */

static void say_lost(struct monitor *monitor)
{
	uint64_t lost = watch_lost(monitor->watch), unserved = watch_unserved(monitor->watch);

	if (lost != monitor->lost_said)
		fprintf(stderr,
			"bkxdp: %s: %" PRIu64 " packets not shown: more than %u a second and CPU "
			"(--rate), or more than were read\n",
			monitor->name, lost - monitor->lost_said, monitor->filter.rate);
	if (unserved != monitor->unserved)
		fprintf(stderr,
			"bkxdp: %s: this monitor did not run for %.1f s; packets dropped "
			"meanwhile are neither shown nor counted\n",
			monitor->name, (unserved - monitor->unserved) / 1e9);
	monitor->lost_said = lost;
	monitor->unserved = unserved;
}

static void say_start(const struct monitor *monitor)
{
	const struct policy *policy = monitor->policy;
	bool audit = policy && policy->settings.enforcement == BKXDP_AUDIT;
	char from[PREFIX_TEXT_MAX] = "any source";

	if (monitor->filter.from.bits)
		prefix_text(&monitor->filter.from, from);
	fprintf(stderr, "bkxdp: %s: showing packets that %s dropped, from %s", monitor->name,
		audit ? "would be" : "are", from);
	if (policy)
		fprintf(stderr, "; policy %016" PRIx64 " with %zu flows, %s", policy->digest,
			policy->n_flows, audit ? "audit" : "enforce");
	fputs("; Ctrl-C ends\n", stderr);
}

static void say_end(const struct monitor *monitor)
{
	fprintf(stderr, "bkxdp: %s: %" PRIu64 " shown, %" PRIu64 " lost\n", monitor->name,
		monitor->shown, watch_lost(monitor->watch));
}

/* ---- until something ends it ------------------------------------------------ */

static void note_signal(int number)
{
	signalled = number;
}

/*
 * A signal interrupts a write that waits, and a second signal kills. If the reader went away,
 * the write fails, and the listener's place is freed before the program ends.
 */
static void catch_signals(void)
{
	struct sigaction ends = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &ends, NULL);
	sigaction(SIGTERM, &ends, NULL);
	sigaction(SIGHUP, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* The reader of standard output has closed it. Without packets, no write would notice. */
static bool is_unread(void)
{
	struct pollfd output = {STDOUT_FILENO, 0, 0};

	return poll(&output, 1, 0) == 1;
}

static int take_turn(struct monitor *monitor, int milliseconds)
{
	int result;

	monitor->turn = TURN_EVENTS;
	monitor->wall = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	result = watch_wait(monitor->watch, milliseconds);
	return result == -EAGAIN || (result == -EINTR && !signalled) ? 0 : result;
}

static enum watch_end check(struct monitor *monitor)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (now - monitor->checked < NS_PER_S)
		return WATCH_GOES_ON;
	monitor->checked = now;
	say_lost(monitor);
	return watch_check(monitor->watch);
}

/* Shows the packets that the kernel reported before it stopped. */
static int take_rest(struct monitor *monitor)
{
	uint64_t before;
	int result;

	watch_stop(monitor->watch);
	do {
		before = monitor->shown;
		result = take_turn(monitor, 0);
	} while (!result && monitor->shown != before);
	return result;
}

static int listen_till_end(struct monitor *monitor, enum watch_end *end)
{
	int result = 0;

	while (!result && !signalled && *end == WATCH_GOES_ON) {
		result = take_turn(monitor, WAIT_MS);
		if (!result && is_unread())
			result = -EPIPE;
		if (!result)
			*end = check(monitor);
	}
	return result && result != -EINTR ? result : take_rest(monitor);
}

/* ---- from start to end ------------------------------------------------------ */

static int explain_end(const struct monitor *monitor, enum watch_end end)
{
	switch (end) {
	case WATCH_DETACHED:
		return fail("%s: the filter was detached, so nothing is dropped any more",
			    monitor->interface);
	case WATCH_ATTACHED_ANEW:
		return fail("%s: the filter was detached, and another attached; start the monitor "
			    "again",
			    monitor->interface);
	case WATCH_PROGRAM_GONE:
		return fail("%s: the program is gone, so nothing is filtered; \"bkxdp status %s\" "
			    "says what to do",
			    monitor->interface, monitor->interface);
	case WATCH_PLACE_TAKEN:
		return fail("%s: this monitor did not run for so long that another took its "
			    "place; start it again",
			    monitor->interface);
	default:
		return EXIT_DONE;
	}
}

static int explain_error(const struct monitor *monitor, int error)
{
	if (!error || error == -ECANCELED || error == -EPIPE || signalled)
		return EXIT_DONE;
	if (monitor->capture && ferror(monitor->capture))
		return fail("%s: can't write the packets there: %s; the file is incomplete",
			    monitor->path, strerror(-error));
	return fail("%s: can't go on showing packets: %s", monitor->interface, strerror(-error));
}

/*
 * Otherwise the program would try again at its end to write what could not be written, and wait
 * again.
 */
static void give_up_output(void)
{
	if (ferror(stdout))
		__fpurge(stdout);
}

/* Ends as a program that does not ignore SIGPIPE. */
static void die_of_closed_pipe(void)
{
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}

static int run(struct monitor *monitor)
{
	enum watch_end end = WATCH_GOES_ON;
	int error, status;

	monitor->policy = watch_policy(monitor->watch, &monitor->generation);
	say_start(monitor);
	error = listen_till_end(monitor, &end);
	watch_stop(monitor->watch);
	give_up_output();
	if (error != -EPIPE)
		say_end(monitor);
	status = explain_error(monitor, error);
	if (!status)
		status = explain_end(monitor, end);
	policy_free(monitor->policy);
	watch_close(monitor->watch);
	if (error == -EPIPE)
		die_of_closed_pipe();
	return status;
}

static int no_terminal(const char *path)
{
	return misuse("monitor",
		      "--write %s is a terminal, which can't show packets as pcapng; name a file, "
		      "or pipe it into wireshark -k -i - or tshark -r -",
		      path);
}

/*
 * Opened only when it is certain that there is something to listen to, because an existing file
 * is overwritten.
 */
static int open_capture(struct monitor *monitor, const char *path)
{
	int error;

	if (!path)
		return EXIT_DONE;
	monitor->path = monitor->silent ? "standard output" : path;
	monitor->capture = monitor->silent ? stdout : fopen(path, "we");
	if (!monitor->capture)
		return fail("%s: can't write packets there: %s", path, strerror(errno));
	if (isatty(fileno(monitor->capture)))
		return no_terminal(path);
	error = pcapng_begin(monitor->capture, monitor->name, BKXDP_EVENT_BYTES);
	if (error)
		return fail("%s: can't write packets there: %s; the file is incomplete",
			    monitor->path, strerror(-error));
	return EXIT_DONE;
}

static int close_capture(const struct monitor *monitor)
{
	if (!monitor->capture || monitor->silent || !fclose(monitor->capture))
		return EXIT_DONE;
	return fail("%s: can't write the packets there: %s", monitor->path, strerror(errno));
}

static int monitor_interface(struct monitor *monitor, const char *path)
{
	struct diagnostics diag = {};
	int status = EXIT_FAILED, closed;

	catch_signals();
	setvbuf(stdout, NULL, _IOLBF, 0);
	monitor->watch = watch_open(monitor->interface, &monitor->filter, see, monitor, &diag);
	diag_print(&diag);
	diag_free(&diag);
	if (!monitor->watch)
		return signalled ? EXIT_DONE : EXIT_FAILED;
	status = open_capture(monitor, path);
	if (status)
		watch_close(monitor->watch);
	else
		status = run(monitor);
	closed = close_capture(monitor);
	return status ? status : closed;
}

/* ---- options ---------------------------------------------------------------- */

struct request {
	struct values reasons;
	const char *from, *write, *count, *rate;
	bool json;
};

static int find_reason(const char *word)
{
	for (int reason = BKXDP_DROP_MALFORMED; reason < BKXDP_REASON_COUNT; reason++)
		if (!strcmp(reason_word(reason), word))
			return reason;
	return -1;
}

static int unknown_reason(const char *word)
{
	const char *known[BKXDP_REASON_COUNT - BKXDP_DROP_MALFORMED];
	AUTO_FREE char *tail = NULL;

	for (int i = 0; i < BKXDP_REASON_COUNT - BKXDP_DROP_MALFORMED; i++)
		known[i] = reason_word(BKXDP_DROP_MALFORMED + i);
	tail = suggest(word, known, BKXDP_REASON_COUNT - BKXDP_DROP_MALFORMED);
	return misuse("monitor", "--reason: packets are not dropped for \"%s\"%s", word, tail);
}

static int read_reasons(const struct values *values, uint64_t *reasons)
{
	for (size_t i = 0; i < values->count; i++) {
		AUTO_FREE char *words = must_copy(values->value[i]);
		char *rest = words, *word;

		while ((word = strsep(&rest, ","))) {
			int reason = find_reason(word);

			if (reason < 0)
				return unknown_reason(word);
			*reasons |= 1ull << reason;
		}
	}
	if (!values->count)
		*reasons = ~0ull;
	return EXIT_DONE;
}

/* Prefixes such as ::/0 also hold mapped IPv4 addresses and frames without an address. */
static int read_from(const char *text, struct bkxdp_prefix *from)
{
	static const struct bkxdp_prefix mapped = {96, {0, 0, BKXDP_MAPPED_WORD, 0}};
	const char *why;

	if (!text)
		return EXIT_DONE;
	if (!looks_like_prefix(text))
		return misuse("monitor",
			      "--from takes an address or a prefix, as 10.20.30.5 or "
			      "2001:db8::/64, and \"%s\" is none",
			      text);
	if (prefix_parse(text, from, &why))
		return misuse("monitor", "--from %s: %s", text, why);
	if (from->bits < mapped.bits && prefix_covers(from, &mapped))
		return misuse("monitor",
			      "--from %s would be every address, IPv4 too; the IPv6 Internet is "
			      "2000::/3, this link fe80::/10",
			      text);
	return EXIT_DONE;
}

static int read_request(const struct request *request, struct monitor *monitor)
{
	static const struct number_range rates = {"monitor", "rate", 1, RATE_MOST};
	static const struct number_range counts = {"monitor", "count", 1, COUNT_MOST};
	uint64_t rate = RATE_DEFAULT;
	int status = read_reasons(&request->reasons, &monitor->filter.reasons);

	if (!status)
		status = read_from(request->from, &monitor->filter.from);
	if (!status)
		status = arguments_number(&rates, request->rate, &rate);
	if (!status)
		status = arguments_number(&counts, request->count, &monitor->most);
	monitor->filter.rate = rate;
	monitor->json = request->json;
	monitor->silent = request->write && !strcmp(request->write, "-");
	if (!status && monitor->json && monitor->silent)
		return misuse("monitor", "--json and --write - both want standard output");
	if (!status && monitor->silent && isatty(STDOUT_FILENO))
		return no_terminal("-");
	return status;
}

int cmd_monitor(int argc, char **argv)
{
	struct request request = {};
	struct monitor monitor = {};
	const struct option_row rows[] = {
		{"reason", "REASON,...", "only packets dropped for these; may be given again",
		 .values = &request.reasons},
		{"from", "ADDRESS", "only packets from this address or prefix",
		 .value = &request.from},
		{"write", "FILE.pcapng",
		 "the packets, each with its reason as comment; - is standard output",
		 .value = &request.write},
		{"json", NULL, "one JSON object for each packet", .set = &request.json},
		{"count", "N", "end after this many packets", .value = &request.count},
		{"rate", "N",
		 "at most this many packets a second and CPU; more are counted as lost (1000)",
		 .value = &request.rate},
	};
	const struct usage usage = {
		"monitor", "IFACE [OPTION...]", about, rows, sizeof(rows) / sizeof(*rows), 1, 1};
	char **operands;
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status < 0)
		status = read_request(&request, &monitor);
	else
		operands = NULL;
	if (!status && operands) {
		AUTO_FREE char *name = printable(operands[0]);

		monitor.interface = operands[0];
		monitor.name = name;
		status = monitor_interface(&monitor, request.write);
	}
	free(request.reasons.value);
	return status;
}
