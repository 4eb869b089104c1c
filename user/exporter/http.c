// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"
#include "exporter/basic_auth.h"
#include "exporter/systemd.h"
#include "exporter/tls.h"

#define CLIENTS_MAX      128
#define CLIENTS_CLOSING  64    /* cut off already, not gone yet */
#define CLIENT_BYTES     32768 /* a request's head must fit */
#define READING_SECONDS  10    /* for a whole request */
#define ANSWER_SECONDS   30    /* for a whole answer */
#define IDLE_SECONDS     120   /* between requests */
#define LOOK_SECONDS     5     /* at the files of the configuration */
#define DRAIN_SECONDS    5     /* for answers under way, at the end */
#define ACCEPTED_AT_ONCE 64

enum client_state { CLIENT_FREE, CLIENT_READING, CLIENT_ANSWERED, CLIENT_IDLE, CLIENT_CUT };

struct client {
	enum client_state state;
	int fd;
	int64_t since; /* ms */
};

struct web {
	struct web_plan plan;
	struct web_config *config;
	struct web_auth *auth;
	struct MHD_Daemon *daemon;
	int signals;
	bool ends;
	bool asked;     /* to read the configuration again */
	int64_t looked; /* ms */
	char *refused;  /* why the configuration of now is not taken, or NULL */
	struct client client[CLIENTS_MAX + CLIENTS_CLOSING];
};
#define CLIENTS (CLIENTS_MAX + CLIENTS_CLOSING)

static int64_t now(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/* ---- clients: who they are, and who must go -------------------------------- */

static struct client *client_of(struct web *web, int fd)
{
	for (size_t i = 0; i < CLIENTS; i++)
		if (web->client[i].state != CLIENT_FREE && web->client[i].fd == fd)
			return &web->client[i];
	return NULL;
}

static void set_state(struct client *client, enum client_state state)
{
	if (!client || client->state == CLIENT_CUT)
		return;
	client->state = state;
	client->since = now();
}

/* The library sees the end of the connection, and closes it. */
static void cut(struct client *client)
{
	client->state = CLIENT_CUT;
	(void)shutdown(client->fd, SHUT_RDWR);
}

static size_t count_of(const struct web *web, enum client_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < CLIENTS; i++)
		count += web->client[i].state == state;
	return count;
}

static struct client *oldest(struct web *web, enum client_state state)
{
	struct client *found = NULL;

	for (size_t i = 0; i < CLIENTS; i++)
		if (web->client[i].state == state &&
		    (!found || web->client[i].since < found->since))
			found = &web->client[i];
	return found;
}

/* Who waits between requests goes first, then who asks most slowly. */
static bool make_room(struct web *web)
{
	struct client *leaves = oldest(web, CLIENT_IDLE);

	leaves = leaves ? leaves : oldest(web, CLIENT_READING);
	if (leaves)
		cut(leaves);
	return leaves;
}

static struct client *client_new(struct web *web, int fd)
{
	size_t taken = CLIENTS - count_of(web, CLIENT_FREE) - count_of(web, CLIENT_CUT);
	struct client *place = oldest(web, CLIENT_FREE);

	if (!place || (taken >= CLIENTS_MAX && !make_room(web)))
		return NULL;
	*place = (struct client){CLIENT_READING, fd, now()};
	return place;
}

static void cut_late(struct web *web)
{
	static const int seconds[] = {[CLIENT_READING] = READING_SECONDS,
				      [CLIENT_ANSWERED] = ANSWER_SECONDS,
				      [CLIENT_IDLE] = IDLE_SECONDS};
	int64_t time = now();

	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *client = &web->client[i];

		if (client->state != CLIENT_FREE && client->state != CLIENT_CUT &&
		    time - client->since > seconds[client->state] * 1000ll)
			cut(client);
	}
}

/* ---- what the library calls ------------------------------------------------ */

static int socket_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct client *client = client_of(cls, socket_of(connection));

	(void)context;
	if (client && code == MHD_CONNECTION_NOTIFY_CLOSED)
		client->state = CLIENT_FREE;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
			 enum MHD_RequestTerminationCode code)
{
	(void)code;
	(void)request;
	set_state(client_of(cls, socket_of(connection)), CLIENT_IDLE);
}

struct source {
	struct pages *pages;
	struct stream *stream;
};

static ssize_t on_read(void *cls, uint64_t position, char *to, size_t room)
{
	const struct source *source = cls;
	ssize_t got = stream_read(source->stream, to, room);

	(void)position;
	if (got > 0)
		return got;
	return got ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
}

static void on_read_end(void *cls)
{
	struct source *source = cls;

	pages_close(source->pages, source->stream);
	free(source);
}

static struct MHD_Response *response_of(const struct web *web, const struct page *page)
{
	struct MHD_Response *response;
	struct source *source;

	if (page->text)
		return MHD_create_response_from_buffer(strlen(page->text), page->text,
						       MHD_RESPMEM_MUST_FREE);
	source = must_alloc(1, sizeof(*source));
	*source = (struct source){web->plan.pages, page->stream};
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, CLIENT_BYTES / 2, on_read,
						     source, on_read_end);
	if (!response)
		free(source);
	return response;
}

static void add_headers(const struct web *web, const struct page *page,
			struct MHD_Response *response)
{
	MHD_add_response_header(response, "Content-Type", page->type);
	if (page->gzip)
		MHD_add_response_header(response, "Content-Encoding", "gzip");
	if (page->varies)
		MHD_add_response_header(response, "Vary", "Accept, Accept-Encoding");
	if (page->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	if (page->status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, "WWW-Authenticate",
					"Basic realm=\"bkxdp\", charset=\"UTF-8\"");
	if (page->status == MHD_HTTP_SERVICE_UNAVAILABLE ||
	    page->status == MHD_HTTP_TOO_MANY_REQUESTS)
		MHD_add_response_header(response, "Retry-After", "1");
	for (size_t i = 0; i < web->config->headers; i++)
		MHD_add_response_header(response, web->config->header[i].name,
					web->config->header[i].value);
}

static enum MHD_Result send_page(const struct web *web, struct MHD_Connection *connection,
				 const struct page *page, bool closes)
{
	struct MHD_Response *response = response_of(web, page);
	enum MHD_Result result;

	if (!response) {
		if (page->stream)
			pages_close(web->plan.pages, page->stream);
		return MHD_NO;
	}
	add_headers(web, page, response);
	if (closes)
		MHD_add_response_header(response, "Connection", "close");
	result = MHD_queue_response(connection, page->status, response);
	MHD_destroy_response(response);
	return result;
}

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool is_admitted(struct web *web, struct MHD_Connection *connection, struct page *page)
{
	const union MHD_ConnectionInfo *info;

	if (web->config->cert) {
		info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		if (!info || !web_tls_client_is_known(info->tls_session, web->config)) {
			page_say(page, MHD_HTTP_FORBIDDEN,
				 "a certificate of the client is needed here, by an authority "
				 "that this server knows");
			return false;
		}
	}
	if (!web->auth)
		return true;
	switch (web_auth_ask(web->auth, header_of(connection, "Authorization"))) {
	case AUTH_YES:
		return true;
	case AUTH_NO:
		page_say(page, MHD_HTTP_UNAUTHORIZED, "name and password are needed here");
		return false;
	default:
		page_say(page, MHD_HTTP_TOO_MANY_REQUESTS,
			 "too many wrong passwords of late; try again");
		return false;
	}
}

static bool has_body(struct MHD_Connection *connection)
{
	const char *length = header_of(connection, "Content-Length");

	return (length && strcmp(length, "0")) || header_of(connection, "Transfer-Encoding");
}

static void answer(struct web *web, struct MHD_Connection *connection, const char *path,
		   const char *method, struct page *page)
{
	struct page_request request = {
		.path = path,
		.accept = header_of(connection, "Accept"),
		.accept_encoding = header_of(connection, "Accept-Encoding"),
		.head = !strcmp(method, "HEAD"),
	};

	if (!is_admitted(web, connection, page))
		return;
	if (!request.head && strcmp(method, "GET"))
		page_say(page, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are answered here");
	else if (has_body(connection))
		page_say(page, MHD_HTTP_BAD_REQUEST, "a request with a body is not answered here");
	else
		pages_answer(web->plan.pages, &request, page);
}

/* Called once with the head of the request, then, where we do not answer yet, at its end. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **request)
{
	static char begun;
	struct web *web = cls;
	struct page page = {};
	bool at_once = has_body(connection);

	(void)version;
	(void)upload;
	if (!*request && !at_once) {
		*request = &begun;
		return MHD_YES;
	}
	*upload_size = 0;
	answer(web, connection, path, method, &page);
	set_state(client_of(web, socket_of(connection)), CLIENT_ANSWERED);
	return send_page(web, connection, &page, at_once);
}

/* What it says of a client's mistakes is no matter for the log. */
static void on_log(void *cls, const char *format, va_list args)
{
	(void)cls;
	(void)format;
	(void)args;
}

/* ---- starting -------------------------------------------------------------- */

static struct MHD_Daemon *start_daemon(struct web *web, const struct web_config *config)
{
	AUTO_FREE char *priorities = web_tls_priorities(config);
	unsigned int flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, config->cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, config->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
		{config->client_ca ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
		 config->client_ca},
		{MHD_OPTION_END, 0, NULL},
	};

	if (config->cert)
		flags |= MHD_USE_TLS;
	else
		tls[0].option = MHD_OPTION_END;
	/* the logger stands first, so that it hears of the other options, too */
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, web, MHD_OPTION_EXTERNAL_LOGGER,
				on_log, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CLIENTS,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_BYTES,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, web,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, web, MHD_OPTION_ARRAY,
				tls, MHD_OPTION_END);
}

/* All of it or nothing: users without a way to check them would let everybody in. */
static int use_config(struct web *web, struct web_config *config)
{
	struct web_auth *auth = web_auth_new(config);
	struct MHD_Daemon *daemon = config->users && !auth ? NULL : start_daemon(web, config);

	if (!daemon) {
		web_auth_free(auth);
		return -EIO;
	}
	if (web->daemon)
		MHD_stop_daemon(web->daemon);
	web->daemon = daemon;
	web_auth_free(web->auth);
	web->auth = auth;
	web_config_free(web->config);
	web->config = config;
	return 0;
}

struct web *web_start(const struct web_plan *plan, struct web_config *config,
		      struct diagnostics *diag)
{
	struct web *web = must_alloc(1, sizeof(*web));
	sigset_t signals;

	web->plan = *plan;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	web->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (web->signals >= 0 && !use_config(web, config))
		return web;
	diag_at(diag, NULL, "the HTTP server can't be started: %s", strerror(errno));
	if (web->signals >= 0)
		close(web->signals);
	web_config_free(config);
	free(web);
	return NULL;
}

void web_stop(struct web *web)
{
	MHD_stop_daemon(web->daemon);
	web_auth_free(web->auth);
	web_config_free(web->config);
	close(web->signals);
	free(web->refused);
	free(web);
}

/* ---- serving --------------------------------------------------------------- */

/* Once, however often it is tried. */
static void say_refused(struct web *web, const struct diagnostics *diag)
{
	const char *first = diag->count ? diag->text[0] : "no certificate";

	if (web->refused && !strcmp(web->refused, first))
		return;
	fputs("bkxdp: the web configuration is not taken; what was read before stays\n", stderr);
	diag_print(diag);
	free(web->refused);
	web->refused = must_copy(first);
}

/* The old configuration stays if anything is wrong with the new one. */
static void read_config_again(struct web *web)
{
	struct diagnostics diag = {};
	struct web_config *config = web_config_read(web->plan.config_file, &diag);

	if (config && !use_config(web, config)) {
		fputs("bkxdp: the web configuration was read again\n", stderr);
		free(web->refused);
		web->refused = NULL;
	} else {
		web_config_free(config);
		say_refused(web, &diag);
	}
	diag_free(&diag);
}

/*
 * Another configuration is another server, so first let those go who are being
 * answered; but those who ask again and again can't keep a removed user alive.
 */
static void look_at_config(struct web *web)
{
	int64_t waited = now() - web->looked - LOOK_SECONDS * 1000;

	if (!web->plan.config_file || (!web->asked && waited <= 0))
		return;
	if (count_of(web, CLIENT_ANSWERED) && waited <= ANSWER_SECONDS * 1000)
		return;
	web->looked = now();
	if (web->asked || web_config_is_old(web->config))
		read_config_again(web);
	if (web->asked)
		service_ready("serving");
	web->asked = false;
}

static void take_signals(struct web *web)
{
	struct signalfd_siginfo signal;

	while (read(web->signals, &signal, sizeof(signal)) == sizeof(signal)) {
		if (signal.ssi_signo != SIGHUP) {
			web->ends = true;
		} else if (web->plan.config_file) {
			web->asked = true;
			service_reloading();
		}
	}
}

static void accept_from(struct web *web, int listener)
{
	for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
		struct sockaddr_storage address;
		socklen_t length = sizeof(address);
		int fd = accept4(listener, (struct sockaddr *)&address, &length,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct client *client;

		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			(void)make_room(web);
		if (fd < 0)
			return;
		client = client_new(web, fd);
		if (!client)
			close(fd);
		else if (MHD_add_connection(web->daemon, fd, (struct sockaddr *)&address, length) !=
			 MHD_YES)
			client->state = CLIENT_FREE;
		MHD_run(web->daemon);
	}
}

/* In ms, -1 for ever: the library's, the clients' and the configuration's next moment. */
static int patience(struct web *web)
{
	unsigned long long wanted;
	int least = web->plan.config_file ? LOOK_SECONDS * 1000 : -1;

	if (count_of(web, CLIENT_FREE) < CLIENTS)
		least = 1000;
	if (MHD_get_timeout(web->daemon, &wanted) == MHD_YES &&
	    (least < 0 || wanted < (unsigned long long)least))
		least = wanted;
	return least;
}

/* One round: waits until there is something to do, and does it. */
static void serve_once(struct web *web, struct pollfd *poll_for, size_t count)
{
	size_t listeners = web->ends ? 0 : web->plan.listeners;

	poll_for[1].fd = MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	if (poll(poll_for, web->ends ? 2 : count, patience(web)) < 0)
		return;
	take_signals(web);
	for (size_t i = 0; i < listeners; i++)
		if (poll_for[2 + i].revents)
			accept_from(web, web->plan.listener[i]);
	cut_late(web);
	MHD_run(web->daemon);
	look_at_config(web);
}

void web_serve(struct web *web)
{
	size_t count = 2 + web->plan.listeners;
	AUTO_FREE struct pollfd *poll_for = must_alloc(count, sizeof(*poll_for));
	int64_t end;

	poll_for[0] = (struct pollfd){.fd = web->signals, .events = POLLIN};
	poll_for[1].events = POLLIN;
	for (size_t i = 0; i < web->plan.listeners; i++)
		poll_for[2 + i] = (struct pollfd){.fd = web->plan.listener[i], .events = POLLIN};
	while (!web->ends)
		serve_once(web, poll_for, count);
	service_stopping();
	end = now() + DRAIN_SECONDS * 1000;
	while (count_of(web, CLIENT_ANSWERED) && now() < end)
		serve_once(web, poll_for, count);
}
