// SPDX-License-Identifier: GPL-2.0-only
#include "cli/flow_json.h"

#include <netinet/in.h>

#include "base/memory.h"
#include "base/printable.h"

json_t *told_place(const struct place *place)
{
	AUTO_FREE char *file = place->file ? printable(place->file) : NULL;

	return json_pack("{ss? si}", "file", file, "line", (int)place->line);
}

json_t *told_flow(const struct flow *flow)
{
	return json_sprintf("%s/%s", flow->profile, flow->name);
}

json_t *told_nearest(const struct policy *policy, const struct nearest *nearest, const char *text)
{
	const struct rule *rule = nearest->rule;
	const struct flow *flow = &policy->flow[rule->flow];
	AUTO_FREE char *ports = port_set_text(&rule->ports);

	return json_pack("{so ss ss ss so ss* ss}", "flow", told_flow(flow), "side",
			 side_word(rule->side), "protocol",
			 rule->protocol == IPPROTO_TCP ? "tcp" : "udp", "ports", ports, "place",
			 told_place(&flow->place), "source", flow->source, "text", text);
}
