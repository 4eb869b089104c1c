// SPDX-License-Identifier: GPL-2.0-only
#include "cli/drop_print.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <time.h>

#include "base/colour.h"
#include "base/memory.h"
#include "base/printable.h"
#include "cli/flow_json.h"
#include "engine/engine.h"
#include "packet/packet_text.h"
#include "policy/reasons.h"

#define NS_PER_S    1000000000u
#define REASON_WIDE 14 /* width of the longest word, "source-invalid" */

void drop_read(struct drop *drop, const struct bkxdp_event *event, const struct policy *policy)
{
	const struct packet_summary *summary = &drop->packet_summary;

	drop->event = event;
	drop->policy = policy;
	packet_summary_read(event->frame, event->captured, event->length, &drop->packet_summary);
	/* a flow is found by addresses and ports, so both must be known */
	drop->has_nearest = policy && summary->has_addresses && summary->has_ports &&
			    nearest_find(policy, &summary->packet, event->reason, &drop->nearest);
	if (drop->has_nearest)
		drop->nearest_text =
			nearest_text(policy, &summary->packet, event->reason, &drop->nearest);
}

void drop_free(struct drop *drop)
{
	free(drop->nearest_text);
	drop->nearest_text = NULL;
}

/* ---- for people ------------------------------------------------------------- */

static unsigned int tally_of(const struct drop *drop)
{
	return bkxdp_tally(drop->event->reason, drop->event->audit);
}

/*
 * Red: the packet is malformed, or the filter failed. Yellow: a peer wanted something, so the
 * policy may be wrong. The rest is the usual noise of a network.
 */
static enum colour colour_of(enum bkxdp_reason reason)
{
	switch (reason) {
	case BKXDP_DROP_MALFORMED:
	case BKXDP_DROP_EXTENSION:
	case BKXDP_DROP_SOURCE_INVALID:
	case BKXDP_DROP_TCP_FLAGS:
	case BKXDP_DROP_INTERNAL:
		return RED;
	case BKXDP_DROP_CONTROL:
	case BKXDP_DROP_CONNECTION:
	case BKXDP_DROP_PORT:
		return YELLOW;
	default:
		return PLAIN;
	}
}

static void print_time(FILE *out, uint64_t time)
{
	time_t seconds = (time_t)(time / NS_PER_S);
	char text[16];
	struct tm broken;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&seconds, &broken));
	fprintf(out, "%s.%06" PRIu64, text, time % NS_PER_S / 1000);
}

void drop_print(FILE *out, const struct drop *drop)
{
	enum bkxdp_reason reason = drop->event->reason;
	AUTO_FREE char *text = packet_summary_text(&drop->packet_summary);

	print_time(out, drop->time);
	fprintf(out, " %s %s%-*s%s %s", tally_verdict_text(tally_of(drop)),
		term_colour(out, colour_of(reason)), REASON_WIDE, reason_word(reason),
		term_colour(out, PLAIN), text);
	if (drop->has_nearest)
		fprintf(out, " (nearest: %s)", drop->nearest_text);
	fputc('\n', out);
}

char *drop_comment(const struct drop *drop)
{
	enum bkxdp_reason reason = drop->event->reason;

	return must_format("%s %s: %s%s%s", tally_verdict_text(tally_of(drop)), reason_word(reason),
			   reason_meaning(reason), drop->has_nearest ? "; nearest: " : "",
			   drop->has_nearest ? drop->nearest_text : "");
}

/* ---- for programs ----------------------------------------------------------- */

static json_t *time_json(uint64_t time)
{
	time_t seconds = (time_t)(time / NS_PER_S);
	char text[32];
	struct tm broken;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &broken));
	return json_sprintf("%s.%09" PRIu64 "Z", text, time % NS_PER_S);
}

static json_t *end_json(const struct packet_summary *summary, const uint32_t address[static 4],
			uint16_t port)
{
	char text[PACKET_ADDRESS_TEXT_MAX];
	json_t *end;

	packet_address_text(&summary->packet, address, text);
	end = json_pack("{ss}", "address", text);
	if (summary->has_ports)
		json_object_set_new(end, "port", json_integer(port));
	return end;
}

static json_t *protocol_json(uint8_t protocol)
{
	const char *word = packet_protocol_word(protocol);

	return word ? json_string(word) : json_sprintf("%u", protocol);
}

static void add_packet(json_t *object, const struct packet_summary *summary)
{
	const struct bkxdp_packet *packet = &summary->packet;

	json_object_set_new(object, "from", end_json(summary, packet->saddr, packet->sport));
	json_object_set_new(object, "to", end_json(summary, packet->daddr, packet->dport));
	if (packet->protocol)
		json_object_set_new(object, "protocol", protocol_json(packet->protocol));
	if (summary->has_ports && packet->protocol == IPPROTO_TCP) {
		AUTO_FREE char *flags = packet_summary_flags(summary);

		json_object_set_new(object, "flags", json_string(flags));
	}
	if (summary->has_icmp_type)
		json_object_set_new(object, "icmp_type", json_integer(packet->icmp_type));
	if (packet->fragment)
		json_object_set_new(
			object, "fragment",
			json_string(packet->fragment == BKXDP_FRAGMENT_FIRST ? "first" : "later"));
}

static json_t *link_json(const struct packet_summary *summary)
{
	char from[PACKET_SUMMARY_MAC_MAX], to[PACKET_SUMMARY_MAC_MAX];

	packet_summary_mac(summary->source_mac, from);
	packet_summary_mac(summary->destination_mac, to);
	return json_pack("{ss ss si}", "from", from, "to", to, "ethertype", summary->ethertype);
}

json_t *drop_json(const struct drop *drop)
{
	const struct packet_summary *summary = &drop->packet_summary;
	AUTO_FREE char *text = packet_summary_text(summary), *device = printable(drop->device);
	json_t *object = json_pack("{so ss ss ss sb ss}", "time", time_json(drop->time), "device",
				   device, "verdict", tally_verdict_word(tally_of(drop)), "reason",
				   reason_word(drop->event->reason), "enforced",
				   !drop->event->audit, "packet", text);

	if (summary->has_addresses)
		add_packet(object, summary);
	if (summary->packet.vlan)
		json_object_set_new(object, "vlan", json_integer(summary->packet.vlan));
	if (summary->has_ethernet)
		json_object_set_new(object, "link", link_json(summary));
	json_object_set_new(object, "length", json_integer(summary->packet.length));
	if (drop->has_nearest)
		json_object_set_new(object, "nearest",
				    nearest_json(drop->policy, &drop->nearest, drop->nearest_text));
	if (drop->lost)
		json_object_set_new(object, "lost", json_integer((json_int_t)drop->lost));
	return object;
}
