// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/basic_auth.h"

#include <crypt.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

#define KNOWN_MAX   64
#define COST_MAX    15 /* about two seconds, in which nobody else is answered */
#define HASH_LENGTH 60 /* "$2b$12$" and 53 characters */
#define DIGEST      32

/* Of users whose password was right. */
static unsigned char known[KNOWN_MAX][DIGEST];
static size_t n_remembered;

const char *basic_auth_objection(const char *hash)
{
	char cost[3], rest[54];
	int end = 0;

	if (sscanf(hash, "$2%*1[aby]$%2[0-9]$%53[./0-9A-Za-z]%n", cost, rest, &end) != 2 ||
	    end != HASH_LENGTH || hash[end])
		return "is no bcrypt hash; \"htpasswd -nBC 10 ''\" makes one";
	if (atoi(cost) < 4 || atoi(cost) > COST_MAX)
		return "has a cost outside 4-15: each check would stop the exporter for long";
	return NULL;
}

/* "name:password" of the header's base64; NULL if there is no such thing. The caller frees it. */
static char *decode(const char *authorization)
{
	gnutls_datum_t text, bytes;
	char *pair;

	if (!authorization || strncasecmp(authorization, "Basic ", 6))
		return NULL;
	authorization += strspn(authorization + 5, " ") + 5;
	text = (gnutls_datum_t){(unsigned char *)authorization, strlen(authorization)};
	if (gnutls_base64_decode2(&text, &bytes))
		return NULL;
	pair = must_format("%.*s", (int)bytes.size, bytes.data);
	if (strlen(pair) != bytes.size)
		*pair = '\0';
	gnutls_free(bytes.data);
	return pair;
}

/* NULL: there is no such user. *dearest is the hash that takes longest to check. */
static const char *hash_of(const struct web_config *config, const char *name, const char **dearest)
{
	const char *hash = NULL;

	*dearest = config->users[0].value;
	for (size_t i = 0; i < config->n_users; i++) {
		if (!strcmp(config->users[i].name, name))
			hash = config->users[i].value;
		if (strncmp(config->users[i].value + 4, *dearest + 4, 2) > 0)
			*dearest = config->users[i].value;
	}
	return hash;
}

/* It covers the user's hash, so it matches no more once that has changed or the user is gone. */
static bool make_digest(const char *pair, const char *hash, unsigned char digest[static DIGEST])
{
	static unsigned char key[DIGEST];
	static bool has_key;
	AUTO_FREE char *all = must_format("%s:%s", pair, hash);

	has_key = has_key || !gnutls_rnd(GNUTLS_RND_KEY, key, sizeof(key));
	return has_key &&
	       !gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, DIGEST, all, strlen(all), digest);
}

static bool is_known(const unsigned char *digest)
{
	bool found = false;

	for (size_t i = 0; i < KNOWN_MAX && i < n_remembered; i++)
		found |= !gnutls_memcmp(known[i], digest, DIGEST);
	return found;
}

static bool is_right(const char *password, const char *hash)
{
	static struct crypt_data crypt;
	const char *made = crypt_r(password, hash, &crypt);

	return made && strlen(made) == HASH_LENGTH && !gnutls_memcmp(made, hash, HASH_LENGTH);
}

enum auth_answer basic_auth_ask(const struct web_config *config, const char *authorization,
				bool bcrypt)
{
	AUTO_FREE char *pair = config->n_users ? decode(authorization) : NULL, *name = NULL;
	const char *colon = pair ? strchr(pair, ':') : NULL, *hash, *dearest;
	unsigned char digest[DIGEST];

	if (!colon)
		return config->n_users ? AUTH_NO : AUTH_YES;
	name = must_format("%.*s", (int)(colon - pair), pair);
	hash = hash_of(config, name, &dearest);
	if (hash && make_digest(pair, hash, digest) && is_known(digest))
		return AUTH_YES;
	if (!bcrypt)
		return AUTH_UNKNOWN;
	/* a wrong name takes as long as a wrong password */
	if (!is_right(colon + 1, hash ? hash : dearest) || !hash)
		return AUTH_NO;
	if (make_digest(pair, hash, digest))
		memcpy(known[n_remembered++ % KNOWN_MAX], digest, DIGEST);
	return AUTH_YES;
}
