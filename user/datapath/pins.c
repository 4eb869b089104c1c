// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins are BPFFS/bkxdp/IFACE/NAME. They are made before the program is attached and removed after
 * it is detached. If a process is killed in between, it leaves pins without a program, which the
 * next attach or detach recognises, but never a program that nobody can find.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "base/memory.h"
#include "base/strv.h"
#include "datapath/exporter_group.h"
#include "datapath/internal.h"
#include "net/netdev.h"

static const char *bpffs = "/sys/fs/bpf";

void datapath_set_bpffs(const char *dir)
{
	bpffs = dir;
	setenv("LIBXDP_BPFFS", dir, 1);
}

const char *pins_bpffs(void)
{
	return bpffs;
}

/*
 * The folder of all pins, for a process that can't open it by its path later: systemd mounts
 * /sys/fs/bpf for root only, but a path relative to an open folder does not need access to the
 * folders above it. If it is -1, the path is used.
 */
static int pins_folder_fd = -1;

/*
 * The BPF file system does not allow dots in names, but names of VLAN devices have them: eth1.100.
 */
static void folder_of(char folder[static 3 * IF_NAMESIZE], const char *interface)
{
	for (; *interface; interface++) {
		if (*interface == '.' || *interface == '%')
			folder += sprintf(folder, "%%%02x", *interface);
		else
			*folder++ = *interface;
	}
	*folder = '\0';
}

static void interface_of(char interface[static IF_NAMESIZE], const char *folder)
{
	unsigned int byte;
	size_t length = 0;

	for (; *folder && length < IF_NAMESIZE - 1; folder++) {
		if (sscanf(folder, "%%%2x", &byte) == 1)
			folder += 2;
		else
			byte = (unsigned char)*folder;
		interface[length++] = (char)byte;
	}
	interface[length] = '\0';
}

int pins_path(char path[static PIN_PATH_MAX], const char *interface, const char *name)
{
	char folder[3 * IF_NAMESIZE] = "", base[PIN_PATH_MAX];
	int length;

	if (interface && !netdev_name_is_valid(interface))
		return -EINVAL;
	if (interface)
		folder_of(folder, interface);
	if (pins_folder_fd >= 0)
		snprintf(base, sizeof(base), "/proc/self/fd/%d", pins_folder_fd);
	else if (snprintf(base, sizeof(base), "%s/bkxdp", bpffs) >= PIN_PATH_MAX)
		return -ENAMETOOLONG;
	length = snprintf(path, PIN_PATH_MAX, "%s%s%s%s%s", base, interface ? "/" : "", folder,
			  name ? "/" : "", name ? name : "");
	return length < PIN_PATH_MAX ? 0 : -ENAMETOOLONG;
}

/*
 * If there is no such group, or this process may not change the owner (CAP_CHOWN), only root can
 * read. The exporter's service, which may, makes up for it.
 */
static int give_readers_access(const char *path, mode_t mode)
{
	gid_t readers = readers_group();

	if (!readers || readers_could_write())
		return 0;
	if (chown(path, (uid_t)-1, readers))
		return errno == EPERM ? 0 : -errno;
	return chmod(path, mode) ? -errno : 0;
}

/* Returns false if a detach removed the folder meanwhile, which makes the lock useless. */
static bool is_still_there(const struct stat *held, const char *path)
{
	struct stat now;

	return !stat(path, &now) && held->st_ino == now.st_ino;
}

/* Anyone else with write permission could replace our maps with their own. */
static bool is_safe(const struct stat *folder)
{
	return S_ISDIR(folder->st_mode) && (!folder->st_uid || folder->st_uid == geteuid()) &&
	       !(folder->st_mode & (S_IWGRP | S_IWOTH));
}

/*
 * Links are not followed: if everyone may write to the BPF file system, a link could lead to any
 * other folder.
 */
static int open_folder(const char *path, struct stat *held)
{
	int error, fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? -EOWNERDEAD : -errno;
	if (fstat(fd, held))
		error = -errno;
	else if (!is_safe(held))
		error = -EOWNERDEAD;
	else
		return fd;
	close(fd);
	return error;
}

/* An existing folder is checked before anything about it is changed. */
static int make_folder(const char *interface)
{
	char path[PIN_PATH_MAX];
	struct stat status;
	int error = pins_path(path, interface, NULL);

	if (error)
		return error;
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	AUTO_CLOSE int fd = open_folder(path, &status);

	return fd < 0 ? fd : give_readers_access(path, 0750);
}

/*
 * The lock is on a folder of its own, which exists while a process makes changes. If it were on the
 * common folder, anyone who may read that could lock it and block all changes. No interface has
 * this name, because folder_of() never writes such a percent sign.
 */
#define LOCK_FOLDER "%lock"

/* No change takes longer. An older folder was left by a process that was killed. */
#define WORK_SECONDS 120

bool pins_are_changing(void)
{
	char path[PIN_PATH_MAX];
	struct stat lock;

	if (pins_path(path, NULL, LOCK_FOLDER) || stat(path, &lock))
		return false;
	return time(NULL) - lock.st_ctime < WORK_SECONDS;
}

#define LOCK_TRIES    300
#define LOCK_PAUSE_US 100000

/* Returns 0 if the lock's folder exists in a common folder that is safe. */
static int make_lock_folder(char path[static PIN_PATH_MAX])
{
	int error = make_folder(NULL);

	if (!error)
		error = pins_path(path, NULL, LOCK_FOLDER);
	if (error)
		return error;
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static void report_unsafe_folder(struct diagnostics *diag)
{
	diag_at(diag, NULL,
		"%s/bkxdp is a link, belongs to another user or can be written to by others, so "
		"the pins there could be forged; remove it",
		bpffs);
}

/*
 * The kernel releases the lock when its holder dies. A process that catches a signal meanwhile
 * waits no longer.
 */
static int pins_lock(void)
{
	char path[PIN_PATH_MAX];
	struct stat held = {};
	bool again = true; /* a failure may be temporary */

	for (int i = 0; i < LOCK_TRIES; i++) {
		int error = make_lock_folder(path), fd = error ? error : open_folder(path, &held);

		if (fd == -ENOENT)
			continue;
		if (fd < 0 && !again)
			return fd;
		if (fd < 0) {
			again = false;
			continue;
		}
		if (!flock(fd, LOCK_EX | LOCK_NB) && is_still_there(&held, path))
			return fd;
		close(fd);
		if (usleep(LOCK_PAUSE_US) && errno == EINTR)
			return -EINTR;
	}
	return -EBUSY;
}

bool pins_are_locked(void)
{
	char path[PIN_PATH_MAX];
	struct stat held;
	int error = pins_path(path, NULL, LOCK_FOLDER);
	AUTO_CLOSE int fd = error ? error : open_folder(path, &held);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
}

int pins_take_lock(struct diagnostics *diag)
{
	int lock = pins_lock();

	if (lock == -EACCES || lock == -EPERM)
		report_load_failure(diag, "changing the filter", -EPERM);
	else if (lock == -EBUSY)
		diag_at(diag, NULL,
			"another bkxdp has been at work for 30 seconds, so nothing is changed; "
			"try again when it is done");
	else if (lock == -EOWNERDEAD)
		report_unsafe_folder(diag);
	else if (lock < 0 && lock != -EINTR)
		diag_at(diag, NULL,
			"%s/bkxdp can't be locked (%s), so nothing is changed; try again", bpffs,
			strerror(-lock));
	return lock;
}

/* If `readers` is set, the exporter's group may read the pin. */
static int pin(const char *interface, const char *name, int fd, bool readers)
{
	char path[PIN_PATH_MAX];
	int error = pins_path(path, interface, name);

	if (error)
		return error;
	if (bpf_obj_pin(fd, path))
		return -errno;
	return readers ? give_readers_access(path, 0640) : 0;
}

int pins_create(const char *interface, const struct maps *maps)
{
	int error = make_folder(interface);

	for (int i = 0; i < MAP_COUNT && !error; i++)
		error = pin(interface, map_names[i].pin, maps->fd[i], map_names[i].scraped);
	return error;
}

int pins_clear(const char *path, const char *kept)
{
	char pin_path[2 * PIN_PATH_MAX];
	struct dirent *entry;
	DIR *folder = opendir(path);
	int error = 0;

	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, kept))
			continue;
		snprintf(pin_path, sizeof(pin_path), "%s/%s", path, entry->d_name);
		if (unlink(pin_path))
			error = -errno;
	}
	closedir(folder);
	return error;
}

static int remove_folder(const char *interface)
{
	char path[PIN_PATH_MAX], globals[PIN_PATH_MAX];
	int error = pins_path(path, interface, NULL);

	if (!error)
		error = pins_path(globals, interface, map_names[MAP_GLOBALS].pin);
	if (!error)
		error = pins_clear(path, map_names[MAP_GLOBALS].pin);
	if (!error && unlink(globals) && errno != ENOENT)
		error = -errno;
	return !error && rmdir(path) ? -errno : error;
}

/*
 * Removes the pin by which the program is recognised last. Tries twice, because a failure may be
 * temporary.
 */
int pins_remove(const char *interface)
{
	int error = remove_folder(interface);

	if (error && error != -ENOENT)
		error = remove_folder(interface);
	return error == -ENOENT ? 0 : error;
}

/* Fails if the folder `to` exists and is not empty. */
int pins_rename(const char *from, const char *to)
{
	char old[PIN_PATH_MAX], new[PIN_PATH_MAX];
	int error = pins_path(old, from, NULL);

	if (!error)
		error = pins_path(new, to, NULL);
	if (error)
		return error;
	return rename(old, new) ? -errno : 0;
}

#define ASIDE_MAX 9999

int pins_set_aside(const char *interface, char aside[static IF_NAMESIZE])
{
	int error = 1;

	for (int i = 1; i <= ASIDE_MAX && error > 0; i++) {
		snprintf(aside, IF_NAMESIZE, "%.10s~%u", interface, (unsigned int)i % 10000);
		error = pins_exist(aside);
	}
	if (error)
		return error < 0 ? error : -EEXIST;
	return pins_rename(interface, aside);
}

static void remove_if_empty(const char *name)
{
	char path[PIN_PATH_MAX];

	if (!pins_path(path, NULL, name) && rmdir(path) && errno != ENOENT && errno != ENOTEMPTY)
		(void)rmdir(path);
}

/* If a readers' group exists, it needs the common folder, which is then kept. */
void pins_remove_empty_folders(void)
{
	remove_if_empty(LOCK_FOLDER);
	if (!readers_group())
		remove_if_empty(NULL);
}

void maps_close(struct maps *maps)
{
	for (int i = 0; i < MAP_COUNT; i++) {
		if (maps->fd[i] >= 0)
			close(maps->fd[i]);
		maps->fd[i] = -1;
	}
}

static int get(const char *interface, const char *name, uint32_t flags)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = flags);
	char path[PIN_PATH_MAX];
	int fd, error = pins_path(path, interface, name);

	if (error)
		return error;
	fd = bpf_obj_get_opts(path, &opts);
	return fd < 0 ? -errno : fd;
}

int pins_open_globals(const char *interface)
{
	return get(interface, map_names[MAP_GLOBALS].pin, 0);
}

#define LINK_PIN "memory_link"

int pins_open_link(const char *interface)
{
	return get(interface, LINK_PIN, 0);
}

int pins_replace_link(const char *interface, int fd)
{
	pins_remove_link(interface);
	return pin(interface, LINK_PIN, fd, false);
}

void pins_remove_link(const char *interface)
{
	char path[PIN_PATH_MAX];

	if (!pins_path(path, interface, LINK_PIN))
		(void)unlink(path);
}

/* Returns -EPROTO for pins of another layout, which must not be read. */
static int check_abi(const struct maps *maps)
{
	struct bkxdp_attachment attachment;
	struct bpf_map_info info = {};
	uint32_t zero = 0, size = sizeof(info);

	if (bpf_obj_get_info_by_fd(maps->fd[MAP_ATTACHMENT], &info, &size))
		return -errno;
	if (info.value_size != sizeof(attachment))
		return -EPROTO;
	if (bpf_map_lookup_elem(maps->fd[MAP_ATTACHMENT], &zero, &attachment))
		return -errno;
	return attachment.abi == BKXDP_ABI ? 0 : -EPROTO;
}

int pins_read_attachment(const char *interface, struct bkxdp_attachment *attachment)
{
	AUTO_CLOSE int fd = get(interface, map_names[MAP_ATTACHMENT].pin, BPF_F_RDONLY);
	const size_t common = offsetof(struct bkxdp_attachment, version);
	struct bpf_map_info info = {};
	uint32_t zero = 0, size = sizeof(info);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size < common)
		return -EPROTO;
	AUTO_FREE char *value = must_alloc(1, info.value_size);

	if (bpf_map_lookup_elem(fd, &zero, value))
		return -errno;
	memset(attachment, 0, sizeof(*attachment));
	memcpy(attachment, value, common);
	return 0;
}

static int open_some(const char *interface, struct maps *maps, uint32_t flags, bool scraped)
{
	int error = 0;

	for (int i = 0; i < MAP_COUNT; i++)
		maps->fd[i] = -1;
	for (int i = 0; i < MAP_COUNT && !error; i++) {
		if (scraped && !map_names[i].scraped)
			continue;
		maps->fd[i] = get(interface, map_names[i].pin, flags);
		if (maps->fd[i] < 0)
			error = maps->fd[i];
	}
	if (!error)
		error = check_abi(maps);
	if (error)
		maps_close(maps);
	return error;
}

int pins_open(const char *interface, struct maps *maps, uint32_t flags)
{
	return open_some(interface, maps, flags, false);
}

int pins_open_for_scrape(const char *interface, struct maps *maps)
{
	return open_some(interface, maps, BPF_F_RDONLY, true);
}

int pins_exist(const char *interface)
{
	char path[PIN_PATH_MAX];
	int error = pins_path(path, interface, NULL);

	if (error)
		return error;
	if (!access(path, F_OK))
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

bool datapath_is_pinned(const char *interface)
{
	return pins_exist(interface) == 1;
}

int pins_interfaces(char ***interfaces, size_t *count)
{
	char path[PIN_PATH_MAX], name[IF_NAMESIZE], **list = NULL;
	struct dirent *entry;
	DIR *folder;

	*count = 0;
	*interfaces = NULL;
	if (pins_path(path, NULL, NULL))
		return -ENAMETOOLONG;
	folder = opendir(path);
	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, LOCK_FOLDER))
			continue;
		interface_of(name, entry->d_name);
		*APPEND(list, *count) = must_copy(name);
	}
	closedir(folder);
	strv_sort(list, *count);
	*interfaces = list;
	return 0;
}

/* ---- what is pinned for each slot ---------------------------------------- */

static void slot_pin_name(char name[static 16], enum slot_pin what, uint32_t slot)
{
	snprintf(name, 16, "%s%u", what == SLOT_PIN_POLICY ? "about" : "files", slot & 1);
}

int pins_replace_slot_pin(const char *interface, enum slot_pin what, uint32_t slot, int fd)
{
	char name[16], path[PIN_PATH_MAX];
	int error;

	slot_pin_name(name, what, slot);
	error = pins_path(path, interface, name);
	if (error)
		return error;
	if (unlink(path) && errno != ENOENT)
		return -errno;
	return pin(interface, name, fd, what == SLOT_PIN_FILES);
}

int pins_open_slot_pin(const char *interface, enum slot_pin what, uint32_t slot)
{
	char name[16];

	slot_pin_name(name, what, slot);
	return get(interface, name, BPF_F_RDONLY);
}

static void share(const char *interface, const char *name, mode_t mode)
{
	char path[PIN_PATH_MAX];

	if (!pins_path(path, interface, name))
		(void)give_readers_access(path, mode);
}

/* Pins that are older than the group have not been shared yet. */
void pins_share(const char *interface)
{
	char name[16];

	share(interface, NULL, 0750);
	for (int i = 0; i < MAP_COUNT; i++)
		if (map_names[i].scraped)
			share(interface, map_names[i].pin, 0640);
	for (uint32_t slot = 0; slot < BKXDP_SLOTS; slot++) {
		slot_pin_name(name, SLOT_PIN_FILES, slot);
		share(interface, name, 0640);
	}
}

/* ---- keeping the folder open --------------------------------------------- */

static bool pins_folder_is_open(void)
{
	struct stat folder;

	return pins_folder_fd >= 0 && !fstat(pins_folder_fd, &folder) && folder.st_nlink;
}

/* The folder is removed when the last interface is detached, and a new one may have been made. */
static void open_pins_folder(void)
{
	char path[PIN_PATH_MAX];
	struct stat folder;
	int fd;

	if (pins_folder_is_open())
		return;
	if (pins_folder_fd >= 0)
		close(pins_folder_fd);
	pins_folder_fd = -1;
	if (pins_path(path, NULL, NULL))
		return;
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &folder) && is_safe(&folder))
		pins_folder_fd = fd;
	else if (fd >= 0)
		close(fd);
}

static bool keeps_pins_open;

/* Returns 1, 0, or a negative errno if it can't be told. */
static int is_mounted(void)
{
	struct statfs fs;

	if (statfs(bpffs, &fs))
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return fs.f_type == BPF_FS_MAGIC;
}

void datapath_keep_pins_open(void)
{
	char **interface;
	size_t count;

	keeps_pins_open = true;
	if (readers_group() && !geteuid() && is_mounted() > 0 && !make_folder(NULL) &&
	    !pins_interfaces(&interface, &count)) {
		for (size_t i = 0; i < count; i++)
			pins_share(interface[i]);
		strv_free(interface, count);
	}
	open_pins_folder();
}

bool pins_are_kept_open(void)
{
	return keeps_pins_open;
}

bool datapath_is_open_to_us(void)
{
	int fd = bpf_obj_get("/proc/self/nowhere");

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != EPERM;
}

static bool is_hidden(void)
{
	char path[PIN_PATH_MAX];

	return !pins_path(path, NULL, NULL) && access(path, F_OK) && errno == EACCES;
}

static bool is_unsafe(const char *path)
{
	struct stat folder;

	return !lstat(path, &folder) && !is_safe(&folder);
}

/* The dispatchers' pins belong to libxdp. Whoever may move them can hide what runs. */
static bool is_forgeable(struct diagnostics *diag)
{
	char path[PIN_PATH_MAX];
	AUTO_FREE char *libxdp = must_format("%s/xdp", bpffs);

	if (!pins_path(path, NULL, NULL) && is_unsafe(path))
		report_unsafe_folder(diag);
	else if (is_unsafe(libxdp))
		diag_at(diag, NULL,
			"%s is a link, belongs to another user or can be written to by others, who "
			"could remove or forge libxdp's pins there; give it to root only (chown, "
			"chmod 700), and mount the BPF file system with mode=700",
			libxdp);
	else
		return false;
	return true;
}

int pins_check(struct diagnostics *diag)
{
	int mounted;

	if (keeps_pins_open)
		open_pins_folder();
	if (pins_folder_is_open())
		return 0;
	mounted = is_mounted();
	if (is_hidden() && !keeps_pins_open)
		diag_at(diag, NULL, "only root may read %s; run it as root", bpffs);
	else if (is_hidden())
		diag_at(diag, NULL,
			"%s/bkxdp can't be read by this user: %s is open to root only, and that "
			"folder did not exist when root started this process; start it again",
			bpffs, bpffs);
	else if (mounted < 0)
		diag_at(diag, NULL,
			"it can't be told whether a BPF file system is mounted on %s: %s", bpffs,
			strerror(-mounted));
	else if (!mounted)
		diag_at(diag, NULL,
			"no BPF file system is mounted on %s, where the filter's maps are pinned; "
			"run \"mount -t bpf -o mode=700 bpf %s\"; inside \"ip netns exec\" it is "
			"hidden, so use \"nsenter --net=/run/netns/NAME\" instead",
			bpffs, bpffs);
	else if (!is_forgeable(diag))
		return 0;
	return -1;
}
