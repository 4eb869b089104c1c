// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/http.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/memory.h"
#include "exporter/basic_auth.h"
#include "exporter/tls.h"

#define CLIENTS_MAX      128
#define CLIENTS_CLOSING  64u   /* cut off, but not yet gone */
#define CLIENT_BYTES     32768 /* for the head of a request */
#define CLIENT_MS        30000 /* for a request and its answer */
#define SCRAPES_MAX      8     /* that are being read at a time */
#define TICK_MS          1000  /* between looks at the clients */
#define PASSWORD_MS      5     /* the same while passwords are to be checked */
#define LOOK_MS          5000  /* between looks at the files of the configuration */
#define DRAIN_MS         5000  /* for answers under way, before the end */
#define ACCEPTED_AT_ONCE 64

/* Bits, so that several can be asked for. */
enum client_state {
	CLIENT_ASKING = 1,   /* or reads an answer of a few bytes */
	CLIENT_WAITING = 2,  /* until its password is checked */
	CLIENT_SCRAPING = 4, /* reads a scrape */
	CLIENT_CUT = 8,      /* cut off; the library has not noticed yet */
};

/* A connection is for one request. */
struct client {
	struct client *next; /* that came before */
	struct MHD_Connection *connection;
	enum client_state state;
	enum auth_answer password;
	int fd;
	uint64_t network;
	uint64_t since; /* ms */
};

struct http {
	struct http_plan *plan;
	struct web_config *config;
	struct MHD_Daemon *daemon;
	struct client *clients;
	struct pollfd *polled; /* the library, then the listeners */
	uint64_t looked;       /* at the files of the configuration, ms */
	uint64_t check_after;  /* this time a password may be checked, ms */
	char *refused;         /* why the configuration of now is not taken */
};

static volatile sig_atomic_t ends, reloads;

static void on_signal(int signal)
{
	if (signal == SIGHUP)
		reloads = 1;
	else
		ends = 1;
}

static uint64_t now(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/* ---- clients, and which of them must go ------------------------------------ */

/* An IPv4 address, or the half of an IPv6 address that one owner has. */
static uint64_t network_of(const struct sockaddr_in6 *address)
{
	const uint32_t *word = address->sin6_addr.s6_addr32;

	if (address->sin6_family == AF_INET)
		return ((const struct sockaddr_in *)address)->sin_addr.s_addr;
	if (address->sin6_family != AF_INET6)
		return 0;
	return IN6_IS_ADDR_V4MAPPED(word) ? word[3] : (uint64_t)word[0] << 32 | word[1];
}

/* The library sees the end of the connection, and closes it. */
static void cut(struct client *client)
{
	if (client->state == CLIENT_WAITING)
		MHD_resume_connection(client->connection);
	client->state = CLIENT_CUT;
	(void)shutdown(client->fd, SHUT_RDWR);
}

/* Those in these states; of the same network as another one, unless that is NULL. */
static long count(const struct http *http, unsigned int states, const struct client *like)
{
	long found = 0;

	for (const struct client *client = http->clients; client; client = client->next)
		found += (client->state & states) && (!like || client->network == like->network);
	return found;
}

/*
 * Of the clients in these states, the oldest one of the network that has most connections (weight
 * 1) or fewest (-1). NULL: there is none.
 */
static struct client *choose(const struct http *http, unsigned int states, long weight)
{
	struct client *chosen = NULL;
	long most = 0;

	for (struct client *client = http->clients; client; client = client->next) {
		long order = client->state & states ? weight * count(http, ~CLIENT_CUT, client) : 0;

		if (!(client->state & states) || (chosen && order < most))
			continue;
		chosen = client;
		most = order;
	}
	return chosen;
}

/* ---- what the library calls ------------------------------------------------ */

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *http = cls;
	struct client **link = &http->clients, *client = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		client = *context = must_alloc(1, sizeof(*client));
		client->next = http->clients;
		client->connection = connection;
		client->state = CLIENT_ASKING;
		client->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				     ->connect_fd;
		client->network = network_of((void *)MHD_get_connection_info(
						     connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
						     ->client_addr);
		client->since = now();
		http->clients = client;
		if (count(http, ~CLIENT_CUT, NULL) > CLIENTS_MAX)
			cut(choose(http, ~CLIENT_CUT, 1));
		return;
	}
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	free(client);
}

/*
 * Where the version must stand; NULL if the path has an escaped NUL. The library ends a path at a
 * NUL, escaped or (before its version 1.0) not, and hands over what is before it.
 */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	(void)cls;
	(void)connection;
	return target && !strstr(target, "%00") ? (void *)(target + strlen(target) + 1) : NULL;
}

static struct MHD_Response *response_of(const struct http *http, const struct answer *answer)
{
	struct MHD_Response *response =
		answer->text ? MHD_create_response_from_buffer(strlen(answer->text), answer->text,
							       MHD_RESPMEM_MUST_FREE)
			     : MHD_create_response_from_fd64(answer->size, answer->scrape);

	if (!response)
		return NULL;
	MHD_add_response_header(response, "Connection", "close");
	MHD_add_response_header(response, "Content-Type", answer->type);
	if (answer->gzip)
		MHD_add_response_header(response, "Content-Encoding", "gzip");
	if (!answer->text)
		MHD_add_response_header(response, "Vary", "Accept, Accept-Encoding");
	if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	if (answer->status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, "WWW-Authenticate",
					"Basic realm=\"bkxdp\", charset=\"UTF-8\"");
	for (size_t i = 0; i < http->config->n_headers; i++)
		MHD_add_response_header(response, http->config->headers[i].name,
					http->config->headers[i].value);
	return response;
}

static enum MHD_Result send_answer(struct http *http, struct client *client, struct answer answer)
{
	struct MHD_Response *response = response_of(http, &answer);
	enum MHD_Result result;

	if (!answer.text && count(http, CLIENT_SCRAPING, NULL) >= SCRAPES_MAX)
		cut(choose(http, CLIENT_SCRAPING, 1));
	client->state = answer.text ? CLIENT_ASKING : CLIENT_SCRAPING;
	result = MHD_queue_response(client->connection, answer.status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct http *http, struct client *client, unsigned int status,
			      const char *why)
{
	return send_answer(http, client, answer_say(status, why));
}

static const char *header_of(const struct client *client, const char *name)
{
	return MHD_lookup_connection_value(client->connection, MHD_HEADER_KIND, name);
}

static bool is_certified(const struct http *http, const struct client *client)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(client->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info && tls_client_is_known(info->tls_session, http->config);
}

static enum MHD_Result answer_request(struct http *http, struct client *client, const char *path)
{
	const struct request request = {path, header_of(client, "Accept"),
					header_of(client, "Accept-Encoding")};

	if (http->config->cert && !is_certified(http, client))
		return refuse(http, client, MHD_HTTP_FORBIDDEN,
			      "a certificate is needed here, by an authority that is known");
	if (client->password == AUTH_UNKNOWN)
		client->password =
			basic_auth_ask(http->config, header_of(client, "Authorization"), false);
	if (client->password == AUTH_NO)
		return refuse(http, client, MHD_HTTP_UNAUTHORIZED,
			      "name and password are needed here");
	if (client->password == AUTH_YES)
		return send_answer(http, client, routes_answer(&http->plan->routes, &request));
	client->state = CLIENT_WAITING;
	MHD_suspend_connection(client->connection);
	return MHD_YES;
}

/*
 * Counts headers that promise a body; a single "Content-Length: 0" promises none. Whoever takes
 * "Content-Length : 5" for a header sees one, too (RFC 9112, 5.1).
 */
static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name,
				 const char *value)
{
	unsigned int *bodies = cls;

	(void)kind;
	if (!strcasecmp(name, "Content-Length"))
		*bodies += value && !strcmp(value, "0") ? 1 : 2;
	if (!strcasecmp(name, "Transfer-Encoding") || name[strcspn(name, " \t")])
		*bodies += 2;
	return MHD_YES;
}

/* Called with the head of a request, at its end, and again after its password was checked. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **request)
{
	struct client *client =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
			->socket_context;
	bool nul = *request != version;
	unsigned int bodies = 0;

	(void)upload;
	*upload_size = 0;
	if (client->state == CLIENT_CUT)
		return MHD_NO;
	if (*request == client)
		return answer_request(cls, client, path);
	*request = client;
	MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, &bodies);
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return refuse(cls, client, MHD_HTTP_METHOD_NOT_ALLOWED,
			      "only GET and HEAD are answered here");
	if (bodies > 1 || nul)
		return refuse(cls, client, MHD_HTTP_BAD_REQUEST,
			      "a request with a body, or a NUL in its path, is not answered");
	return MHD_YES;
}

static struct MHD_Daemon *start_daemon(struct http *http, const struct web_config *config,
				       struct diagnostics *diag)
{
	struct MHD_Daemon *daemon;
	AUTO_FREE char *priorities = tls_priorities(config);
	struct MHD_OptionItem tls[] = {
		{config->cert ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, config->cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, config->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
		{config->client_ca ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
		 config->client_ca},
		{MHD_OPTION_END, 0, NULL},
	};

	/* without SIGPIPE it may use sendfile() */
	daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
			(config->cert ? MHD_USE_TLS : 0),
		0, NULL, NULL, on_request, http, MHD_OPTION_CONNECTION_LIMIT,
		CLIENTS_MAX + CLIENTS_CLOSING, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CLIENT_BYTES, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (!daemon)
		diag_at(diag, NULL, "the HTTP server can't be started: %s", strerror(errno));
	return daemon;
}

/* The library must not be stopped while somebody waits. */
static void stop_daemon(struct http *http)
{
	for (struct client *client = http->clients; client; client = client->next)
		cut(client);
	MHD_stop_daemon(http->daemon);
}

/* ---- serving --------------------------------------------------------------- */

static void accept_from(struct http *http, int listener)
{
	for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
		struct sockaddr_storage address = {};
		socklen_t length = sizeof(address);
		int fd = accept4(listener, (struct sockaddr *)&address, &length,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		(void)MHD_add_connection(http->daemon, fd, (struct sockaddr *)&address, length);
		MHD_run(http->daemon);
	}
}

/*
 * One at a time, a network with few connections first, and for no more than half of the time: so
 * guessers wait for one another, and those who are known wait for nobody.
 */
static void check_password(struct http *http)
{
	struct client *client = choose(http, CLIENT_WAITING, -1);
	uint64_t start = now();

	if (!client || start < http->check_after)
		return;
	client->password = basic_auth_ask(http->config, header_of(client, "Authorization"), true);
	http->check_after = now() + (now() - start);
	client->state = CLIENT_ASKING;
	MHD_resume_connection(client->connection);
	MHD_run(http->daemon);
}

/* Waits until there is something to do, and does it. */
static void serve_once(struct http *http, bool accepts)
{
	size_t n_listeners = accepts ? http->plan->n_listeners : 0;
	unsigned long long wanted;
	int patience = count(http, CLIENT_WAITING, NULL) ? PASSWORD_MS : TICK_MS;

	if (MHD_get_timeout(http->daemon, &wanted) == MHD_YES && wanted < TICK_MS)
		patience = 0;
	http->polled[0].fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	if (poll(http->polled, 1 + n_listeners, patience) < 0)
		return;
	MHD_run(http->daemon);
	for (size_t i = 1; i <= n_listeners; i++)
		if (http->polled[i].revents)
			accept_from(http, http->polled[i].fd);
	for (struct client *client = http->clients; client; client = client->next)
		if (now() - client->since > CLIENT_MS)
			cut(client);
	check_password(http);
}

/* Nobody is accepted meanwhile, so that it ends soon however many come. */
static void drain(struct http *http)
{
	uint64_t end = now() + DRAIN_MS;

	while (count(http, CLIENT_SCRAPING, NULL) && now() < end)
		serve_once(http, false);
}

/* Another configuration is another server. The old one stays if the new one is no good. */
static void read_config_again(struct http *http)
{
	struct diagnostics diag = {};
	struct web_config *config = web_config_read(http->plan->config_file, &diag);
	struct MHD_Daemon *daemon = config ? start_daemon(http, config, &diag) : NULL;

	if (daemon) {
		drain(http);
		stop_daemon(http);
		http->daemon = daemon;
		web_config_free(http->config);
		http->config = config;
		fputs("bkxdp: the web configuration was read again\n", stderr);
	} else {
		web_config_free(config);
	}
	if (diag_is_news(&diag, &http->refused) && diag.count) {
		fputs("bkxdp: the web configuration is not taken; what was read before stays\n",
		      stderr);
		diag_print(&diag);
	}
	diag_free(&diag);
}

static void look_at_config(struct http *http)
{
	bool asked = reloads;

	if (!http->plan->config_file || (!asked && now() < http->looked + LOOK_MS))
		return;
	reloads = 0;
	/* the time is for Type=notify-reload */
	if (asked)
		(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
				 (uint64_t)clock_ns(CLOCK_MONOTONIC) / 1000);
	if (asked || web_config_is_old(http->config))
		read_config_again(http);
	if (asked)
		(void)sd_notify(0, "READY=1");
	http->looked = now();
}

int http_serve(struct http_plan *plan, struct web_config *config, struct diagnostics *diag)
{
	struct http http = {.plan = plan, .config = config};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGHUP, on_signal);
	http.daemon = start_daemon(&http, config, diag);
	if (!http.daemon) {
		web_config_free(config);
		return -1;
	}
	http.polled = must_alloc(1 + plan->n_listeners, sizeof(*http.polled));
	http.polled[0].events = POLLIN;
	for (size_t i = 0; i < plan->n_listeners; i++)
		http.polled[1 + i] = (struct pollfd){.fd = plan->listeners[i], .events = POLLIN};
	(void)sd_notify(0, "READY=1\nSTATUS=serving");
	while (!ends) {
		serve_once(&http, true);
		look_at_config(&http);
	}
	(void)sd_notify(0, "STOPPING=1");
	drain(&http);
	stop_daemon(&http);
	web_config_free(http.config);
	free(http.polled);
	free(http.refused);
	return 0;
}
