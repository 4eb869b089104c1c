// SPDX-License-Identifier: GPL-2.0-only
#include "policy/policy_json.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <netinet/in.h>
#include <string.h>

#include "base/memory.h"

/* ---- writing -------------------------------------------------------------- */

static json_t *strings(char *const *text, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(text[i]));
	return list;
}

static json_t *settings_json(const struct bkxdp_settings *settings)
{
	json_t *vlans = json_array();

	for (int id = 0; id < BKXDP_VLANS; id++)
		if (settings->vlans[id / 64] >> (id % 64) & 1)
			json_array_append_new(vlans, json_integer(id));
	return json_pack("{si si si si si si so}", "enforcement", settings->enforcement, "ping",
			 settings->ping, "fragments", settings->fragments, "dhcp", settings->dhcp,
			 "vlans_any", settings->vlans_any, "connections", settings->connections,
			 "vlans", vlans);
}

static json_t *uses_json(const struct policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy->n_uses; i++) {
		const struct use *use = &policy->uses[i];

		json_array_append_new(list, json_pack("{ss ss ss* ss*}", "profile", use->profile,
						      "role", use->role, "title", use->title,
						      "level", use->level));
	}
	return list;
}

/* NULL if the flow has no `with`, so that the key is left out. */
static json_t *hosts_json(const struct flow *flow)
{
	json_t *list = flow->with_role ? json_array() : NULL;

	for (size_t i = 0; i < flow->with.count; i++) {
		char text[PREFIX_TEXT_MAX];

		prefix_text(&flow->with.prefix[i], text);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *flows_json(const struct policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy->n_flows; i++) {
		const struct flow *flow = &policy->flows[i];

		json_array_append_new(
			list, json_pack("{ss ss ss* si si ss* ss* si ss* so*}", "profile",
					flow->profile, "name", flow->name, "file", flow->place.file,
					"line", (int)flow->place.line, "column",
					(int)flow->place.column, "source", flow->source, "note",
					flow->note, "requires", flow->required, "with",
					flow->with_role, "hosts", hosts_json(flow)));
	}
	return list;
}

static json_t *rules_json(const struct policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		AUTO_FREE char *ports = port_set_text(&rule->ports);

		json_array_append_new(list,
				      json_pack("{si si si ss si si si}", "flow", (int)rule->flow,
						"side", rule->side, "protocol", rule->protocol,
						"ports", ports, "low", rule->local.low, "high",
						rule->local.high, "group", (int)rule->group));
	}
	return list;
}

static json_t *groups_json(const struct policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy->n_groups; i++) {
		const struct group *group = &policy->groups[i];
		json_t *prefixes = json_array();

		for (size_t n = 0; n < group->prefixes.count && n < POLICY_JSON_PREFIXES; n++) {
			char text[PREFIX_TEXT_MAX];

			prefix_text(&group->prefixes.prefix[n], text);
			json_array_append_new(prefixes, json_string(text));
		}
		json_array_append_new(list,
				      json_pack("{sI ss* so}", "total", (json_int_t)group->total,
						"roles", group->roles, "prefixes", prefixes));
	}
	return list;
}

static bool is_utf8(const char *text)
{
	json_t *string = text ? json_string(text) : json_null();
	bool valid = string;

	json_decref(string);
	return valid;
}

/* All other strings come from YAML, whose parser accepts only UTF-8. */
static bool all_is_utf8(const struct policy *policy)
{
	bool valid = is_utf8(policy->interface) && is_utf8(policy->file);

	for (size_t i = 0; i < policy->n_dirs && valid; i++)
		valid = is_utf8(policy->dirs[i]);
	for (size_t i = 0; i < policy->n_flows && valid; i++)
		valid = is_utf8(policy->flows[i].place.file);
	return valid;
}

char *policy_json_write(const struct policy *policy)
{
	json_t *root = !all_is_utf8(policy)
			       ? NULL
			       : json_pack("{ss ss* so sb si so so so so so so}", "interface",
					   policy->interface, "file", policy->file, "dirs",
					   strings(policy->dirs, policy->n_dirs), "observes",
					   policy->observes, "mode", policy->mode, "settings",
					   settings_json(&policy->settings), "uses",
					   uses_json(policy), "flows", flows_json(policy), "rules",
					   rules_json(policy), "groups", groups_json(policy),
					   "notes", strings(policy->notes, policy->n_notes));
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

	json_decref(root);
	return text;
}

/* ---- reading: the text comes from a map that only root writes; it is checked all the same - */

static const char *string_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static char *copy_of(const json_t *object, const char *key)
{
	const char *text = string_of(object, key);

	return text ? must_copy(text) : NULL;
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void name_of(char name[static BKXDP_NAME_MAX], const json_t *object, const char *key)
{
	const char *text = string_of(object, key);

	snprintf(name, BKXDP_NAME_MAX, "%s", text ? text : "");
}

static void read_settings(struct bkxdp_settings *settings, const json_t *object)
{
	size_t i;
	json_t *id;

	settings->enforcement = number_of(object, "enforcement");
	settings->ping = number_of(object, "ping");
	settings->fragments = number_of(object, "fragments");
	settings->dhcp = number_of(object, "dhcp");
	settings->vlans_any = number_of(object, "vlans_any");
	settings->connections = number_of(object, "connections");
	json_array_foreach (json_object_get(object, "vlans"), i, id) {
		size_t vlan = json_integer_value(id) & (BKXDP_VLANS - 1);

		settings->vlans[vlan / 64] |= 1ull << (vlan % 64);
	}
}

static void read_uses(struct policy *policy, const json_t *list)
{
	size_t i;
	json_t *object;

	json_array_foreach (list, i, object) {
		struct use *use = APPEND(policy->uses, policy->n_uses);

		name_of(use->profile, object, "profile");
		name_of(use->role, object, "role");
		use->title = copy_of(object, "title");
		use->level = copy_of(object, "level");
	}
}

/* Flows of one file are next to each other, so the last name is nearly always the right one. */
static const char *file_of(struct policy *policy, const char *file)
{
	if (!file)
		return NULL;
	if (!policy->n_file_names || strcmp(policy->file_names[policy->n_file_names - 1], file))
		*APPEND(policy->file_names, policy->n_file_names) = must_copy(file);
	return policy->file_names[policy->n_file_names - 1];
}

static void read_prefixes(struct prefix_set *set, const json_t *list)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item) {
		struct bkxdp_prefix prefix;
		const char *why;

		if (!prefix_parse(json_string_value(item), &prefix, &why))
			prefix_set_add(set, &prefix);
	}
	prefix_set_normalize(set);
}

static void read_flows(struct policy *policy, const json_t *list)
{
	size_t i;
	json_t *object;

	json_array_foreach (list, i, object) {
		struct flow *flow = APPEND(policy->flows, policy->n_flows);

		name_of(flow->profile, object, "profile");
		name_of(flow->name, object, "name");
		flow->place.file = file_of(policy, string_of(object, "file"));
		flow->place.line = number_of(object, "line");
		flow->place.column = number_of(object, "column");
		flow->source = copy_of(object, "source");
		flow->note = copy_of(object, "note");
		flow->required = number_of(object, "requires");
		flow->with_role = copy_of(object, "with");
		read_prefixes(&flow->with, json_object_get(object, "hosts"));
	}
}

static void read_ports(struct port_set *set, const char *text)
{
	AUTO_FREE char *copy = must_copy(text ? text : "");
	struct port_range range;
	const char *why;
	char *rest = NULL;

	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
		if (!port_range_parse(word, &range, &why))
			port_set_add(set, range);
	port_set_normalize(set);
}

static void read_rules(struct policy *policy, const json_t *list)
{
	size_t i;
	json_t *object;

	json_array_foreach (list, i, object) {
		struct rule *rule = APPEND(policy->rules, policy->n_rules);

		rule->flow = number_of(object, "flow");
		rule->side = number_of(object, "side");
		rule->protocol = number_of(object, "protocol");
		read_ports(&rule->ports, string_of(object, "ports"));
		rule->local.low = number_of(object, "low");
		rule->local.high = number_of(object, "high");
		rule->group = number_of(object, "group");
	}
}

static void read_groups(struct policy *policy, const json_t *list)
{
	size_t i;
	json_t *object;

	json_array_foreach (list, i, object) {
		struct group *group = APPEND(policy->groups, policy->n_groups);

		group->total = number_of(object, "total");
		group->roles = copy_of(object, "roles");
		read_prefixes(&group->prefixes, json_object_get(object, "prefixes"));
	}
}

static bool is_valid(const struct policy *policy)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->flow >= policy->n_flows || rule->group >= policy->n_groups ||
		    rule->side > SIDE_REPLY)
			return false;
	}
	for (size_t i = 0; i < policy->n_flows; i++)
		if (policy->flows[i].required >= (int)policy->n_flows)
			return false;
	return true;
}

static struct policy *read_policy(const json_t *root)
{
	struct policy *policy = must_alloc(1, sizeof(*policy));
	const char *interface = string_of(root, "interface");
	size_t i;
	json_t *text;

	snprintf(policy->interface, sizeof(policy->interface), "%s", interface ? interface : "");
	policy->file = copy_of(root, "file");
	policy->observes = json_is_true(json_object_get(root, "observes"));
	policy->mode = number_of(root, "mode");
	read_settings(&policy->settings, json_object_get(root, "settings"));
	read_uses(policy, json_object_get(root, "uses"));
	read_flows(policy, json_object_get(root, "flows"));
	read_rules(policy, json_object_get(root, "rules"));
	read_groups(policy, json_object_get(root, "groups"));
	json_array_foreach (json_object_get(root, "notes"), i, text)
		if (json_is_string(text))
			*APPEND(policy->notes, policy->n_notes) =
				must_copy(json_string_value(text));
	json_array_foreach (json_object_get(root, "dirs"), i, text)
		if (json_is_string(text))
			*APPEND(policy->dirs, policy->n_dirs) = must_copy(json_string_value(text));
	return policy;
}

struct policy *policy_json_read(const char *text)
{
	json_t *root = json_loads(text, 0, NULL);
	struct policy *policy = json_is_object(root) ? read_policy(root) : NULL;

	json_decref(root);
	if (policy && is_valid(policy))
		return policy;
	policy_free(policy);
	errno = EBADMSG;
	return NULL;
}
