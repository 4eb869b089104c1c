/* SPDX-License-Identifier: GPL-2.0-only */
/* What an interface file or options say, before profiles are looked at. */
#ifndef CONFIG_SITE_MODEL_H
#define CONFIG_SITE_MODEL_H

#include "config/profile.h"
#include "config/site.h"
#include "policy/policy.h"

struct word {
	char *text; /* NULL: not given */
	struct place place;
};

/* Addresses as given: prefixes, and host names that must be looked up. */
struct addresses {
	struct prefix_set prefixes;
	struct word *names;
	size_t n_names;
};

struct site_addresses {
	struct word role;
	struct addresses addresses;
	int index; /* index of the role in the profile, or -1 */
	bool used;
};

/* The ports that the site chose for an entry under ports:, for all peers or for one role. */
struct port_choice {
	struct word port, role;
	struct port_set set;
	int port_index, role_index; /* indices in the profile, or -1 */
	bool used;
};

enum flow_state { FLOW_OFF, FLOW_ON, FLOW_ENABLED };

struct site_use {
	struct place place;
	struct word profile_name, role_name, level;
	struct site_addresses *addresses;
	size_t n_addresses;
	struct port_choice *choices;
	size_t n_choices;
	struct word *enables;
	size_t n_enables;

	/* set by site_bind_profiles() and site_bind_details() */
	const struct profile *profile; /* NULL: not found or invalid */
	int role;                      /* index, or -1 */
	uint8_t *states;               /* enum flow_state of each flow of the profile */
};

struct site_flow {
	char name[BKXDP_NAME_MAX];
	struct place place;
	enum side side;
	struct addresses peers;
	char *peers_text; /* the peers as the file has them */
	struct port_set tcp, udp, local;
	struct word required;
	/*
	 * with: of requires:, a role of the profile of `required`, or addresses. Neither: the
	 * connection must be with the address that opens this flow.
	 */
	struct word with_role;
	struct addresses with;
	char *with_text; /* as the file has it, or NULL */
	char *note;
};

struct site {
	const char *file;   /* NULL: from options */
	size_t diagnostics; /* number of diagnostics that there were before */
	char interface[IF_NAMESIZE];
	enum attach_mode mode;
	struct bkxdp_settings settings;
	struct site_use *uses;
	size_t n_uses;
	struct site_flow *flows;
	size_t n_flows;

	char **paths; /* of each profile that was found, once */
	struct profile **profiles;
	size_t n_profiles;
};

/* Sets the defaults. */
void site_init(struct site *site, const char *file, const struct diagnostics *diag);
/* Have diagnostics been added since site_init()? */
bool site_failed(const struct site *site, const struct diagnostics *diag);
void site_free(struct site *site);

void site_set_interface(struct site *site, const struct place *place, const char *name,
			struct diagnostics *diag);
/* Adds an address, a prefix, a host name or `any`. */
void add_address(struct addresses *addresses, const struct place *place, const char *text,
		 struct diagnostics *diag);
/*
 * Returns a use of the profile of "PROFILE/FLOW", or NULL. The first one after `before`, or of all
 * if that is NULL.
 */
struct site_use *site_use_of(const struct site *site, const char *name,
			     const struct site_use *before);
void free_addresses(struct addresses *addresses);
struct word make_word(const char *text, struct place place);

/*
 * Reads the interface file. Returns 0, or -EINVAL if it can't be read as YAML. In both cases
 * there may be diagnostics, and values with a mistake are left out.
 */
int site_parse(struct site *site, struct diagnostics *diag);
/*
 * options_uses() adds the uses that options name; options_details(), once their profiles are
 * bound, what the other options say about them.
 */
void options_uses(struct site *site, const struct site_options *options, struct diagnostics *diag);
void options_details(struct site *site, const struct site_options *options,
		     struct diagnostics *diag);

/* Finds the profile and the role of each use. */
void site_bind_profiles(struct site *site, const struct site_lookup *lookup,
			struct diagnostics *diag);
/*
 * Finds in the profiles what the uses say about roles, ports and flows. Adds notes to the
 * policy.
 */
void site_bind_details(struct site *site, struct policy *policy, struct diagnostics *diag);
/*
 * Returns the documented addresses of a role: those of this level, else the recommended or any
 * others; NULL if it has none.
 */
const struct profile_addresses *documented_level(const struct profile_role *role,
						 const char *level);

/* Adds flows, rules and groups to the policy. */
void site_compile(struct site *site, struct policy *policy, const struct site_lookup *lookup,
		  struct diagnostics *diag);

#endif
