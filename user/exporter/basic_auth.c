// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/basic_auth.h"

#include <crypt.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/memory.h"
#include "exporter/tls.h"

#define KNOWN_MAX 64
#define COST_MAX  15 /* two seconds or so, in which nobody else is answered */

/* Of the processor's time, guesses get a quarter, after two seconds' worth at once. */
#define GUESS_SHARE 4
#define GUESS_BURST 2000000000ll

struct web_auth {
	const struct web_config *config;
	const char *dearest; /* the hash that takes longest: for users that are not there */
	unsigned char key[WEB_TLS_HASH];
	unsigned char known[KNOWN_MAX][WEB_TLS_HASH]; /* what was right, hashed */
	size_t knowns, next;
	int64_t budget, filled; /* ns */
	struct crypt_data crypt;
};

/* "$2b$12$" and 53 characters. */
const char *web_auth_objection(const char *hash)
{
	int cost;

	if (strlen(hash) != 60 || strncmp(hash, "$2", 2) || !strchr("aby", hash[2]) ||
	    hash[3] != '$' || hash[6] != '$')
		return "is no bcrypt hash; \"htpasswd -nBC 10 ''\" makes one";
	if (strspn(hash + 7, "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") !=
	    53)
		return "is no bcrypt hash: a character in it is none of bcrypt's";
	cost = (hash[4] - '0') * 10 + hash[5] - '0';
	if (cost < 4 || cost > COST_MAX)
		return "has a cost outside 4-15: each check would stop the exporter for long";
	return NULL;
}

static int64_t now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

struct web_auth *web_auth_new(const struct web_config *config)
{
	struct web_auth *auth;

	if (!config->users)
		return NULL;
	auth = must_alloc(1, sizeof(*auth));
	auth->config = config;
	auth->dearest = config->user[0].hash;
	for (size_t i = 1; i < config->users; i++)
		if (strncmp(config->user[i].hash + 4, auth->dearest + 4, 2) > 0)
			auth->dearest = config->user[i].hash;
	auth->budget = GUESS_BURST;
	auth->filled = now();
	if (getrandom(auth->key, sizeof(auth->key), 0) == sizeof(auth->key))
		return auth;
	free(auth);
	return NULL;
}

void web_auth_free(struct web_auth *auth)
{
	if (auth)
		explicit_bzero(auth, sizeof(*auth));
	free(auth);
}

static bool same(const void *a, const void *b, size_t size)
{
	const unsigned char *left = a, *right = b;
	unsigned char differs = 0;

	for (size_t i = 0; i < size; i++)
		differs |= left[i] ^ right[i];
	return !differs;
}

static bool peer_cache_holds(const struct web_auth *auth, const unsigned char *hash)
{
	for (size_t i = 0; i < auth->knowns; i++)
		if (same(auth->known[i], hash, WEB_TLS_HASH))
			return true;
	return false;
}

static void remember(struct web_auth *auth, const unsigned char *hash)
{
	memcpy(auth->known[auth->next], hash, WEB_TLS_HASH);
	auth->next = (auth->next + 1) % KNOWN_MAX;
	if (auth->knowns < KNOWN_MAX)
		auth->knowns++;
}

static bool may_guess(struct web_auth *auth)
{
	int64_t time = now();

	auth->budget += (time - auth->filled) / GUESS_SHARE;
	auth->filled = time;
	if (auth->budget > GUESS_BURST)
		auth->budget = GUESS_BURST;
	return auth->budget > 0;
}

/* As long for a user that is not there as for one that is. */
static bool is_right(struct web_auth *auth, const char *name, const char *password)
{
	const char *hash = NULL, *made;
	int64_t start = now();

	for (size_t i = 0; i < auth->config->users; i++)
		if (!strcmp(auth->config->user[i].name, name))
			hash = auth->config->user[i].hash;
	made = crypt_r(password, hash ? hash : auth->dearest, &auth->crypt);
	auth->budget -= now() - start;
	return made && strlen(made) == 60 && hash && same(made, hash, 60);
}

static enum web_auth_answer check(struct web_auth *auth, char *pair, size_t size)
{
	unsigned char hash[WEB_TLS_HASH];
	char *colon = strchr(pair, ':');

	if (!colon || strlen(pair) != size || web_tls_hash(auth->key, pair, size, hash))
		return AUTH_NO;
	if (peer_cache_holds(auth, hash))
		return AUTH_YES;
	if (!may_guess(auth))
		return AUTH_LATER;
	*colon = '\0';
	if (!is_right(auth, pair, colon + 1))
		return AUTH_NO;
	remember(auth, hash);
	return AUTH_YES;
}

enum web_auth_answer web_auth_ask(struct web_auth *auth, const char *authorization)
{
	static const char scheme[] = "Basic ";
	enum web_auth_answer answer;
	size_t size;
	char *pair;

	if (!authorization || strncasecmp(authorization, scheme, strlen(scheme)))
		return AUTH_NO;
	authorization += strlen(scheme);
	pair = web_tls_base64(authorization + strspn(authorization, " "), &size);
	if (!pair)
		return AUTH_NO;
	answer = check(auth, pair, size);
	explicit_bzero(pair, size);
	free(pair);
	return answer;
}
