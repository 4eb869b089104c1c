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

#include <bkxdp/policy.h>

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
	int requires;       /* index of a flow, or -1 */
};

/* One side of a flow towards one group of addresses on one set of ports. */
struct rule {
	struct port_set ports; /* inbound: ours; reply: the peer's */
	unsigned int flow;
	enum side side;
	unsigned int group;
	struct port_range local; /* reply: ours */
	uint16_t counter;        /* set by counters_assign() */
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

	struct use *use;
	size_t uses;
	struct flow *flow;
	size_t flows;
	struct rule *rule;
	size_t rules;
	struct group *group;
	size_t groups;
	char **note; /* what an administrator should know of it: a sentence each */
	size_t notes;
	char **file_name; /* owner of every place's file */
	size_t file_names;
	char **dir; /* where profiles were looked for first; a reload looks there too */
	size_t dirs;
	uint64_t digest; /* of all that changes a verdict; equal policies have equal digests */
};

/*
 * By which control connections of this flow are known, here and in the kernel:
 * made of its name, so equal for every use of a profile and in every policy.
 */
uint32_t flow_control_id(const struct flow *flow);

const char *side_word(enum side side); /* "inbound", "reply" */
const char *mode_word(enum attach_mode mode);
const char *connections_word(enum bkxdp_connections connections);

/* Sets digest from everything else. */
void policy_seal(struct policy *policy);
void policy_free(struct policy *policy);

#endif
