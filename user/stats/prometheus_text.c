// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of metric families: name, kind, unit, help, and the functions that count and print the
 * samples. Every reason has a sample from the beginning, with 0. The number of labels depends on
 * the policy and never on traffic.
 */
#include "stats/prometheus_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/printable.h"
#include "engine/engine.h"
#include "policy/reasons.h"

/* ---- pieces of a line ------------------------------------------------------ */

static char *put_text(char *to, const char *text)
{
	return stpcpy(to, text);
}

static char *put_number(char *to, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = '0' + number % 10;
		number /= 10;
	} while (number);
	memcpy(to, digits + at, sizeof(digits) - at);
	return to + sizeof(digits) - at;
}

/* Escapes what would end a label: exposition_formats.md, "Comments, help text". */
static char *put_escaped(char *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	return to;
}

/* Makes what all samples of a family and interface begin with, once for thousands of them. */
static void make_head(char head[static METRICS_HEAD_MAX], const char *name,
		      const struct reading *reading)
{
	char device[PRINTABLE_DEVICE_MAX], *to = head;

	(void)printable_put(device, reading->device);
	to = put_text(put_text(to, name), "{device=\"");
	*put_text(put_escaped(to, device), "\"") = '\0';
}

/* `value` needs no escaping: it is a constant or a name of [a-z0-9-]. */
static char *put_label(char *to, const char *label, const char *value)
{
	to = put_text(put_text(put_text(to, ","), label), "=\"");
	return put_text(put_text(to, value), "\"");
}

static char *end_sample(char *to, uint64_t value)
{
	return put_text(put_number(put_text(to, "} "), value), "\n");
}

/* ---- samples of an interface: `head` is made by make_head() -------------- */

static size_t one(const struct reading *reading)
{
	(void)reading;
	return 1;
}

static char *device_info(char *to, const char *head, const struct reading *reading, size_t i)
{
	char digest[17];

	(void)i;
	snprintf(digest, sizeof(digest), "%016" PRIx64, (uint64_t)reading->policy.digest);
	to = put_text(to, head);
	to = put_label(to, "mode", reading->generic ? "generic" : "native");
	to = put_label(to, "enforcement", reading->audits ? "audit" : "enforce");
	return end_sample(put_label(to, "digest", digest), 1);
}

/* If it is not known, there is no sample. */
static size_t attached_samples(const struct reading *reading)
{
	return reading->attached != ATTACHED_UNKNOWN;
}

static char *attached(char *to, const char *head, const struct reading *reading, size_t i)
{
	(void)i;
	return end_sample(put_text(to, head), reading->attached == ATTACHED_YES);
}

static size_t tallies(const struct reading *reading)
{
	(void)reading;
	return BKXDP_TALLIES - 1;
}

static char *tally_sample(char *to, const char *head, unsigned int tally, uint64_t value)
{
	to = put_text(to, head);
	to = put_label(to, "verdict", tally_verdict_word(tally));
	return end_sample(put_label(to, "reason", reason_word(tally_reason(tally))), value);
}

static char *packets(char *to, const char *head, const struct reading *reading, size_t i)
{
	return tally_sample(to, head, i + 1, reading->tally[i + 1].packets);
}

static char *bytes(char *to, const char *head, const struct reading *reading, size_t i)
{
	return tally_sample(to, head, i + 1, reading->tally[i + 1].bytes);
}

static size_t flows(const struct reading *reading)
{
	return reading->n_flows;
}

static char *flow_sample(char *to, const char *head, const struct reading *reading, size_t i,
			 uint64_t value)
{
	const struct flow_count *flow = &reading->flows[i];

	to = put_text(to, head);
	to = put_label(to, "profile", reading_profile(reading, flow));
	to = put_label(to, "flow", reading_flow(reading, flow));
	return end_sample(put_label(to, "side", side_word(flow->side)), value);
}

static char *flow_packets(char *to, const char *head, const struct reading *reading, size_t i)
{
	return flow_sample(to, head, reading, i, reading->flows[i].sum.packets);
}

static char *flow_bytes(char *to, const char *head, const struct reading *reading, size_t i)
{
	return flow_sample(to, head, reading, i, reading->flows[i].sum.bytes);
}

static size_t families_of_addresses(const struct reading *reading)
{
	(void)reading;
	return 2;
}

static char *prefixes(char *to, const char *head, const struct reading *reading, size_t i)
{
	to = put_label(put_text(to, head), "family", i ? "ipv6" : "ipv4");
	return end_sample(to, i ? reading->policy.ipv6_prefixes : reading->policy.ipv4_prefixes);
}

static char *loaded(char *to, const char *head, const struct reading *reading, size_t i)
{
	(void)i;
	return end_sample(put_text(to, head), reading->policy.loaded);
}

static char *controls(char *to, const char *head, const struct reading *reading, size_t i)
{
	(void)i;
	return end_sample(put_text(to, head), reading->remembered);
}

static char *controls_no_room(char *to, const char *head, const struct reading *reading, size_t i)
{
	(void)i;
	return end_sample(put_text(to, head), reading->no_room);
}

static size_t changed_samples(const struct reading *reading)
{
	return reading->changed != 0;
}

/* If this is later than the time of loading, a reload is due. */
static char *changed(char *to, const char *head, const struct reading *reading, size_t i)
{
	(void)i;
	return end_sample(put_text(to, head), reading->changed);
}

/* ---- samples of the whole -------------------------------------------------- */

static char *build_info(char *to, const char *name, const struct scrape *scrape)
{
	(void)scrape;
	return put_text(put_text(to, name), "{version=\"" BKXDP_VERSION "\"} 1\n");
}

static char *scrape_errors(char *to, const char *name, const struct scrape *scrape)
{
	to = put_text(put_text(to, name), " ");
	return put_text(put_number(to, scrape->errors), "\n");
}

static char *scrape_seconds(char *to, const char *name, const struct scrape *scrape)
{
	return to + sprintf(to, "%s %.9f\n", name, scrape->seconds);
}

/* ---- families -------------------------------------------------------------- */

enum kind { GAUGE, COUNTER, INFO };

static const struct family {
	const char *name;
	enum kind kind;
	const char *unit; /* or NULL; the name contains it, too */
	const char *help;
	size_t (*samples)(const struct reading *reading);
	char *(*print)(char *to, const char *head, const struct reading *reading, size_t i);
	char *(*print_whole)(char *to, const char *name, const struct scrape *scrape);
} families[] = {
	{"bkxdp_build_info", INFO, NULL, "Version of the running bkxdp; always 1.", NULL, NULL,
	 build_info},
	{"bkxdp_device_info", INFO, NULL, "How an interface is filtered; always 1.", one,
	 device_info, NULL},
	{"bkxdp_attached", GAUGE, NULL, "Whether the filter runs on the interface.",
	 attached_samples, attached, NULL},
	{"bkxdp_packets_total", COUNTER, NULL, "Packets received, by verdict and its reason.",
	 tallies, packets, NULL},
	{"bkxdp_bytes_total", COUNTER, "bytes",
	 "Bytes of frames received, by verdict and its reason.", tallies, bytes, NULL},
	{"bkxdp_flow_packets_total", COUNTER, NULL, "Packets passed by a flow of the policy.",
	 flows, flow_packets, NULL},
	{"bkxdp_flow_bytes_total", COUNTER, "bytes",
	 "Bytes of frames passed by a flow of the policy.", flows, flow_bytes, NULL},
	{"bkxdp_control_connections", GAUGE, NULL,
	 "Control connections that are remembered and whose end was not seen.", one, controls,
	 NULL},
	{"bkxdp_control_no_room_total", COUNTER, NULL,
	 "Segments of control connections that could not be remembered, because their part of the "
	 "table was full.",
	 one, controls_no_room, NULL},
	{"bkxdp_policy_prefixes", GAUGE, NULL, "Address prefixes in the policy.",
	 families_of_addresses, prefixes, NULL},
	{"bkxdp_policy_loaded_timestamp_seconds", GAUGE, "seconds",
	 "When the policy was loaded, in seconds since 1970.", one, loaded, NULL},
	{"bkxdp_policy_file_timestamp_seconds", GAUGE, "seconds",
	 "When the newest file of the policy was last written, in seconds since 1970.",
	 changed_samples, changed, NULL},
	{"bkxdp_scrape_errors_total", COUNTER, NULL, "Interfaces that could not be read.", NULL,
	 NULL, scrape_errors},
	{"bkxdp_scrape_duration_seconds", GAUGE, "seconds", "How long reading the counters took.",
	 NULL, NULL, scrape_seconds},
};
#define FAMILIES (sizeof(families) / sizeof(*families))

/*
 * The head has the name of the samples in the older format, and that of the family in OpenMetrics.
 */
static char *text_head(char *to, const struct family *family)
{
	return to + sprintf(to, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
			    family->name, family->kind == COUNTER ? "counter" : "gauge");
}

static char *openmetrics_head(char *to, const struct family *family)
{
	static const char *const words[] = {"gauge", "counter", "info"};
	static const char *const suffixes[] = {"", "_total", "_info"};
	int length = strlen(family->name) - strlen(suffixes[family->kind]);

	to += sprintf(to, "# TYPE %.*s %s\n", length, family->name, words[family->kind]);
	if (family->unit)
		to += sprintf(to, "# UNIT %.*s %s\n", length, family->name, family->unit);
	return to + sprintf(to, "# HELP %.*s %s\n", length, family->name, family->help);
}

static void next_family(struct rendering *r)
{
	r->family++;
	r->reading = r->sample = 0;
	r->headed = false;
}

/* Writes the next lines that belong together, or nothing if there are none here. */
static char *fill_lines(struct rendering *r, char *to)
{
	const struct family *family = &families[r->family];
	const struct reading *reading;

	if (!r->headed) {
		r->headed = true;
		return r->format == METRICS_OPENMETRICS ? openmetrics_head(to, family)
							: text_head(to, family);
	}
	if (family->print_whole) {
		to = family->print_whole(to, family->name, r->scrape);
		next_family(r);
		return to;
	}
	if (r->reading == r->scrape->n_readings) {
		next_family(r);
		return to;
	}
	reading = &r->scrape->readings[r->reading];
	if (!r->sample)
		make_head(r->head, family->name, reading);
	if (r->sample < family->samples(reading))
		return family->print(to, r->head, reading, r->sample++);
	r->reading++;
	r->sample = 0;
	return to;
}

size_t metrics_fill(struct rendering *rendering, char *text, size_t room)
{
	char *to = text, *last = text + room - METRICS_LINES_MAX;

	while (rendering->family < FAMILIES && to <= last)
		to = fill_lines(rendering, to);
	if (rendering->family == FAMILIES && !rendering->ended && to <= last) {
		rendering->ended = true;
		if (rendering->format == METRICS_OPENMETRICS)
			to = put_text(to, "# EOF\n");
	}
	return to - text;
}

void metrics_print(FILE *to, const struct scrape *scrape)
{
	struct rendering rendering = {.scrape = scrape, .format = METRICS_TEXT};
	char text[16384];
	size_t length;

	while ((length = metrics_fill(&rendering, text, sizeof(text))))
		fwrite(text, 1, length, to);
}
