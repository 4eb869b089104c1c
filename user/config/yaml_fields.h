/* SPDX-License-Identifier: GPL-2.0-only */
/* Ports and prefixes as files and options write them: parsed, or complained of at their place. */
#ifndef CONFIG_YAML_FIELDS_H
#define CONFIG_YAML_FIELDS_H

#include "config/yaml_doc.h"
#include "net/ports.h"
#include "net/prefix.h"

#define SHOWN_MAX 80 /* bytes of a user's value that a complaint quotes */

/* Digits and hyphens only: a port or range, right or wrong, rather than a name. */
bool is_ports_text(const char *text);
void add_ports(struct diagnostics *diag, const struct place *place, const char *text,
	       struct port_set *set);
void add_prefix(struct diagnostics *diag, const struct place *place, const char *text,
		struct prefix_set *set);

value_reader read_ports; /* struct port_set, settled: a port, a range, a list of those */

#endif
