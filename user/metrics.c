// SPDX-License-Identifier: GPL-2.0-only
/*
 * One function a family, one row a family: name, type, help and the function
 * that prints its samples. Every reason is there from the start, with 0; labels
 * are bounded by the policy, never by traffic.
 */
#include "metrics.h"

#include <inttypes.h>

#include "engine.h"

/* Interface names may hold what ends a label: exposition_formats.md, "Comments, help text". */
#define DEVICE_MAX (2 * IF_NAMESIZE)
static const char *label(const char *device, char text[static DEVICE_MAX])
{
	char *to = text;

	for (; *device; device++) {
		if (*device == '"' || *device == '\\')
			*to++ = '\\';
		*to++ = *device;
	}
	*to = '\0';
	return text;
}

#define SAMPLE(to, format, ...) fprintf(to, format "\n", __VA_ARGS__)

static void build_info(FILE *to, const struct scrape *scrape)
{
	(void)scrape;
	SAMPLE(to, "bkxdp_build_info{version=\"%s\"} 1", BKXDP_VERSION);
}

static void device_info(FILE *to, const struct scrape *scrape)
{
	for (size_t i = 0; i < scrape->snapshots; i++) {
		const struct snapshot *s = scrape->snapshot[i];

		SAMPLE(to,
		       "bkxdp_device_info{device=\"%s\",mode=\"%s\",enforcement=\"%s\",digest=\"%"
		       "016" PRIx64 "\"} 1",
		       label(s->device, (char[DEVICE_MAX]){}), s->generic ? "generic" : "native",
		       s->policy->settings.enforcement == BKXDP_AUDIT ? "audit" : "enforce",
		       s->policy->digest);
	}
}

static void attached(FILE *to, const struct scrape *scrape)
{
	for (size_t i = 0; i < scrape->snapshots; i++)
		if (!scrape->snapshot[i]->elsewhere)
			SAMPLE(to, "bkxdp_attached{device=\"%s\"} %d",
			       label(scrape->snapshot[i]->device, (char[DEVICE_MAX]){}),
			       scrape->snapshot[i]->attached);
}

static void by_reason(FILE *to, const struct scrape *scrape, const char *family,
		      uint64_t (*value)(const struct bkxdp_counter *))
{
	for (size_t i = 0; i < scrape->snapshots; i++)
		for (unsigned int r = 1; r < BKXDP_REASON_COUNT; r++)
			SAMPLE(to, "%s{device=\"%s\",verdict=\"%s\",reason=\"%s\"} %" PRIu64,
			       family, label(scrape->snapshot[i]->device, (char[DEVICE_MAX]){}),
			       bkxdp_reason_passes(r) ? "pass" : "drop", reason_word(r),
			       value(&scrape->snapshot[i]->reason[r]));
}

static void by_flow(FILE *to, const struct scrape *scrape, const char *family,
		    uint64_t (*value)(const struct bkxdp_counter *))
{
	for (size_t i = 0; i < scrape->snapshots; i++) {
		const struct snapshot *s = scrape->snapshot[i];

		for (size_t f = 0; f < s->flows; f++)
			SAMPLE(to,
			       "%s{device=\"%s\",profile=\"%s\",flow=\"%s\",side=\"%s\"} %" PRIu64,
			       family, label(s->device, (char[DEVICE_MAX]){}),
			       s->flow[f].flow->profile, s->flow[f].flow->name,
			       side_word(s->flow[f].side), value(&s->flow[f].sum));
	}
}

static uint64_t packets_of(const struct bkxdp_counter *counter)
{
	return counter->packets;
}

static uint64_t bytes_of(const struct bkxdp_counter *counter)
{
	return counter->bytes;
}

static void packets(FILE *to, const struct scrape *scrape)
{
	by_reason(to, scrape, "bkxdp_packets_total", packets_of);
}

static void bytes(FILE *to, const struct scrape *scrape)
{
	by_reason(to, scrape, "bkxdp_bytes_total", bytes_of);
}

static void flow_packets(FILE *to, const struct scrape *scrape)
{
	by_flow(to, scrape, "bkxdp_flow_packets_total", packets_of);
}

static void flow_bytes(FILE *to, const struct scrape *scrape)
{
	by_flow(to, scrape, "bkxdp_flow_bytes_total", bytes_of);
}

static void prefixes(FILE *to, const struct scrape *scrape)
{
	for (size_t i = 0; i < scrape->snapshots; i++) {
		const struct snapshot *s = scrape->snapshot[i];

		SAMPLE(to, "bkxdp_policy_prefixes{device=\"%s\",family=\"ipv4\"} %zu",
		       label(s->device, (char[DEVICE_MAX]){}), s->ipv4_prefixes);
		SAMPLE(to, "bkxdp_policy_prefixes{device=\"%s\",family=\"ipv6\"} %zu",
		       label(s->device, (char[DEVICE_MAX]){}), s->ipv6_prefixes);
	}
}

static void loaded(FILE *to, const struct scrape *scrape)
{
	for (size_t i = 0; i < scrape->snapshots; i++)
		SAMPLE(to, "bkxdp_policy_loaded_timestamp_seconds{device=\"%s\"} %" PRIu64,
		       label(scrape->snapshot[i]->device, (char[DEVICE_MAX]){}),
		       scrape->snapshot[i]->loaded);
}

/* Compared with the time of loading it tells whether a reload is due. */
static void changed(FILE *to, const struct scrape *scrape)
{
	for (size_t i = 0; i < scrape->snapshots; i++)
		if (scrape->snapshot[i]->changed)
			SAMPLE(to, "bkxdp_policy_file_timestamp_seconds{device=\"%s\"} %" PRIu64,
			       label(scrape->snapshot[i]->device, (char[DEVICE_MAX]){}),
			       scrape->snapshot[i]->changed);
}

static void scrape_errors(FILE *to, const struct scrape *scrape)
{
	SAMPLE(to, "bkxdp_scrape_errors_total %" PRIu64, scrape->errors);
}

static void scrape_seconds(FILE *to, const struct scrape *scrape)
{
	SAMPLE(to, "bkxdp_scrape_duration_seconds %.9g", scrape->seconds);
}

static const struct family {
	const char *name, *type, *help;
	void (*print)(FILE *to, const struct scrape *scrape);
} families[] = {
	{"bkxdp_build_info", "gauge", "Version of bkxdp that answers; always 1.", build_info},
	{"bkxdp_device_info", "gauge", "How an interface is filtered; always 1.", device_info},
	{"bkxdp_attached", "gauge", "Whether the filter runs on the interface.", attached},
	{"bkxdp_packets_total", "counter", "Packets received, by verdict and its reason.", packets},
	{"bkxdp_bytes_total", "counter", "Bytes of frames received, by verdict and its reason.",
	 bytes},
	{"bkxdp_flow_packets_total", "counter", "Packets passed by a flow of the policy.",
	 flow_packets},
	{"bkxdp_flow_bytes_total", "counter", "Bytes of frames passed by a flow of the policy.",
	 flow_bytes},
	{"bkxdp_policy_prefixes", "gauge", "Address prefixes in the policy.", prefixes},
	{"bkxdp_policy_loaded_timestamp_seconds", "gauge",
	 "When the policy was loaded, in seconds since 1970.", loaded},
	{"bkxdp_policy_file_timestamp_seconds", "gauge",
	 "When the newest file of the policy was last written, in seconds since 1970.", changed},
	{"bkxdp_scrape_errors_total", "counter", "Interfaces that could not be read.",
	 scrape_errors},
	{"bkxdp_scrape_duration_seconds", "gauge", "How long reading the counters took.",
	 scrape_seconds},
};

void metrics_print(FILE *to, const struct scrape *scrape)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", families[i].name, families[i].help,
			families[i].name, families[i].type);
		families[i].print(to, scrape);
	}
}
