/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of small numbers. Equal sets are stored once and have one number: these are the equivalence
 * classes.
 */
#ifndef POLICY_INTERN_H
#define POLICY_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct set {
	uint32_t *member; /* ascending */
	size_t count;
	uint64_t hash;
};

struct sets {
	struct set *set; /* [0] is the empty set */
	size_t count;
	uint32_t *buckets; /* open addressing; 0 means free */
	size_t n_buckets;  /* a power of two */
};

void sets_init(struct sets *sets);
void sets_free(struct sets *sets);

/*
 * Returns the number of the set with these members, which must be ascending and without duplicates.
 */
uint32_t sets_number(struct sets *sets, const uint32_t *member, size_t count);

#endif
