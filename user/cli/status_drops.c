// SPDX-License-Identifier: GPL-2.0-only
#include "cli/status_drops.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/colour.h"
#include "base/memory.h"
#include "base/printable.h"
#include "engine/engine.h"
#include "policy/reasons.h"
#include "stats/drop_report.h"
#include "stats/snapshot.h"

static bool audits(const struct snapshot *snapshot)
{
	return snapshot->reading.audits;
}

/* ---- what is in force ---------------------------------------------------------- */

/* Reads the profile from the file that its flows are from. */
static struct profile *profile_of(const struct policy *policy, const char *name)
{
	struct diagnostics ignored = {};
	struct profile *profile = NULL;

	for (size_t i = 0; i < policy->n_flows && !profile; i++)
		if (!strcmp(policy->flows[i].profile, name)) {
			profile = profile_read(policy->flows[i].place.file, &ignored);
			break;
		}
	diag_free(&ignored);
	return profile;
}

static struct drop_report *make_report(const struct policy *policy,
				       const struct drop_groups *groups)
{
	size_t uses = policy->observes ? 0 : policy->n_uses;
	AUTO_FREE struct profile **profile = must_alloc(uses, sizeof(struct profile *));
	const struct in_force now = {policy, uses ? (const struct profile *const *)profile : NULL};
	struct drop_report *report;

	for (size_t i = 0; i < uses; i++)
		profile[i] = profile_of(policy, policy->uses[i].profile);
	report = drop_report(&now, groups);
	for (size_t i = 0; i < uses; i++)
		profile_free(profile[i]);
	return report;
}

static size_t shown_of(const struct drop_report *report, size_t limit)
{
	return limit && limit < report->n_rows ? limit : report->n_rows;
}

/* Advice is in the order of the rows, so that of the last row shown tells how many are needed. */
static size_t advice_of(const struct drop_report *report, size_t shown)
{
	size_t count = 0;

	for (size_t i = 0; i < shown; i++)
		if (report->rows[i].advice >= count)
			count = report->rows[i].advice + 1;
	return count;
}

/* ---- JSON -------------------------------------------------------------------- */

/* Converts a monotonic time to wall-clock time, by how long ago it was. */
static void format_moment(uint64_t moment, uint64_t now, char text[static CLOCK_TEXT_MAX])
{
	clock_text((uint64_t)time(NULL) - (now > moment ? (now - moment) / 1000000000u : 0), text);
}

static json_t *row_json(const struct drop_row *row, uint64_t now)
{
	const struct bkxdp_group_key *key = &row->group->key;
	char source[PREFIX_TEXT_MAX], protocol[GROUP_SERVICE_MAX], first[CLOCK_TEXT_MAX],
		last[CLOCK_TEXT_MAX];
	json_t *json;

	group_source_text(key, source);
	group_protocol_text(key, protocol);
	format_moment(row->first, now, first);
	format_moment(row->last, now, last);
	json = json_pack("{ss ss* si ss sI sI ss ss si}", "reason", reason_word(key->reason),
			 "source", row->sources > 1 ? NULL : source, "sources", (int)row->sources,
			 "protocol", protocol, "packets", (json_int_t)row->packets, "bytes",
			 (json_int_t)row->bytes, "first", first, "last", last, "advice",
			 (int)row->advice + 1);
	if (row->ports > 1)
		json_object_update_new(json, json_pack("{si si si}", "ports", (int)row->ports,
						       "low", row->low, "high", row->high));
	else if (group_side_word(key))
		json_object_update_new(json, json_pack("{ss si}", "side", group_side_word(key),
						       "port", key->port));
	return json;
}

static json_t *sources_json(const struct advice *advice)
{
	json_t *list = json_array();

	for (size_t i = 0; i < advice->sources.count; i++) {
		char text[PREFIX_TEXT_MAX];

		prefix_text(&advice->sources.prefix[i], text);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *advice_json(const struct advice *advice, size_t number, const struct policy *policy)
{
	uint32_t rule = advice->subject.rule, use = advice->subject.use;
	const char *profile = rule  ? policy->flows[policy->rules[rule - 1].flow].profile
			      : use ? policy->uses[use - 1].profile
				    : NULL;
	const char *role = rule ? policy->groups[policy->rules[rule - 1].group].roles : NULL;

	return json_pack("{si ss ss* ss* ss* ss* ss* so}", "number", (int)number, "kind",
			 advice_kind_word(advice->subject.kind), "name", advice->name, "line",
			 advice->line, "sentence", advice->sentence, "profile", profile, "role",
			 role, "sources", sources_json(advice));
}

json_t *drop_report_json(const struct snapshot *snapshot, const struct drop_groups *groups,
			 size_t limit)
{
	struct drop_report *report = make_report(snapshot->policy, groups);
	json_t *rows = json_array(), *advice = json_array();
	size_t shown = shown_of(report, limit), needed = advice_of(report, shown);
	char since[CLOCK_TEXT_MAX];

	for (size_t i = 0; i < shown; i++)
		json_array_append_new(rows, row_json(&report->rows[i], groups->now));
	for (size_t i = 0; i < needed; i++)
		json_array_append_new(advice,
				      advice_json(&report->advice[i], i + 1, snapshot->policy));
	clock_text(snapshot->reading.policy.loaded, since);
	AUTO_FREE char *device = printable(snapshot->reading.device);
	json_t *json =
		json_pack("{ss ss ss so so sI sI sb}", "device", device, "enforcement",
			  audits(snapshot) ? "audit" : "enforce", "since", since, "groups", rows,
			  "advice", advice, "more", (json_int_t)(report->n_rows - shown),
			  "ungrouped", (json_int_t)groups->ungrouped, "full", groups->full);

	drop_report_free(report);
	return json;
}

/* ---- people -------------------------------------------------------------------- */

static void ago_text(uint64_t moment, uint64_t now, char text[static 16])
{
	static const struct {
		uint64_t seconds;
		const char *unit;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	uint64_t seconds = now > moment ? (now - moment) / 1000000000u : 0;
	size_t i = 0;

	while (i < 3 && seconds < 2 * units[i].seconds)
		i++;
	snprintf(text, 16, "%llu %s", (unsigned long long)(seconds / units[i].seconds) % 100000,
		 units[i].unit);
}

static void print_row(const struct drop_row *row, uint64_t now)
{
	char source[PREFIX_TEXT_MAX], service[GROUP_SERVICE_MAX], ago[16];

	group_source_text(&row->group->key, source);
	if (row->sources > 1)
		snprintf(source, sizeof(source), "%u sources", row->sources);
	group_service_text(&row->group->key, service);
	if (row->ports > 1)
		snprintf(service, sizeof(service), "%u ports, %u-%u", row->ports, row->low,
			 row->high);
	ago_text(row->last, now, ago);
	printf("  [%u]%*s %12llu %14llu %8s  %-14s %-20s %s\n", row->advice + 1,
	       row->advice < 9 ? 1 : 0, "", (unsigned long long)row->packets,
	       (unsigned long long)row->bytes, ago, reason_word(row->group->key.reason), source,
	       service);
}

static void print_rows(const struct drop_report *report, size_t shown, uint64_t now)
{
	printf("\n       %12s %14s %8s  %-14s %-20s %s\n", "PACKETS", "BYTES", "LAST", "REASON",
	       "SOURCE", "SERVICE");
	for (size_t i = 0; i < shown; i++)
		print_row(&report->rows[i], now);
	if (shown < report->n_rows)
		printf("  %zu more (--limit 0 lists all)\n", report->n_rows - shown);
}

/* The heading of each kind of advice. */
static const char *const headings[ADVICE_KINDS] = {
	[ADVICE_FLOW] = "If it is legitimate, add to flows: in the interface file",
	[ADVICE_ADDRESS] = "If it is legitimate, these are addresses for a profile in use",
	[ADVICE_ENABLE] = "If it is legitimate, these are optional flows of a profile in use",
	[ADVICE_SETTING] = "If it is legitimate, set in the interface file",
	[ADVICE_SCAN] = "Not to be let in",
	[ADVICE_NONE] = "No line helps",
};

/* A line can be pasted as it is: the rest is a comment. */
static void print_advice(const struct advice *advice, size_t number)
{
	if (advice->line && advice->sentence)
		printf("  %s  # [%zu] %s\n", advice->line, number, advice->sentence);
	else if (advice->line)
		printf("  %s  # [%zu]\n", advice->line, number);
	else
		printf("  # [%zu] %s\n", number, advice->sentence);
}

static void print_all_advice(const struct drop_report *report, size_t count)
{
	for (enum advice_kind kind = 0; kind < ADVICE_KINDS; kind++) {
		bool begun = false;

		for (size_t i = 0; i < count; i++) {
			if (report->advice[i].subject.kind != kind)
				continue;
			if (!begun)
				printf("\n%s%s:%s\n", term_colour(stdout, BOLD), headings[kind],
				       term_colour(stdout, PLAIN));
			begun = true;
			print_advice(&report->advice[i], i + 1);
		}
	}
}

static void print_heading(const struct snapshot *snapshot, size_t rows)
{
	AUTO_FREE char *device = printable(snapshot->reading.device);
	char since[CLOCK_TEXT_MAX];

	clock_text(snapshot->reading.policy.loaded, since);
	printf("%s%s%s: ", term_colour(stdout, BOLD), device, term_colour(stdout, PLAIN));
	if (audits(snapshot))
		printf("%s under this policy since it was loaded, %s\n",
		       rows ? "what enforcement would have dropped"
			    : "enforcement would have dropped nothing",
		       since);
	else if (rows)
		printf("the policy is enforced; what was dropped while somebody watched, since "
		       "%s at the earliest\n",
		       since);
	else
		printf("the policy is enforced, and drops are grouped only while somebody watches: "
		       "leave \"bkxdp top %s\" running, and ask again\n",
		       device);
}

/* If every address is a peer with nearly all ports, few drops remain to be seen. */
static void print_next_step(const struct snapshot *snapshot)
{
	if (snapshot->policy->observes)
		printf("\nThis is a first look: the data ports of some profiles are nearly all "
		       "ports and hide other traffic.\nWrite the file with verdict: audit, and "
		       "look again before you enforce it.\n");
}

static void print_lost(const struct drop_groups *groups)
{
	if (groups->full)
		printf("\nThere is room for %d kinds of drops; those without drops for the longest "
		       "time are left out.\n",
		       BKXDP_GROUPS_MAX);
	if (groups->ungrouped)
		printf("\n%llu packets since the attach are not among these, because there were "
		       "too many kinds at a time.\n",
		       (unsigned long long)groups->ungrouped);
}

void drop_report_print(const struct snapshot *snapshot, const struct drop_groups *groups,
		       size_t limit)
{
	struct drop_report *report = make_report(snapshot->policy, groups);
	size_t shown = shown_of(report, limit);

	print_heading(snapshot, report->n_rows);
	if (report->n_rows)
		print_rows(report, shown, groups->now);
	print_all_advice(report, advice_of(report, shown));
	print_lost(groups);
	print_next_step(snapshot);
	drop_report_free(report);
}
