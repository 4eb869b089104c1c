// SPDX-License-Identifier: GPL-2.0-only
#include "policy/reasons.h"

#define REASON_WORD(name, word, verdict, meaning) [BKXDP_##name] = word,
static const char *const words[] = {BKXDP_REASONS(REASON_WORD)};
#define REASON_MEANING(name, word, verdict, meaning) [BKXDP_##name] = meaning,
static const char *const meanings[] = {BKXDP_REASONS(REASON_MEANING)};

const char *reason_word(enum bkxdp_reason reason)
{
	return words[reason];
}

const char *reason_meaning(enum bkxdp_reason reason)
{
	return meanings[reason];
}

enum bkxdp_reason tally_reason(unsigned int tally)
{
	return tally < BKXDP_REASON_COUNT ? tally : tally - BKXDP_WOULD_DROPS;
}

enum tally_verdict tally_verdict(unsigned int tally)
{
	if (tally >= BKXDP_REASON_COUNT)
		return TALLY_WOULD_DROP;
	return bkxdp_reason_passes(tally) ? TALLY_PASS : TALLY_DROP;
}

static const struct {
	const char *word, *text;
} verdicts[TALLY_VERDICTS] = {
	[TALLY_PASS] = {"pass", "pass"},
	[TALLY_DROP] = {"drop", "drop"},
	[TALLY_WOULD_DROP] = {"would_drop", "would drop"},
};

const char *tally_verdict_word(unsigned int tally)
{
	return verdicts[tally_verdict(tally)].word;
}

const char *tally_verdict_text(unsigned int tally)
{
	return verdicts[tally_verdict(tally)].text;
}
