/* SPDX-License-Identifier: GPL-2.0-only */
/* A profile: one vendor's documented communication, as read from its file. */
#ifndef CONFIG_PROFILE_H
#define CONFIG_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "net/ports.h"
#include "net/prefix.h"

#define PROFILE_BYTES_MAX (1 << 20)

/* A documented address list; level "" is the list that has no levels. */
struct profile_addresses {
	char level[BKXDP_NAME_MAX];
	struct prefix_set prefixes;
};

struct profile_role {
	char name[BKXDP_NAME_MAX];
	char *title;
	char *note;
	struct profile_addresses *addresses;
	size_t levels;
	char **hosts; /* documented names */
	size_t n_hosts;
	struct place place;
};

struct profile_port {
	char name[BKXDP_NAME_MAX];
	bool has_default;
	struct port_set set;  /* the default, or all candidates */
	uint16_t *candidates; /* in the order in which the vendor tries them */
	size_t n_candidates;
	unsigned int minimum; /* ports; 0: any number */
	char *note;
	struct place place;
};

/* What stands behind tcp: or udp: in a flow: own ports, and names of ports entries. */
struct profile_ports {
	bool given;
	struct port_set set;
	unsigned int *named; /* indices into profile.port */
	size_t n_named;
};

struct profile_flow {
	char name[BKXDP_NAME_MAX];
	unsigned int *from, *to; /* indices into profile.role */
	size_t n_from, n_to;
	struct profile_ports tcp, udp;
	struct port_set local; /* empty: the default, 1024-65535 */
	bool optional;
	char exclusive[BKXDP_NAME_MAX]; /* group, or "" */
	int requires;                   /* index into profile.flow, or -1 */
	char *source;                   /* text of the sources entry, or NULL */
	char *note;
	struct place place;
};

struct profile {
	char name[BKXDP_NAME_MAX];
	char *title;
	char *note;
	char *file; /* owner of every place's file */
	char **sources;
	size_t n_sources;
	char **source_key;
	struct profile_role *roles;
	size_t n_roles;
	struct profile_port *ports;
	size_t n_ports;
	struct profile_flow *flows;
	size_t n_flows;
};

/* Reads one file. Adds what is wrong to complaints; NULL if anything is. */
struct profile *profile_read(const char *path, struct diagnostics *diag);
void profile_free(struct profile *profile);

/*
 * Finds NAME.yaml: in each of `dirs`, in BKXDP_CONFIG_DIR/profiles, among the shipped
 * ones. A name with a slash is a path, relative to `beside` (a directory, may be
 * NULL). The path, which the caller frees, or NULL.
 */
char *profile_find(const char *name, const char *beside, const char *const *dirs, size_t count);

/* Names of all profiles that profile_find would find, sorted; the caller frees each and the array.
 */
char **profile_names(const char *const *dirs, size_t count, size_t *names);

/* Is it among these indices, of roles or of ports? */
static inline bool contains(const unsigned int *indices, size_t count, int what)
{
	for (size_t i = 0; i < count; i++)
		if (indices[i] == (unsigned int)what)
			return true;
	return false;
}

int profile_role_index(const struct profile *profile, const char *name); /* or -1 */
/* "agent, console"; the caller frees it. */
char *profile_role_names(const struct profile *profile, const unsigned int *role, size_t count);

#endif
