/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of the reasons in verdict.h, and of the tallies, which count packets by reason. */
#ifndef POLICY_REASONS_H
#define POLICY_REASONS_H

#include <bkxdp/verdict.h>

const char *reason_word(enum bkxdp_reason reason);
const char *reason_meaning(enum bkxdp_reason reason);

/* Tallies (verdict.h) are numbered from 1 to BKXDP_TALLIES - 1. */
enum tally_verdict { TALLY_PASS, TALLY_DROP, TALLY_WOULD_DROP, TALLY_VERDICTS };
enum tally_verdict tally_verdict(unsigned int tally);
enum bkxdp_reason tally_reason(unsigned int tally);
const char *tally_verdict_word(unsigned int tally); /* "would_drop": for JSON and labels */
const char *tally_verdict_text(unsigned int tally); /* "would drop": for people */

#endif
