// SPDX-License-Identifier: GPL-2.0-only
/* status: the state of an interface in the kernel, for people and as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/colour.h"
#include "base/exit.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/printable.h"
#include "base/strv.h"
#include "cli/cmd.h"
#include "cli/status_drops.h"
#include "config/site.h"
#include "datapath/datapath.h"
#include "policy/reasons.h"
#include "stats/control_words.h"
#include "stats/snapshot.h"

static const char *enforcement_word(const struct snapshot *s)
{
	return s->reading.audits ? "audit" : "enforce";
}

/* ---- JSON ------------------------------------------------------------------- */

static json_t *reasons_json(const struct reading *reading)
{
	json_t *list = json_array();

	for (unsigned int t = 1; t < BKXDP_TALLIES; t++)
		json_array_append_new(
			list, json_pack("{ss ss sI sI}", "reason", reason_word(tally_reason(t)),
					"verdict", tally_verdict_word(t), "packets",
					(json_int_t)reading->tally[t].packets, "bytes",
					(json_int_t)reading->tally[t].bytes));
	return list;
}

static json_t *flows_json(const struct reading *reading)
{
	json_t *list = json_array();

	for (size_t i = 0; i < reading->n_flows; i++) {
		const struct flow_count *flow = &reading->flows[i];

		json_array_append_new(list, json_pack("{ss ss ss sI sI}", "profile",
						      reading_profile(reading, flow), "flow",
						      reading_flow(reading, flow), "side",
						      side_word(flow->side), "packets",
						      (json_int_t)flow->sum.packets, "bytes",
						      (json_int_t)flow->sum.bytes));
	}
	return list;
}

static json_t *uses_json(const struct policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy->n_uses; i++)
		json_array_append_new(
			list, json_pack("{ss ss ss*}", "profile", policy->uses[i].profile, "role",
					policy->uses[i].role, "level", policy->uses[i].level));
	return list;
}

static json_t *words_json(char *const *word, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(word[i]));
	return list;
}

static json_t *controls_json(const struct snapshot *s)
{
	json_t *list = s->controls_error ? json_null() : json_array();

	for (size_t i = 0; i < s->n_controls; i++) {
		const struct control_seen *seen = &s->controls[i];
		char peer[PREFIX_TEXT_MAX];

		control_peer_text(seen->peer, peer);
		json_array_append_new(
			list,
			json_pack("{ss ss ss si si sb so*}", "profile", seen->flow->profile, "flow",
				  seen->flow->name, "peer", peer, "peer_port",
				  seen->connection.peer_port, "port", seen->connection.port, "live",
				  seen->live, "seconds",
				  seen->timed ? json_integer((json_int_t)seen->seconds) : NULL));
	}
	return list;
}

static json_t *snapshot_json(const struct snapshot *s)
{
	AUTO_FREE char *device = printable(s->reading.device);
	char since[CLOCK_TEXT_MAX], loaded[CLOCK_TEXT_MAX], digest[17];

	clock_text(s->since, since);
	clock_text(s->reading.policy.loaded, loaded);
	snprintf(digest, sizeof(digest), "%016" PRIx64, (uint64_t)s->reading.policy.digest);
	return json_pack(
		"{ss sb ss sb sb ss ss sb ss ss ss si si so ss* so s{sI sI} so so so so sb "
		"s{sI sI}}",
		"device", device, "attached", s->reading.attached == ATTACHED_YES, "mode",
		s->reading.generic ? "generic" : "native", "frags", s->frags, "alone", s->alone,
		"enforcement", enforcement_word(s), "connections",
		connections_word(s->policy->settings.connections), "observes", s->policy->observes,
		"digest", digest, "since", since, "loaded", loaded, "generation",
		(int)s->reading.policy.generation, "program_id", (int)s->program, "beside",
		words_json(s->others, s->n_others), "file", s->policy->file, "uses",
		uses_json(s->policy), "prefixes", "ipv4",
		(json_int_t)s->reading.policy.ipv4_prefixes, "ipv6",
		(json_int_t)s->reading.policy.ipv6_prefixes, "notes",
		words_json(s->policy->notes, s->policy->n_notes), "reasons",
		reasons_json(&s->reading), "flows", flows_json(&s->reading), "controls",
		controls_json(s), "controls_untold", !s->told, "control_table", "remembered",
		(json_int_t)s->reading.remembered, "no_room", (json_int_t)s->reading.no_room);
}

static void print_json(json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(json);
}

/* ---- people ----------------------------------------------------------------- */

/* The command that attaches it as it was: by the interface's own file, another one, or options. */
static char *attach_again(const struct snapshot *s)
{
	AUTO_FREE char *now = printable(s->name_now);
	AUTO_FREE char *file = printable(s->policy->file ? s->policy->file : "");
	AUTO_FREE char *own = site_path(s->name_now);
	AUTO_FREE char *shown = printable(own);

	if (!s->policy->file)
		return must_format("\"bkxdp attach %s\"%s", now,
				   s->policy->observes ? "" : " with the same options");
	if (strcmp(s->reading.device, s->name_now) != 0)
		return must_format("\"bkxdp attach %s\", with %s written for it from %s,", now,
				   shown, file);
	if (!strcmp(s->policy->file, own))
		return must_format("\"bkxdp attach %s\"", now);
	return must_format("\"bkxdp attach %s --config %s\"", now, file);
}

static void print_unattached(const struct snapshot *s)
{
	AUTO_FREE char *device = printable(s->reading.device), *again = attach_again(s);

	printf("%snot attached%s: ", term_colour(stdout, RED), term_colour(stdout, PLAIN));
	if (*s->name_now)
		printf("the program was taken off, so everything passes; %s attaches it again",
		       again);
	else
		printf("the interface is gone, only the filter's counters are left");
	printf("; \"bkxdp detach %s\" clears %s\n", device, *s->name_now ? "what is left" : "them");
}

static void print_attachment(const struct snapshot *s)
{
	AUTO_FREE char *device = printable(s->reading.device), *now = printable(s->name_now);
	char since[CLOCK_TEXT_MAX];

	clock_text(s->since, since);
	printf("%s%s%s: ", term_colour(stdout, BOLD), device, term_colour(stdout, PLAIN));
	if (s->reading.attached == ATTACHED_UNKNOWN) {
		puts("in another network namespace: whether it is attached can be seen only there");
		return;
	}
	if (s->reading.attached == ATTACHED_NO) {
		print_unattached(s);
		return;
	}
	if (strcmp(s->reading.device, s->name_now) != 0)
		printf("renamed to %s, ", now);
	printf("attached in %s mode since %s%s", s->reading.generic ? "generic" : "driver", since,
	       s->frags ? ", takes jumbo frames" : "");
	if (s->alone)
		printf(", no other XDP program can join");
	for (size_t i = 0; i < s->n_others; i++)
		printf("%s%s", i ? ", " : ", beside ", s->others[i]);
	putchar('\n');
}

static void print_policy(const struct snapshot *s)
{
	AUTO_FREE char *file = printable(s->policy->file ? s->policy->file : "");
	char loaded[CLOCK_TEXT_MAX];

	clock_text(s->reading.policy.loaded, loaded);
	printf("  policy %016" PRIx64 " loaded %s from %s, %s%s%s\n",
	       (uint64_t)s->reading.policy.digest, loaded,
	       s->policy->file       ? file
	       : s->policy->observes ? "no file (observing)"
				     : "options",
	       term_colour(stdout, s->reading.audits ? YELLOW : GREEN),
	       s->reading.audits ? "audit: nothing is dropped" : "enforce",
	       term_colour(stdout, PLAIN));
	if (!s->policy->observes)
		for (size_t i = 0; i < s->policy->n_uses; i++)
			printf("  %s as %s%s%s\n", s->policy->uses[i].profile,
			       s->policy->uses[i].role, s->policy->uses[i].level ? ", level " : "",
			       s->policy->uses[i].level ? s->policy->uses[i].level : "");
	printf("  prefixes: IPv4 %u, IPv6 %u; answers are checked by %s\n",
	       s->reading.policy.ipv4_prefixes, s->reading.policy.ipv6_prefixes,
	       connections_word(s->policy->settings.connections));
}

static void print_flows(const struct reading *reading, bool all)
{
	size_t silent = 0;

	printf("\n  %-8s %-44s %14s %18s\n", "SIDE", "FLOW", "PACKETS", "BYTES");
	for (size_t i = 0; i < reading->n_flows; i++) {
		const struct flow_count *flow = &reading->flows[i];
		AUTO_FREE char *name = must_format("%s/%s", reading_profile(reading, flow),
						   reading_flow(reading, flow));

		if (!flow->sum.packets && !all) {
			silent++;
			continue;
		}
		printf("  %-8s %-44s %14llu %18llu\n", side_word(flow->side), name,
		       (unsigned long long)flow->sum.packets, (unsigned long long)flow->sum.bytes);
	}
	if (silent)
		printf("  %zu more without a packet (--all lists them)\n", silent);
}

static void print_reasons(const struct reading *reading, bool all)
{
	static const enum colour colours[] = {
		[TALLY_PASS] = GREEN, [TALLY_DROP] = RED, [TALLY_WOULD_DROP] = YELLOW};

	printf("\n  %-10s %-15s %14s %18s\n", "VERDICT", "REASON", "PACKETS", "BYTES");
	for (unsigned int t = 1; t < BKXDP_TALLIES; t++) {
		enum bkxdp_reason reason = tally_reason(t);

		if (!reading->tally[t].packets && !all)
			continue;
		printf("  %s%-10s%s %-15s %14llu %18llu  %s\n",
		       term_colour(stdout, colours[tally_verdict(t)]), tally_verdict_text(t),
		       term_colour(stdout, PLAIN), reason_word(reason),
		       (unsigned long long)reading->tally[t].packets,
		       (unsigned long long)reading->tally[t].bytes, reason_meaning(reason));
	}
}

#define CONTROLS_SHOWN 20 /* without --all */

/* Returns how many are live. */
static size_t print_live_controls(const struct snapshot *s, bool all)
{
	size_t live = 0;

	for (size_t i = 0; i < s->n_controls; i++) {
		if (!s->controls[i].live || (++live > CONTROLS_SHOWN && !all))
			continue;
		AUTO_FREE char *text = control_text(&s->controls[i]);

		printf("  live     %s\n", text);
	}
	if (live > CONTROLS_SHOWN && !all)
		printf("  %zu more are live (--all lists them)\n", live - CONTROLS_SHOWN);
	return live;
}

static void print_control_trouble(const struct snapshot *s)
{
	if (s->controls_error)
		printf("  can't be listed, because the socket table can't be read (%s)\n",
		       strerror(-s->controls_error));
	if (s->told < 0)
		printf("  it can't be told whether new ones are seen (%s)\n", strerror(-s->told));
	if (!s->told)
		printf("  new ones are not seen: the program bkxdp_memory was taken from the root "
		       "of cgroup v2; \"bkxdp reload %s\" puts it back\n",
		       s->reading.device);
}

static void print_controls(const struct snapshot *s, bool all)
{
	size_t live, ended;

	if (!policy_requires_any(s->policy))
		return;
	printf("\n  CONTROL CONNECTIONS\n");
	print_control_trouble(s);
	live = print_live_controls(s, all);
	ended = s->n_controls - live;
	if (ended)
		printf("  %s%zu remembered that ended\n", live ? "" : "none live; ", ended);
	else if (!live && !s->controls_error)
		printf("  none live\n");
	if (s->reading.no_room)
		printf("  %s%" PRIu64
		       " segments of others since the attach found no room, so their "
		       "peers' data was dropped%s\n",
		       term_colour(stdout, YELLOW), s->reading.no_room, term_colour(stdout, PLAIN));
}

static void point_to_would_drop(const struct snapshot *s)
{
	bool any = false;

	for (unsigned int t = BKXDP_REASON_COUNT; t < BKXDP_TALLIES; t++)
		any = any || s->reading.tally[t].packets;
	if (any && s->reading.audits)
		printf("\n  \"bkxdp status %s --would-drop\" lists what would be dropped, and the "
		       "lines that let it in\n",
		       s->reading.device);
}

static void print_snapshot(const struct snapshot *s, bool all)
{
	print_attachment(s);
	print_policy(s);
	print_flows(&s->reading, all);
	print_reasons(&s->reading, all);
	print_controls(s, all);
	point_to_would_drop(s);
}

/* ---- the verb --------------------------------------------------------------- */

#define LIMIT_DEFAULT 20

struct request {
	bool json, all, would_drop;
	uint64_t limit; /* most rows of --would-drop; 0: no limit */
};

static int read_groups(const struct snapshot *snapshot, struct drop_groups *groups,
		       struct diagnostics *diag)
{
	int error = datapath_groups(snapshot->reading.device, groups);

	if (error)
		diag_at(diag, NULL, "the drops of %s can't be read: %s", snapshot->reading.device,
			strerror(-error));
	return error;
}

/*
 * Prints the state of one interface, or returns it as JSON for the caller to print; NULL on
 * failure.
 */
static json_t *answer(const struct snapshot *snapshot, const struct request *request,
		      struct diagnostics *diag)
{
	struct drop_groups groups = {};
	json_t *json = NULL;

	if (!request->would_drop) {
		if (request->json)
			return snapshot_json(snapshot);
		print_snapshot(snapshot, request->all);
		return NULL;
	}
	if (read_groups(snapshot, &groups, diag))
		return NULL;
	if (request->json)
		json = drop_report_json(snapshot, &groups, request->limit);
	else
		drop_report_print(snapshot, &groups, request->limit);
	groups_free(&groups);
	return json;
}

static int status_of_one(const char *interface, const struct request *request)
{
	struct diagnostics diag = {};
	char pinned[IF_NAMESIZE];
	struct snapshot *snapshot = datapath_snapshot(datapath_pinned_as(interface, pinned), &diag);
	json_t *json = snapshot ? answer(snapshot, request, &diag) : NULL;

	if (json)
		print_json(json);
	snapshot_free(snapshot);
	return exit_with(&diag);
}

static int status_of_all(const struct request *request)
{
	struct diagnostics diag = {};
	json_t *list = json_array();
	char **interface;
	size_t count;

	if (!datapath_interfaces(&interface, &count, &diag) && !count && !request->json)
		puts("no interface is filtered; \"bkxdp attach IFACE\" attaches one");
	for (size_t i = 0; i < count; i++) {
		struct snapshot *snapshot = datapath_snapshot(interface[i], &diag);
		json_t *json = snapshot ? answer(snapshot, request, &diag) : NULL;

		if (json)
			json_array_append_new(list, json);
		snapshot_free(snapshot);
	}
	strv_free(interface, count);
	if (request->json)
		print_json(list);
	else
		json_decref(list);
	return exit_with(&diag);
}

int cmd_status(int argc, char **argv)
{
	struct request request = {.limit = LIMIT_DEFAULT};
	static const struct number_range limits = {"status", "limit", 0, BKXDP_GROUPS_MAX};
	const char *limit = NULL;
	const struct option_row rows[] = {
		{"json", NULL, "for programs", .set = &request.json},
		{"all", NULL, "also flows and reasons without a packet", .set = &request.all},
		{"would-drop", NULL, "what enforcement would drop, and lines that let it in",
		 .set = &request.would_drop},
		{"limit", "N", "with --would-drop: list this many, 0: all (20)", .value = &limit},
	};
	const struct usage usage = {"status",
				    "[IFACE] [OPTION...]",
				    "Shows how an interface (or each) is filtered, and its "
				    "counters by flow and reason.\n",
				    rows,
				    sizeof(rows) / sizeof(*rows),
				    0,
				    1};
	char **operands;
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status >= 0)
		return status;
	if (limit && !request.would_drop)
		return misuse("status", "--limit goes with --would-drop");
	status = arguments_number(&limits, limit, &request.limit);
	if (status)
		return status;
	return count ? status_of_one(operands[0], &request) : status_of_all(&request);
}
