// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's memory of TCP connections: its maps, which all filters of the host share, the program
 * that fills them, and what the kernel does not tell that program.
 *
 * Each interface pins the maps, and the program's link if its policy needs it, in its own folder.
 * So the memory lasts as long as somebody uses it, and the kernel removes it with its last user.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <search.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/memory.h"
#include "control_memory.skel.h"
#include "datapath/internal.h"
#include "net/links.h"
#include "net/netdev.h"
#include "net/socktable.h"

static const struct {
	enum map map;
	const char *program; /* its name in the memory's program */
} shared[] = {
	{MAP_CONTROL_PEERS, "control_peers"}, {MAP_CONTROL_OLDER, "control_older"},
	{MAP_BOUND, "bound_connections"},     {MAP_CONTROL_TUPLES, "control_tuples"},
	{MAP_MEMORY_WANTED, "memory_wanted"}, {MAP_MEMORY_LOST, "memory_lost"},
};
#define N_SHARED (sizeof(shared) / sizeof(shared[0]))

static bool is_shared(enum map map)
{
	for (size_t i = 0; i < N_SHARED; i++)
		if (shared[i].map == map)
			return true;
	return false;
}

/* ---- finding it ------------------------------------------------------------- */

void memory_of(const struct maps *pinned, struct maps *memory)
{
	for (int i = 0; i < MAP_COUNT; i++)
		memory->fd[i] = is_shared(i) ? pinned->fd[i] : -1;
}

static void keep_shared(struct maps *maps)
{
	for (int i = 0; i < MAP_COUNT; i++) {
		if (is_shared(i) || maps->fd[i] < 0)
			continue;
		close(maps->fd[i]);
		maps->fd[i] = -1;
	}
}

/* Pins of another version, or such as a killed attach left, have no memory that we can use. */
static bool has_no_memory(int error)
{
	return error == -ENOENT || error == -EPROTO;
}

int memory_find(struct maps *maps)
{
	char **interfaces = NULL;
	size_t count = 0;
	int error;

	for (int i = 0; i < MAP_COUNT; i++)
		maps->fd[i] = -1;
	error = pins_interfaces(&interfaces, &count);
	if (error)
		return error == -ENOENT ? 0 : error;
	error = -ENOENT;
	for (size_t i = 0; i < count; i++) {
		if (has_no_memory(error))
			error = pins_open(interfaces[i], maps, 0);
		free(interfaces[i]);
	}
	free(interfaces);
	keep_shared(maps);
	return has_no_memory(error) ? 0 : error;
}

/* ---- the program's link -------------------------------------------------------- */

/* The number of the first cgroup namespace, PROC_CGROUP_INIT_INO in the kernel. */
#define FIRST_CGROUP_NAMESPACE 0xeffffffb

#define CGROUP_ROOT_INODE 1

/* Opens a mount of cgroup v2 that begins at the root of the hierarchy. */
static int open_mounted_root(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *mount;
	struct statfs filesystem;
	struct stat status;
	int fd = -ENOENT;

	if (!mounts)
		return -errno;
	while (fd < 0 && (mount = getmntent(mounts))) {
		if (strcmp(mount->mnt_type, "cgroup2"))
			continue;
		fd = open(mount->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 ||
		    (!fstatfs(fd, &filesystem) && filesystem.f_type == CGROUP2_SUPER_MAGIC &&
		     !fstat(fd, &status) && status.st_ino == CGROUP_ROOT_INODE))
			continue;
		close(fd);
		fd = -ENOENT;
	}
	endmntent(mounts);
	return fd < 0 ? -ENOENT : fd;
}

/* Makes a mount that only this process sees. Linux 5.2 */
static int make_root(void)
{
	AUTO_CLOSE int context = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC);
	int fd;

	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* Returns the root of cgroup v2, to which all sockets of the host belong, or a negative errno. */
static int open_cgroup_root(void)
{
	struct stat status;
	int fd;

	if (stat("/proc/self/ns/cgroup", &status))
		return -errno;
	if (status.st_ino != FIRST_CGROUP_NAMESPACE)
		return -EXDEV;
	fd = open_mounted_root();
	return fd < 0 ? make_root() : fd;
}

static int reuse_maps(const struct control_memory_bpf *memory, const struct maps *maps)
{
	int error = 0;

	for (size_t i = 0; i < N_SHARED && !error; i++)
		error = bpf_map__reuse_fd(
			bpf_object__find_map_by_name(memory->obj, shared[i].program),
			maps->fd[shared[i].map]);
	return error;
}

/* Returns the file descriptor of a new link, or a negative errno. */
static int attach_memory(const struct maps *maps)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	struct control_memory_bpf *memory = control_memory_bpf__open();
	AUTO_CLOSE int root = memory ? open_cgroup_root() : -errno;
	int fd = -1, error = root < 0 ? root : reuse_maps(memory, maps);
	size_t log_size;
	char *log = libraries_verifier_buffer(&log_size);

	if (!error)
		error = bpf_program__set_log_buf(memory->progs.bkxdp_memory, log, log_size);
	if (!error)
		error = control_memory_bpf__load(memory);
	if (!error) {
		fd = bpf_link_create(bpf_program__fd(memory->progs.bkxdp_memory), root,
				     BPF_CGROUP_SOCK_OPS, &opts);
		error = fd < 0 ? -errno : 0;
	}
	control_memory_bpf__destroy(memory);
	return error ? error : fd;
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

/* Returns 1, 0 or a negative errno. */
static int program_uses(uint32_t program, int map)
{
	uint32_t used[16] = {}, size, wanted = 0;
	struct bpf_prog_info info = {};
	AUTO_CLOSE int fd = bpf_prog_get_fd_by_id(program);
	int error = fd < 0 ? -errno : map_id(map, &wanted);

	if (error)
		return error;
	info.nr_map_ids = sizeof(used) / sizeof(used[0]);
	info.map_ids = (uintptr_t)used;
	size = sizeof(info);
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	for (uint32_t i = 0; i < info.nr_map_ids && i < sizeof(used) / sizeof(used[0]); i++)
		if (used[i] == wanted)
			return 1;
	return 0;
}

/*
 * Does the program of the link that this interface holds fill these maps? Other versions have a
 * memory of their own. A link stays when somebody detaches its program from the cgroup by force.
 * Returns 1 and the link, 0 or a negative errno.
 */
static int open_link(const char *pins, const struct maps *maps, int *link)
{
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);
	int fills, fd = pins_open_link(pins);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		fills = -errno;
	else
		fills = info.cgroup.cgroup_id
				? program_uses(info.prog_id, maps->fd[MAP_CONTROL_TUPLES])
				: 0;
	if (fills > 0)
		*link = fd;
	else
		close(fd);
	return fills;
}

/* Looks for such a link among those of all interfaces, and returns the same. */
static int find_link(const struct maps *maps, int *link)
{
	char **interfaces = NULL;
	size_t count = 0;
	int found = pins_interfaces(&interfaces, &count);

	for (size_t i = 0; i < count; i++) {
		if (!found)
			found = open_link(interfaces[i], maps, link);
		free(interfaces[i]);
	}
	free(interfaces);
	return found;
}

static int empty(int fd, size_t key_size)
{
	AUTO_FREE char *key = must_alloc(1, key_size);

	while (!bpf_map_get_next_key(fd, NULL, key))
		if (bpf_map_delete_elem(fd, key) && errno != ENOENT)
			return -errno;
	return errno == ENOENT ? 0 : -errno;
}

/*
 * Nobody has told of what ended while there was no link, so a new one begins with empty maps. What
 * still exists is then found as older.
 */
static int new_link(const struct maps *maps)
{
	int error = empty(maps->fd[MAP_CONTROL_TUPLES], sizeof(struct bkxdp_tuple));

	if (!error)
		error = empty(maps->fd[MAP_CONTROL_PEERS], sizeof(struct bkxdp_control_peer));
	if (!error)
		error = empty(maps->fd[MAP_BOUND], sizeof(struct bkxdp_tuple));
	return error ? error : attach_memory(maps);
}

/* Makes sure that the program runs, and that it does as long as this interface needs it. */
static int hold_link(const char *pins, const struct maps *maps)
{
	AUTO_CLOSE int link = -1;
	int found = open_link(pins, maps, &link);

	if (found)
		return found < 0 ? found : 0;
	found = find_link(maps, &link);
	if (found < 0)
		return found;
	if (!found)
		link = new_link(maps);
	return link < 0 ? link : pins_replace_link(pins, link);
}

int memory_is_told(const char *pins, const struct maps *maps)
{
	AUTO_CLOSE int link = -1;

	return open_link(pins, maps, &link);
}

/* ---- what it is wanted for ------------------------------------------------------- */

static int want(const struct maps *maps, const struct tables *tables)
{
	struct bkxdp_wanted *wanted = mmap(NULL, sizeof(*wanted), PROT_READ | PROT_WRITE,
					   MAP_SHARED, maps->fd[MAP_MEMORY_WANTED], 0);

	if (wanted == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < tables->n_requirements; i++) {
		const struct bkxdp_requirement *required = &tables->requirement[i];

		for (int n = 0; n < required->n_ports; n++)
			wanted->control_port[required->port[n].port] |=
				BKXDP_CONTROL_PORT(required->port[n].opener);
	}
	if (tables->devices.n_devices > 1)
		wanted->bound = 1;
	munmap(wanted, sizeof(*wanted));
	return 0;
}

/* ---- connections that are older than it -------------------------------------------- */

/* One page of bkxdp_older: a node of a tree. */
struct page {
	struct bkxdp_control_peer key;
	struct bkxdp_older value;
};

struct older {
	const struct maps *maps;
	const struct bkxdp_wanted *wanted;
	const struct bkxdp_devices *devices;
	void *pages;     /* tsearch() tree of struct page */
	size_t n_hidden; /* connections that can't be found: of sockets bound above, or too many */
	int error;
};

static int compare_pages(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bkxdp_control_peer));
}

static struct bkxdp_control_peer key_of(const struct older *older, const struct tcp_connection *tcp,
					enum bkxdp_opener opener)
{
	struct bkxdp_control_peer key = {
		.netns = older->devices->netns,
		.device = tcp->device,
		.port = socktable_port(tcp, opener),
		.opener = (uint8_t)opener,
	};

	memcpy(key.address, tcp->peer, sizeof(key.address));
	return key;
}

/* The first page of this peer with room. NULL: all are full. */
static struct bkxdp_connection *find_room(struct older *older, struct bkxdp_control_peer *key)
{
	for (key->page = 0; key->page < BKXDP_OLDER_PAGES; key->page++) {
		struct page **found = tfind(key, &older->pages, compare_pages), *page;

		if (found) {
			for (int i = 0; i < BKXDP_OLDER; i++)
				if (!(*found)->value.connection[i].peer_port)
					return &(*found)->value.connection[i];
			continue;
		}
		page = must_alloc(1, sizeof(*page));
		page->key = *key;
		tsearch(page, &older->pages, compare_pages);
		return &page->value.connection[0];
	}
	return NULL;
}

static bool is_listed(const struct bkxdp_devices *devices, int index)
{
	for (uint32_t i = 0; i < devices->n_devices; i++)
		if (devices->device[i] == (uint32_t)index)
			return true;
	return false;
}

static bool is_remembered(const struct older *older, const struct tcp_connection *tcp)
{
	struct bkxdp_tuple tuple = {.netns = older->devices->netns, .connection = tcp->connection};
	struct bkxdp_tuple_place place;

	memcpy(tuple.peer, tcp->peer, sizeof(tuple.peer));
	return !bpf_map_lookup_elem(older->maps->fd[MAP_CONTROL_TUPLES], &tuple, &place);
}

static void add_older(struct older *older, const struct tcp_connection *tcp,
		      enum bkxdp_opener opener)
{
	struct bkxdp_control_peer key = key_of(older, tcp, opener);
	struct bkxdp_connection *room;

	if (!socktable_may_be(tcp, opener) ||
	    !(older->wanted->control_port[key.port] & BKXDP_CONTROL_PORT(opener)) ||
	    is_remembered(older, tcp))
		return;
	older->n_hidden += tcp->device != older->devices->device[0] &&
			   is_listed(older->devices, (int)tcp->device);
	room = find_room(older, &key);
	if (room)
		*room = tcp->connection;
	else
		older->n_hidden++;
}

static void write_page(const void *node, VISIT visit, void *into)
{
	const struct page *page = *(const struct page *const *)node;
	struct older *older = into;

	if (visit != postorder && visit != leaf)
		return;
	if (bpf_map_update_elem(older->maps->fd[MAP_CONTROL_OLDER], &page->key, &page->value,
				BPF_ANY))
		older->error = -errno;
}

/* Pages of this namespace that are no longer needed. */
struct stale {
	struct older *older;
	struct bkxdp_control_peer *keys;
	size_t n_keys;
};

static void find_stale(void *into, const void *key, const void *value)
{
	struct stale *stale = into;
	const struct bkxdp_control_peer *page = key;

	(void)value;
	if (page->netns == stale->older->devices->netns &&
	    !tfind(key, &stale->older->pages, compare_pages))
		*APPEND(stale->keys, stale->n_keys) = *page;
}

static int remove_stale(struct older *older)
{
	int fd = older->maps->fd[MAP_CONTROL_OLDER];
	struct stale stale = {.older = older};
	int error = entries_read(fd, sizeof(struct bkxdp_control_peer), sizeof(struct bkxdp_older),
				 find_stale, &stale);

	for (size_t i = 0; i < stale.n_keys; i++)
		(void)bpf_map_delete_elem(fd, &stale.keys[i]);
	free(stale.keys);
	return error;
}

static int write_older(struct older *older)
{
	twalk_r(older->pages, write_page, older);
	return older->error ? older->error : remove_stale(older);
}

/*
 * Writes down the connections of this network namespace that the program was not told of. Whether
 * they still exist is decided when they are needed, so what changes meanwhile does no harm.
 */
static int remember_older(const struct maps *maps, const struct bkxdp_devices *devices,
			  size_t *n_hidden)
{
	struct older older = {.maps = maps, .devices = devices};
	struct tcp_connection *connections;
	size_t n_connections;
	int error = socktable_read(&connections, &n_connections);
	void *wanted;

	if (error)
		return error;
	wanted = mmap(NULL, sizeof(struct bkxdp_wanted), PROT_READ, MAP_SHARED,
		      maps->fd[MAP_MEMORY_WANTED], 0);
	if (wanted == MAP_FAILED) {
		free(connections);
		return -errno;
	}
	older.wanted = wanted;
	for (size_t i = 0; i < n_connections; i++) {
		add_older(&older, &connections[i], BKXDP_OPENED_BY_PEER);
		add_older(&older, &connections[i], BKXDP_OPENED_BY_US);
	}
	free(connections);
	error = write_older(&older);
	*n_hidden = older.n_hidden;
	tdestroy(older.pages, free);
	munmap(wanted, sizeof(struct bkxdp_wanted));
	return error;
}

/* ---- the interface's devices ---------------------------------------------------------- */

/* A bridge may add and remove tags, and a packet without a tag may be the interface's own. */
static uint16_t vlan_of(const struct link_path *path)
{
	if (path->retagged || path->tunneled || !path->n_tags)
		return BKXDP_VLANS;
	return path->tags[path->n_tags - 1].id;
}

int memory_read_devices(int ifindex, struct bkxdp_devices *devices, bool *all)
{
	struct links links = {};
	struct link_path *paths;
	size_t n_paths;
	int error = links_read(&links);

	*devices = (struct bkxdp_devices){.netns = (uint32_t)netdev_namespace(),
					  .n_devices = 1,
					  .device = {(uint32_t)ifindex},
					  .vlan = {BKXDP_VLANS}};
	*all = true;
	if (error)
		return error;
	paths = links_paths(&links, ifindex, &n_paths);
	for (size_t i = 0; i < n_paths; i++) {
		const struct link *link = paths[i].link;

		if (is_listed(devices, link->index))
			continue;
		if (devices->n_devices == BKXDP_DEVICES_MAX) {
			*all = false;
			break;
		}
		devices->vrfs |= (uint32_t)link->is_vrf << devices->n_devices;
		devices->vlan[devices->n_devices] = vlan_of(&paths[i]);
		devices->device[devices->n_devices++] = (uint32_t)link->index;
	}
	free(paths);
	links_free(&links);
	return 0;
}

/* ---- all of it -------------------------------------------------------------------------- */

int memory_follow(const char *pins, const struct maps *maps, const struct tables *tables,
		  size_t *n_hidden)
{
	int error = want(maps, tables);

	if (!error)
		error = hold_link(pins, maps);
	return error ? error : remember_older(maps, &tables->devices, n_hidden);
}

int memory_follow_unpinned(const struct maps *maps, const struct tables *tables)
{
	int error = want(maps, tables), link = error ? error : attach_memory(maps);
	size_t n_hidden;

	if (link >= 0)
		error = remember_older(maps, &tables->devices, &n_hidden);
	if (link < 0 || !error)
		return link;
	close(link);
	return error;
}
