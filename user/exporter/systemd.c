// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/systemd.h"

#include <inttypes.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/memory.h"

bool service_has_sockets(void)
{
	return sd_listen_fds(0) > 0;
}

int service_sockets(int **fd, size_t *count, struct diagnostics *diag)
{
	int passed = sd_listen_fds(1), *list = NULL;
	size_t taken = 0;

	for (int i = 0; i < passed; i++) {
		int each = SD_LISTEN_FDS_START + i;

		if (sd_is_socket(each, AF_UNSPEC, SOCK_STREAM, 1) > 0)
			*APPEND(list, taken) = each;
		else
			diag_at(diag, NULL,
				"file descriptor %d, passed by the service manager, is no "
				"listening stream socket: the socket unit needs ListenStream= "
				"and Accept=no",
				each);
	}
	if (passed <= 0)
		diag_at(diag, NULL,
			"no socket was passed: --web.systemd-socket is for a service that a "
			"socket unit starts%s%s",
			passed ? ": " : "", passed ? strerror(-passed) : "");
	if (!taken || taken < (size_t)passed) {
		free(list);
		return -1;
	}
	*fd = list;
	*count = taken;
	return 0;
}

void service_ready(const char *status)
{
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

/* Type=notify-reload asks for the time by which its signal is known to be answered. */
void service_reloading(void)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
			 clock_ns(CLOCK_MONOTONIC) / 1000);
}

void service_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}
