/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of control connections, for the program and for user space: which set a connection is
 * in, and what a slot's time means.
 */
#ifndef BKXDP_CONTROL_TABLE_H
#define BKXDP_CONTROL_TABLE_H

#include "layout.h"

#define BKXDP_NS_PER_SECOND 1000000000ull

/*
 * Multilinear hashing (strongly universal for a random key), whose result is then mixed, so that
 * neither chosen nor successive addresses crowd into one set.
 */
static __always_inline __u32 bkxdp_control_set_of(const struct bkxdp_settings *settings,
						  const struct bkxdp_control_key *key)
{
	const __u64 *random = settings->control_hash;
	__u64 sum = random[0] + random[1] * key->address[0] + random[2] * key->address[1] +
		    random[3] * key->address[2] + random[4] * key->address[3] +
		    random[5] * key->control;

	sum = (sum ^ sum >> 32) * 0x9e3779b97f4a7c15ull;
	return (__u32)(sum >> 40) & (settings->control_sets - 1);
}

/*
 * These return 1 or 0 without a branch, because the verifier follows each branch for every slot of
 * a set.
 */
static __always_inline __u64 bkxdp_is_zero(__u32 word)
{
	return ((__u64)word - 1) >> 63;
}

static __always_inline __u64 bkxdp_is_negative(__u64 difference)
{
	return difference >> 63;
}

static __always_inline __u64 bkxdp_same_control(const struct bkxdp_control_key *a,
						const struct bkxdp_control_key *b)
{
	return bkxdp_is_zero((a->address[0] ^ b->address[0]) | (a->address[1] ^ b->address[1]) |
			     (a->address[2] ^ b->address[2]) | (a->address[3] ^ b->address[3]) |
			     (a->control ^ b->control));
}

/* The same connection of the same flow. */
static __always_inline int bkxdp_same_slot(const struct bkxdp_control_slot *a,
					   const struct bkxdp_control_slot *b)
{
	const __u64 *one = (const __u64 *)(const void *)a, *other = (const __u64 *)(const void *)b;

	return !((one[0] ^ other[0]) | (one[1] ^ other[1]) | (one[2] ^ other[2]) |
		 (one[3] ^ other[3]) | (one[4] ^ other[4]));
}

static __always_inline int bkxdp_is_used(const struct bkxdp_control_slot *slot)
{
	return slot->connection.peer_port != 0;
}

/*
 * Times are ns, CLOCK_MONOTONIC; `seen` is a slot's. Another CPU may have stored a later time than
 * `now`, so differences are signed.
 */
static __always_inline __u64 bkxdp_is_younger(__u64 seen, __u64 now, __u64 ns)
{
	return bkxdp_is_negative(now - (seen & ~BKXDP_CONTROL_ENDED) - ns);
}

static __always_inline __u64 bkxdp_is_live(__u64 seen, __u64 now)
{
	return ~seen & BKXDP_CONTROL_ENDED &
	       bkxdp_is_younger(seen, now, BKXDP_CONTROL_SECONDS * BKXDP_NS_PER_SECOND);
}

/* Has it ended so recently that its last segments may still come? */
static __always_inline __u64 bkxdp_stays_ended(__u64 seen, __u64 now)
{
	return seen & BKXDP_CONTROL_ENDED &
	       bkxdp_is_younger(seen, now, BKXDP_CONTROL_ENDED_SECONDS * BKXDP_NS_PER_SECOND);
}

#endif
