// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/tls.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "base/memory.h"

static gnutls_datum_t datum(const char *text)
{
	return (gnutls_datum_t){(unsigned char *)text, strlen(text)};
}

static int load(gnutls_certificate_credentials_t credentials, const struct web_config *config)
{
	gnutls_datum_t cert = datum(config->cert), key = datum(config->key), ca;
	int result =
		gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM);

	if (result < 0 || !config->client_ca)
		return result < 0 ? result : 0;
	ca = datum(config->client_ca);
	result = gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM);
	return result ? result : GNUTLS_E_NO_CERTIFICATE_FOUND;
}

const char *web_tls_objection(const struct web_config *config)
{
	gnutls_certificate_credentials_t credentials;
	int result = gnutls_certificate_allocate_credentials(&credentials);

	if (result)
		return gnutls_strerror(result);
	result = load(credentials, config);
	gnutls_certificate_free_credentials(credentials);
	return result < 0 ? gnutls_strerror(result) : NULL;
}

char *web_tls_priorities(const struct web_config *config)
{
	static const char *const versions[] = {":+VERS-TLS1.0", ":+VERS-TLS1.1", ":+VERS-TLS1.2",
					       ":+VERS-TLS1.3"};
	const char *piece[4] = {"", "", "", ""};

	for (int i = config->least; i <= (int)config->most; i++)
		piece[i] = versions[i];
	return must_format("NORMAL:%%SERVER_PRECEDENCE:-VERS-ALL%s%s%s%s", piece[3], piece[2],
			   piece[1], piece[0]);
}

bool web_tls_client_is_known(void *session, const struct web_config *config)
{
	gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID,
					 (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, 0};
	unsigned int status = 1, count = 0;

	if (config->client_auth == CLIENT_NONE)
		return true;
	gnutls_certificate_get_peers(session, &count);
	if (!count)
		return config->client_auth == CLIENT_IF_GIVEN;
	return !gnutls_certificate_verify_peers(session, &purpose, 1, &status) && !status;
}

char *web_tls_base64(const char *text, size_t *size)
{
	gnutls_datum_t from = datum(text), bytes;
	char *copy;

	if (gnutls_base64_decode2(&from, &bytes))
		return NULL;
	copy = must_alloc(1, bytes.size + 1);
	memcpy(copy, bytes.data, bytes.size);
	*size = bytes.size;
	gnutls_memset(bytes.data, 0, bytes.size);
	gnutls_free(bytes.data);
	return copy;
}

int web_tls_hash(const unsigned char key[static WEB_TLS_HASH], const void *bytes, size_t size,
		 unsigned char hash[static WEB_TLS_HASH])
{
	return gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, WEB_TLS_HASH, bytes, size, hash) ? -EIO : 0;
}
