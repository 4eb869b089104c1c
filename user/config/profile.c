// SPDX-License-Identifier: GPL-2.0-only
#include "config/profile.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/strv.h"
#include "base/suggest.h"
#include "policy/names.h"

#define LOCAL_PROFILES_DIR BKXDP_CONFIG_DIR "/profiles"
#define SUFFIX             ".yaml"

static void free_role(struct profile_role *role)
{
	free(role->title);
	free(role->note);
	for (size_t i = 0; i < role->n_addresses; i++)
		free(role->addresses[i].prefixes.prefix);
	free(role->addresses);
	strv_free(role->hosts, role->n_hosts);
}

static void free_port(struct profile_port *port)
{
	free(port->set.range);
	free(port->candidates);
	free(port->note);
}

static void free_flow(struct profile_flow *flow)
{
	free(flow->from);
	free(flow->to);
	free(flow->tcp.set.range);
	free(flow->tcp.named);
	free(flow->udp.set.range);
	free(flow->udp.named);
	free(flow->local.range);
	free(flow->source);
	free(flow->note);
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	strv_free(profile->sources, profile->n_sources);
	strv_free(profile->source_keys, profile->n_sources);
	for (size_t i = 0; i < profile->n_roles; i++)
		free_role(&profile->roles[i]);
	for (size_t i = 0; i < profile->n_ports; i++)
		free_port(&profile->ports[i]);
	for (size_t i = 0; i < profile->n_flows; i++)
		free_flow(&profile->flows[i]);
	free(profile->roles);
	free(profile->ports);
	free(profile->flows);
	free(profile->title);
	free(profile->note);
	free(profile->file);
	free(profile);
}

int profile_role_index(const struct profile *profile, const char *name)
{
	return FIND_NAMED(name, profile->roles, profile->n_roles);
}

char *profile_role_names(const struct profile *profile, const unsigned int *roles, size_t n_roles)
{
	struct strbuf text;

	strbuf_open(&text);
	for (size_t i = 0; i < n_roles; i++)
		fputs(profile->roles[roles[i]].name, strbuf_next(&text, ", "));
	return strbuf_close(&text);
}

/* ---- where profiles are --------------------------------------------------- */

static const char *const standard_dirs[] = {LOCAL_PROFILES_DIR, BKXDP_PROFILES_DIR};
#define STANDARD_DIRS 2

static const char *nth_dir(const char *const *dirs, size_t n_dirs, size_t n)
{
	return n < n_dirs ? dirs[n] : standard_dirs[n - n_dirs];
}

char *profile_find(const char *name, const char *beside, const char *const *dirs, size_t n_dirs)
{
	if (strchr(name, '/'))
		return beside && *name != '/' ? must_format("%s/%s", beside, name)
					      : must_copy(name);
	/* only a valid name may become part of a path */
	if (!name_is_valid(name))
		return NULL;
	for (size_t i = 0; i < n_dirs + STANDARD_DIRS; i++) {
		char *path = must_format("%s/%s" SUFFIX, nth_dir(dirs, n_dirs, i), name);

		if (!access(path, F_OK))
			return path;
		free(path);
	}
	return NULL;
}

static void add_names(const char *path, char ***names, size_t *n_names)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		AUTO_FREE char *base = must_copy(entry->d_name);
		size_t length = strlen(base);

		if (length <= strlen(SUFFIX) || strcmp(base + length - strlen(SUFFIX), SUFFIX))
			continue;
		base[length - strlen(SUFFIX)] = '\0';
		if (name_is_valid(base))
			*APPEND(*names, *n_names) = must_copy(base);
	}
	closedir(dir);
}

char **profile_names(const char *const *dirs, size_t n_dirs, size_t *n_names)
{
	char **names = NULL;
	size_t n_found = 0, n_unique = 0;

	for (size_t i = 0; i < n_dirs + STANDARD_DIRS; i++)
		add_names(nth_dir(dirs, n_dirs, i), &names, &n_found);
	strv_sort(names, n_found);
	for (size_t i = 0; i < n_found; i++)
		if (n_unique && !strcmp(names[n_unique - 1], names[i]))
			free(names[i]);
		else
			names[n_unique++] = names[i];
	*n_names = n_unique;
	return names;
}
