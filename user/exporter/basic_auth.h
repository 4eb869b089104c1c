/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Basic authentication against bcrypt hashes. bcrypt is slow on purpose, so what was right once is
 * known again without it, for as long as the user keeps that hash.
 */
#ifndef EXPORTER_BASIC_AUTH_H
#define EXPORTER_BASIC_AUTH_H

#include "exporter/web_config.h"

enum auth_answer { AUTH_UNKNOWN /* takes bcrypt to tell */, AUTH_NO, AUTH_YES };

/*
 * `authorization` is the value of that header, or NULL. With `bcrypt` the answer is yes or no and
 * may take two seconds; without, it comes at once.
 */
enum auth_answer basic_auth_ask(const struct web_config *config, const char *authorization,
				bool bcrypt);

/* What is wrong with a text as the hash of a password, or NULL. */
const char *basic_auth_objection(const char *hash);

#endif
