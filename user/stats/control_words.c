// SPDX-License-Identifier: GPL-2.0-only
#include "stats/control_words.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

void control_peer_text(const uint32_t peer[static 4], char text[static PREFIX_TEXT_MAX])
{
	const struct bkxdp_prefix host = {128, {peer[0], peer[1], peer[2], peer[3]}};

	prefix_text(&host, text);
}

char *control_text(const struct control_seen *seen)
{
	char peer[PREFIX_TEXT_MAX];
	struct strbuf text;

	control_peer_text(seen->peer, peer);
	fprintf(strbuf_open(&text), "%s/%s with %s, its port %u, ours %u", seen->flow->profile,
		seen->flow->name, peer, seen->connection.peer_port, seen->connection.port);
	if (seen->timed)
		fprintf(text.out, ", %s %" PRIu64 " s ago", seen->ended ? "ended" : "last seen",
			seen->seconds);
	return strbuf_close(&text);
}

/* ---- what a packet needs ------------------------------------------------- */

static bool is_later(const struct control_seen *seen, const struct control_seen *than)
{
	return !than || seen->seconds < than->seconds;
}

static bool is_wanted_host(const struct control_wanted *wanted, const uint32_t peer[static 4])
{
	const struct prefix_set *with = &wanted->data->with;

	if (!wanted->data->with_role)
		return !memcmp(peer, wanted->source, sizeof(wanted->source));
	for (size_t i = 0; i < with->count; i++)
		if (prefix_contains(&with->prefix[i], peer))
			return true;
	return false;
}

struct control_answer control_answer(const struct snapshot *snapshot,
				     const struct control_wanted *wanted)
{
	const struct flow *control = &wanted->policy->flows[wanted->data->required];
	struct control_answer answer = {NULL, NULL};

	for (size_t i = 0; i < snapshot->n_controls; i++) {
		const struct control_seen *seen = &snapshot->controls[i];

		if (!is_wanted_host(wanted, seen->peer) || !same_flow(seen->flow, control))
			continue;
		if (seen->live && is_later(seen, answer.live))
			answer.live = seen;
		if (!seen->live && is_later(seen, answer.last))
			answer.last = seen;
	}
	return answer;
}

/* "of 10.1.0.5 to our port 10000", "of ours to port 12000 of 10.1.0.5"; once for each side. */
static void print_between(FILE *out, const struct rule *rule, const char *peer)
{
	AUTO_FREE char *ports = port_set_text(&rule->ports);

	if (rule->side == SIDE_INBOUND)
		fprintf(out, "of %s to our port %s", peer, ports);
	else
		fprintf(out, "of ours to port %s of %s", ports, peer);
}

static void print_sides(struct strbuf *text, const struct policy *policy, int control,
			const char *peer)
{
	bool said[2] = {false, false};

	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if ((int)rule->flow != control || rule->protocol != IPPROTO_TCP || said[rule->side])
			continue;
		if (said[!rule->side])
			fputs(" or ", text->out);
		print_between(text->out, rule, peer);
		said[rule->side] = true;
	}
}

/* "10.1.0.5", or the role or the addresses that the flow names. */
static char *who_text(const struct control_wanted *wanted)
{
	char text[PREFIX_TEXT_MAX];

	if (wanted->data->with_role)
		return must_copy(wanted->data->with_role);
	control_peer_text(wanted->source, text);
	return must_copy(text);
}

char *control_missing_text(const struct control_wanted *wanted, const struct control_answer *answer)
{
	AUTO_FREE char *who = who_text(wanted);
	const struct control_seen *last = answer->last;
	struct strbuf text;

	fputs("no connection ", strbuf_open(&text));
	print_sides(&text, wanted->policy, wanted->data->required, who);
	fputs(" is live", text.out);
	if (!last)
		fputs("; none is remembered", text.out);
	else if (!last->timed)
		fputs("; one that is remembered has ended", text.out);
	else
		fprintf(text.out, "; the last one %s %" PRIu64 " s%s",
			last->ended ? "ended" : "has been silent for", last->seconds,
			last->ended ? " ago" : "");
	return strbuf_close(&text);
}
