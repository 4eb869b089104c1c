// SPDX-License-Identifier: GPL-2.0-only
#include "policy/intern.h"

#include <string.h>

#include "base/memory.h"

/* FNV-1a over whole members. Sets with equal hashes are still compared in full. */
static uint64_t hash_of(const uint32_t *member, size_t count)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ member[i]) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

void sets_init(struct sets *sets)
{
	memset(sets, 0, sizeof(*sets));
	sets->n_buckets = 64;
	sets->buckets = must_alloc(sets->n_buckets, sizeof(*sets->buckets));
	(void)APPEND(sets->set, sets->count);
}

void sets_free(struct sets *sets)
{
	for (size_t i = 0; i < sets->count; i++)
		free(sets->set[i].member);
	free(sets->set);
	free(sets->buckets);
	memset(sets, 0, sizeof(*sets));
}

static size_t place_of(const struct sets *sets, uint64_t hash, const uint32_t *member, size_t count)
{
	size_t place = hash & (sets->n_buckets - 1);

	for (; sets->buckets[place]; place = (place + 1) & (sets->n_buckets - 1)) {
		const struct set *set = &sets->set[sets->buckets[place]];

		if (set->hash == hash && set->count == count &&
		    !memcmp(set->member, member, count * sizeof(*member)))
			break;
	}
	return place;
}

static void grow(struct sets *sets)
{
	free(sets->buckets);
	sets->n_buckets *= 2;
	sets->buckets = must_alloc(sets->n_buckets, sizeof(*sets->buckets));
	for (size_t i = 1; i < sets->count; i++) {
		const struct set *set = &sets->set[i];

		sets->buckets[place_of(sets, set->hash, set->member, set->count)] = i;
	}
}

uint32_t sets_number(struct sets *sets, const uint32_t *member, size_t count)
{
	uint64_t hash = hash_of(member, count);
	size_t place = place_of(sets, hash, member, count);
	struct set *set;

	if (!count)
		return 0;
	if (sets->buckets[place])
		return sets->buckets[place];
	sets->buckets[place] = sets->count;
	set = APPEND(sets->set, sets->count);
	set->member = must_alloc(count, sizeof(*member));
	memcpy(set->member, member, count * sizeof(*member));
	set->count = count;
	set->hash = hash;
	if (sets->count * 2 > sets->n_buckets)
		grow(sets);
	return sets->count - 1;
}
