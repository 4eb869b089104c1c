// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares what the vendors' documents say, written by hand in documents.txt, with what the
 * shipped profiles compile to. Usage: test_documents [PROFILES [TABLE]]
 */
#include <glob.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/strv.h"
#include "config/profile.h"
#include "config/site.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BLANK        " \t\n"

struct words {
	char **word;
	size_t count;
};

/* One block of the table: what the interface file says, and which rules it must make. */
struct block {
	unsigned int line;
	char *profile, *role, *level;
	struct words addresses; /* role, list, role, list ... */
	struct words ports;     /* name, peer role or "", list, name ... */
	struct words enable;
	struct words rule; /* in the form of rule_text() */
	char *refused;
	bool nothing;
};

/* What occurs in the table: "profile/role" and "profile/flow/side". */
static struct words spoken;
static const char *profiles_dir = "profiles";
static char *interface_path;

static void words_add(struct words *words, char *word)
{
	*APPEND(words->word, words->count) = word;
}

static void words_copy(struct words *words, const char *word)
{
	words_add(words, must_copy(word ? word : ""));
}

static bool words_have(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (!strcmp(words->word[i], word))
			return true;
	return false;
}

static void words_free(struct words *words)
{
	strv_free(words->word, words->count);
	*words = (struct words){};
}

/* Returns them sorted, one in each line. */
static char *words_text(const struct words *words)
{
	struct strbuf text;

	strbuf_open(&text);
	strv_sort(words->word, words->count);
	for (size_t i = 0; i < words->count; i++)
		fputs(words->word[i], strbuf_next(&text, "\n"));
	return strbuf_close(&text);
}

static void block_free(struct block *block)
{
	free(block->profile);
	free(block->role);
	free(block->level);
	free(block->refused);
	words_free(&block->addresses);
	words_free(&block->ports);
	words_free(&block->enable);
	words_free(&block->rule);
	*block = (struct block){};
}

/* ---- one form for rules, both the table's and the policy's --------------- */

static char *prefixes_text(const struct prefix_set *set)
{
	struct words words = {};
	char text[PREFIX_TEXT_MAX], *all;

	for (size_t i = 0; i < set->count; i++) {
		prefix_text(&set->prefix[i], text);
		words_copy(&words, text);
	}
	all = words_text(&words);
	words_free(&words);
	for (char *c = all; *c; c++)
		if (*c == '\n')
			*c = ',';
	return all;
}

static char *rule_text(const char *flow, const char *side, const char *protocol,
		       const struct port_set *ports, const struct prefix_set *peers,
		       const char *after)
{
	AUTO_FREE char *port = port_set_text(ports), *peer = prefixes_text(peers);

	return must_format("%s %s %s %s %s%s%s", flow, side, protocol, port,
			   peers->count ? peer : "-", after ? " after " : "", after ? after : "");
}

static char *policy_rule_text(const struct policy *policy, const struct rule *rule)
{
	const struct flow *flow = &policy->flows[rule->flow];
	const char *after = flow->required >= 0 ? policy->flows[flow->required].name : NULL;
	char *text = rule_text(flow->name, side_word(rule->side),
			       rule->protocol == IPPROTO_TCP ? "tcp" : "udp", &rule->ports,
			       &policy->groups[rule->group].prefixes, after);

	if (rule->side == SIDE_REPLY && (rule->local.low != 1024 || rule->local.high != 65535)) {
		AUTO_FREE char *short_text = text;

		text = must_format("%s to our %u-%u", short_text, rule->local.low,
				   rule->local.high);
	}
	return text;
}

static char *policy_text(const struct policy *policy)
{
	struct words words = {};
	char *text;

	for (size_t i = 0; i < policy->n_rules; i++)
		words_add(&words, policy_rule_text(policy, &policy->rules[i]));
	text = words_text(&words);
	words_free(&words);
	return text;
}

/* ---- interface files ----------------------------------------------------- */

static void write_list(FILE *file, const char *list, const char *quote)
{
	fputc('[', file);
	for (const char *item = list; *item; item += strcspn(item, ","), item += *item == ',')
		fprintf(file, "%s%s%.*s%s", item == list ? "" : ", ", quote,
			(int)strcspn(item, ","), item, quote);
	fputc(']', file);
}

static void write_addresses(FILE *file, const struct words *addresses)
{
	if (addresses->count)
		fputs("    addresses:\n", file);
	for (size_t i = 0; i < addresses->count; i += 2) {
		fprintf(file, "      %s: ", addresses->word[i]);
		write_list(file, addresses->word[i + 1], "\"");
		fputc('\n', file);
	}
}

/* Pins for several peer roles of one name follow each other in the table. */
static void write_ports(FILE *file, const struct words *ports)
{
	const char *last = "";

	if (ports->count)
		fputs("    ports:\n", file);
	for (size_t i = 0; i < ports->count; i += 3) {
		char *const *pin = &ports->word[i];

		if (strcmp(last, pin[0]))
			fprintf(file, "      %s:%s", pin[0], *pin[1] ? "\n" : " ");
		if (*pin[1])
			fprintf(file, "        %s: ", pin[1]);
		write_list(file, pin[2], "");
		fputc('\n', file);
		last = pin[0];
	}
}

static struct policy *read_interface(struct diagnostics *diag)
{
	const struct site_lookup lookup = {.dirs = &profiles_dir, .count = 1};

	return site_read(interface_path, &lookup, diag);
}

static FILE *create_interface(void)
{
	FILE *file = fopen(interface_path, "w");

	if (!file) {
		perror(interface_path);
		exit(1);
	}
	return file;
}

static struct policy *compile_block(const struct block *block, struct diagnostics *diag)
{
	FILE *file = create_interface();

	fprintf(file, "interface: eth1\nuse:\n  - profile: %s\n    as: %s\n", block->profile,
		block->role);
	if (block->level)
		fprintf(file, "    level: %s\n", block->level);
	write_addresses(file, &block->addresses);
	write_ports(file, &block->ports);
	if (block->enable.count) {
		fputs("    enable:\n", file);
		for (size_t i = 0; i < block->enable.count; i++)
			fprintf(file, "      - %s\n", block->enable.word[i]);
	}
	fclose(file);
	return read_interface(diag);
}

static char *complaints_text(const struct diagnostics *diag)
{
	const struct words words = {diag->text, diag->count};

	return words_text(&words);
}

/* ---- the table ----------------------------------------------------------- */

static void table_refused(unsigned int line, const char *what)
{
	printf("Bail out! the table, line %u: %s\n", line, what);
	exit(1);
}

static void run_block(struct block *block)
{
	struct diagnostics diag = {};
	struct policy *policy;

	if (!block->profile)
		return;
	if (!block->rule.count && !block->refused && !block->nothing)
		table_refused(block->line, "the block expects neither rules nor anything else");
	policy = compile_block(block, &diag);

	AUTO_FREE char *why = complaints_text(&diag), *want = words_text(&block->rule);
	AUTO_FREE char *got = policy ? policy_text(policy) : must_copy(why);

	if (block->refused)
		check_has(policy ? "it compiles" : why, block->refused,
			  "line %u: %s as %s is refused", block->line, block->profile, block->role);
	else
		check_text(got, want, "line %u: %s as %s", block->line, block->profile,
			   block->role);
	policy_free(policy);
	diag_free(&diag);
	block_free(block);
}

static void start_block(struct block *block, unsigned int line, const char *text)
{
	char profile[64], role[64];

	run_block(block);
	if (sscanf(text, "[%63[a-z0-9-] as %63[a-z0-9-]]", profile, role) != 2)
		table_refused(line, "not [PROFILE as ROLE]");
	*block = (struct block){
		.line = line, .profile = must_copy(profile), .role = must_copy(role)};
}

static char *table_word(char **rest, unsigned int line)
{
	char *word = strtok_r(NULL, BLANK, rest);

	if (!word)
		table_refused(line, "a word is missing");
	return word;
}

static void block_level(struct block *block, char **rest, unsigned int line)
{
	free(block->level);
	block->level = must_copy(table_word(rest, line));
}

static void block_addresses(struct block *block, char **rest, unsigned int line)
{
	words_copy(&block->addresses, table_word(rest, line));
	words_copy(&block->addresses, table_word(rest, line));
}

static void block_ports(struct block *block, char **rest, unsigned int line)
{
	char *role = table_word(rest, line), *name = strsep(&role, "/");

	words_copy(&block->ports, name);
	words_copy(&block->ports, role);
	words_copy(&block->ports, table_word(rest, line));
}

static void block_enable(struct block *block, char **rest, unsigned int line)
{
	words_copy(&block->enable, table_word(rest, line));
	for (char *flow; (flow = strtok_r(NULL, BLANK, rest));)
		words_copy(&block->enable, flow);
}

static void block_refused(struct block *block, char **rest, unsigned int line)
{
	block->refused = must_copy(table_word(rest, line));
}

static void block_nothing(struct block *block, char **rest, unsigned int line)
{
	(void)rest;
	(void)line;
	block->nothing = true;
}

static const struct {
	const char *word;
	void (*read)(struct block *block, char **rest, unsigned int line);
} keywords[] = {
	{"level", block_level},   {"addresses", block_addresses}, {"ports", block_ports},
	{"enable", block_enable}, {"refused", block_refused},     {"nothing", block_nothing},
};

static void table_ports(char *list, struct port_set *ports, unsigned int line)
{
	const char *why;

	for (char *item; (item = strsep(&list, ","));) {
		struct port_range range;

		if (port_range_parse(item, &range, &why))
			table_refused(line, why);
		port_set_add(ports, range);
	}
	port_set_normalize(ports);
}

static void table_peers(char *list, struct prefix_set *peers, unsigned int line)
{
	const char *why;

	if (!strcmp(list, "-"))
		return;
	for (char *item; (item = strsep(&list, ","));) {
		struct bkxdp_prefix prefix;

		if (prefix_parse(item, &prefix, &why))
			table_refused(line, why);
		prefix_set_add(peers, &prefix);
	}
	prefix_set_normalize(peers);
}

static void block_rule(struct block *block, const char *flow, char **rest, unsigned int line)
{
	const char *side = table_word(rest, line), *protocol = table_word(rest, line);
	char *ports = table_word(rest, line), *peers = table_word(rest, line);
	const char *after = strtok_r(NULL, BLANK, rest);
	struct prefix_set prefixes = {};
	struct port_set set = {};

	if (after)
		after = table_word(rest, line);
	table_ports(ports, &set, line);
	table_peers(peers, &prefixes, line);
	words_add(&block->rule, rule_text(flow, side, protocol, &set, &prefixes, after));
	words_add(&spoken, must_format("%s/%s", block->profile, block->role));
	words_add(&spoken, must_format("%s/%s/%s", block->profile, flow, side));
	free(set.range);
	free(prefixes.prefix);
}

static void table_line(struct block *block, char *text, unsigned int line)
{
	char *rest, *first;

	if (*text == '[') {
		start_block(block, line, text);
		return;
	}
	first = strtok_r(text, BLANK, &rest);
	if (!first || *first == '#')
		return;
	if (!block->profile)
		table_refused(line, "before the first [PROFILE as ROLE]");
	for (size_t i = 0; i < COUNT(keywords); i++)
		if (!strcmp(first, keywords[i].word)) {
			keywords[i].read(block, &rest, line);
			return;
		}
	block_rule(block, first, &rest, line);
}

static void run_table(const char *path)
{
	AUTO_FCLOSE FILE *file = fopen(path, "r");
	AUTO_FREE char *text = NULL;
	struct block block = {};
	unsigned int line = 0;
	size_t room = 0;

	if (!file) {
		perror(path);
		exit(1);
	}
	while (getline(&text, &room, file) > 0)
		table_line(&block, text, ++line);
	run_block(&block);
}

/* ---- every profile in every role ----------------------------------------- */

static bool flow_has(const unsigned int *roles, size_t count, unsigned int role)
{
	for (size_t i = 0; i < count; i++)
		if (roles[i] == role)
			return true;
	return false;
}

static void expect_spoken(const struct profile *profile, const char *what, const char *side)
{
	AUTO_FREE char *text =
		must_format("%s/%s%s%s", profile->name, what, *side ? "/" : "", side);

	check(words_have(&spoken, text), "the table speaks of %s", text);
}

/*
 * An interface file with one optional flow or none, an address for every role and a number for
 * every port.
 */
static void run_role(const struct profile *profile, const struct profile_role *role,
		     const char *enable)
{
	struct block block = {.profile = must_copy(profile->name), .role = must_copy(role->name)};
	struct diagnostics diag = {};
	struct policy *policy;

	for (size_t i = 0; i < profile->n_roles; i++) {
		words_copy(&block.addresses, profile->roles[i].name);
		words_copy(&block.addresses, "192.0.2.1");
	}
	for (size_t i = 0; i < profile->n_ports; i++) {
		if (profile->ports[i].has_default || profile->ports[i].n_candidates)
			continue;
		words_copy(&block.ports, profile->ports[i].name);
		words_copy(&block.ports, "");
		words_add(&block.ports, must_format("%zu", 50000 + i));
	}
	if (enable)
		words_copy(&block.enable, enable);
	policy = compile_block(&block, &diag);

	AUTO_FREE char *why = complaints_text(&diag);

	check_text(why, "", "%s as %s with %s", profile->name, role->name,
		   enable ? enable : "nothing enabled");
	check(policy && policy->n_rules, "and opens something");
	policy_free(policy);
	diag_free(&diag);
	block_free(&block);
}

static void run_profile(const struct profile *profile)
{
	for (unsigned int r = 0; r < profile->n_roles; r++) {
		bool always = false;

		expect_spoken(profile, profile->roles[r].name, "");
		for (size_t i = 0; i < profile->n_flows; i++) {
			const struct profile_flow *flow = &profile->flows[i];

			if (!flow_has(flow->from, flow->n_from, r) &&
			    !flow_has(flow->to, flow->n_to, r))
				continue;
			if (flow->optional)
				run_role(profile, &profile->roles[r], flow->name);
			else
				always = true;
		}
		if (always)
			run_role(profile, &profile->roles[r], NULL);
	}
	for (size_t i = 0; i < profile->n_flows; i++) {
		expect_spoken(profile, profile->flows[i].name, "inbound");
		expect_spoken(profile, profile->flows[i].name, "reply");
		check(profile->flows[i].source, "%s/%s cites a source", profile->name,
		      profile->flows[i].name);
	}
}

static void run_profiles(void)
{
	AUTO_FREE char *pattern = must_format("%s/*.yaml", profiles_dir);
	glob_t paths = {};

	check(!glob(pattern, 0, NULL, &paths), "profiles are in %s", profiles_dir);
	for (size_t i = 0; i < paths.gl_pathc; i++) {
		struct diagnostics diag = {};
		struct profile *profile = profile_read(paths.gl_pathv[i], &diag);
		AUTO_FREE char *why = complaints_text(&diag);

		check_text(why, "", "%s is read", paths.gl_pathv[i]);
		if (profile)
			run_profile(profile);
		profile_free(profile);
		diag_free(&diag);
	}
	globfree(&paths);
}

/* The documentation's example of an interface file. */
static void run_example(void)
{
	static const char text[] =
		"interface: eth1\n"
		"use:\n"
		"  - profile: backup-exec\n"
		"    as: remote-agent\n"
		"    addresses: {media-server: [10.20.30.5, 10.20.31.0/24, \"2001:db8:20::/64\", "
		"bemedia.example.com]}\n"
		"    ports: {data: 50000-50100}\n"
		"    enable: [oracle]\n"
		"  - profile: ibm-cloud-backup\n"
		"    as: agent\n"
		"    level: minimum\n"
		"flows:\n"
		"  - {name: ssh, from: [10.20.0.0/24], to: self, tcp: 22}\n"
		"mode: auto\nverdict: enforce\nconnections: sockets\nping: peers\n"
		"fragments: drop\nvlans: any\ndhcp: false\n";
	struct diagnostics diag = {};
	FILE *file = create_interface();
	struct policy *policy;

	fputs(text, file);
	fclose(file);
	policy = read_interface(&diag);

	AUTO_FREE char *why = complaints_text(&diag);

	check_text(why, "", "the documented interface file compiles");
	check_int(policy ? policy->n_flows : 0, 9, "its flows: 4 of each profile, and ssh");
	policy_free(policy);
	diag_free(&diag);
}

int main(int argc, char **argv)
{
	char directory[] = "/tmp/bkxdp-documents.XXXXXX";

	if (argc > 1)
		profiles_dir = argv[1];
	if (!mkdtemp(directory)) {
		perror(directory);
		return 1;
	}
	interface_path = must_format("%s/eth1.yaml", directory);
	run_table(argc > 2 ? argv[2] : "tests/documents.txt");
	run_profiles();
	run_example();
	unlink(interface_path);
	rmdir(directory);
	free(interface_path);
	words_free(&spoken);
	return tap_done();
}
