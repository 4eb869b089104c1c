// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/web_config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "config/yaml_doc.h"
#include "config/yaml_fields.h"
#include "exporter/basic_auth.h"
#include "exporter/tls.h"

#define FILE_BYTES_MAX (1 << 20)

/* As written: what the names stand for is read afterwards. */
struct named {
	char *text;
	struct place place;
};
struct tls_section {
	struct named cert, key, client_ca;
	enum client_auth client_auth;
	enum tls_version least, most;
};
struct sections {
	struct tls_section tls;
	bool has_tls;
	struct web_config *config;
};

/* ---- values ---------------------------------------------------------------- */

static void read_named(struct document *document, const struct value *value, void *field)
{
	struct named *named = field;

	read_text(document, value, &named->text);
	named->place = value_place(document, value);
}

/* The index of a word in a list; complains and returns -1 where it is none of them. */
static int choose(struct document *document, const struct value *value, const char *const *words,
		  size_t count)
{
	if (!value_is(document, value, VALUE_WORD))
		return -1;
	for (size_t i = 0; i < count; i++)
		if (!strcmp(value->text, words[i]))
			return i;
	AUTO_FREE char *right = suggest(value->text, words, count);

	diag_value(document, value, "unknown value \"%.*s\"%s", SHOWN_MAX, value->text, right);
	return -1;
}

static void read_version(struct document *document, const struct value *value, void *field)
{
	static const char *const words[] = {"TLS10", "TLS11", "TLS12", "TLS13"};
	int version = choose(document, value, words, 4);

	if (version >= 0)
		*(enum tls_version *)field = version;
}

static void read_client_auth(struct document *document, const struct value *value, void *field)
{
	static const char *const words[] = {"NoClientCert", "VerifyClientCertIfGiven",
					    "RequireAndVerifyClientCert"};
	int way;

	if (value->type == VALUE_WORD && (!strcmp(value->text, "RequestClientCert") ||
					  !strcmp(value->text, "RequireAnyClientCert"))) {
		diag_value(document, value,
			   "\"%s\" lets in whoever made himself a certificate, and is not "
			   "supported; use \"RequireAndVerifyClientCert\"",
			   value->text);
		return;
	}
	way = choose(document, value, words, 3);
	if (way >= 0)
		*(enum client_auth *)field = way;
}

static void refuse_key(struct document *document, const struct value *value, void *field)
{
	(void)field;
	diag_value(document, value,
		   "bkxdp does not support this key of the web configuration; leave it out");
}

/* HTTP/2 is offered by a server, never demanded of it; there is none here. */
static void ignore_bool(struct document *document, const struct value *value, void *field)
{
	bool unused = false;

	(void)field;
	read_bool(document, value, &unused);
}

/* ---- sections -------------------------------------------------------------- */

static void read_tls(struct document *document, const struct value *value, void *field)
{
	static const struct key keys[] = {
		{"cert_file", read_named, offsetof(struct tls_section, cert), true},
		{"key_file", read_named, offsetof(struct tls_section, key), true},
		{"client_ca_file", read_named, offsetof(struct tls_section, client_ca), false},
		{"client_auth_type", read_client_auth, offsetof(struct tls_section, client_auth),
		 false},
		{"min_version", read_version, offsetof(struct tls_section, least), false},
		{"max_version", read_version, offsetof(struct tls_section, most), false},
		{"prefer_server_cipher_suites", ignore_bool, 0, false},
		{"client_allowed_sans", refuse_key, 0, false},
		{"cipher_suites", refuse_key, 0, false},
		{"curve_preferences", refuse_key, 0, false},
		{"cert", refuse_key, 0, false},
		{"key", refuse_key, 0, false},
		{"client_ca", refuse_key, 0, false},
	};
	struct sections *sections = document->owner;
	struct tls_section *tls = field;

	sections->has_tls = true;
	MAP_READ(document, value, keys, tls);
	if (tls->least > tls->most)
		diag_value(document, value, "min_version is later than max_version");
	if (tls->client_auth != CLIENT_NONE && !tls->client_ca.text)
		diag_value(document, value,
			   "client_auth_type needs client_ca_file: the authorities whose "
			   "certificates are taken");
	if (tls->client_auth == CLIENT_NONE && tls->client_ca.text)
		diag_value(document, value,
			   "client_ca_file has no effect without \"client_auth_type: "
			   "RequireAndVerifyClientCert\"");
}

static void read_header(struct document *document, const struct value *name)
{
	static const char *const known[] = {"Content-Security-Policy", "X-Frame-Options",
					    "X-Content-Type-Options", "X-XSS-Protection",
					    "Strict-Transport-Security"};
	struct sections *sections = document->owner;
	struct web_header header = {};

	if (choose(document, name, known, sizeof(known) / sizeof(*known)) < 0)
		return;
	read_text(document, name->next, &header.value);
	if (!header.value || strpbrk(header.value, "\r\n")) {
		if (header.value)
			diag_value(document, name->next, "a header is one line");
		free(header.value);
		return;
	}
	header.name = must_copy(name->text);
	*APPEND(sections->config->header, sections->config->headers) = header;
}

static void read_headers(struct document *document, const struct value *value, void *field)
{
	(void)field;
	if (!value_is(document, value, VALUE_MAP))
		return;
	FOR_KEYS (name, value)
		read_header(document, name);
}

static void read_http(struct document *document, const struct value *value, void *field)
{
	static const struct key keys[] = {
		{"http2", ignore_bool, 0, false},
		{"headers", read_headers, 0, false},
	};

	MAP_READ(document, value, keys, field);
}

static void read_user(struct document *document, const struct value *name)
{
	struct sections *sections = document->owner;
	const struct value *hash = name->next;
	const char *why;

	if (!value_is(document, hash, VALUE_WORD))
		return;
	why = web_auth_objection(hash->text);
	if (strchr(name->text, ':'))
		diag_value(document, name, "a user's name has no colon");
	else if (why)
		diag_value(document, hash, "the password of \"%.*s\" %s", SHOWN_MAX, name->text,
			   why);
	else
		*APPEND(sections->config->user, sections->config->users) =
			(struct web_user){must_copy(name->text), must_copy(hash->text)};
}

/* An empty section would let everybody in, where somebody meant the contrary. */
static void read_users(struct document *document, const struct value *value, void *field)
{
	(void)field;
	if (!value_is(document, value, VALUE_MAP))
		return;
	if (!value->child)
		diag_value(document, value, "no user is named; without users leave this out");
	FOR_KEYS (name, value)
		read_user(document, name);
}

/* ---- files ----------------------------------------------------------------- */

static void stamp(struct web_file *file, const struct stat *status)
{
	file->written = status->st_mtim;
	file->inode = status->st_ino;
}

static void note_file(struct web_config *config, const char *path)
{
	struct web_file *file = APPEND(config->file, config->files);
	struct stat status;

	file->path = must_copy(path);
	if (!stat(path, &status))
		stamp(file, &status);
}

/* Relative to the folder of the configuration file. */
static char *path_beside(const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');

	if (*name == '/' || !slash)
		return must_copy(name);
	return must_format("%.*s/%s", (int)(slash - file), file, name);
}

static char *read_whole(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	char *text;
	ssize_t got;

	if (fd < 0 || fstat(fd, &status))
		return NULL;
	errno = EFBIG;
	if (!S_ISREG(status.st_mode) || status.st_size > FILE_BYTES_MAX)
		return NULL;
	text = must_alloc(1, status.st_size + 1);
	got = read(fd, text, status.st_size);
	if (got == status.st_size)
		return text;
	if (got >= 0)
		errno = EIO;
	free(text);
	return NULL;
}

static char *read_beside(const char *file, const struct named *named, struct web_config *config,
			 struct diagnostics *diag)
{
	AUTO_FREE char *path = NULL;
	char *text;

	if (!named->text)
		return NULL;
	path = path_beside(file, named->text);
	note_file(config, path);
	text = read_whole(path);
	if (!text)
		diag_at(diag, &named->place, "%s can't be read: %s", path, strerror(errno));
	return text;
}

static void take_tls(const char *file, const struct sections *sections, struct diagnostics *diag)
{
	struct web_config *config = sections->config;
	const struct tls_section *tls = &sections->tls;
	const char *why;

	config->client_auth = tls->client_auth;
	config->least = tls->least;
	config->most = tls->most;
	config->cert = read_beside(file, &tls->cert, config, diag);
	config->key = read_beside(file, &tls->key, config, diag);
	config->client_ca = read_beside(file, &tls->client_ca, config, diag);
	if (!config->cert || !config->key || (tls->client_ca.text && !config->client_ca))
		return;
	why = web_tls_objection(config);
	if (why)
		diag_at(diag, &tls->cert.place, "certificate, key or authorities: %s", why);
}

/* ---- the whole ------------------------------------------------------------- */

static void read_root(struct document *document, struct sections *sections)
{
	static const struct key keys[] = {
		{"tls_server_config", read_tls, offsetof(struct sections, tls), false},
		{"http_server_config", read_http, 0, false},
		{"basic_auth_users", read_users, 0, false},
		{"rate_limit", refuse_key, 0, false},
	};

	MAP_READ(document, document->root, keys, sections);
}

static void read_file(const char *file, struct sections *sections, struct diagnostics *diag)
{
	size_t before = diag->count;
	struct document document;

	if (!document_open(&document, file, FILE_BYTES_MAX, diag)) {
		document.owner = sections;
		read_root(&document, sections);
	}
	document_close(&document);
	if (diag->count == before && sections->has_tls)
		take_tls(file, sections, diag);
	free(sections->tls.cert.text);
	free(sections->tls.key.text);
	free(sections->tls.client_ca.text);
}

struct web_config *web_config_read(const char *file, struct diagnostics *diag)
{
	struct web_config *config = must_alloc(1, sizeof(*config));
	struct sections sections = {.tls = {.least = TLS_1_2, .most = TLS_1_3}, .config = config};
	size_t before = diag->count;

	if (!file)
		return config;
	note_file(config, file);
	read_file(file, &sections, diag);
	if (diag->count == before)
		return config;
	web_config_free(config);
	return NULL;
}

void web_config_free(struct web_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->headers; i++) {
		free(config->header[i].name);
		free(config->header[i].value);
	}
	for (size_t i = 0; i < config->users; i++) {
		free(config->user[i].name);
		free(config->user[i].hash);
	}
	for (size_t i = 0; i < config->files; i++)
		free(config->file[i].path);
	free(config->header);
	free(config->user);
	free(config->file);
	free(config->cert);
	free(config->key);
	free(config->client_ca);
	free(config);
}

bool web_config_is_old(const struct web_config *config)
{
	for (size_t i = 0; i < config->files; i++) {
		struct web_file now = {};
		struct stat status;

		if (!stat(config->file[i].path, &status))
			stamp(&now, &status);
		if (now.inode != config->file[i].inode ||
		    now.written.tv_sec != config->file[i].written.tv_sec ||
		    now.written.tv_nsec != config->file[i].written.tv_nsec)
			return true;
	}
	return false;
}

const char *web_config_unreadable(const struct web_config *config)
{
	for (size_t i = 0; i < config->files; i++)
		if (access(config->file[i].path, R_OK))
			return config->file[i].path;
	return NULL;
}
