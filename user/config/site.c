// SPDX-License-Identifier: GPL-2.0-only
#include "config/site.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strv.h"
#include "config/site_model.h"
#include "policy/policy_build.h"

/* Returns the policy, sealed, or NULL if there are diagnostics about this site. */
static struct policy *finish(const struct site *site, struct policy *policy,
			     const struct diagnostics *diag)
{
	if (site_failed(site, diag)) {
		policy_free(policy);
		return NULL;
	}
	policy_seal(policy);
	return policy;
}

static struct policy *compile_site(struct site *site, const struct site_lookup *lookup,
				   struct policy *policy, struct diagnostics *diag)
{
	site_bind_details(site, policy, diag);
	site_compile(site, policy, lookup, diag);
	memcpy(policy->interface, site->interface, sizeof(policy->interface));
	policy->file = site->file ? must_copy(site->file) : NULL;
	policy->mode = site->mode;
	policy->settings = site->settings;
	policy = finish(site, policy, diag);
	site_free(site);
	return policy;
}

struct policy *site_read(const char *path, const struct site_lookup *lookup,
			 struct diagnostics *diag)
{
	struct site site;

	site_init(&site, path, diag);
	if (site_parse(&site, diag)) {
		site_free(&site);
		return NULL;
	}
	site_bind_profiles(&site, lookup, diag);
	return compile_site(&site, lookup, must_alloc(1, sizeof(struct policy)), diag);
}

struct policy *site_from_options(const char *interface, const struct site_options *options,
				 const struct site_lookup *lookup, struct diagnostics *diag)
{
	static const struct place from_interface = {.file = "the interface"};
	struct site site;

	site_init(&site, NULL, diag);
	site_set_interface(&site, &from_interface, interface, diag);
	options_uses(&site, options, diag);
	site_bind_profiles(&site, lookup, diag);
	options_details(&site, options, diag);
	return compile_site(&site, lookup, must_alloc(1, sizeof(struct policy)), diag);
}

/* ---- observation ---------------------------------------------------------- */

static bool has_ports(const struct profile *profile, const struct profile_ports *ports)
{
	for (size_t i = 0; i < ports->n_named; i++)
		if (!profile->ports[ports->named[i]].set.count)
			return false;
	return true;
}

static struct port_set usual_ports(const struct profile *profile, const struct profile_ports *ports)
{
	struct port_set set = {};

	for (size_t i = 0; i < ports->set.count; i++)
		port_set_add(&set, ports->set.range[i]);
	for (size_t i = 0; i < ports->n_named; i++) {
		const struct port_set *more = &profile->ports[ports->named[i]].set;

		for (size_t j = 0; j < more->count; j++)
			port_set_add(&set, more->range[j]);
	}
	port_set_normalize(&set);
	return set;
}

static void observe_side(struct builder *builder, const struct profile *profile,
			 const struct profile_flow *flow, struct rule *rule)
{
	const struct profile_ports *ports[] = {&flow->tcp, &flow->udp};
	static const uint8_t protocol[] = {IPPROTO_TCP, IPPROTO_UDP};

	for (size_t i = 0; i < 2; i++) {
		if (!ports[i]->given)
			continue;
		rule->protocol = protocol[i];
		rule->ports = usual_ports(profile, ports[i]);
		build_rules(builder, rule, &flow->local);
		free(rule->ports.range);
	}
}

/*
 * Adds the flow as if this host had both of its roles. Returns the flow's index in the policy,
 * or -1.
 */
static int observe_flow(struct builder *builder, const struct profile *profile,
			const struct profile_flow *flow)
{
	struct rule rule = {.group = 0};
	int index;

	if (!has_ports(profile, &flow->tcp) || !has_ports(profile, &flow->udp))
		return -1;
	index = build_flow(builder, profile->name, flow->name, &flow->place, flow->source,
			   flow->note);
	if (index < 0)
		return -1;
	rule.flow = (unsigned int)index;
	for (rule.side = SIDE_INBOUND; rule.side <= SIDE_REPLY; rule.side++)
		observe_side(builder, profile, flow, &rule);
	return index;
}

static void observe_profile(struct builder *builder, const struct profile *profile)
{
	AUTO_FREE int *index = must_alloc(profile->n_flows, sizeof(*index));
	struct policy *policy = builder->policy;
	size_t left_out = 0;

	for (size_t i = 0; i < profile->n_roles; i++)
		policy_use(policy, profile->name, profile->roles[i].name, profile->title, NULL);
	for (size_t i = 0; i < profile->n_flows; i++) {
		index[i] = observe_flow(builder, profile, &profile->flows[i]);
		left_out += index[i] < 0;
	}
	for (size_t i = 0; i < profile->n_flows; i++)
		/* under `with` any address could be one of the role's, so nothing is required */
		if (index[i] >= 0 && profile->flows[i].required >= 0 && profile->flows[i].with < 0)
			policy->flows[index[i]].required = index[profile->flows[i].required];
	if (left_out)
		policy_note(policy,
			    "%zu of the %zu flows of %s %s not observed, because only the site "
			    "knows the ports: write an interface file with use.ports for them",
			    left_out, profile->n_flows, profile->name,
			    left_out == 1 ? "is" : "are");
}

static void observe_all(struct builder *builder, const struct site_lookup *lookup)
{
	size_t count;
	char **name = profile_names(lookup->dirs, lookup->count, &count);

	for (size_t i = 0; i < count; i++) {
		char *path = profile_find(name[i], NULL, lookup->dirs, lookup->count);
		struct profile *profile = path ? profile_read(path, builder->diagnostics) : NULL;

		if (profile)
			observe_profile(builder, profile);
		profile_free(profile);
		free(path);
	}
	strv_free(name, count);
}

char *site_path(const char *interface)
{
	return must_format(BKXDP_CONFIG_DIR "/%s.yaml", interface);
}

bool site_is_installed(const char *path)
{
	return !strncmp(path, BKXDP_CONFIG_DIR "/", strlen(BKXDP_CONFIG_DIR "/"));
}

struct policy *site_observe(const char *interface, const struct site_lookup *lookup,
			    struct diagnostics *diag)
{
	static const struct place nowhere = {.file = "profiles"};
	struct policy *policy = must_alloc(1, sizeof(*policy));
	struct builder builder = {.policy = policy, .diagnostics = diag};
	struct prefix_set any = {};
	struct site site;

	site_init(&site, NULL, diag);
	site_set_interface(&site, &nowhere, interface, diag);
	memcpy(policy->interface, site.interface, sizeof(policy->interface));
	policy->observes = true;
	policy->settings = site.settings;
	policy->settings.enforcement = BKXDP_AUDIT;
	policy->settings.ping = BKXDP_PING_ANY;
	policy->settings.fragments = BKXDP_FRAGMENTS_PEERS;
	prefix_set_add_any(&any);
	build_group(&builder, &nowhere, &any, "any");
	observe_all(&builder, lookup);
	if (!policy->n_flows && !site_failed(&site, diag))
		diag_at(diag, &nowhere, "none were found: is bkxdp installed completely?");
	free(builder.hashes);
	return finish(&site, policy, diag);
}
