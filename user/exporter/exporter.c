// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/exit.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/options.h"
#include "datapath/datapath.h"
#include "datapath/exporter_group.h"
#include "exporter/drop_privileges.h"
#include "exporter/http.h"
#include "exporter/listen.h"
#include "exporter/systemd.h"

#define DEFAULT_ADDRESS "127.0.0.1:10471"

struct exporter {
	struct values addresses;
	const char *telemetry_path, *config_file, *user, *bpffs;
	bool systemd_socket;
	int *listener;
	size_t listeners;
};

/* Sockets that were passed are taken unless addresses are given. */
static int open_sockets(struct exporter *e, struct diagnostics *diag)
{
	const char *fallback = DEFAULT_ADDRESS;
	const struct values standard = {&fallback, 1};
	const struct values *addresses = e->addresses.count ? &e->addresses : &standard;

	if (e->systemd_socket || (!e->addresses.count && service_has_sockets())) {
		if (service_sockets(&e->listener, &e->listeners, diag))
			return -1;
		for (size_t i = 0; i < e->listeners; i++)
			(void)fcntl(e->listener[i], F_SETFL, O_NONBLOCK);
		return 0;
	}
	for (size_t i = 0; i < addresses->count; i++) {
		int fd = listen_open(addresses->value[i], diag);

		if (fd < 0)
			return -1;
		*APPEND(e->listener, e->listeners) = fd;
	}
	return 0;
}

/* Root stays root only if it is told to, or where there is nobody else to be. */
static int become_unprivileged(const struct exporter *e, struct diagnostics *diag)
{
	const char *user = e->user;

	if (!user && !geteuid() && unprivileged_user_exists(READERS))
		user = READERS;
	else if (!user && !geteuid())
		fputs("bkxdp: there is no user \"" READERS "\" to become, so this stays root, "
		      "without its capabilities; \"useradd --system " READERS "\" makes one\n",
		      stderr);
	if (user && geteuid()) {
		diag_at(diag, NULL,
			"only root can become \"%s\"; start it as root, or "
			"without --user",
			user);
		return -1;
	}
	return unprivileged_become(user, datapath_is_open_to_us, diag);
}

static void say_what_is_served(const struct exporter *e, const struct web_config *config)
{
	AUTO_FREE char *all = NULL;
	struct strbuf places;

	strbuf_open(&places);
	for (size_t i = 0; i < e->listeners; i++) {
		AUTO_FREE char *name = listen_name(e->listener[i]);

		fprintf(strbuf_next(&places, ", "), "%s://%s%s", config->cert ? "https" : "http",
			name, e->telemetry_path);
	}
	all = strbuf_close(&places);
	fprintf(stderr, "bkxdp: metrics at %s%s\n", all, config->users ? ", with a password" : "");
	service_ready("serving");
}

static void warn_of_unreadable(const struct web_config *config)
{
	const char *file = web_config_unreadable(config);

	if (file)
		fprintf(stderr,
			"bkxdp: %s can't be read by this user, so a change of it takes a restart; "
			"let the group " READERS " read it\n",
			file);
}

static void block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int serve(struct exporter *e, struct web_config *config, struct diagnostics *diag)
{
	const struct web_plan plan = {e->listener, e->listeners, e->config_file,
				      pages_new(e->telemetry_path)};
	struct web *web = web_start(&plan, config, diag);

	if (web) {
		warn_of_unreadable(config);
		say_what_is_served(e, config);
		web_serve(web);
		web_stop(web);
	}
	pages_free(plan.pages);
	return web ? 0 : -1;
}

/* What takes privileges first, then none are left, then others are talked to. */
static int run(struct exporter *e, struct diagnostics *diag)
{
	struct web_config *config = web_config_read(e->config_file, diag);

	if (!config)
		return -1;
	block_signals();
	datapath_hold();
	if (open_sockets(e, diag) || become_unprivileged(e, diag)) {
		web_config_free(config);
		return -1;
	}
	return serve(e, config, diag);
}

static int check_options(const struct exporter *e)
{
	if (*e->telemetry_path != '/')
		return misuse("exporter", "--web.telemetry-path begins with a slash, unlike \"%s\"",
			      e->telemetry_path);
	if (!strcmp(e->telemetry_path, "/") || !strcmp(e->telemetry_path, "/healthz"))
		return misuse("exporter", "--web.telemetry-path: \"%s\" is another page",
			      e->telemetry_path);
	if (e->systemd_socket && e->addresses.count)
		return misuse("exporter", "--web.systemd-socket and --web.listen-address exclude "
					  "each other");
	return -1;
}

int exporter_run(int argc, char **argv)
{
	struct exporter e = {.telemetry_path = "/metrics"};
	struct diagnostics diag = {};
	const struct option_row rows[] = {
		{"web.listen-address", "ADDRESS",
		 "where to listen: 127.0.0.1:10471 unless said; may be given again",
		 .values = &e.addresses},
		{"web.telemetry-path", "PATH", "where the metrics are (/metrics)",
		 .value = &e.telemetry_path},
		{"web.config.file", "FILE", "TLS and users, as Prometheus' exporters have it",
		 .value = &e.config_file},
		{"web.systemd-socket", NULL, "listen only on sockets that systemd passes",
		 .set = &e.systemd_socket},
		{"user", "NAME", "whom root becomes once it listens (bkxdp, if there is one)",
		 .value = &e.user},
		{"bpffs", "DIR", "where the BPF file system is mounted (/sys/fs/bpf)",
		 .value = &e.bpffs},
	};
	const struct usage usage = {"exporter",
				    "[OPTION...]",
				    "Serves the counters of all filtered interfaces to Prometheus, "
				    "until it is ended.\n",
				    rows,
				    sizeof(rows) / sizeof(*rows),
				    0,
				    0};
	char **operands;
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status < 0)
		status = check_options(&e);
	if (status < 0) {
		if (e.bpffs)
			datapath_set_bpffs(e.bpffs);
		status = run(&e, &diag) ? EXIT_FAILED : EXIT_DONE;
		diag_print(&diag);
	}
	diag_free(&diag);
	for (size_t i = 0; i < e.listeners; i++)
		close(e.listener[i]);
	free(e.listener);
	free(e.addresses.value);
	return status;
}
