// SPDX-License-Identifier: GPL-2.0-only
/* Which control connection lets data in, and why none does, in words. */
#include "stats/control_words.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/memory.h"
#include "tap.h"
#include "variants.h"

#define PEER                                                                                       \
	{                                                                                          \
		0, 0, BKXDP_MAPPED_WORD, htonl(0x0a010005)                                         \
	}
#define OTHER                                                                                      \
	{                                                                                          \
		0, 0, BKXDP_MAPPED_WORD, htonl(0x0a010006)                                         \
	}

static const struct flow *flow_called(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_flows; i++)
		if (!strcmp(policy->flows[i].name, name))
			return &policy->flows[i];
	return NULL;
}

/* `data` is the flow that requires another one. */
static void says(const struct policy *policy, const struct control_seen *seen, size_t n_seen,
		 const char *data, const char *expected)
{
	struct snapshot snapshot = {.controls = (struct control_seen *)seen, .n_controls = n_seen};
	struct control_wanted wanted = {policy, flow_called(policy, data), PEER};
	struct control_answer answer = control_answer(&snapshot, &wanted);
	AUTO_FREE char *text =
		answer.live ? control_text(answer.live) : control_missing_text(&wanted, &answer);

	check_text(text, expected, "%s", expected);
}

/* Another host's connection lets it in. */
static void test_with(void)
{
	struct policy *policy = variant_policy("with");
	const struct control_seen seen[] = {
		{PEER, flow_called(policy, "control"), {PEER, 10000, 1}, .live = true},
		{OTHER, flow_called(policy, "control"), {PEER, 10000, 2}, .live = true},
	};

	says(policy, seen, 1, "data",
	     "no connection of role to our port 10000 is live; none is "
	     "remembered");
	says(policy, seen, 2, "data", "site/control with 10.1.0.6, its port 2, ours 10000");
	policy_free(policy);
}

int main(void)
{
	struct policy *policy = variant_policy("control");
	const struct flow *control = flow_called(policy, "control");
	const struct flow *other = flow_called(policy, "other");
	const struct bkxdp_connection connection = {PEER, 10000, 57651};
	const struct control_seen seen[] = {
		/* of another peer, and of another flow */
		{OTHER, control, connection, .live = true, .timed = true, .seconds = 1},
		{PEER, other, connection, .live = true, .timed = true, .seconds = 1},
		{PEER, control, connection, .ended = true, .timed = true, .seconds = 30},
		{PEER, control, connection, .ended = true, .timed = true, .seconds = 12},
		{PEER, control, connection, .ended = true, .timed = true, .seconds = 60},
		{PEER, control, connection, .live = true, .timed = true, .seconds = 9},
		{PEER, control, connection, .live = true, .timed = true, .seconds = 3},
	};
	const struct control_seen silent[] = {
		{PEER, control, connection, .timed = true, .seconds = 7600},
	};
	const struct control_seen untimed[] = {{PEER, control, connection, .live = false}};
	const struct control_seen by_socket[] = {{PEER, control, connection, .live = true}};

	says(policy, seen, 2, "data",
	     "no connection of 10.1.0.5 to our port 10000 is live; none is remembered");
	says(policy, seen, 5, "data",
	     "no connection of 10.1.0.5 to our port 10000 is live; the last one ended 12 s ago");
	says(policy, silent, 1, "data",
	     "no connection of 10.1.0.5 to our port 10000 is live; the last one has been silent "
	     "for 7600 s");
	says(policy, untimed, 1, "data",
	     "no connection of 10.1.0.5 to our port 10000 is live; one that is remembered has "
	     "ended");
	says(policy, seen, 0, "callback-data",
	     "no connection of ours to port 12000 of 10.1.0.5 is live; none is remembered");
	says(policy, seen, 7, "data",
	     "site/control with 10.1.0.5, its port 57651, ours 10000, last seen 3 s ago");
	says(policy, by_socket, 1, "data",
	     "site/control with 10.1.0.5, its port 57651, ours 10000");
	policy_free(policy);
	test_with();
	return tap_done();
}
