// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a scrape tells: flows by the names of their counters, the files of a policy, and
 * the text, which is whole in whatever pieces it is asked for.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "config/source_files.h"
#include "stats/prometheus_text.h"
#include "stats/reading.h"
#include "tap.h"

#define FLOWS 300

static struct flow flow[FLOWS];

static void make_policy(struct policy *policy)
{
	struct rule *rule = must_alloc(2 * FLOWS, sizeof(*rule));

	*policy = (struct policy){.file = (char *)"/etc/bkxdp/eth1.yaml",
				  .flows = flow,
				  .n_flows = FLOWS,
				  .rules = rule,
				  .n_rules = 2 * FLOWS};
	for (unsigned int i = 0; i < FLOWS; i++) {
		snprintf(flow[i].profile, sizeof(flow[i].profile), "vendor-%u", i / 100);
		snprintf(flow[i].name, sizeof(flow[i].name), "flow-%u", i);
		flow[i].place.file = i < 100 ? "/p/a.yaml" : "/p/b.yaml";
		rule[2 * i] = (struct rule){.flow = i, .side = SIDE_INBOUND};
		rule[2 * i + 1] = (struct rule){.flow = i, .side = SIDE_REPLY};
	}
	/* the same flow in another use has the same counter */
	rule[2 * FLOWS - 1] = rule[0];
}

/* The flows of the policy, as the names of its counters tell them. */
static void read_policy(struct policy *policy, struct reading *reading)
{
	AUTO_FREE struct counter_names *names = must_alloc(1, sizeof(*names));
	AUTO_FREE uint16_t *counters = NULL;
	size_t n_counters = 0;

	check_int(counters_assign(policy, names, NULL), 0, "names: assigned");
	counters_place(names, policy, 1);
	check_int(counters_placed(names, 1, &counters, &n_counters), 0, "names: read");
	reading_name_flows(reading, names, counters, n_counters);
}

static void test_names(const struct reading *reading)
{
	unsigned int profiles = 1;

	check_int(reading->n_flows, 2 * FLOWS - 1, "names: each counter once");
	for (size_t i = 1; i < reading->n_flows; i++)
		profiles += reading->flows[i].profile != reading->flows[i - 1].profile;
	check_int(profiles, 3, "names: each profile once");
	check_text(reading_flow(reading, &reading->flows[401]), "flow-200", "names: a name");
	check_text(reading_profile(reading, &reading->flows[401]), "vendor-2",
		   "names: its profile");
	check_int(reading->flows[401].side, SIDE_REPLY, "names: its side");
}

static void test_files(const struct policy *policy)
{
	size_t size;
	AUTO_FREE char *files = source_files(policy, &size);
	const struct policy without = {.flows = flow, .n_flows = FLOWS};

	check_text(files, "/etc/bkxdp/eth1.yaml", "files: the interface file first");
	check_int(size, sizeof("/etc/bkxdp/eth1.yaml") + 2 * sizeof("/p/a.yaml") + 1,
		  "files: each once, and the end");
	check_int((long)source_files_changed(files), 0, "files: no file, no time");
	free(files);
	files = source_files(&without, &size);
	check(size == 1 && !*files, "files: none where there is no interface file");
	check_int((long)source_files_changed(files), 0, "files: nor a time");
}

static char *whole_text(const struct scrape *scrape, enum metrics_format format, size_t room)
{
	struct rendering rendering = {.scrape = scrape, .format = format};
	char *text = calloc(1, 1 << 20), *to = text;
	size_t length;

	while ((length = metrics_fill(&rendering, to, room)))
		to += length;
	return text;
}

static void test_text(struct scrape *scrape)
{
	char *text = whole_text(scrape, METRICS_TEXT, METRICS_LINES_MAX);
	char *large = whole_text(scrape, METRICS_TEXT, 1 << 19);
	char *open = whole_text(scrape, METRICS_OPENMETRICS, 700);

	check(!strcmp(text, large), "text: the same in small pieces and in large ones");
	check_has(text, "# HELP bkxdp_flow_bytes_total ", "text: help");
	check_has(text, "# TYPE bkxdp_flow_bytes_total counter\n", "text: type");
	check_has(text,
		  "bkxdp_flow_bytes_total{device=\"a\\\"\\\\b\",profile=\"vendor-2\",flow=\"flow-"
		  "200\","
		  "side=\"reply\"} 18446744073709551615\n",
		  "text: a sample, escaped, of the largest number");
	check_has(text,
		  "bkxdp_device_info{device=\"a\\\"\\\\b\",mode=\"native\",enforcement="
		  "\"enforce\",digest=\"000000000000feed\"} 1\n",
		  "text: the device");
	check_has(text,
		  "bkxdp_packets_total{device=\"a\\\"\\\\b\",verdict=\"drop\",reason=\"port\"} 3\n",
		  "text: drops");
	check_has(text,
		  "bkxdp_packets_total{device=\"a\\\"\\\\b\",verdict=\"would_drop\",reason="
		  "\"port\"} 4\n",
		  "text: what would be dropped, apart");
	check_has(text, "bkxdp_control_connections{device=\"a\\\"\\\\b\"} 65\n",
		  "text: control connections");
	check_has(text, "bkxdp_control_no_room_total{device=\"a\\\"\\\\b\"} 66\n",
		  "text: those without room");
	check(!strstr(text, "bkxdp_attached{"), "text: what is unknown is absent");
	check(!strstr(text, "EOF"), "text: no mark at the end");
	check_has(text, "bkxdp_scrape_errors_total 7\n", "text: errors");
	check_has(open,
		  "# TYPE bkxdp_flow_bytes counter\n# UNIT bkxdp_flow_bytes bytes\n# HELP "
		  "bkxdp_flow_bytes ",
		  "open: the family's name, with its unit");
	check_has(open, "# TYPE bkxdp_build info\n", "open: an info");
	check_has(open, "\nbkxdp_build_info{version=", "open: its sample");
	check(strlen(open) > 6 && !strcmp(open + strlen(open) - 6, "# EOF\n"), "open: the mark");
	free(text);
	free(large);
	free(open);
}

/* Each has a flow of the same name, so only the profile tells them apart. */
#define PROFILES 300

static void test_many_profiles(void)
{
	static struct flow of[PROFILES];
	static struct rule rule[PROFILES];
	struct policy policy = {
		.flows = of, .n_flows = PROFILES, .rules = rule, .n_rules = PROFILES};
	struct reading reading = {};
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < PROFILES; i++) {
		snprintf(of[i].profile, sizeof(of[i].profile), "vendor-%u", i);
		snprintf(of[i].name, sizeof(of[i].name), "flow");
		rule[i] = (struct rule){.flow = i, .side = SIDE_REPLY};
	}
	read_policy(&policy, &reading);
	check_int(reading.n_flows, PROFILES, "%d profiles: read", PROFILES);
	for (size_t i = 0; i < reading.n_flows; i++)
		wrong += strcmp(reading_profile(&reading, &reading.flows[i]), of[i].profile) != 0;
	check(!wrong, "%d profiles: each flow has its own (%u not)", PROFILES, wrong);
	reading_free(&reading);
}

/* The longest name, of bytes that can't be shown as they are. */
static void test_strange_device(struct scrape *scrape)
{
	memset(scrape->readings->device, 0xff, IF_NAMESIZE - 1);
	strcpy(scrape->readings->device, "e\033\\\xff");

	char *text = whole_text(scrape, METRICS_TEXT, METRICS_LINES_MAX);

	check_has(text, "bkxdp_policy_prefixes{device=\"e\\\\x1b\\\\\\\\xff\",family=\"ipv4\"} 3\n",
		  "text: a name that is no text");
	free(text);
	memset(scrape->readings->device, 0xff, IF_NAMESIZE - 1);
	text = whole_text(scrape, METRICS_OPENMETRICS, METRICS_LINES_MAX);
	check(strlen(text) > 6 && !strchr(text, 0xff), "text: the longest such name");
	free(text);
}

int main(void)
{
	struct reading reading = {.device = "a\"\\b",
				  .attached = ATTACHED_UNKNOWN,
				  .policy = {.digest = 0xfeedull, .ipv4_prefixes = 3}};
	struct scrape scrape = {.readings = &reading, .n_readings = 1, .errors = 7};
	struct policy policy;

	test_many_profiles();
	make_policy(&policy);
	read_policy(&policy, &reading);
	test_names(&reading);
	test_files(&policy);
	reading.flows[401].sum.bytes = UINT64_MAX;
	reading.remembered = 65;
	reading.no_room = 66;
	reading.tally[BKXDP_DROP_PORT].packets = 3;
	reading.tally[bkxdp_tally(BKXDP_DROP_PORT, 1)].packets = 4;
	test_text(&scrape);
	test_strange_device(&scrape);
	reading_free(&reading);
	free(policy.rules);
	return tap_done();
}
