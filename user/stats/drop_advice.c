// SPDX-License-Identifier: GPL-2.0-only
/* Advice on a kind of drops, as text: a line for the interface file, or why there is none. */
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "packet/packet_text.h"
#include "policy/names.h"
#include "stats/drop_report.h"

const char *advice_kind_word(enum advice_kind kind)
{
	static const char *const words[ADVICE_KINDS] = {
		[ADVICE_FLOW] = "flow",     [ADVICE_ADDRESS] = "address",
		[ADVICE_ENABLE] = "enable", [ADVICE_SETTING] = "setting",
		[ADVICE_SCAN] = "scan",     [ADVICE_NONE] = "none",
	};

	return words[kind];
}

/* ---- flows ------------------------------------------------------------------ */

static bool is_taken(const char *name, const struct policy *policy, const struct advice *before,
		     size_t count)
{
	if (policy_has_flow(policy, SITE_PROFILE, name))
		return true;
	for (size_t i = 0; i < count; i++)
		if (before[i].name && !strcmp(before[i].name, name))
			return true;
	return false;
}

/* Returns "tcp-445", "to-tcp-443", or "tcp-445-2" if the file already has a flow of that name. */
static char *free_name(const struct subject *subject, const struct policy *policy,
		       const struct advice *before, size_t count)
{
	AUTO_FREE char *fast =
		must_format("%s%s-%u", subject->side == BKXDP_GROUP_REPLY ? "to-" : "",
			    packet_protocol_word(subject->protocol), subject->port);
	char *name = must_copy(fast);

	for (unsigned int n = 2; is_taken(name, policy, before, count); n++) {
		free(name);
		name = must_format("%s-%u", fast, n);
	}
	return name;
}

/* An IPv6 address is quoted, because a colon in a YAML flow sequence must be. */
static char *addresses_text(const struct prefix_set *first, const struct prefix_set *more)
{
	const struct prefix_set *const sets[] = {first, more};
	struct strbuf text;

	strbuf_open(&text);
	for (size_t s = 0; s < 2; s++)
		for (size_t i = 0; sets[s] && i < sets[s]->count; i++) {
			char one[PREFIX_TEXT_MAX];

			prefix_text(&sets[s]->prefix[i], one);
			fprintf(strbuf_next(&text, ", "), strchr(one, ':') ? "\"%s\"" : "%s", one);
		}
	return strbuf_close(&text);
}

static void write_flow(struct advice *advice, const struct policy *policy,
		       const struct advice *before, size_t count)
{
	const struct subject *subject = &advice->subject;
	bool reply = subject->side == BKXDP_GROUP_REPLY;
	AUTO_FREE char *addresses = NULL;

	if (advice->sources.count > LINE_SOURCES_MAX) {
		advice->sentence = must_format("%zu sources: if they are your hosts, write a flow "
					       "with their prefix; otherwise leave them dropped",
					       advice->sources.count);
		return;
	}
	advice->name = free_name(subject, policy, before, count);
	addresses = addresses_text(&advice->sources, NULL);
	advice->line = must_format(reply ? "- {name: %s, from: self, to: [%s], %s: %u}"
					 : "- {name: %s, from: [%s], to: self, %s: %u}",
				   advice->name, addresses, packet_protocol_word(subject->protocol),
				   subject->port);
	if (!reply && subject->port >= EPHEMERAL)
		advice->sentence =
			must_copy("an ephemeral port: make sure that your service always uses it");
}

/* ---- addresses of a role -------------------------------------------------------- */

static void write_address(struct advice *advice, const struct policy *policy)
{
	const struct rule *rule = &policy->rules[advice->subject.rule - 1];
	const struct group *group = &policy->groups[rule->group];
	const struct flow *flow = &policy->flows[rule->flow];
	AUTO_FREE char *new = addresses_text(&advice->sources, NULL);
	AUTO_FREE char *all = addresses_text(&group->prefixes, &advice->sources);
	bool known = group->prefixes.count == group->total && group->roles &&
		     name_is_valid(group->roles) && advice->sources.count <= LINE_SOURCES_MAX;

	if (known)
		advice->line = must_format("%s: [%s]", group->roles, all);
	advice->sentence =
		known ? must_format("ports of %s (%s:%u): its role %s lacks the address; this "
				    "replaces the role's line in addresses of that use",
				    flow->profile, flow->place.file, flow->place.line, group->roles)
		      : must_format(
				"ports of %s (%s:%u): add to the addresses of its role %s: %.900s",
				flow->profile, flow->place.file, flow->place.line,
				group->roles ? group->roles : "", new);
}

/* ---- optional flows -------------------------------------------------------------- */

static void write_enable(struct advice *advice, const struct in_force *now)
{
	const struct profile *profile = now->profile[advice->subject.use - 1];
	const struct profile_flow *flow = &profile->flows[advice->subject.flow];

	advice->line = must_format("enable: [%s]", flow->name);
	advice->sentence =
		must_format("an optional flow of %s (%s:%u): add it to enable of that use",
			    profile->name, flow->place.file, flow->place.line);
}

/* ---- what a reason says by itself ------------------------------------------------ */

static const char never_legitimate[] = "no legitimate host sends this: nothing lets it in";

static const char *const sentences[BKXDP_REASON_COUNT] = {
	[BKXDP_DROP_MALFORMED] = never_legitimate,
	[BKXDP_DROP_VLAN] = "tags that vlans: does not allow; \"tcpdump -e\" shows the id, and "
			    "vlans: [ID, ...] allows it",
	[BKXDP_DROP_ETHERTYPE] = "no backup uses this: nothing lets it in",
	[BKXDP_DROP_EXTENSION] = never_legitimate,
	[BKXDP_DROP_SOURCE_INVALID] = "no legitimate host sends from such an address (0.0.0.0: a "
				      "host that has none yet): nothing lets it in",
	[BKXDP_DROP_FRAGMENT] =
		"if a peer must send fragments; it is better to repair the path MTU",
	[BKXDP_DROP_SOURCE] = "later fragments from a host that is no peer; they pass if their "
			      "source is an address of a flow",
	[BKXDP_DROP_ICMP] = "messages that nothing here needs: nothing lets them in",
	[BKXDP_DROP_PROTOCOL] = "neither TCP, UDP nor ICMP: nothing lets it in",
	[BKXDP_DROP_TCP_FLAGS] = never_legitimate,
	[BKXDP_DROP_BROADCAST] = "hosts that look for each other (mDNS and the like), which is "
				 "normal; if a product needs it, add a flow with that UDP port",
	[BKXDP_DROP_CONTROL] = "a data connection without its control connection: that one has "
			       "ended or is not open yet, does not come in by this interface, or "
			       "goes to another address",
	[BKXDP_DROP_CONNECTION] =
		"single segments after a connection ended are normal; if a running job has many, "
		"its socket is in a container: write connections: flags",
	/* never shown: a drop by port always has advice of its own */
	[BKXDP_DROP_PORT] = never_legitimate,
	[BKXDP_DROP_INTERNAL] = "the filter itself failed: please report this",
};

static void write_setting(struct advice *advice, const struct policy *policy)
{
	if (advice->subject.port) {
		advice->line = must_copy("dhcp: true");
		advice->sentence = must_copy("answers of a DHCP server");
	} else if (advice->subject.reason == BKXDP_DROP_FRAGMENT) {
		advice->line = must_copy("fragments: peers");
		advice->sentence = must_copy(sentences[BKXDP_DROP_FRAGMENT]);
	} else if (policy->settings.ping == BKXDP_PING_NONE) {
		advice->line = must_copy("ping: peers");
		advice->sentence =
			must_copy("if these are pings of peers; no other ICMP is needed");
	} else {
		advice->line = must_copy("ping: any");
		advice->sentence = must_copy("if these are pings of hosts that are no peers and "
					     "should be answered; no other ICMP is needed");
	}
}

static const char *scan_sentence(enum bkxdp_reason reason)
{
	if (reason == BKXDP_DROP_PORT || reason == BKXDP_DROP_CONNECTION)
		return "one peer at many ports: looks like a scan, or that peer has other ports "
		       "than the profile (use.ports); there is no line for each port";
	return "looks like a scan: no line, because it would let the scanner in";
}

void advice_write(struct advice *advice, const struct in_force *now, const struct advice *before,
		  size_t count)
{
	const struct policy *policy = now->policy;

	switch (advice->subject.kind) {
	case ADVICE_FLOW:
		write_flow(advice, policy, before, count);
		break;
	case ADVICE_ADDRESS:
		write_address(advice, policy);
		break;
	case ADVICE_ENABLE:
		write_enable(advice, now);
		break;
	case ADVICE_SETTING:
		write_setting(advice, policy);
		break;
	case ADVICE_SCAN:
		advice->sentence = must_copy(scan_sentence(advice->subject.reason));
		break;
	default:
		advice->sentence = must_copy(sentences[advice->subject.reason]);
	}
}
