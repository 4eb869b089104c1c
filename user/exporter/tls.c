// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "base/memory.h"

static gnutls_datum_t datum(const char *text)
{
	return (gnutls_datum_t){(unsigned char *)text, strlen(text)};
}

const char *tls_objection(const struct web_config *config)
{
	gnutls_datum_t cert = datum(config->cert), key = datum(config->key);
	gnutls_datum_t ca = datum(config->client_ca ? config->client_ca : "");
	gnutls_certificate_credentials_t credentials = NULL;
	int result = gnutls_certificate_allocate_credentials(&credentials);

	if (result >= 0)
		result = gnutls_certificate_set_x509_key_mem(credentials, &cert, &key,
							     GNUTLS_X509_FMT_PEM);
	if (result >= 0 && config->client_ca)
		result =
			gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM)
				?: GNUTLS_E_NO_CERTIFICATE_FOUND;
	if (credentials)
		gnutls_certificate_free_credentials(credentials);
	return result < 0 ? gnutls_strerror(result) : NULL;
}

/* Without RSA as a key exchange: who later gets the key could read all that was recorded. */
char *tls_priorities(const struct web_config *config)
{
	static const char versions[] = ":+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0";
	const int length = (sizeof(versions) - 1) / 4;

	return must_format("NORMAL:%%SERVER_PRECEDENCE:-RSA:-VERS-ALL%.*s",
			   ((int)config->most - (int)config->least + 1) * length,
			   versions + (TLS_1_3 - config->most) * length);
}

bool tls_client_is_known(void *session, const struct web_config *config)
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
