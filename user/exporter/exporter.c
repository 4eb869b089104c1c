// SPDX-License-Identifier: GPL-2.0-only
/* bkxdp-exporter, which "bkxdp exporter" starts: from its options to its end. */
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "base/exit.h"
#include "base/memory.h"
#include "base/options.h"
#include "datapath/datapath.h"
#include "datapath/exporter_group.h"
#include "exporter/drop_privileges.h"
#include "exporter/http.h"
#include "net/listen.h"

#define STANDARD_ADDRESS "127.0.0.1:10471"

struct exporter {
	struct values addresses;
	const char *user;
	bool systemd_socket;
	struct http_plan plan;
};

static int take_passed(struct exporter *e, struct diagnostics *diag)
{
	int passed = sd_listen_fds(1);

	if (passed <= 0) {
		diag_at(diag, NULL,
			"no socket was passed: --web.systemd-socket is for a service that a socket "
			"unit starts");
		return -1;
	}
	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + passed; fd++) {
		*APPEND(e->plan.listeners, e->plan.n_listeners) = fd;
		if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
			diag_at(diag, NULL,
				"file descriptor %d, passed by the service manager, does not "
				"listen "
				"for streams: the socket unit needs ListenStream= and Accept=no",
				fd);
			return -1;
		}
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	return 0;
}

/* Without addresses, sockets that were passed are taken, else the standard address. */
static int open_sockets(struct exporter *e, struct diagnostics *diag)
{
	if (e->systemd_socket || (!e->addresses.count && sd_listen_fds(0) > 0))
		return take_passed(e, diag);
	if (!e->addresses.count)
		*APPEND(e->addresses.value, e->addresses.count) = STANDARD_ADDRESS;
	for (size_t i = 0; i < e->addresses.count; i++) {
		int fd = listen_at(e->addresses.value[i], diag);

		if (fd < 0)
			return -1;
		*APPEND(e->plan.listeners, e->plan.n_listeners) = fd;
	}
	return 0;
}

/* Root stays root only if it is told to, or if there is nobody else to be. */
static int become_unprivileged(const struct exporter *e, struct diagnostics *diag)
{
	const char *user = e->user;

	if (!user && !geteuid() && getpwnam(READERS))
		user = READERS;
	else if (!user && !geteuid())
		fputs("bkxdp: there is no user \"" READERS "\" to become, so this stays root, "
		      "without its capabilities; \"useradd --system " READERS "\" makes one\n",
		      stderr);
	if (user && geteuid()) {
		diag_at(diag, NULL,
			"only root can become \"%s\"; start it as root, or without --user", user);
		return -1;
	}
	return drop_privileges(user, datapath_is_open_to_us, diag);
}

static void say_what_is_served(const struct exporter *e, const struct web_config *config)
{
	const char *unreadable = web_config_unreadable(config);

	if (unreadable)
		fprintf(stderr,
			"bkxdp: %s can't be read by this user, so a change of it takes a restart; "
			"let the group " READERS " read it\n",
			unreadable);
	for (size_t i = 0; i < e->plan.n_listeners; i++) {
		AUTO_FREE char *name = listen_name(e->plan.listeners[i]);

		fprintf(stderr, "bkxdp: metrics at %s://%s%s%s\n", config->cert ? "https" : "http",
			name, e->plan.routes.telemetry_path,
			config->n_users ? ", with a password" : "");
	}
}

/* First what takes privileges; then they are given up; only then is anybody answered. */
static int run(struct exporter *e, struct diagnostics *diag)
{
	struct web_config *config = web_config_read(e->plan.config_file, diag);

	if (!config)
		return -1;
	datapath_keep_pins_open();
	if (open_sockets(e, diag) || become_unprivileged(e, diag)) {
		web_config_free(config);
		return -1;
	}
	say_what_is_served(e, config);
	return http_serve(&e->plan, config, diag);
}

static int check_options(const struct exporter *e)
{
	const char *path = e->plan.routes.telemetry_path;

	if (*path != '/')
		return misuse("exporter", "--web.telemetry-path begins with a slash, unlike \"%s\"",
			      path);
	if (!strcmp(path, "/") || !strcmp(path, "/healthz"))
		return misuse("exporter", "--web.telemetry-path: \"%s\" is another page", path);
	if (e->systemd_socket && e->addresses.count)
		return misuse("exporter", "--web.systemd-socket and --web.listen-address exclude "
					  "each other");
	return -1;
}

int main(int argc, char **argv)
{
	struct exporter e = {.plan.routes.telemetry_path = "/metrics"};
	struct diagnostics diag = {};
	const struct option_row rows[] = {
		{"web.listen-address", "ADDRESS",
		 "where to listen (127.0.0.1:10471); may be given several times",
		 .values = &e.addresses},
		{"web.telemetry-path", "PATH", "where the metrics are (/metrics)",
		 .value = &e.plan.routes.telemetry_path},
		{"web.config.file", "FILE", "TLS and users, as in Prometheus' own exporters",
		 .value = &e.plan.config_file},
		{"web.systemd-socket", NULL, "listen only on sockets that systemd passes",
		 .set = &e.systemd_socket},
		{"user", "NAME", "whom root becomes once it listens (bkxdp, if there is one)",
		 .value = &e.user},
		{"bpffs", "DIR", "where the BPF file system is mounted (/sys/fs/bpf)",
		 .handle = datapath_set_bpffs},
	};
	const struct usage usage = {
		.verb = "exporter",
		.synopsis = "[OPTION...]",
		.about = "Serves the counters of all filtered interfaces to Prometheus until it is "
			 "stopped.\n",
		.rows = rows,
		.n_rows = sizeof(rows) / sizeof(*rows),
	};
	char **operands;
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status < 0)
		status = check_options(&e);
	if (status < 0) {
		status = run(&e, &diag) ? EXIT_FAILED : EXIT_DONE;
		diag_print(&diag);
	}
	diag_free(&diag);
	for (size_t i = 0; i < e.plan.n_listeners; i++)
		close(e.plan.listeners[i]);
	free(e.plan.listeners);
	free(e.plan.routes.said);
	free(e.addresses.value);
	return status;
}
