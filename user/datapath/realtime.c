// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/realtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"

/*
 * Since Linux 6.18, a PREEMPT_RT kernel may be built without this lock. A NAPI thread can then be
 * preempted in the middle of a packet by another one on the same CPU. Earlier kernels do not have
 * the option and always have the lock.
 */
#define BH_LOCK "CONFIG_PREEMPT_RT_NEEDS_BH_LOCK"

enum bh_lock { BH_LOCK_ALWAYS, BH_LOCK_ON, BH_LOCK_OFF };

/* Returns 1, 0, or a negative errno. Only PREEMPT_RT kernels have the file. */
static int is_realtime(void)
{
	AUTO_CLOSE int fd = open("/sys/kernel/realtime", O_RDONLY | O_CLOEXEC);
	char digit = 0;
	ssize_t got;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	got = read(fd, &digit, 1);
	if (got < 0)
		return -errno;
	return got ? digit == '1' : -EIO;
}

/* Reads a kernel's configuration, plain or gzipped. */
static int read_config(const char *path, enum bh_lock *lock)
{
	gzFile file = gzopen(path, "rbe");
	char line[512];
	int status;

	if (!file)
		return errno ? -errno : -ENOMEM;
	*lock = BH_LOCK_ALWAYS;
	while (gzgets(file, line, sizeof(line)))
		if (!strcmp(line, BH_LOCK "=y\n"))
			*lock = BH_LOCK_ON;
		else if (!strcmp(line, "# " BH_LOCK " is not set\n"))
			*lock = BH_LOCK_OFF;
	(void)gzerror(file, &status);
	return gzclose_r(file) || status < 0 ? -EIO : 0;
}

/* If no configuration can be read, the version says whether the kernel can have the option. */
static int find_lock(enum bh_lock *lock)
{
	unsigned int major, minor;
	struct utsname name;
	int error;

	if (uname(&name))
		return -errno;
	AUTO_FREE char *path = must_format("/boot/config-%s", name.release);

	error = read_config("/proc/config.gz", lock);
	if (error)
		error = read_config(path, lock);
	if (!error)
		return 0;
	if (sscanf(name.release, "%u.%u", &major, &minor) != 2 || major > 6 ||
	    (major == 6 && minor >= 18))
		return error;
	*lock = BH_LOCK_ALWAYS;
	return 0;
}

int realtime_check(struct diagnostics *diag)
{
	enum bh_lock lock = BH_LOCK_ALWAYS;
	int realtime = is_realtime(), error;

	if (realtime < 0) {
		diag_at(diag, NULL,
			"it can't be read from /sys/kernel/realtime whether this is a PREEMPT_RT "
			"kernel (%s), so nothing was attached",
			strerror(-realtime));
		return -1;
	}
	error = realtime ? find_lock(&lock) : 0;
	if (error)
		diag_at(diag, NULL,
			"this is a PREEMPT_RT kernel, and whether it keeps packets on one CPU "
			"apart "
			"(" BH_LOCK ") can be read neither from /proc/config.gz nor from "
			"/boot/config-VERSION (%s): make one of them readable",
			strerror(-error));
	else if (lock == BH_LOCK_OFF)
		diag_at(diag, NULL,
			"this PREEMPT_RT kernel is built without " BH_LOCK
			": one packet can interrupt another on the same CPU while the filter "
			"judges it, and could get the other's verdict; use a kernel with that "
			"option");
	return error || lock == BH_LOCK_OFF ? -1 : 0;
}
