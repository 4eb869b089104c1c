/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy is what an interface file compiles to: flows with their sides, in the order in which the
 * datapath tries them. Files and options are compiled to a policy, and tables, explanations and
 * counters are made from it.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bkxdp/layout.h>

#include "base/diag.h"
#include "net/ports.h"
#include "net/prefix.h"

enum side { SIDE_INBOUND, SIDE_REPLY };
enum attach_mode { MODE_AUTO, MODE_NATIVE, MODE_GENERIC };

#define SITE_PROFILE "site" /* profile name of flows that the interface file itself defines */

/* One enabled flow. */
struct flow {
	char profile[BKXDP_NAME_MAX];
	char name[BKXDP_NAME_MAX];
	struct place place; /* in the profile or interface file; the policy owns the file name */
	char *source;       /* text of the sources entry that it is from, or NULL */
	char *note;         /* or NULL */
	int required;       /* index of a flow, or -1 */
	/*
	 * The role with any of whose hosts a connection of `required` will do, as the file has it.
	 * NULL: it must be with the address that opens this flow.
	 */
	char *with_role;
	struct prefix_set with; /* single addresses, at most BKXDP_WITH_MAX */
};

/* One side of a flow, for one group of addresses and one set of ports. */
struct rule {
	struct port_set ports; /* inbound: our ports; reply: the peer's ports */
	unsigned int flow;
	enum side side;
	unsigned int group;
	struct port_range local; /* reply: our ports */
	uint16_t counter;        /* set by counters_assign(); not kept in the JSON */
	uint8_t protocol;        /* IPPROTO_TCP, IPPROTO_UDP */
};

/* Addresses of peers. Equal sets of addresses are one group. */
struct group {
	struct prefix_set prefixes;
	size_t total; /* all prefixes; only the first few are in the JSON */
	char *roles;  /* names for messages, such as "media-server" */
};

struct use {
	char profile[BKXDP_NAME_MAX];
	char role[BKXDP_NAME_MAX];
	char *title;
	char *level; /* or NULL */
};

struct policy {
	char interface[IF_NAMESIZE];
	char *file; /* path of the interface file; NULL: from options, or observes */
	bool observes;
	enum attach_mode mode;
	struct bkxdp_settings settings;

	struct use *uses;
	size_t n_uses;
	struct flow *flows;
	size_t n_flows;
	struct rule *rules;
	size_t n_rules;
	struct group *groups;
	size_t n_groups;
	char **notes; /* one sentence each: what an administrator should know */
	size_t n_notes;
	char **file_names; /* owns the file names of all places */
	size_t n_file_names;
	char **dirs; /* folders that are searched for profiles first, also by a reload */
	size_t n_dirs;
	uint64_t digest; /* of all that affects a verdict: equal policies have equal digests */
};

/* Does any flow require another? */
bool policy_requires_any(const struct policy *policy);

/* Do both have the same name? One that is used several times is in the policy several times. */
bool same_flow(const struct flow *a, const struct flow *b);
bool policy_has_flow(const struct policy *policy, const char *profile, const char *name);

/*
 * Returns the id by which control connections of this flow are known, here and in the kernel. It is
 * made from the name, so it is the same for every use of a profile and in every policy.
 */
uint32_t flow_control_id(const struct flow *flow);

/*
 * Returns true if following what the flow at `start` requires leads back to that flow. `required`
 * points to the first flow's index of the flow that it requires (-1: none); that of the next flow
 * is `stride` bytes further.
 */
bool requires_itself(const int *required, size_t stride, size_t n_flows, int start);
#define REQUIRES_ITSELF(flows, n_flows, required, start)                                           \
	requires_itself(&(flows)->required, sizeof(*(flows)), n_flows, start)

const char *side_word(enum side side); /* "inbound", "reply" */
const char *mode_word(enum attach_mode mode);
const char *connections_word(enum bkxdp_connections connections);

/* Sets the digest, from everything else. */
void policy_seal(struct policy *policy);
void policy_free(struct policy *policy);

#endif
