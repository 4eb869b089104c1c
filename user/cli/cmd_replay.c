// SPDX-License-Identifier: GPL-2.0-only
/* replay: the verdict of each packet of a capture. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/exit.h"
#include "base/memory.h"
#include "base/strv.h"
#include "cli/cmd.h"
#include "cli/judge_options.h"
#include "packet/pcap_read.h"
#include "policy/reasons.h"

static const char about[] =
	"The verdict of each packet of a capture (pcap or pcapng, Ethernet; - is standard\n"
	"input) under the policy of an interface file. Every packet is judged as if this\n"
	"host had received it, so capture with `tcpdump -Q in`. A packet that was captured in\n"
	"part is padded with zeros. If its headers may be cut, it is counted in the summary\n"
	"and has \"cut\":true in the JSON.\n"
	"\n"
	"The kernel's own program judges in a test run if CAP_BPF and CAP_NET_ADMIN permit it,\n"
	"else the same code in user space. The latter also judges if the capture has frames\n"
	"that a test run does not take, or comes through a pipe. Both give the same verdicts. A "
	"capture\n"
	"has no sockets, so whether a packet is an answer is judged by its TCP flags.\n"
	"\n"
	"  bkxdp replay " BKXDP_CONFIG_DIR "/eth1.yaml night.pcap\n"
	"  bkxdp replay eth1.yaml night.pcapng --json | jq 'select(.verdict == \"drop\")'\n"
	"  tcpdump -Q in -i eth1 -c 1000 -w - | bkxdp replay eth1.yaml -\n"
	"\n"
	"Exit status: 0 all packets were judged, 1 failed, 2 misused.\n";

struct sum {
	uint64_t packets;
	uint64_t bytes;
};

struct replay {
	struct bench bench;
	struct capture *capture;
	bool json;

	char **verdict; /* JSON by reason or rule, and by whether the packet was truncated */
	struct sum reason[BKXDP_REASON_COUNT];
	struct sum *flow; /* for each flow and side */
	struct sum total;
	uint64_t cut;
};

static const char *verdict_word(enum bkxdp_reason reason)
{
	return bkxdp_reason_passes(reason) ? "pass" : "drop";
}

/* ---- who judges ----------------------------------------------------------- */

/* A pipe can't be read twice. */
static bool is_file(const char *path)
{
	struct stat file;

	return strcmp(path, "-") != 0 && !stat(path, &file) && S_ISREG(file.st_mode);
}

/* Lengths of a capture's frames in bytes; `least` is above `most` if there are none. */
struct lengths {
	uint32_t least, most;
};

/* What is wrong with the file is reported when its packets are judged. */
static struct lengths find_lengths(const char *path)
{
	AUTO_FREE char *problem = NULL;
	struct lengths lengths = {UINT32_MAX, 0};
	struct capture *capture = capture_open(path, &problem);
	struct captured_packet packet;

	while (capture && capture_next(capture, &packet, &problem) == 1) {
		if (packet.length < lengths.least)
			lengths.least = packet.length;
		if (packet.length > lengths.most)
			lengths.most = packet.length;
	}
	capture_close(capture);
	return lengths;
}

/* A test run refuses what is shorter than an Ethernet header or longer than its buffers. */
static bool takes(struct engine *engine, uint32_t length)
{
	AUTO_FREE uint8_t *frame = must_alloc(length, 1);
	struct judgement ignored;

	return !engine->judge(engine, frame, length, 0, &ignored);
}

/*
 * One engine judges all frames, because it must know the control connections that earlier
 * frames made live. `choice` is --engine, or NULL.
 */
static int settle_engine(struct bench *bench, const char *path, const char *choice)
{
	AUTO_FREE char *why = NULL;
	struct lengths lengths;

	if (strcmp(bench->engine->name, "kernel") != 0)
		return EXIT_DONE;
	if (!is_file(path)) {
		if (!choice)
			bench_to_user_space(bench, "because the lengths of frames that come "
						   "through a pipe are not known beforehand");
		return EXIT_DONE;
	}
	lengths = find_lengths(path);
	if (lengths.least > lengths.most ||
	    (takes(bench->engine, lengths.least) && takes(bench->engine, lengths.most)))
		return EXIT_DONE;
	why = must_format("because the kernel's test run does not take all of its frames, which "
			  "have %u to %u bytes",
			  lengths.least, lengths.most);
	if (choice)
		return fail("%s can't be judged with --engine kernel, %s; --engine user takes any",
			    path, why);
	bench_to_user_space(bench, why);
	return EXIT_DONE;
}

/* ---- one JSON line a packet ----------------------------------------------- */

static char *verdict_json(const struct policy *policy, const struct judgement *judgement, bool cut)
{
	json_t *object = json_object();
	char *text;

	json_object_set_new(object, "verdict", json_string(verdict_word(judgement->reason)));
	if (judgement->reason == BKXDP_PASS_FLOW) {
		const struct rule *rule = &policy->rules[judgement->rule];
		const struct flow *flow = &policy->flows[rule->flow];

		json_object_set_new(object, "flow",
				    json_sprintf("%s/%s", flow->profile, flow->name));
		json_object_set_new(object, "side", json_string(side_word(rule->side)));
	} else {
		json_object_set_new(object, "reason", json_string(reason_word(judgement->reason)));
	}
	if (cut)
		json_object_set_new(object, "cut", json_true());
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text;
}

/* All but the number is the same for many packets, so it is made once. */
static void print_line(struct replay *replay, const struct captured_packet *packet,
		       const struct judgement *judgement)
{
	const struct policy *policy = replay->bench.policy;
	size_t which = judgement->reason == BKXDP_PASS_FLOW
			       ? BKXDP_REASON_COUNT + (size_t)judgement->rule
			       : judgement->reason;
	char **json = &replay->verdict[which * 2 + packet->truncated];

	if (!*json)
		*json = verdict_json(policy, judgement, packet->truncated);
	printf("{\"n\":%" PRIu64 ",%s\n", replay->total.packets, *json + strlen("{"));
}

static size_t verdicts(const struct replay *replay)
{
	return 2 * (BKXDP_REASON_COUNT + replay->bench.policy->n_rules);
}

/* ---- the summary ---------------------------------------------------------- */

static void add(struct sum *sum, const struct captured_packet *packet)
{
	sum->packets++;
	sum->bytes += packet->wire_length;
}

static void count(struct replay *replay, const struct captured_packet *packet,
		  const struct judgement *judgement)
{
	const struct rule *rule = &replay->bench.policy->rules[judgement->rule];

	add(&replay->total, packet);
	replay->cut += packet->truncated;
	if (judgement->reason == BKXDP_PASS_FLOW)
		add(&replay->flow[rule->flow * 2 + rule->side], packet);
	else
		add(&replay->reason[judgement->reason], packet);
}

static int digits(uint64_t number)
{
	return snprintf(NULL, 0, "%" PRIu64, number);
}

static int longer(int a, int b)
{
	return a > b ? a : b;
}

/* Widths of the columns that are not fixed. */
struct columns {
	int flow;
	int packets;
	int bytes;
};

static struct columns columns_of(const struct replay *replay)
{
	const struct policy *policy = replay->bench.policy;
	struct columns width = {strlen("FLOW"),
				longer(strlen("PACKETS"), digits(replay->total.packets)),
				longer(strlen("BYTES"), digits(replay->total.bytes))};

	for (size_t i = 0; i < policy->n_flows * 2; i++) {
		const struct flow *flow = &policy->flows[i / 2];

		if (replay->flow[i].packets)
			width.flow = longer(width.flow, strlen(flow->profile) + strlen("/") +
								strlen(flow->name));
	}
	return width;
}

static void print_row(const struct columns *width, const char *verdict, const char *reason,
		      const char *flow, const char *side, const struct sum *sum)
{
	if (!sum->packets)
		return;
	printf("%-7s  %-14s  %-*s  %-7s  %*" PRIu64 "  %*" PRIu64 "\n", verdict, reason,
	       width->flow, flow, side, width->packets, sum->packets, width->bytes, sum->bytes);
}

static void print_flows(const struct replay *replay, const struct columns *width)
{
	const struct policy *policy = replay->bench.policy;

	for (size_t i = 0; i < policy->n_flows * 2; i++) {
		const struct flow *flow = &policy->flows[i / 2];
		AUTO_FREE char *name = must_format("%s/%s", flow->profile, flow->name);

		print_row(width, "pass", "flow", name, side_word(i % 2), &replay->flow[i]);
	}
}

static void print_notes(const struct replay *replay)
{
	const struct policy *policy = replay->bench.policy;

	if (replay->cut)
		printf("%" PRIu64 " cut by the capture's snap length so short that headers may be "
		       "missing: what is missing was taken for zeros\n",
		       replay->cut);
	if (policy->settings.enforcement == BKXDP_AUDIT)
		puts("verdict: audit is set: the filter would count these drops and pass the "
		     "packets");
}

static void print_summary(const struct replay *replay)
{
	struct columns width = columns_of(replay);

	printf("%-7s  %-14s  %-*s  %-7s  %*s  %*s\n", "VERDICT", "REASON", width.flow, "FLOW",
	       "SIDE", width.packets, "PACKETS", width.bytes, "BYTES");
	print_flows(replay, &width);
	for (int reason = BKXDP_PASS_FLOW; reason < BKXDP_REASON_COUNT; reason++)
		print_row(&width, verdict_word(reason), reason_word(reason), "", "",
			  &replay->reason[reason]);
	printf("%-7s  %-14s  %-*s  %-7s  %*" PRIu64 "  %*" PRIu64 "\n", "total", "", width.flow, "",
	       "", width.packets, replay->total.packets, width.bytes, replay->total.bytes);
	print_notes(replay);
}

/* ---- the capture, from end to end ----------------------------------------- */

static int replay_packets(struct replay *replay)
{
	struct engine *engine = replay->bench.engine;
	AUTO_FREE char *problem = NULL;
	struct captured_packet packet;
	struct judgement judgement;
	int found, error;

	while ((found = capture_next(replay->capture, &packet, &problem)) == 1) {
		error = engine->judge(engine, packet.bytes, packet.length, packet.now, &judgement);
		if (error)
			return fail("packet %" PRIu64 ", of %u bytes: the test run in the kernel "
				    "failed: %s; --engine user takes any length",
				    replay->total.packets + 1, packet.length, strerror(-error));
		count(replay, &packet, &judgement);
		if (replay->json)
			print_line(replay, &packet, &judgement);
	}
	if (found < 0)
		return fail("%s; the %" PRIu64 " packets before it were judged", problem,
			    replay->total.packets);
	return EXIT_DONE;
}

static int run(struct replay *replay)
{
	int status;

	replay->flow = must_alloc(replay->bench.policy->n_flows, 2 * sizeof(*replay->flow));
	replay->verdict = must_alloc(verdicts(replay), sizeof(*replay->verdict));
	status = replay_packets(replay);
	if (!replay->json)
		print_summary(replay);
	strv_free(replay->verdict, verdicts(replay));
	free(replay->flow);
	return status;
}

/* ---- the command ---------------------------------------------------------- */

struct request {
	struct bench_options options;
	bool json;
};

static int replay_files(const char *file, const char *capture, const struct request *request)
{
	struct replay replay = {.json = request->json};
	AUTO_FREE char *problem = NULL;
	int status;

	status = bench_open(&replay.bench, file, &request->options);
	if (status)
		return status;
	status = settle_engine(&replay.bench, capture, request->options.engine);
	if (!status) {
		replay.capture = capture_open(capture, &problem);
		status = replay.capture ? run(&replay) : fail("%s", problem);
	}
	capture_close(replay.capture);
	bench_close(&replay.bench);
	return status;
}

int cmd_replay(int argc, char **argv)
{
	struct request request = {.options.verb = "replay"};
	const struct option_row rows[] = {
		{"json", NULL, "one JSON object for each packet, and no summary",
		 .set = &request.json},
		{"engine", "kernel|user", "the program in a test run, or its code in user space",
		 .value = &request.options.engine},
		{"profiles", "DIR", "look for profiles there first; may be given again",
		 .values = &request.options.dirs},
		{"resolve", NULL, "ask DNS for names; else a name counts as no address",
		 .set = &request.options.resolve},
		{"connections", "sockets", "by this host's sockets now, not by TCP flags",
		 .value = &request.options.connections},
	};
	const struct usage usage = {"replay", "FILE.yaml CAPTURE [OPTION...]", about,
				    rows,     sizeof(rows) / sizeof(*rows),    2,
				    2};
	char **operands;
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status < 0)
		status = replay_files(operands[0], operands[1], &request);
	free(request.options.dirs.value);
	return status;
}
