// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes that name the counters, and the text of a scrape: whole in whatever
 * pieces it is asked for, and none of it from bytes that are no series.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "stats/prometheus_text.h"
#include "stats/snapshot.h"
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
				  .n_rules = 2 * FLOWS,
				  .digest = 0xfeedull};
	for (unsigned int i = 0; i < FLOWS; i++) {
		snprintf(flow[i].profile, sizeof(flow[i].profile), "vendor-%u", i / 100);
		snprintf(flow[i].name, sizeof(flow[i].name), "flow-%u", i);
		flow[i].place.file = i < 100 ? "/p/a.yaml" : "/p/b.yaml";
		rule[2 * i] = (struct rule){.flow = i, .side = SIDE_INBOUND, .counter = 2 * i};
		rule[2 * i + 1] =
			(struct rule){.flow = i, .side = SIDE_REPLY, .counter = 2 * i + 1};
	}
	/* the same flow of another use: the same counter */
	rule[2 * FLOWS - 1] = rule[0];
}

static void test_series(void *bytes, size_t size)
{
	struct series series = {}, untouched = {};

	check_int(series_read(bytes, size, &series), 0, "series: read");
	check_int(series.head->flows, 2 * FLOWS - 1, "series: each counter once");
	check_int(series.head->profiles, 3, "series: profiles");
	check_text(series.name + series.flow[401].name, "flow-200", "series: a name");
	check_text(series.profile[series.flow[401].profile], "vendor-2", "series: its profile");
	check_int(series.flow[401].side, SIDE_REPLY, "series: its side");
	check_text(series.file, "/etc/bkxdp/eth1.yaml", "series: the interface file first");
	check_int(series.head->file_bytes, sizeof("/etc/bkxdp/eth1.yaml") + 2 * sizeof("/p/a.yaml"),
		  "series: each file once");
	check_int((long)series_changed(&series), 0, "series: no file, no time");
	for (size_t length = 0; length < size; length += length < 64 ? 1 : 997)
		check(series_read(bytes, length, &untouched) && !untouched.head,
		      "series: cut at %zu", length);
}

/* Whatever the bytes say, nothing outside them is read (the sanitizer looks). */
static void test_damage(const char *bytes, size_t size)
{
	char *copy = malloc(size);
	unsigned int taken = 0;

	srand(1);
	for (int i = 0; i < 20000 && copy; i++) {
		struct series series;

		memcpy(copy, bytes, size);
		for (int n = rand() % 3; n >= 0; n--)
			copy[rand() % (i % 2 ? sizeof(struct series_head) : size)] = rand();
		taken += !series_read(copy, size, &series) && !series_changed(&series);
	}
	free(copy);
	check(taken > 0, "series: damaged ones are read or refused (%u read)", taken);
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

/* Each with a flow of the same name: only the profile tells them apart. */
#define PROFILES 300

static void test_many_profiles(void)
{
	static struct flow of[PROFILES];
	static struct rule rule[PROFILES];
	struct policy policy = {
		.flows = of, .n_flows = PROFILES, .rules = rule, .n_rules = PROFILES};
	struct tables tables = {};
	struct series series = {};
	unsigned int wrong = 0;
	size_t size;

	for (unsigned int i = 0; i < PROFILES; i++) {
		snprintf(of[i].profile, sizeof(of[i].profile), "vendor-%u", i);
		snprintf(of[i].name, sizeof(of[i].name), "flow");
		rule[i] = (struct rule){.flow = i, .side = SIDE_REPLY, .counter = i};
	}

	AUTO_FREE void *bytes = series_write(&policy, &tables, 1, &size);

	check_int(series_read(bytes, size, &series), 0, "%d profiles: read", PROFILES);
	for (unsigned int i = 0; series.head && i < PROFILES; i++)
		wrong += strcmp(series.profile[series.flow[i].profile], of[i].profile) != 0;
	check(series.head && !wrong, "%d profiles: each flow has its own (%u not)", PROFILES,
	      wrong);
}

/* A name of the most bytes, none of which can be shown as it is. */
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
	struct tables tables = {.ipv4_prefixes = 3};
	struct reading reading = {.device = "a\"\\b", .attached = ATTACHED_UNKNOWN};
	struct scrape scrape = {.readings = &reading, .n_readings = 1, .errors = 7};
	struct policy policy;
	size_t size;
	void *bytes;

	test_many_profiles();
	make_policy(&policy);
	bytes = series_write(&policy, &tables, 1, &size);
	test_series(bytes, size);
	test_damage(bytes, size);
	if (!series_read(bytes, size, &reading.series)) {
		reading.flow = calloc(reading.series.head->flows, sizeof(*reading.flow));
		reading.flow[401].bytes = UINT64_MAX;
		reading.tally[BKXDP_DROP_PORT].packets = 3;
		reading.tally[bkxdp_tally(BKXDP_DROP_PORT, 1)].packets = 4;
		test_text(&scrape);
		test_strange_device(&scrape);
		free(reading.flow);
	}
	free(bytes);
	free(policy.rules);
	return tap_done();
}
