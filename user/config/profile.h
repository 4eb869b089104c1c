/* SPDX-License-Identifier: GPL-2.0-only */
/* A profile: the communication that one vendor documents, as read from its file. */
#ifndef CONFIG_PROFILE_H
#define CONFIG_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "net/ports.h"
#include "net/prefix.h"

#define PROFILE_BYTES_MAX (1 << 20)

/* A documented list of addresses; its level is "" if the role has no levels. */
struct profile_addresses {
	char level[BKXDP_NAME_MAX];
	struct prefix_set prefixes;
};

struct profile_role {
	char name[BKXDP_NAME_MAX];
	char *title;
	char *note;
	struct profile_addresses *addresses;
	size_t n_addresses;
	char **hosts; /* documented host names */
	size_t n_hosts;
	struct place place;
};

struct profile_port {
	char name[BKXDP_NAME_MAX];
	bool has_default;
	struct port_set set;  /* the default ports, or all candidates */
	uint16_t *candidates; /* in the order in which the vendor's software tries them */
	size_t n_candidates;
	unsigned int minimum; /* least number of ports; 0: any number */
	char *note;
	struct place place;
};

/* The value of tcp: or udp: in a flow: port numbers, and names of entries under ports:. */
struct profile_ports {
	bool given;
	struct port_set set;
	unsigned int *named; /* indices into profile.ports */
	size_t n_named;
};

struct profile_flow {
	char name[BKXDP_NAME_MAX];
	unsigned int *from, *to; /* indices into profile.roles */
	size_t n_from, n_to;
	struct profile_ports tcp, udp;
	struct port_set local; /* local-ports; empty: the default, 1024-65535 */
	bool optional;
	char exclusive[BKXDP_NAME_MAX]; /* its exclusive group, or "" */
	int required;                   /* index into profile.flows, or -1 */
	int with;                       /* the role that its connection may be with, or -1: the
					   host itself that opens this flow */
	char *source;                   /* text of its entry under sources:, or NULL */
	char *note;
	struct place place;
};

struct profile {
	char name[BKXDP_NAME_MAX];
	char *title;
	char *note;
	char *file; /* owns the text that every place.file points to */
	char **sources;
	size_t n_sources;
	char **source_keys;
	struct profile_role *roles;
	size_t n_roles;
	struct profile_port *ports;
	size_t n_ports;
	struct profile_flow *flows;
	size_t n_flows;
};

/* Reads one file. Returns NULL if anything is wrong, with diagnostics. */
struct profile *profile_read(const char *path, struct diagnostics *diag);
void profile_free(struct profile *profile);

/*
 * Finds NAME.yaml in each of `dirs`, in BKXDP_CONFIG_DIR/profiles, or among the shipped
 * profiles. A name with a slash is a path, relative to the directory `beside`, which may be
 * NULL. Returns the path, which the caller frees, or NULL.
 */
char *profile_find(const char *name, const char *beside, const char *const *dirs, size_t n_dirs);

/*
 * Returns the sorted names of all profiles that profile_find() would find. The caller frees
 * them with strv_free().
 */
char **profile_names(const char *const *dirs, size_t n_dirs, size_t *n_names);

/* Is it among these indices, of roles or of ports? */
static inline bool contains(const unsigned int *indices, size_t count, int what)
{
	for (size_t i = 0; i < count; i++)
		if (indices[i] == (unsigned int)what)
			return true;
	return false;
}

int profile_role_index(const struct profile *profile, const char *name); /* index, or -1 */
/* Returns "agent, console"; the caller frees it. */
char *profile_role_names(const struct profile *profile, const unsigned int *roles, size_t n_roles);

#endif
