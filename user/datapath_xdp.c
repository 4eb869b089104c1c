// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching beside others, by libxdp's dispatcher. Where the kernel refuses the
 * dispatcher, libxdp attaches the program alone and calls that success, so what
 * really runs is always read back.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "alloc.h"
#include "datapath_internal.h"
#include "netdev.h"
#include "printable.h"

/* A packet filter runs before the others; libxdp's default is 50. */
#define RUN_PRIORITY 10

static int map_id(int fd, uint32_t *id)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*id = info.id;
	return 0;
}

/* Ours is the program that uses the map which says what slot is in force. */
static bool uses_map(int program, uint32_t map)
{
	uint32_t ids[64] = {}, size = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = {.nr_map_ids = 64, .map_ids = (uintptr_t)ids};

	if (bpf_obj_get_info_by_fd(program, &info, &size))
		return false;
	for (uint32_t i = 0; i < info.nr_map_ids && i < 64; i++)
		if (ids[i] == map)
			return true;
	return false;
}

static void note(struct found *found, const struct xdp_program *program, uint32_t active)
{
	if (uses_map(xdp_program__fd(program), active)) {
		found->program = xdp_program__id(program);
		return;
	}
	*APPEND(found->other, found->others) = printable(xdp_program__name(program));
}

int xdp_find(int ifindex, int active_fd, struct found *found)
{
	struct xdp_multiprog *all = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *program = NULL;
	uint32_t active = 0;
	int error = libxdp_get_error(all);

	memset(found, 0, sizeof(*found));
	if (error)
		return error == -ENOENT ? 0 : error;
	if (active_fd >= 0)
		error = map_id(active_fd, &active);
	found->generic = xdp_multiprog__attach_mode(all) == XDP_MODE_SKB;
	found->alone = xdp_multiprog__is_legacy(all);
	found->root = xdp_program__id(xdp_multiprog__main_prog(all));
	if (found->alone)
		note(found, xdp_multiprog__main_prog(all), active);
	else
		while ((program = xdp_multiprog__next_prog(program, all)))
			note(found, program, active);
	xdp_multiprog__close(all);
	return error;
}

void found_free(struct found *found)
{
	for (size_t i = 0; i < found->others; i++)
		free(found->other[i]);
	free(found->other);
	memset(found, 0, sizeof(*found));
}

int xdp_find_ours(const char *interface, const struct bkxdp_attachment *attachment, int active_fd,
		  struct found *found)
{
	char name[IF_NAMESIZE];
	int ifindex = if_nametoindex(interface), error = 0;

	memset(found, 0, sizeof(*found));
	if (ifindex)
		error = xdp_find(ifindex, active_fd, found);
	if (error || found->program)
		return error ? error : ifindex;
	if (attachment->netns != netdev_namespace() || (int)attachment->ifindex == ifindex ||
	    !if_indextoname(attachment->ifindex, name))
		return ifindex;
	found_free(found);
	error = xdp_find(attachment->ifindex, active_fd, found);
	return error ? error : (int)attachment->ifindex;
}

int xdp_runs_somewhere(int active_fd)
{
	uint32_t id = 0, active = 0;
	int error = map_id(active_fd, &active);

	if (error)
		return error;
	while (!bpf_prog_get_next_id(id, &id)) {
		AUTO_CLOSE int fd = bpf_prog_get_fd_by_id(id);

		if (fd >= 0 && uses_map(fd, active))
			return 1;
	}
	return errno == ENOENT ? 0 : -errno;
}

int xdp_attach(int ifindex, struct bkxdp_bpf *program, const struct xdp_way *way)
{
	struct xdp_program *xdp = xdp_program__from_bpf_obj(program->obj, "xdp");
	int error = libxdp_get_error(xdp);

	if (error)
		return error;
	/* libxdp looks at no flag that libbpf applies only when it loads */
	if (way->frags)
		error = xdp_program__set_xdp_frags_support(xdp, true);
	if (!error)
		error = xdp_program__set_run_prio(xdp, RUN_PRIORITY);
	if (!error)
		error = xdp_program__set_chain_call_enabled(xdp, XDP_PASS, true);
	if (way->alone)
		setenv("LIBXDP_SKIP_DISPATCHER", "1", 1);
	if (!error)
		error = xdp_program__attach(xdp, ifindex,
					    way->generic ? XDP_MODE_SKB : XDP_MODE_NATIVE, 0);
	unsetenv("LIBXDP_SKIP_DISPATCHER");
	xdp_program__close(xdp);
	return error;
}

int xdp_detach(int ifindex, uint32_t id, bool generic)
{
	struct xdp_program *xdp = xdp_program__from_id(id);
	int error = libxdp_get_error(xdp);

	if (error)
		return error;
	error = xdp_program__detach(xdp, ifindex, generic ? XDP_MODE_SKB : XDP_MODE_NATIVE, 0);
	xdp_program__close(xdp);
	return error;
}
