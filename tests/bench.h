/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the benchmark share. */
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
	bool any_peer; /* the sources are all prefixes of the policy */
	bool passes;   /* the verdict of every filter here */
	bool as_sent;  /* sent over a real interface, so the IPv4 checksum must be right */
};

const struct kind *kind_find(const char *name);
/*
 * Builds a frame of a kind; its source is one of a policy with so many prefixes, if the kind
 * wants that.
 */
struct bench_vary kind_vary(const struct kind *kind, uint32_t prefixes);
/* Makes the connections to which some kinds belong. Their files stay open. */
int kind_sockets(void);

/* ---- bench_rig.c: programs -------------------------------------------------- */

/*
 * The benchmark's programs, loaded with the same flags as the filter with which they are
 * compared.
 */
struct rig;

/*
 * Returns the descriptor of the program that an interface runs, and sets its rig; -1 with a
 * message on failure.
 */
int rig_of(const char *interface, struct rig **rig);
int rig_attach(const char *interface, bool pass);
/*
 * Returns the CPU time of a packet in ns, of the filter or of an empty program; negative with a
 * message on failure.
 */
double rig_cost(struct rig *rig, int filter, const struct kind *kind, uint32_t prefixes,
		unsigned int repeat);
#define RIG_EMPTY (-1)
/*
 * Returns the frames a second that the other end of an interface took with one core, which also
 * sends.
 */
double rig_flood(const char *interface, const struct kind *kind, uint32_t prefixes, double seconds);
/*
 * Sends until the other end has taken so many frames; one interface at a time. Returns their
 * length, or -1.
 */
int rig_send(const char *interface, const struct kind *kind, uint32_t frames);
/*
 * Returns the number of instructions that the verifier walked through for the interface's
 * program.
 */
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
/* Prints a line of JSON on standard output. */
void row_print(const struct row *row);

double seconds_now(void);

#endif
