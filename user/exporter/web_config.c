// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/web_config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "config/yaml_doc.h"
#include "config/yaml_fields.h"
#include "exporter/basic_auth.h"
#include "exporter/tls.h"

#define FILE_BYTES_MAX (1 << 20)

static uint64_t add_stamp(uint64_t stamp, const char *path)
{
	struct stat status = {};

	(void)stat(path, &status);
	stamp = stamp * 1000003 + status.st_ino;
	return stamp * 1000003 + status.st_mtim.tv_sec * NS_PER_S + status.st_mtim.tv_nsec;
}

/* Before it is read: what is written meanwhile is then seen the next time. */
static void note_file(struct web_config *config, const char *path)
{
	*APPEND(config->files, config->n_files) = must_copy(path);
	config->stamp = add_stamp(config->stamp, path);
}

/* The content of the file that is named, relative to the folder of the configuration. */
static void read_pem(struct document *document, const struct value *value, void *field)
{
	const char *slash = *value->text == '/' ? NULL : strrchr(document->file, '/');
	AUTO_FREE char *path = must_format("%.*s%s", slash ? (int)(slash + 1 - document->file) : 0,
					   document->file, value->text);
	AUTO_FCLOSE FILE *file = NULL;
	AUTO_FREE char *text = NULL;
	size_t room = 0;

	if (!value_is(document, value, VALUE_WORD))
		return;
	note_file(document->owner, path);
	file = fopen(path, "re");
	errno = file ? ENODATA : errno;
	if (!file || getdelim(&text, &room, '\0', file) < 0)
		diag_value(document, value, "%s can't be read: %s", path, strerror(errno));
	else
		*(char **)field = must_copy(text);
}

static void read_version(struct document *document, const struct value *value, void *field)
{
	int version = read_choice(document, value, CHOICES("TLS10", "TLS11", "TLS12", "TLS13"));

	if (version >= 0)
		*(enum tls_version *)field = version;
}

static void read_client_auth(struct document *document, const struct value *value, void *field)
{
	int way = read_choice(
		document, value,
		CHOICES("NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"));

	if (way >= 0)
		*(enum client_auth *)field = way;
}

static void check_tls(struct document *document, const struct value *value,
		      const struct web_config *config)
{
	const char *why;

	if (config->least > config->most)
		diag_value(document, value, "min_version is later than max_version");
	if (config->client_auth != CLIENT_NONE && !config->client_ca)
		diag_value(document, value,
			   "client_auth_type needs client_ca_file: the authorities whose "
			   "certificates are taken");
	if (config->client_auth == CLIENT_NONE && config->client_ca)
		diag_value(document, value,
			   "client_ca_file has no effect without \"client_auth_type: "
			   "RequireAndVerifyClientCert\"");
	why = config->cert && config->key ? tls_objection(config) : NULL;
	if (why)
		diag_value(document, value, "certificate, key or authorities: %s", why);
}

static void read_tls(struct document *document, const struct value *value, void *field)
{
	static const struct key keys[] = {
		{"cert_file", read_pem, offsetof(struct web_config, cert), true},
		{"key_file", read_pem, offsetof(struct web_config, key), true},
		{"client_ca_file", read_pem, offsetof(struct web_config, client_ca), false},
		{"client_auth_type", read_client_auth, offsetof(struct web_config, client_auth),
		 false},
		{"min_version", read_version, offsetof(struct web_config, least), false},
		{"max_version", read_version, offsetof(struct web_config, most), false},
		{"prefer_server_cipher_suites", read_bool, offsetof(struct web_config, ignored),
		 false},
	};

	MAP_READ(document, value, keys, field);
	check_tls(document, value, field);
}

static void add_pair(struct web_pair **pairs, size_t *n_pairs, const struct value *name)
{
	*APPEND(*pairs, *n_pairs) =
		(struct web_pair){must_copy(name->text), must_copy(name->next->text)};
}

static void read_headers(struct document *document, const struct value *value, void *field)
{
	const char *const *known =
		CHOICES("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options",
			"X-XSS-Protection", "Strict-Transport-Security");
	struct web_config *config = field;

	if (!value_is(document, value, VALUE_MAP))
		return;
	FOR_KEYS (name, value) {
		AUTO_FREE char *text = NULL;

		read_text(document, name->next, &text);
		if (text && strpbrk(text, "\r\n"))
			diag_value(document, name->next, "a header is one line");
		else if (text && read_choice(document, name, known) >= 0)
			add_pair(&config->headers, &config->n_headers, name);
	}
}

static void read_http(struct document *document, const struct value *value, void *field)
{
	static const struct key keys[] = {
		{"http2", read_bool, offsetof(struct web_config, ignored), false},
		{"headers", read_headers, 0, false},
	};

	MAP_READ(document, value, keys, field);
}

/* An empty section would let everybody in, which is hardly what was meant. */
static void read_users(struct document *document, const struct value *value, void *field)
{
	struct web_config *config = field;

	if (!value_is(document, value, VALUE_MAP))
		return;
	if (!value->child)
		diag_value(document, value, "no user is named; without users leave this out");
	FOR_KEYS (name, value) {
		const char *why = basic_auth_objection(name->next->text);

		if (strchr(name->text, ':'))
			diag_value(document, name, "a user's name has no colon");
		else if (why)
			diag_value(document, name->next, "the password of \"%.*s\" %s", SHOWN_MAX,
				   name->text, why);
		else
			add_pair(&config->users, &config->n_users, name);
	}
}

struct web_config *web_config_read(const char *file, struct diagnostics *diag)
{
	static const struct key keys[] = {
		{"tls_server_config", read_tls, 0, false},
		{"http_server_config", read_http, 0, false},
		{"basic_auth_users", read_users, 0, false},
	};
	struct web_config *config = must_alloc(1, sizeof(*config));
	struct document document = {};
	size_t before = diag->count;

	config->least = TLS_1_2;
	config->most = TLS_1_3;
	if (!file)
		return config;
	note_file(config, file);
	if (!document_open(&document, file, FILE_BYTES_MAX, diag)) {
		document.owner = config;
		MAP_READ(&document, document.root, keys, config);
	}
	document_close(&document);
	if (diag->count == before)
		return config;
	web_config_free(config);
	return NULL;
}

static void free_pairs(struct web_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(pairs[i].name);
		free(pairs[i].value);
	}
	free(pairs);
}

void web_config_free(struct web_config *config)
{
	if (!config)
		return;
	free_pairs(config->headers, config->n_headers);
	free_pairs(config->users, config->n_users);
	for (size_t i = 0; i < config->n_files; i++)
		free(config->files[i]);
	free(config->files);
	free(config->cert);
	free(config->key);
	free(config->client_ca);
	free(config);
}

bool web_config_is_old(const struct web_config *config)
{
	uint64_t stamp = 0;

	for (size_t i = 0; i < config->n_files; i++)
		stamp = add_stamp(stamp, config->files[i]);
	return stamp != config->stamp;
}

const char *web_config_unreadable(const struct web_config *config)
{
	for (size_t i = 0; i < config->n_files; i++)
		if (access(config->files[i], R_OK))
			return config->files[i];
	return NULL;
}
