// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaches the program next to others with libxdp's dispatcher. If the kernel refuses the
 * dispatcher, libxdp attaches the program alone and reports success, so what really runs is always
 * read back.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "base/memory.h"
#include "base/printable.h"
#include "base/strv.h"
#include "datapath/internal.h"
#include "net/netdev.h"

/* The packet filter runs before other programs; libxdp's default is 50. */
#define RUN_PRIORITY 10

#define PROGRAM_MAPS_MAX 64

static void found_free_others(struct found *found)
{
	strv_free(found->others, found->n_others);
	found->others = NULL;
	found->n_others = 0;
}

void found_free(struct found *found)
{
	found_free_others(found);
	memset(found, 0, sizeof(*found));
}

static int map_id(int fd, uint32_t *id)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*id = info.id;
	return 0;
}

/* The filter is the program that uses the map with the globals. */
static bool uses_map(const struct bpf_prog_info *info, uint32_t map)
{
	const uint32_t *ids = (const uint32_t *)(uintptr_t)info->map_ids;

	for (uint32_t i = 0; i < info->nr_map_ids && i < PROGRAM_MAPS_MAX; i++)
		if (ids[i] == map)
			return true;
	return false;
}

static int ask_program(int fd, struct bpf_prog_info *info, uint32_t ids[static PROGRAM_MAPS_MAX])
{
	uint32_t size = sizeof(*info);

	*info = (struct bpf_prog_info){.nr_map_ids = PROGRAM_MAPS_MAX, .map_ids = (uintptr_t)ids};
	return bpf_obj_get_info_by_fd(fd, info, &size) ? -errno : 0;
}

static int note(struct found *found, int program, uint32_t globals_id)
{
	uint32_t ids[PROGRAM_MAPS_MAX] = {};
	struct bpf_prog_info info = {};
	int error = ask_program(program, &info, ids);

	if (error)
		return error;
	if (uses_map(&info, globals_id))
		found->program = info.id;
	else
		*APPEND(found->others, found->n_others) = printable(info.name);
	return 0;
}

/*
 * Returns 1 if libxdp's folder of this dispatcher's programs exists, 0 or a negative errno. Without
 * it nobody can find out what the dispatcher calls.
 */
static int dispatcher_is_pinned(int ifindex, uint32_t root)
{
	AUTO_FREE char *path = must_format("%s/xdp/dispatch-%d-%u", pins_bpffs(), ifindex, root);

	if (!access(path, F_OK))
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

/*
 * libxdp takes a dispatcher that it can't read for a lone program or for none. So its answer is
 * used only if it is about the same program and no lone one.
 */
static int note_components(struct found *found, int ifindex, uint32_t globals_id)
{
	struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *program = NULL;
	int error = libxdp_get_error(all);

	if (error)
		return error == -ENOENT ? -EAGAIN : error;
	if (xdp_program__id(xdp_multiprog__main_prog(all)) != found->root)
		error = -EAGAIN;
	else if (xdp_multiprog__is_legacy(all))
		error = -EIO;
	while (!error && (program = xdp_multiprog__next_prog(program, all)))
		error = note(found, xdp_program__fd(program), globals_id);
	xdp_multiprog__close(all);
	return error;
}

#define DISPATCHER "xdp_dispatcher"

bool xdp_is_whole(int ifindex, uint32_t root)
{
	AUTO_CLOSE int fd = bpf_prog_get_fd_by_id(root);
	uint32_t ids[PROGRAM_MAPS_MAX] = {};
	struct bpf_prog_info info = {};

	if (fd < 0 || ask_program(fd, &info, ids) || strcmp(info.name, DISPATCHER) != 0)
		return true;
	return dispatcher_is_pinned(ifindex, root) > 0;
}

bool found_unpinned(const struct found *found)
{
	if (found->alone && found->n_others && !strcmp(found->others[0], DISPATCHER))
		return true;
	for (size_t i = 0; i < found->n_others; i++)
		if (!strcmp(found->others[i], "bkxdp"))
			return true;
	return false;
}

static int note_root(struct found *found, int ifindex, uint32_t globals_id)
{
	AUTO_CLOSE int fd = bpf_prog_get_fd_by_id(found->root);
	int error = fd < 0 ? -errno : note(found, fd, globals_id), pinned;

	if (error)
		return error == -ENOENT ? -EAGAIN : error;
	found->alone = true;
	if (!found->n_others || strcmp(found->others[0], DISPATCHER) != 0)
		return 0;
	pinned = dispatcher_is_pinned(ifindex, found->root);
	if (pinned <= 0)
		return pinned;
	found_free_others(found);
	found->alone = false;
	return note_components(found, ifindex, globals_id);
}

static int find_once(int ifindex, uint32_t globals_id, struct found *found)
{
	struct netdev_programs on;
	int error = netdev_programs(ifindex, &on);

	memset(found, 0, sizeof(*found));
	if (error)
		return error;
	found->generic = !on.driver && on.generic;
	found->root = on.driver ? on.driver : on.generic;
	error = found->root ? note_root(found, ifindex, globals_id) : 0;
	if (error)
		found_free(found);
	return error;
}

/* Another process may replace the interface's program meanwhile. */
#define FIND_TRIES 10

int xdp_find(int ifindex, int globals_fd, struct found *found)
{
	uint32_t globals_id = 0;
	int error = globals_fd < 0 ? 0 : map_id(globals_fd, &globals_id);

	memset(found, 0, sizeof(*found));
	if (error)
		return error;
	error = -EAGAIN;
	for (int i = 0; i < FIND_TRIES && error == -EAGAIN; i++)
		error = find_once(ifindex, globals_id, found);
	return error;
}

/* All loaded programs are searched, because the program may run in any namespace. */
int xdp_runs_somewhere(int globals_fd)
{
	uint32_t id = 0, globals_id = 0;
	int error = map_id(globals_fd, &globals_id);

	if (error)
		return error;
	while (!bpf_prog_get_next_id(id, &id)) {
		AUTO_CLOSE int fd = bpf_prog_get_fd_by_id(id);
		uint32_t ids[PROGRAM_MAPS_MAX] = {};
		struct bpf_prog_info info = {};

		if (fd < 0 && errno == ENOENT)
			continue; /* it was unloaded meanwhile */
		error = fd < 0 ? -errno : ask_program(fd, &info, ids);
		if (error)
			return error;
		if (uses_map(&info, globals_id))
			return info.type == BPF_PROG_TYPE_EXT ? PROGRAM_IS_CALLED : 1;
	}
	return errno == ENOENT ? 0 : -errno;
}

/* ---- dispatchers that lost their interface --------------------------------------- */

/* Returns 1 if a folder of libxdp has a program that uses this map, 0 or a negative errno. */
static int holds_ours(const char *path, uint32_t globals_id)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	int result = folder ? 0 : -errno;

	while (folder && !result && (entry = readdir(folder))) {
		AUTO_FREE char *pin = must_format("%s/%s", path, entry->d_name);
		uint32_t ids[PROGRAM_MAPS_MAX] = {};
		struct bpf_prog_info info = {};
		const char *end = strrchr(entry->d_name, '-');

		if (!end || strcmp(end, "-prog") != 0)
			continue;
		AUTO_CLOSE int fd = bpf_obj_get(pin);

		result = fd < 0 ? -errno : ask_program(fd, &info, ids);
		if (!result)
			result = uses_map(&info, globals_id);
	}
	if (folder)
		closedir(folder);
	return result;
}

int xdp_dispatcher_of(int globals_fd, struct dispatcher *dispatcher)
{
	AUTO_FREE char *libxdp = must_format("%s/xdp", pins_bpffs());
	struct dirent *entry;
	uint32_t globals_id = 0;
	int result = map_id(globals_fd, &globals_id);
	DIR *folder = result ? NULL : opendir(libxdp);

	if (!folder)
		return result || errno == ENOENT ? result : -errno;
	while (!result && (entry = readdir(folder))) {
		struct dispatcher d;

		if (sscanf(entry->d_name, "dispatch-%d-%u", &d.ifindex, &d.program) != 2)
			continue;
		snprintf(d.path, sizeof(d.path), "%s/%s", libxdp, entry->d_name);
		result = holds_ours(d.path, globals_id);
		if (result > 0)
			*dispatcher = d;
	}
	closedir(folder);
	return result;
}

/* libxdp_clean_references() would also remove those of other namespaces. */
int xdp_remove_dispatcher_pins(int globals_fd)
{
	struct dispatcher dispatcher;
	int result = xdp_dispatcher_of(globals_fd, &dispatcher);

	if (result <= 0)
		return result;
	result = pins_clear(dispatcher.path, "");
	return !result && rmdir(dispatcher.path) ? -errno : result;
}

/* ---- attaching and detaching ------------------------------------------------------ */

int xdp_attach_with_dispatcher(int ifindex, struct bkxdp_bpf *program, bool frags, bool generic)
{
	struct xdp_program *xdp = xdp_program__from_bpf_obj(program->obj, "xdp");
	int error = libxdp_get_error(xdp);

	if (error)
		return error;
	/* libxdp does not see the flag that libbpf sets when it loads the program */
	if (frags)
		error = xdp_program__set_xdp_frags_support(xdp, true);
	if (!error)
		error = xdp_program__set_run_prio(xdp, RUN_PRIORITY);
	if (!error)
		error = xdp_program__set_chain_call_enabled(xdp, XDP_PASS, true);
	if (!error)
		error = xdp_program__attach(xdp, ifindex, generic ? XDP_MODE_SKB : XDP_MODE_NATIVE,
					    0);
	xdp_program__close(xdp);
	return error;
}

static uint32_t mode_flag(bool generic)
{
	return generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

int xdp_attach_alone(int ifindex, int program, bool generic)
{
	return bpf_xdp_attach(ifindex, program, mode_flag(generic) | XDP_FLAGS_UPDATE_IF_NOEXIST,
			      NULL);
}

/* The kernel detaches the program only if it is the one that runs. */
static int detach_alone(int ifindex, const struct found *found)
{
	AUTO_CLOSE int fd = bpf_prog_get_fd_by_id(found->program);
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = fd);

	return fd < 0 ? -errno : bpf_xdp_detach(ifindex, mode_flag(found->generic), &opts);
}

static int detach_from_dispatcher(int ifindex, const struct found *found)
{
	struct xdp_program *xdp = xdp_program__from_id(found->program);
	int error = libxdp_get_error(xdp);

	if (error)
		return error;
	error = xdp_program__detach(xdp, ifindex, found->generic ? XDP_MODE_SKB : XDP_MODE_NATIVE,
				    0);
	xdp_program__close(xdp);
	return error;
}

int xdp_detach(int ifindex, int globals_fd, const struct found *found)
{
	struct found after;
	int error = found->alone ? detach_alone(ifindex, found)
				 : detach_from_dispatcher(ifindex, found);
	int find_error = xdp_find(ifindex, globals_fd, &after);
	bool gone = !find_error && !after.program;

	found_free(&after);
	if (gone || !error)
		return gone || find_error ? 0 : -EBUSY;
	return find_error == -ENODEV ? find_error : error;
}
