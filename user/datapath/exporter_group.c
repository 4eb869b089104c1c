// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/exporter_group.h"

#include <grp.h>
#include <string.h>

#include "base/memory.h"

/*
 * Reads the file instead of calling getgrnam(), because a directory service may not answer for long
 * at boot.
 */
gid_t readers_group(void)
{
	AUTO_FCLOSE FILE *file = fopen("/etc/group", "re");
	struct group *group;

	while (file && (group = fgetgrent(file)))
		if (!strcmp(group->gr_name, READERS))
			return group->gr_gid;
	return 0;
}

bool readers_could_write(void)
{
	AUTO_FCLOSE FILE *file = fopen("/proc/sys/kernel/unprivileged_bpf_disabled", "re");

	return file && fgetc(file) == '0';
}
