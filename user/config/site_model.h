/* SPDX-License-Identifier: GPL-2.0-only */
/* What an interface file or options say, value by value, before profiles are asked. */
#ifndef CONFIG_SITE_MODEL_H
#define CONFIG_SITE_MODEL_H

#include "config/profile.h"
#include "config/site.h"
#include "policy/policy.h"

struct word {
	char *text; /* NULL: not written */
	struct place place;
};

/* Addresses as written: prefixes, and names that are still to be looked up. */
struct addresses {
	struct prefix_set prefixes;
	struct word *names;
	size_t n_names;
};

struct site_addresses {
	struct word role;
	struct addresses addresses;
	int index; /* of the role in the profile, or -1 */
	bool used;
};

/* Ports of a `ports` entry, for all peers or for one role. */
struct site_pin {
	struct word port, role;
	struct port_set set;
	int port_index, role_index; /* in the profile, or -1 */
	bool used;
};

enum flow_on { FLOW_OFF, FLOW_ON, FLOW_CHOSEN };

struct site_use {
	struct place place;
	struct word profile_name, role_name, level;
	struct site_addresses *addresses;
	size_t n_roles;
	struct site_pin *pins;
	size_t n_pins;
	struct word *enables;
	size_t n_enables;

	/* set by site_bind() */
	const struct profile *profile; /* NULL: could not be had */
	int roles;                     /* or -1 */
	uint8_t *on;                   /* enum flow_on of each flow of the profile */
};

struct site_flow {
	char name[BKXDP_NAME_MAX];
	struct place place;
	enum side side;
	struct addresses peers;
	char *written; /* the peers, as an administrator knows them */
	struct port_set tcp, udp, local;
	struct word requires;
	char *note;
};

struct site {
	const char *file;   /* NULL: options */
	size_t diagnostics; /* of other files, made before */
	char interface[IF_NAMESIZE];
	enum attach_mode mode;
	struct bkxdp_settings settings;
	struct site_use *uses;
	size_t n_uses;
	struct site_flow *flows;
	size_t n_flows;

	char **path; /* of each profile that was looked for, once */
	struct profile **profiles;
	size_t n_profiles;
};

/* What holds where nothing is written. */
void site_init(struct site *site, const char *file, const struct diagnostics *diag);
/* Something was complained of since. */
bool site_failed(const struct site *site, const struct diagnostics *diag);
void site_free(struct site *site);

void site_set_interface(struct site *site, const struct place *place, const char *name,
			struct diagnostics *diag);
/* An address, a prefix, a host name or `any`. */
void add_address(struct addresses *addresses, const struct place *place, const char *text,
		 struct diagnostics *diag);
void free_addresses(struct addresses *addresses);
struct word make_word(const char *text, struct place place);

/* Interface file to model; 0 or -EINVAL with complaints. Complaints alone may leave gaps. */
int site_parse(struct site *site, struct diagnostics *diag);
/* The uses that options name, and, when these are bound, what options say of them. */
void options_uses(struct site *site, const struct site_options *options, struct diagnostics *diag);
void options_details(struct site *site, const struct site_options *options,
		     struct diagnostics *diag);

/* Finds profiles and roles. */
void site_bind_profiles(struct site *site, const struct site_lookup *lookup,
			struct diagnostics *diag);
/* Finds what uses say of roles, ports and flows in their profiles; notes go to the policy. */
void site_bind_details(struct site *site, struct policy *policy, struct diagnostics *diag);
/* The addresses of a role at this level, or nearest to it; NULL if it has none. */
const struct profile_addresses *documented_level(const struct profile_role *role,
						 const char *level);

/* Model to flows, rules and groups. */
void site_compile(struct site *site, struct policy *policy, const struct site_lookup *lookup,
		  struct diagnostics *diag);

#endif
