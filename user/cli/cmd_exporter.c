// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exporter is a program of its own, so that the command that root runs every day loads
 * neither HTTP nor TLS.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>

#include "base/exit.h"
#include "base/memory.h"
#include "cli/cmd.h"

#define EXPORTER "bkxdp-exporter"

static void run_in(const char *folder, char **argv)
{
	AUTO_FREE char *path = must_format("%s/" EXPORTER, folder);

	execv(path, argv);
}

/*
 * Beside this program. The path must be absolute, because a file in the current folder is not
 * ours.
 */
static void run_beside(char **argv)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self));

	errno = ENOENT;
	if (length <= 0 || length == sizeof(self) || self[0] != '/')
		return;
	self[length] = '\0';
	run_in(dirname(self), argv);
}

int cmd_exporter(int argc, char **argv)
{
	(void)argc;
	run_beside(argv);
	if (errno == ENOENT)
		run_in(BKXDP_LIBEXEC_DIR, argv);
	return fail("the exporter can't be started: " EXPORTER
		    ": %s; it belongs in %s or beside bkxdp: is bkxdp installed completely?",
		    strerror(errno), BKXDP_LIBEXEC_DIR);
}
