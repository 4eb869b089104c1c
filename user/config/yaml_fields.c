// SPDX-License-Identifier: GPL-2.0-only
#include "config/yaml_fields.h"

#include <string.h>

bool looks_like_ports(const char *text)
{
	return !text[strspn(text, "0123456789-")];
}

void add_ports(struct diagnostics *diag, const struct place *place, const char *text,
	       struct port_set *set)
{
	struct port_range range;
	const char *problem;

	if (port_range_parse(text, &range, &problem))
		diag_at(diag, place, "\"%.*s\" %s", SHOWN_MAX, text, problem);
	else
		port_set_add(set, range);
}

void add_prefix(struct diagnostics *diag, const struct place *place, const char *text,
		struct prefix_set *set)
{
	struct bkxdp_prefix prefix;
	const char *problem;

	if (prefix_parse(text, &prefix, &problem))
		diag_at(diag, place, "\"%.*s\" %s", SHOWN_MAX, text, problem);
	else
		prefix_set_add(set, &prefix);
}

static void read_port_item(struct document *document, const struct value *value, void *field)
{
	struct place place = value_place(document, value);

	add_ports(document->diagnostics, &place, value->text, field);
}

void read_ports(struct document *document, const struct value *value, void *field)
{
	read_words(document, value, read_port_item, field);
	port_set_normalize(field);
}
