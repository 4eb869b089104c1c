// SPDX-License-Identifier: GPL-2.0-only
#include "policy/scrape_index.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

_Static_assert(sizeof(struct series_flow) == 12, "no padding");
_Static_assert(sizeof(struct series_head) == 56, "no padding");

/* ---- writing --------------------------------------------------------------- */

struct writing {
	char (*profile)[BKXDP_NAME_MAX];
	size_t profiles;
	struct series_flow *flow;
	size_t flows;
	char *name;
	size_t name_bytes;
	char *file;
	size_t file_bytes;
};

/* With its NUL, at the end of all. */
static void write_text(char **all, size_t *bytes, const char *text)
{
	do
		*APPEND(*all, *bytes) = *text;
	while (*text++);
}

/* Flows of one profile stand together. */
static uint16_t profile_index(struct writing *w, const char profile[static BKXDP_NAME_MAX])
{
	for (size_t i = w->profiles; i-- > 0;)
		if (!strcmp(w->profile[i], profile))
			return i;
	memcpy(APPEND(w->profile, w->profiles), profile, BKXDP_NAME_MAX);
	return w->profiles - 1;
}

static void write_flows(struct writing *w, const struct policy *policy)
{
	AUTO_FREE bool *seen = must_alloc(BKXDP_COUNTERS_MAX, sizeof(*seen));

	for (size_t r = 0; r < policy->n_rules; r++) {
		const struct rule *rule = &policy->rules[r];
		struct series_flow *flow;

		if (seen[rule->counter])
			continue;
		seen[rule->counter] = true;
		flow = APPEND(w->flow, w->flows);
		flow->counter = rule->counter;
		flow->profile = profile_index(w, policy->flows[rule->flow].profile);
		flow->side = rule->side;
		flow->name = w->name_bytes;
		write_text(&w->name, &w->name_bytes, policy->flows[rule->flow].name);
	}
}

/* Flows of one file stand together. */
static void write_files(struct writing *w, const struct policy *policy)
{
	const char *last = policy->file;

	if (!policy->file)
		return;
	write_text(&w->file, &w->file_bytes, policy->file);
	for (size_t i = 0; i < policy->n_flows; i++) {
		const char *file = policy->flows[i].place.file;

		if (!file || !strcmp(file, last))
			continue;
		write_text(&w->file, &w->file_bytes, file);
		last = file;
	}
}

static char *put(char *to, const void *bytes, size_t count)
{
	return count ? (char *)memcpy(to, bytes, count) + count : to;
}

static char *pack(const struct writing *w, const struct series_head *head, size_t *size)
{
	size_t profiles = w->profiles * sizeof(*w->profile), flows = w->flows * sizeof(*w->flow);
	char *bytes, *to;

	*size = sizeof(*head) + profiles + flows + w->name_bytes + w->file_bytes;
	bytes = must_alloc(1, *size);
	to = put(bytes, head, sizeof(*head));
	to = put(to, w->profile, profiles);
	to = put(to, w->flow, flows);
	to = put(to, w->name, w->name_bytes);
	put(to, w->file, w->file_bytes);
	return bytes;
}

void *series_write(const struct policy *policy, const struct tables *tables, uint64_t loaded,
		   size_t *size)
{
	struct writing w = {};
	struct series_head head = {
		.loaded = loaded,
		.digest = policy->digest,
		.ipv4_prefixes = tables->ipv4_prefixes,
		.ipv6_prefixes = tables->ipv6_prefixes,
		.enforcement = policy->settings.enforcement,
	};
	char *bytes;

	write_flows(&w, policy);
	write_files(&w, policy);
	head.profiles = w.profiles;
	head.flows = w.flows;
	head.name_bytes = w.name_bytes;
	head.file_bytes = w.file_bytes;
	bytes = pack(&w, &head, size);
	free(w.profile);
	free(w.flow);
	free(w.name);
	free(w.file);
	return bytes;
}

/* ---- reading: the bytes come from a map that only root writes; they are checked all the same - */

static bool fits(const struct series_head *head, size_t size)
{
	size_t needed = sizeof(*head);

	if (head->profiles > BKXDP_COUNTERS_MAX || head->flows > BKXDP_COUNTERS_MAX ||
	    head->name_bytes > size || head->file_bytes > size)
		return false;
	needed += head->profiles * (size_t)BKXDP_NAME_MAX;
	needed += head->flows * sizeof(struct series_flow);
	needed += (size_t)head->name_bytes + head->file_bytes;
	return needed <= size;
}

static bool flow_is_whole(const struct series *series, const struct series_flow *flow)
{
	const struct series_head *head = series->head;

	return flow->counter < BKXDP_COUNTERS_MAX && flow->profile < head->profiles &&
	       flow->side <= SIDE_REPLY && flow->name < head->name_bytes &&
	       strlen(series->name + flow->name) < BKXDP_NAME_MAX;
}

static bool ends_in_nul(const char *text, size_t bytes)
{
	return !bytes || !text[bytes - 1];
}

static bool is_whole(const struct series *series)
{
	const struct series_head *head = series->head;

	for (size_t i = 0; i < head->profiles; i++)
		if (series->profile[i][BKXDP_NAME_MAX - 1])
			return false;
	if (!ends_in_nul(series->name, head->name_bytes) ||
	    !ends_in_nul(series->file, head->file_bytes))
		return false;
	for (size_t i = 0; i < head->flows; i++)
		if (!flow_is_whole(series, &series->flow[i]))
			return false;
	return true;
}

int series_read(const void *bytes, size_t size, struct series *series)
{
	struct series found = {.head = bytes};

	if (size < sizeof(*found.head) || !fits(found.head, size))
		return -EBADMSG;
	found.profile = (const void *)(found.head + 1);
	found.flow = (const void *)(found.profile + found.head->profiles);
	found.name = (const void *)(found.flow + found.head->flows);
	found.file = found.name + found.head->name_bytes;
	if (!is_whole(&found))
		return -EBADMSG;
	*series = found;
	return 0;
}

static uint64_t written(const char *path)
{
	struct stat file;

	return stat(path, &file) || file.st_mtime < 0 ? 0 : (uint64_t)file.st_mtime;
}

/* Without the interface file there is nothing to reload from. */
uint64_t series_changed(const struct series *series)
{
	const char *end = series->file + series->head->file_bytes;
	uint64_t newest = series->head->file_bytes ? written(series->file) : 0;

	for (const char *file = series->file; newest && file < end; file += strlen(file) + 1) {
		uint64_t time = written(file);

		if (time > newest)
			newest = time;
	}
	return newest;
}
