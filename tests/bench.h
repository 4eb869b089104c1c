/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the benchmark. */
#ifndef BENCH_H
#define BENCH_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench_vary.h"
#include "build.h"

/* ---- bench_kinds.c: the traffic -------------------------------------------- */

struct kind {
	const char *name;
	const char *title;
	struct frame frame;
	struct bench_vary vary;
	bool any_peer; /* the sources are the policy's own prefixes, as many as it has */
	bool passes;   /* what every filter here must say */
	bool as_sent;  /* by a real interface: the IPv4 checksum must be right */
};

const struct kind *kind_find(const char *name);
/* With the sources of a policy of so many prefixes, if it is their turn. */
struct bench_vary kind_vary(const struct kind *kind, uint32_t prefixes);
/* Makes the connections that some kinds belong to. The files stay open. */
int kind_sockets(void);

/* ---- bench_rig.c: programs -------------------------------------------------- */

/* Our programs, loaded with the same flags as the filter that they stand beside. */
struct rig;

/* The program that an interface runs: its file, and its rig. -1 with a message. */
int rig_of(const char *interface, struct rig **rig);
int rig_attach(const char *interface, bool pass);
/* ns of CPU time a packet, by the filter or by an empty program. Negative with a message. */
double rig_cost(struct rig *rig, int filter, const struct kind *kind, uint32_t prefixes,
		unsigned int repeat);
#define RIG_EMPTY (-1)
/* Frames a second of one core, sending included, that an interface's other end took. */
double rig_flood(const char *interface, const struct kind *kind, uint32_t prefixes, double seconds);
/* Sends so many frames that the other end takes, one interface at a time. Their length, or -1. */
int rig_send(const char *interface, const struct kind *kind, uint32_t frames);
/* What the verifier walked through to accept the interface's program. */
int rig_instructions(const char *interface, uint32_t *count);

/* ---- bench_rows.c: what came out --------------------------------------------- */

#define ROUNDS_MAX 64

struct series {
	double value[ROUNDS_MAX];
	unsigned int count;
};
struct row {
	const char *part; /* cost, flood, load ... */
	const char *who;  /* bkxdp, xdp-filter ... */
	const char *policy;
	const char *what;
	const char *unit;
	struct series value;
};

void series_add(struct series *series, double value);
/* One line of JSON on standard output. */
void row_print(const struct row *row);

double seconds_now(void);

#endif
