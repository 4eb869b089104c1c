// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: any bytes as a profile and as an interface file. An interface file can name
 * the profiles of PROFILES (a folder from the environment) and, as ./p.yaml, the bytes
 * themselves.
 */
#include <stdint.h>

#include "config/profile.h"
#include "config/site.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void begin(void)
{
	static bool begun;

	if (!begun)
		scratch_begin();
	begun = true;
}

static void as_profile(const char *path)
{
	struct diagnostics diag = {};
	struct profile *profile = profile_read(path, &diag);

	if (!profile == !diag.count)
		abort();
	profile_free(profile);
	diag_free(&diag);
}

static void as_site(const char *path)
{
	const char *dir = getenv("PROFILES");
	const struct site_lookup lookup = {.dirs = &dir, .count = !!dir};
	struct diagnostics diag = {};
	struct policy *policy = site_read(path, &lookup, &diag);

	if (!policy == !diag.count)
		abort();
	for (size_t i = 0; policy && i < policy->n_rules; i++)
		if (!policy->rules[i].ports.count || policy->rules[i].group >= policy->n_groups ||
		    policy->rules[i].flow >= policy->n_flows)
			abort();
	policy_free(policy);
	diag_free(&diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	const char *path;

	begin();
	path = scratch_bytes("p.yaml", bytes, count);
	as_profile(path);
	as_site(path);
	return 0;
}
