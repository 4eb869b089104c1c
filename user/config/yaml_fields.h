/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads ports and prefixes from files and options, with diagnostics at their place. */
#ifndef CONFIG_YAML_FIELDS_H
#define CONFIG_YAML_FIELDS_H

#include "config/yaml_doc.h"
#include "net/ports.h"
#include "net/prefix.h"

#define SHOWN_MAX 80 /* bytes of a user's value that a diagnostic quotes */

/*
 * Does the text look like a port or range, valid or not, rather than a name? It has only digits
 * and hyphens.
 */
bool looks_like_ports(const char *text);
void add_ports(struct diagnostics *diag, const struct place *place, const char *text,
	       struct port_set *set);
void add_prefix(struct diagnostics *diag, const struct place *place, const char *text,
		struct prefix_set *set);

value_reader read_ports; /* to a struct port_set, normalized: a port, a range, or a list of those */

#endif
