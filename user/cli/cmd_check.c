// SPDX-License-Identifier: GPL-2.0-only
/* check: validates files without root and without the network. */
#include <stdio.h>
#include <string.h>

#include "base/exit.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/printable.h"
#include "cli/cmd.h"
#include "config/profile.h"
#include "config/site.h"
#include "config/yaml_doc.h"
#include "packet/packet_text.h"
#include "policy/compile.h"

struct checking {
	struct values dirs;
	bool resolve;
	bool print;
};

/*
 * Only a profile has `roles` at its top level. What is wrong with the file is reported by its
 * real reader.
 */
static bool is_profile(const char *path)
{
	struct diagnostics ignored = {};
	struct document document;
	bool found = false;

	if (!document_open(&document, path, SITE_BYTES_MAX, &ignored) &&
	    document.root->type == VALUE_MAP)
		FOR_KEYS (key, document.root)
			found |= !strcmp(key->text, "roles") || !strcmp(key->text, "profile");
	document_close(&document);
	diag_free(&ignored);
	return found;
}

static void print_rule(const struct policy *policy, const struct rule *rule)
{
	const struct flow *flow = &policy->flows[rule->flow];
	const struct group *group = &policy->groups[rule->group];
	AUTO_FREE char *ports = port_set_text(&rule->ports);
	AUTO_FREE char *file = printable(flow->place.file ? flow->place.file : "-");

	printf("  %-7s %s/%s: %s %s %s", side_word(rule->side), flow->profile, flow->name,
	       packet_protocol_word(rule->protocol),
	       rule->side == SIDE_INBOUND ? "to our" : "from their", ports);
	if (rule->side == SIDE_REPLY)
		printf(" to our %u-%u", rule->local.low, rule->local.high);
	if (flow->required >= 0 && rule->side == SIDE_INBOUND)
		printf(", needs %s%s%s", policy->flows[flow->required].name,
		       flow->with_role ? " with " : "", flow->with_role ? flow->with_role : "");
	printf(", %s %s:", rule->side == SIDE_INBOUND ? "from" : "with",
	       group->roles ? group->roles : "");
	for (size_t i = 0; i < group->prefixes.count && i < 4; i++) {
		char text[PREFIX_TEXT_MAX];

		prefix_text(&group->prefixes.prefix[i], text);
		printf(" %s", text);
	}
	if (group->total > 4)
		printf(" and %zu more", group->total - 4);
	printf("  (%s:%u)\n", file, flow->place.line);
}

static void print_policy(const char *name, const struct policy *policy, const struct tables *tables)
{
	printf("%s: policy %016llx: %zu flows, %zu rules, %zu prefixes, %zu services\n", name,
	       (unsigned long long)policy->digest, policy->n_flows, policy->n_rules,
	       tables->ipv4_prefixes + tables->ipv6_prefixes, tables->n_services);
	for (size_t i = 0; i < policy->n_rules; i++)
		print_rule(policy, &policy->rules[i]);
}

/* An interface is attached with the file of its name. */
static void note_name(const char *path, const struct policy *policy)
{
	AUTO_FREE char *own = site_path(policy->interface);
	AUTO_FREE char *whole = realpath(path, NULL), *name = printable(path);
	bool there = whole && site_is_installed(whole);

	if (*policy->interface && there && strcmp(whole, own) != 0)
		fprintf(stderr, "%s: note: it is for %s, for which %s is read\n", name,
			policy->interface, own);
}

static bool check_site(const char *path, const struct checking *checking, struct diagnostics *diag)
{
	struct site_lookup lookup = {checking->dirs.value, checking->dirs.count, checking->resolve};
	struct policy *policy = site_read(path, &lookup, diag);
	struct tables *tables = policy ? compile(policy, diag) : NULL;
	AUTO_FREE char *name = printable(path);
	bool sound = tables;

	for (size_t i = 0; sound && i < policy->n_notes; i++)
		fprintf(stderr, "%s: note: %s\n", name, policy->notes[i]);
	if (sound)
		note_name(path, policy);
	if (sound && checking->print)
		print_policy(name, policy, tables);
	else if (sound)
		printf("%s: sound: an interface file with %zu flows\n", name, policy->n_flows);
	tables_free(tables);
	policy_free(policy);
	return sound;
}

static bool check_file(const char *path, const struct checking *checking, struct diagnostics *diag)
{
	AUTO_FREE char *name = printable(path);
	struct profile *profile;

	if (!is_profile(path))
		return check_site(path, checking, diag);
	profile = profile_read(path, diag);
	if (!profile)
		return false;
	printf("%s: sound: profile %s with %zu roles and %zu flows\n", name, profile->name,
	       profile->n_roles, profile->n_flows);
	profile_free(profile);
	return true;
}

int cmd_check(int argc, char **argv)
{
	struct checking checking = {};
	const struct option_row rows[] = {
		{"print", NULL, "print the compiled policy", .set = &checking.print},
		{"resolve", NULL, "also resolve host names", .set = &checking.resolve},
		{"profiles", "DIR", "look for profiles here first", .values = &checking.dirs},
	};
	const struct usage usage = {"check",
				    "FILE... [OPTION...]",
				    "Validates profiles and interface files. Needs no privileges "
				    "and changes nothing.\n",
				    rows,
				    sizeof(rows) / sizeof(*rows),
				    1,
				    -1};
	char **operands;
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status < 0) {
		status = EXIT_DONE;
		for (int i = 0; i < count; i++) {
			struct diagnostics diag = {};

			if (!check_file(operands[i], &checking, &diag))
				status = EXIT_FAILED;
			diag_print(&diag);
			diag_free(&diag);
		}
	}
	free(checking.dirs.value);
	return status;
}
