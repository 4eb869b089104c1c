// SPDX-License-Identifier: GPL-2.0-only
/* Reads the state of an interface's filter from the kernel. Nothing is changed here. */
#include <bkxdp/control_table.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "datapath/exporter_group.h"
#include "datapath/internal.h"
#include "net/netdev.h"
#include "net/socktable.h"
#include "stats/snapshot.h"

int read_attachment(const struct maps *maps, struct bkxdp_attachment *attachment)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(maps->fd[MAP_ATTACHMENT], &zero, attachment) ? -errno : 0;
}

static int read_json(const char *interface, uint32_t slot, struct policy **policy)
{
	AUTO_CLOSE int fd = pins_open_slot_pin(interface, SLOT_PIN_POLICY, slot);
	AUTO_FREE char *text = NULL;
	int error = fd < 0 ? fd : bytes_map_read(fd, &text);

	if (error)
		return error;
	*policy = policy_json_read(text);
	return *policy ? 0 : -errno;
}

/* Returns -EAGAIN if a reload came between. */
static int read_policy(const char *interface, const struct maps *maps, struct policy **policy,
		       uint32_t *generation)
{
	struct bkxdp_attachment attachment;
	struct bkxdp_active active;
	int checked, error = slot_active(maps, &active);

	if (!error)
		error = read_attachment(maps, &attachment);
	if (error)
		return error;
	error = read_json(interface, active.slot, policy);
	/* a reload may have caused the error */
	checked = check_generation(maps, &active);
	if (!error || checked == -EAGAIN)
		error = checked;
	if (error) {
		policy_free(*policy);
		*policy = NULL;
		return error;
	}
	(*policy)->digest = attachment.policy[active.slot].digest;
	*generation = active.generation;
	return 0;
}

struct policy *policy_in(const char *interface, const struct maps *maps, uint32_t *generation)
{
	struct policy *policy = NULL;
	int error = -EAGAIN;

	for (int i = 0; i < RELOAD_TRIES && error == -EAGAIN; i++)
		error = read_policy(interface, maps, &policy, generation);
	errno = -error;
	return policy;
}

/* Finds the flow with this id, if a flow of the policy requires it. */
static const struct flow *control_flow(const struct policy *policy, uint32_t id)
{
	for (size_t i = 0; i < policy->n_flows; i++) {
		int requires = policy->flows[i].required;

		if (requires >= 0 && flow_control_id(&policy->flows[requires]) == id)
			return &policy->flows[requires];
	}
	return NULL;
}

/* What `connections: flags` has noted. */
static void find_state(const struct bkxdp_control_slot *slot, struct control_seen *seen)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	seen->live = bkxdp_is_live(slot->seen, now);
	seen->ended = slot->seen & BKXDP_CONTROL_ENDED;
	seen->timed = true;
	seen->seconds = now > slot->seen ? (now - slot->seen) / NS_PER_S : 0;
}

static void see_control(void *into, const struct bkxdp_control_slot *slot)
{
	struct snapshot *snapshot = into;
	const struct flow *flow = control_flow(snapshot->policy, slot->key.control);
	struct control_seen *seen;

	if (!flow)
		return;
	seen = APPEND(snapshot->controls, snapshot->n_controls);
	*seen = (struct control_seen){.flow = flow, .connection = slot->connection};
	memcpy(seen->peer, slot->key.address, sizeof(seen->peer));
	find_state(slot, seen);
}

static bool is_of_rule(const struct tcp_connection *tcp, const struct rule *rule)
{
	enum bkxdp_opener opener =
		rule->side == SIDE_REPLY ? BKXDP_OPENED_BY_US : BKXDP_OPENED_BY_PEER;

	return rule->protocol == IPPROTO_TCP && socktable_may_be(tcp, opener) &&
	       port_set_has(&rule->ports, socktable_port(tcp, opener));
}

/* The control flow that this connection is of, if a flow requires it. */
static const struct flow *flow_of(const struct policy *policy, const struct tcp_connection *tcp)
{
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct flow *flow = &policy->flows[policy->rules[i].flow];

		if (is_of_rule(tcp, &policy->rules[i]) &&
		    control_flow(policy, flow_control_id(flow)))
			return flow;
	}
	return NULL;
}

/* Under `connections: sockets`: what the kernel has. */
static int see_established(struct snapshot *snapshot)
{
	struct tcp_connection *tcp;
	size_t n_tcp;
	int error = socktable_read(&tcp, &n_tcp);

	if (error)
		return error;
	for (size_t i = 0; i < n_tcp; i++) {
		const struct flow *flow = flow_of(snapshot->policy, &tcp[i]);
		struct control_seen *seen;

		if (!flow)
			continue;
		seen = APPEND(snapshot->controls, snapshot->n_controls);
		*seen = (struct control_seen){
			.flow = flow, .connection = tcp[i].connection, .live = true};
		memcpy(seen->peer, tcp[i].peer, sizeof(seen->peer));
	}
	free(tcp);
	return 0;
}

static void see_controls(const char *pins, const struct maps *maps, struct snapshot *snapshot)
{
	snapshot->told = 1;
	if (!policy_requires_any(snapshot->policy))
		return;
	if (snapshot->policy->settings.connections == BKXDP_CONNECTIONS_FLAGS) {
		snapshot->controls_error = controls_read(maps, see_control, snapshot);
		return;
	}
	snapshot->controls_error = see_established(snapshot);
	snapshot->told = memory_is_told(pins, maps);
}

static int fill_attachment(struct snapshot *snapshot, const struct maps *maps,
			   const struct bkxdp_attachment *attachment)
{
	struct target target = {};
	int globals_fd = maps->fd[MAP_GLOBALS], elsewhere;
	int runs = locate(snapshot->reading.device, globals_fd, attachment, &target);

	if (!runs && attachment->netns == netdev_namespace())
		(void)netdev_name((int)attachment->ifindex, target.device);
	elsewhere = runs ? 0 : xdp_runs_somewhere(globals_fd);
	if (runs < 0 || elsewhere < 0)
		return runs < 0 ? runs : elsewhere;
	snapshot->reading.attached = runs        ? ATTACHED_YES
				     : elsewhere ? ATTACHED_UNKNOWN
						 : ATTACHED_NO;
	snapshot->since = attachment->since;
	snapshot->frags = attachment->frags;
	memcpy(snapshot->version, attachment->version, sizeof(snapshot->version));
	memcpy(snapshot->name_now, target.device, sizeof(snapshot->name_now));
	snapshot->program = target.found.program;
	snapshot->alone = target.found.alone;
	snapshot->others = target.found.others;
	snapshot->n_others = target.found.n_others;
	return 0;
}

/*
 * Reads the counters and the policy that they belong to. Returns -EAGAIN if a reload came between.
 */
static int read_both(const char *interface, const struct maps *maps, struct snapshot *snapshot,
		     struct bkxdp_attachment *attachment)
{
	uint32_t generation;
	int error = read_counters(interface, maps, &snapshot->reading, attachment);

	if (error)
		return error;
	snapshot->policy = policy_in(interface, maps, &generation);
	if (!snapshot->policy)
		return -errno;
	if (snapshot->reading.policy.generation == generation)
		return 0;
	reading_free(&snapshot->reading);
	policy_free(snapshot->policy);
	snapshot->policy = NULL;
	return -EAGAIN;
}

static struct snapshot *snapshot_of(const char *interface, const struct maps *maps)
{
	struct snapshot *snapshot = must_alloc(1, sizeof(*snapshot));
	struct bkxdp_attachment attachment = {};
	int error = -EAGAIN;

	for (int i = 0; i < RELOAD_TRIES && error == -EAGAIN; i++)
		error = read_both(interface, maps, snapshot, &attachment);
	if (!error)
		error = fill_attachment(snapshot, maps, &attachment);
	if (error) {
		snapshot_free(snapshot);
		errno = -error;
		return NULL;
	}
	see_controls(interface, maps, snapshot);
	return snapshot;
}

/* The messages do not ask for capabilities, because a scrape needs none. */
static void report_read_failure(struct diagnostics *diag, int error)
{
	bool denied = error == -EACCES || error == -EPERM;

	if (denied && pins_are_kept_open() && !datapath_is_open_to_us())
		diag_at(diag, NULL,
			"the pinned counters can't be read: before Linux 5.19 that needs CAP_BPF, "
			"which this process does not have");
	else if (denied && pins_are_kept_open() && readers_could_write())
		diag_at(diag, NULL,
			"the pinned counters can't be read by this user: any user may load BPF "
			"programs here, and such a program could change the filter's maps if that "
			"user may read them, so they are open to root only; set the sysctl "
			"kernel.unprivileged_bpf_disabled to 2, then run \"bkxdp reload\"");
	else if (denied && pins_are_kept_open())
		diag_at(diag, NULL,
			"the pinned counters can't be read by this user: they are open to root and "
			"to the group \"" READERS "\"; if that group is newer than the pins, run "
			"\"bkxdp reload\" to give it access");
	else
		report_load_failure(diag, "opening the pinned maps", denied ? -EPERM : error);
}

void report_unreadable_pins(const char *interface, int error, struct diagnostics *diag)
{
	if (error == -EPERM || error == -EACCES)
		report_read_failure(diag, error);
	else
		diag_at(diag, NULL,
			"the pins of %s can't be read (%s): an attach was interrupted, or another "
			"version made them; if no filter runs, \"bkxdp attach %s\" replaces them",
			interface, strerror(-error), interface);
}

void report_unreadable(const char *interface, int error, struct diagnostics *diag)
{
	if (error == -EPERM || error == -EACCES)
		report_load_failure(diag, "opening the pinned maps", -EPERM);
	else if (error == -EPROTO || error == -ENOENT)
		diag_at(diag, NULL,
			"%s is filtered and continues to be, but its pins can't be read (%s): "
			"another version of bkxdp made them, or some are missing",
			interface, strerror(-error));
	else
		diag_at(diag, NULL,
			"%s is filtered and continues to be, but its pins can't be read (%s); try "
			"again",
			interface, strerror(-error));
}

int datapath_interfaces(char ***interfaces, size_t *count, struct diagnostics *diag)
{
	int error;

	*interfaces = NULL;
	*count = 0;
	if (pins_check(diag))
		return -1;
	error = pins_interfaces(interfaces, count);
	if (error)
		report_read_failure(diag, error);
	return error ? -1 : 0;
}

/* Returns false with diagnostics if there is nothing to read. */
static bool is_readable(const char *interface, struct diagnostics *diag)
{
	int there = pins_check(diag) ? -EINVAL : pins_exist(interface);
	unsigned int index;

	if (there == -EACCES || there == -EPERM)
		report_read_failure(diag, there);
	else if (there != 1 && !diag->count && (index = netdev_index(interface, diag)) &&
		 !report_unpinned(interface, (int)index, diag))
		diag_at(diag, NULL, "%s is not filtered by bkxdp; \"bkxdp attach %s\" attaches it",
			interface, interface);
	return there == 1;
}

int open_filtered(const char *interface, struct maps *maps, struct diagnostics *diag)
{
	int error;

	libraries_capture_log();
	if (!is_readable(interface, diag))
		return -1;
	error = pins_open(interface, maps, 0);
	if (error)
		report_unreadable_pins(interface, error, diag);
	return error ? -1 : 0;
}

struct snapshot *datapath_snapshot(const char *interface, struct diagnostics *diag)
{
	struct snapshot *snapshot;
	struct maps maps;

	if (open_filtered(interface, &maps, diag))
		return NULL;
	snapshot = snapshot_of(interface, &maps);
	if (!snapshot)
		report_unreadable_pins(interface, -errno, diag);
	maps_close(&maps);
	return snapshot;
}
