/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may ask: basic authentication against bcrypt hashes. bcrypt is slow on
 * purpose, so what was right once is known again without it, and guessing gets
 * a bounded share of the processor, whoever guesses.
 */
#ifndef EXPORTER_BASIC_AUTH_H
#define EXPORTER_BASIC_AUTH_H

#include "exporter/web_config.h"

enum web_auth_answer { AUTH_YES, AUTH_NO, AUTH_LATER /* too many guesses */ };

struct web_auth;
struct web_auth *web_auth_new(const struct web_config *config);
void web_auth_free(struct web_auth *auth);
/* The value of an Authorization header, or NULL where there is none. */
enum web_auth_answer web_auth_ask(struct web_auth *auth, const char *authorization);

/* What is wrong with a text as the hash of a password, or NULL. */
const char *web_auth_objection(const char *hash);

#endif
