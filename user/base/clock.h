/* SPDX-License-Identifier: GPL-2.0-only */
/* The time as one number and as text. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000ull

/* Nanoseconds of this clock. The program in the kernel uses CLOCK_MONOTONIC. */
static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* "2026-11-21T18:45:00Z", of s since the epoch. */
#define CLOCK_TEXT_MAX 32
static inline void clock_text(uint64_t seconds, char text[static CLOCK_TEXT_MAX])
{
	time_t when = (time_t)seconds;
	struct tm broken;

	strftime(text, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &broken));
}

#endif
