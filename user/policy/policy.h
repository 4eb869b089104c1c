/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an interface file compiles to: flows with sides, in the order in which
 * the datapath tries them. The middle of the program: files and options meet
 * here, tables, explanations and counters are made from it.
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

#define SITE_PROFILE "site" /* the profile name of the interface file's own flows */

/* One flow that is on. */
struct flow {
	char profile[BKXDP_NAME_MAX];
	char name[BKXDP_NAME_MAX];
	struct place place; /* in the profile or interface file; file is owned by the policy */
	char *source;       /* the document it comes from, or NULL */
	char *note;         /* or NULL */
	int required;       /* index of a flow, or -1 */
};

/* One side of a flow towards one group of addresses on one set of ports. */
struct rule {
	struct port_set ports; /* inbound: ours; reply: the peer's */
	unsigned int flow;
	enum side side;
	unsigned int group;
	struct port_range local; /* reply: ours */
	uint16_t counter;        /* set by counters_assign(); not kept in the JSON */
	uint8_t protocol;        /* IPPROTO_TCP, IPPROTO_UDP */
};

/* Addresses of the other side; equal sets are one group. */
struct group {
	struct prefix_set prefixes;
	size_t total; /* prefixes; a policy read back from the kernel keeps only the first few */
	char *roles;  /* "media-server", for people */
};

struct use {
	char profile[BKXDP_NAME_MAX];
	char role[BKXDP_NAME_MAX];
	char *title;
	char *level; /* or NULL */
};

struct policy {
	char interface[IF_NAMESIZE];
	char *file; /* path of the interface file, or NULL: options or observation */
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
	char **notes; /* what an administrator should know of it: a sentence each */
	size_t n_notes;
	char **file_names; /* owner of every place's file */
	size_t n_file_names;
	char **dirs; /* where profiles were looked for first; a reload looks there too */
	size_t n_dirs;
	uint64_t digest; /* of all that changes a verdict; equal policies have equal digests */
};

bool policy_has_flow(const struct policy *policy, const char *profile, const char *name);

/*
 * By which control connections of this flow are known, here and in the kernel:
 * made of its name, so equal for every use of a profile and in every policy.
 */
uint32_t flow_control_id(const struct flow *flow);

/*
 * Does what the flow at `start` requires lead back to it? `required` is the first
 * flow's index of the one that it requires, or -1; the next flow's is `stride` bytes on.
 */
bool requires_itself(const int *required, size_t stride, size_t n_flows, int start);
#define REQUIRES_ITSELF(flows, n_flows, required, start)                                           \
	requires_itself(&(flows)->required, sizeof(*(flows)), n_flows, start)

const char *side_word(enum side side); /* "inbound", "reply" */
const char *mode_word(enum attach_mode mode);
const char *connections_word(enum bkxdp_connections connections);

/* Sets digest from everything else. */
void policy_seal(struct policy *policy);
void policy_free(struct policy *policy);

#endif
