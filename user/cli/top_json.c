// SPDX-License-Identifier: GPL-2.0-only
#include "cli/top_json.h"
#include "policy/reasons.h"

/* For each table: its name, and the keys of its first two columns. */
static const struct {
	const char *name, *what, *detail;
} tables[TOP_TABLES] = {
	[TOP_FLOWS] = {"flows", "flow", "side"},
	[TOP_REASONS] = {"reasons", "reason", NULL},
	[TOP_SOURCES] = {"sources", "source", "service"},
};

static json_t *amount_json(const struct top_amount *amount)
{
	return json_pack("{sI sI sf sf}", "packets", (json_int_t)amount->packets, "bytes",
			 (json_int_t)amount->bytes, "packets_per_second", amount->packet_rate,
			 "bits_per_second", amount->bit_rate);
}

static json_t *row_json(const struct top_row *row, enum top_table table)
{
	json_t *json = json_pack("{ss}", tables[table].what, row->what);

	if (tables[table].detail)
		json_object_set_new(json, tables[table].detail, json_string(row->detail));
	if (row->tally)
		json_object_set_new(json, "verdict", json_string(tally_verdict_word(row->tally)));
	if (row->reason)
		json_object_set_new(json, "reason", json_string(row->reason));
	json_object_update_new(json, amount_json(&row->amount));
	return json;
}

json_t *top_json(const struct top *top)
{
	json_t *json = json_pack("{ss sb ss ss sf so so so}", "device", top->device, "attached",
				 top->attached, "mode", top->generic ? "generic" : "native",
				 "enforcement", top->audits ? "audit" : "enforce", "seconds",
				 top->seconds, "passed", amount_json(&top->sum[TALLY_PASS]),
				 "dropped", amount_json(&top->sum[TALLY_DROP]), "would_drop",
				 amount_json(&top->sum[TALLY_WOULD_DROP]));

	for (enum top_table table = 0; table < TOP_TABLES; table++) {
		json_t *list = json_array();

		for (size_t i = 0; i < top->table[table].count; i++)
			json_array_append_new(list, row_json(&top->table[table].row[i], table));
		json_object_set_new(json, tables[table].name, list);
	}
	return json;
}
