// SPDX-License-Identifier: GPL-2.0-only
#include "cli/flow_json.h"

#include "base/memory.h"
#include "base/printable.h"
#include "packet/packet_text.h"

json_t *place_json(const struct place *place)
{
	AUTO_FREE char *file = place->file ? printable(place->file) : NULL;

	return json_pack("{ss? si}", "file", file, "line", (int)place->line);
}

json_t *flow_json(const struct flow *flow)
{
	return json_sprintf("%s/%s", flow->profile, flow->name);
}

json_t *nearest_json(const struct policy *policy, const struct nearest *nearest, const char *text)
{
	const struct rule *rule = nearest->rule;
	const struct flow *flow = &policy->flows[rule->flow];
	AUTO_FREE char *ports = port_set_text(&rule->ports);

	return json_pack("{so ss ss ss so ss* ss}", "flow", flow_json(flow), "side",
			 side_word(rule->side), "protocol", packet_protocol_word(rule->protocol),
			 "ports", ports, "place", place_json(&flow->place), "source", flow->source,
			 "text", text);
}
