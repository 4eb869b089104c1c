// SPDX-License-Identifier: GPL-2.0-only
/* explain: what would become of a packet, and why. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/colour.h"
#include "base/exit.h"
#include "base/memory.h"
#include "base/printable.h"
#include "cli/cmd.h"
#include "cli/flow_json.h"
#include "cli/judge_options.h"
#include "datapath/datapath.h"
#include "engine/nearest.h"
#include "packet/packet_build.h"
#include "packet/packet_text.h"
#include "policy/reasons.h"
#include "stats/control_words.h"

static const char about[] =
	"What would become of a packet that the interface receives, and why: by the filter\n"
	"that is attached to IFACE, or by an interface file. PACKET is\n"
	"\n"
	"  tcp|udp ADDRESS[:PORT] > [ADDRESS:]PORT [WORD...]\n"
	"  icmp|icmpv6 ADDRESS [> ADDRESS] [MESSAGE] [WORD...]\n"
	"\n"
	"  ADDRESS  10.20.30.5 or 2001:db8::5; before a port [2001:db8::5]:40000. If it is\n"
	"           left out, the source port is 40000 and the destination is this host.\n"
	"  >        quote the packet for the shell, or write `to`\n"
	"  WORD     syn, ack, fin, rst, psh, urg, or several: syn-ack, fin-ack (default syn);\n"
	"           vlan N; first-fragment; later-fragment\n"
	"  MESSAGE  echo (default), echo-reply, unreachable, time-exceeded, packet-too-big,\n"
	"           router-advertisement, ...; or type N\n"
	"\n"
	"  bkxdp explain eth1 'tcp 10.20.30.5:40000 > 10000'\n"
	"  bkxdp explain " BKXDP_CONFIG_DIR "/eth1.yaml udp 2001:db8::5 to 514 vlan 7\n"
	"  bkxdp explain eth1 icmp 10.20.30.5 echo\n"
	"\n"
	"A file is judged by the kernel's own program in a test run if CAP_BPF and\n"
	"CAP_NET_ADMIN permit it, else by the same code in user space. Whether a packet is an\n"
	"answer is judged by its TCP flags.\n"
	"\n"
	"Exit status: 0 the packet passes, 1 it is dropped or the command failed, 2 misused.\n";

/* The question and everything that belongs to its answer. */
struct answer {
	const struct policy *policy;
	const char *engine;
	struct packet_words said;
	struct judgement judgement;
	const struct rule *rule; /* that passed the packet, or NULL */
	bool has_nearest;
	struct nearest nearest;
	char *nearest_text;
	bool by_flags_only;
	const struct snapshot *snapshot; /* of the attached filter, or NULL */
	char *control;                   /* which control connection lets it in, or why none does */
};

/* ---- for programs --------------------------------------------------------- */

static void add_flow(json_t *object, const struct answer *answer)
{
	const struct flow *flow = &answer->policy->flows[answer->rule->flow];

	json_object_set_new(object, "flow", flow_json(flow));
	json_object_set_new(object, "side", json_string(side_word(answer->rule->side)));
	json_object_set_new(object, "place", place_json(&flow->place));
	if (flow->source)
		json_object_set_new(object, "source", json_string(flow->source));
	if (flow->note)
		json_object_set_new(object, "note", json_string(flow->note));
}

static void print_json(const struct answer *answer)
{
	enum bkxdp_reason reason = answer->judgement.reason;
	AUTO_FREE char *packet = packet_text(&answer->said.packet);
	json_t *object =
		json_pack("{ss ss}", "verdict", bkxdp_reason_passes(reason) ? "pass" : "drop",
			  "reason", reason_word(reason));

	if (answer->rule)
		add_flow(object, answer);
	if (answer->has_nearest)
		json_object_set_new(
			object, "nearest",
			nearest_json(answer->policy, &answer->nearest, answer->nearest_text));
	if (answer->control)
		json_object_set_new(object, "control", json_string(answer->control));
	json_object_set_new(object, "engine", json_string(answer->engine));
	json_object_set_new(object, "enforced",
			    json_boolean(answer->policy->settings.enforcement == BKXDP_ENFORCE));
	json_object_set_new(object, "packet", json_string(packet));
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

/* ---- for people ----------------------------------------------------------- */

static void print_fact(const char *name, const char *text)
{
	if (text)
		printf("  %-8s %s\n", name, text);
}

static void print_place(const struct flow *flow)
{
	AUTO_FREE char *file = flow->place.file ? printable(flow->place.file) : NULL;

	if (file)
		printf("  %-8s %s:%u\n", "at", file, flow->place.line);
	print_fact("source", flow->source);
	print_fact("note", flow->note);
}

static void print_verdict(const struct answer *answer)
{
	bool passes = bkxdp_reason_passes(answer->judgement.reason);
	AUTO_FREE char *packet = packet_text(&answer->said.packet);

	printf("%s%s%s  %s\n", term_colour(stdout, passes ? GREEN : RED), passes ? "pass" : "drop",
	       term_colour(stdout, PLAIN), packet);
}

static bool is_echo(const struct bkxdp_packet *packet)
{
	const char *word = packet_message_word(packet);

	return word && (!strcmp(word, "echo") || !strcmp(word, "echo-reply"));
}

/* A setting that would have let the packet pass, if there is one. */
static const char *advice(const struct answer *answer)
{
	const struct bkxdp_settings *settings = &answer->policy->settings;

	if (answer->judgement.reason == BKXDP_DROP_ICMP && is_echo(&answer->said.packet))
		return settings->ping == BKXDP_PING_NONE
			       ? "ping: none takes no echo; ping: peers takes it from peers"
			       : "ping: peers takes echo from peers, and this address is no peer's";
	if (answer->judgement.reason == BKXDP_DROP_FRAGMENT)
		return "fragments: peers takes fragments from the addresses of peers";
	if (answer->judgement.reason == BKXDP_DROP_VLAN)
		return answer->said.packet.vlan
			       ? "vlans: does not list this VLAN"
			       : "vlans: does not list 0, which stands for untagged";
	return NULL;
}

static void print_drop(const struct answer *answer)
{
	enum bkxdp_reason reason = answer->judgement.reason;

	printf("  %-8s %s: %s\n", "reason", reason_word(reason), reason_meaning(reason));
	print_fact("setting", advice(answer));
	if (answer->has_nearest) {
		print_fact("nearest", answer->nearest_text);
		print_place(&answer->policy->flows[answer->nearest.rule->flow]);
	}
	print_fact("control", answer->control);
	if (answer->policy->settings.enforcement == BKXDP_AUDIT)
		print_fact("audit",
			   "verdict: audit is set: it is counted as this drop, and passes");
}

static void print_people(const struct answer *answer)
{
	enum bkxdp_reason reason = answer->judgement.reason;

	print_verdict(answer);
	if (answer->rule) {
		const struct flow *flow = &answer->policy->flows[answer->rule->flow];

		printf("  %-8s %s/%s, %s\n", "flow", flow->profile, flow->name,
		       side_word(answer->rule->side));
		print_place(flow);
		print_fact("control", answer->control);
		if (answer->by_flags_only && answer->rule->side == SIDE_REPLY)
			print_fact("provided", "this host has opened that connection "
					       "(connections: sockets)");
	} else if (bkxdp_reason_passes(reason)) {
		printf("  %-8s %s: %s\n", "reason", reason_word(reason), reason_meaning(reason));
	} else {
		print_drop(answer);
	}
	print_fact("engine", answer->engine);
}

/* ---- the answer ----------------------------------------------------------- */

static int judge(struct answer *answer, struct engine *engine)
{
	uint8_t frame[PACKET_BUILD_MAX];
	size_t length = packet_build(&answer->said.packet, frame);
	int error =
		engine->judge(engine, frame, length, clock_ns(CLOCK_MONOTONIC), &answer->judgement);

	if (error)
		return fail("the test run in the kernel failed: %s", strerror(-error));
	if (answer->judgement.reason == BKXDP_PASS_FLOW)
		answer->rule = &answer->policy->rules[answer->judgement.rule];
	return EXIT_DONE;
}

/*
 * Only what opens something needs a control connection, so if none is live, a packet that passes
 * needed none.
 */
static char *control_of(const struct answer *answer)
{
	bool passes = answer->rule != NULL;
	const struct rule *rule = passes ? answer->rule : answer->nearest.rule;
	struct control_wanted wanted = {.policy = answer->policy};
	struct control_answer found;

	if (!answer->snapshot ||
	    (!passes && (answer->judgement.reason != BKXDP_DROP_CONTROL || !answer->has_nearest)))
		return NULL;
	wanted.data = &answer->policy->flows[rule->flow];
	memcpy(wanted.source, answer->said.packet.saddr, sizeof(wanted.source));
	if (wanted.data->required < 0 || rule->side != SIDE_INBOUND)
		return NULL;
	found = control_answer(answer->snapshot, &wanted);
	if (!passes)
		return control_missing_text(&wanted, &found);
	return found.live ? control_text(found.live) : NULL;
}

static int give_answer(struct answer *answer, const struct bench *bench, bool json)
{
	enum bkxdp_reason reason;
	int status;

	answer->policy = bench->policy;
	answer->engine = bench->engine->name;
	answer->by_flags_only = bench_by_flags_only(bench);
	status = judge(answer, bench->engine);
	if (status)
		return status;
	reason = answer->judgement.reason;
	answer->has_nearest =
		nearest_find(answer->policy, &answer->said.packet, reason, &answer->nearest);
	if (answer->has_nearest)
		answer->nearest_text = nearest_text(answer->policy, &answer->said.packet, reason,
						    &answer->nearest);
	answer->control = control_of(answer);
	if (json)
		print_json(answer);
	else
		print_people(answer);
	free(answer->control);
	free(answer->nearest_text);
	return bkxdp_reason_passes(reason) ? EXIT_DONE : EXIT_FAILED;
}

/* ---- whose policy --------------------------------------------------------- */

static bool suits(const struct sockaddr *address, const struct bkxdp_packet *packet)
{
	bool ipv4 = packet->kind == BKXDP_FRAME_IPV4;
	const struct in6_addr *own;

	if (!address || address->sa_family != (ipv4 ? AF_INET : AF_INET6))
		return false;
	if (ipv4)
		return true;
	own = &((const struct sockaddr_in6 *)address)->sin6_addr;
	return !IN6_IS_ADDR_LINKLOCAL(own) ==
	       !IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)packet->saddr);
}

/* An address of the interface, so that the packet is one that it could receive. */
static void place_destination(struct packet_words *said, const char *interface)
{
	struct bkxdp_packet *packet = &said->packet;
	struct ifaddrs *all = NULL, *one;

	if (said->has_daddr || getifaddrs(&all))
		return;
	for (one = all; one; one = one->ifa_next)
		if (!strcmp(one->ifa_name, interface) && suits(one->ifa_addr, packet))
			break;
	if (one && packet->kind == BKXDP_FRAME_IPV4)
		memcpy(&packet->daddr[3], &((struct sockaddr_in *)one->ifa_addr)->sin_addr, 4);
	else if (one)
		memcpy(packet->daddr, &((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr, 16);
	freeifaddrs(all);
}

static int not_attached(const char *interface, int error)
{
	AUTO_FREE char *file = site_path(interface);

	if (error == EPERM || error == EACCES)
		return fail("asking the filter on %s needs CAP_BPF and CAP_NET_ADMIN: run it as "
			    "root; an interface file needs no privileges",
			    interface);
	if (error != ENOENT && error != ENODEV)
		return fail("the filter on %s can't be asked: %s", interface, strerror(error));
	if (!access(file, R_OK))
		return fail("%s has no filter; its file can be asked: bkxdp explain %s ...",
			    interface, file);
	if (if_nametoindex(interface))
		return fail("%s has no filter: attach one, or ask an interface file", interface);
	return fail("\"%s\" is neither an interface nor an interface file", interface);
}

struct request {
	struct bench_options options;
	bool json;
};

/* The pinned policy is asked. If no program applies it now, that is said. */
static void warn_if_off(const char *interface, const struct snapshot *snapshot)
{
	AUTO_FREE char *name = printable(interface);

	if (snapshot && snapshot->reading.attached == ATTACHED_NO)
		fprintf(stderr,
			"bkxdp: warning: %s's filter is not attached: everything passes; this is "
			"what its policy says\n",
			name);
}

/* Without a snapshot, explain says less. */
static int answer_attached(const char *interface, const char *pinned, struct answer *answer,
			   const struct bench *bench, bool json)
{
	struct diagnostics diag = {};
	struct snapshot *snapshot = datapath_snapshot(pinned, &diag);
	int status;

	diag_free(&diag);
	warn_if_off(pinned, snapshot);
	place_destination(&answer->said, interface);
	answer->snapshot = snapshot;
	status = give_answer(answer, bench, json);
	snapshot_free(snapshot);
	return status;
}

static int explain_attached(const char *interface, struct answer *answer,
			    const struct request *request)
{
	struct bench bench = {};
	char name[IF_NAMESIZE];
	const char *pinned = datapath_pinned_as(interface, name);
	int status;

	if (request->options.engine && strcmp(request->options.engine, "kernel") != 0)
		return misuse("explain", "--engine %s is for a file; %s is asked in the kernel",
			      request->options.engine, interface);
	bench.engine = engine_attached(pinned, &bench.policy);
	if (bench.engine)
		status = answer_attached(interface, pinned, answer, &bench, request->json);
	else
		status = not_attached(interface, errno);
	bench_close(&bench);
	return status;
}

static int explain_file(const char *file, struct answer *answer, const struct request *request)
{
	struct bench bench;
	int status = bench_open(&bench, file, &request->options);

	if (!status)
		status = give_answer(answer, &bench, request->json);
	bench_close(&bench);
	return status;
}

static bool is_file(const char *name)
{
	size_t length = strlen(name);

	if (strchr(name, '/') || (length > 5 && !strcmp(name + length - 5, ".yaml")))
		return true;
	return !datapath_is_pinned(name) && !access(name, F_OK);
}

static int explain(char **words, int count, const struct request *request)
{
	struct answer answer = {};
	AUTO_FREE char *problem = NULL;

	if (packet_text_read(words + 1, count - 1, &answer.said, &problem))
		return misuse("explain", "%s; for example %s", problem, PACKET_TEXT_EXAMPLE);
	if (!is_file(words[0]) && request->options.connections)
		return misuse("explain",
			      "--connections goes with a file; an attached filter judges as "
			      "it is attached");
	return is_file(words[0]) ? explain_file(words[0], &answer, request)
				 : explain_attached(words[0], &answer, request);
}

int cmd_explain(int argc, char **argv)
{
	struct request request = {.options.verb = "explain"};
	const struct option_row rows[] = {
		{"json", NULL, "one JSON object", .set = &request.json},
		{"engine", "kernel|user",
		 "FILE: the program in a test run, or its code in user space",
		 .value = &request.options.engine},
		{"profiles", "DIR", "FILE: look for profiles there first; may be given again",
		 .values = &request.options.dirs},
		{"resolve", NULL, "FILE: ask DNS for names; else a name counts as no address",
		 .set = &request.options.resolve},
		{"connections", "sockets", "FILE: by this host's sockets now, not by TCP flags",
		 .value = &request.options.connections},
	};
	const struct usage usage = {"explain",
				    "IFACE|FILE.yaml PACKET... [OPTION...]",
				    about,
				    rows,
				    sizeof(rows) / sizeof(*rows),
				    2,
				    -1};
	char **operands;
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status < 0)
		status = explain(operands, count, &request);
	free(request.options.dirs.value);
	return status;
}
