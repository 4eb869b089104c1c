// SPDX-License-Identifier: GPL-2.0-only
#include "engine/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/engine.h"
#include "net/netdev.h"
#include "packet/packet_build.h"
#include "policy/compile.h"
#include "policy/reasons.h"

#define TAG_BYTES 4

/* One policy that is checked for one interface of one host. */
struct check {
	const struct host_network *host;
	const char *interface;
	const struct policy *policy;
	struct tables *tables;
	struct engine *engine;
	struct link_path *paths; /* to the interface and to all devices above it */
	size_t n_paths;
	struct diagnostics *warnings;
	struct diagnostics *diagnostics;
};

/*
 * Packets that must be able to reach a device, and what the message says if the policy drops
 * them.
 */
struct requirement {
	enum bkxdp_reason (*judge)(const struct check *check, const struct link_path *path,
				   const struct requirement *requirement);
	const struct link *link;
	int family;
	const char *what;    /* "your own SSH connection ...", the beginning of the message */
	const char *dropped; /* what the policy would drop */
	const char *flow;    /* the line for the interface file that lets it in */
	const char *remark;  /* a remark about that line, or "" */
};

/* ---- packets ------------------------------------------------------------ */

/* Inserts the tags of the path behind both MAC addresses. Returns the new length. */
static size_t insert_tags(uint8_t *frame, size_t length, const struct link_path *path)
{
	for (size_t i = path->n_tags; i > 0; i--) {
		const uint16_t tag[] = {htons(path->tags[i - 1].protocol),
					htons(path->tags[i - 1].id)};

		memmove(frame + 2 * ETH_ALEN + TAG_BYTES, frame + 2 * ETH_ALEN,
			length - 2 * ETH_ALEN);
		memcpy(frame + 2 * ETH_ALEN, tag, TAG_BYTES);
		length += TAG_BYTES;
	}
	return length;
}

static enum bkxdp_reason judge_packet(const struct check *check, const struct link_path *path,
				      const struct bkxdp_packet *packet)
{
	uint8_t frame[PACKET_BUILD_MAX + LINK_TAGS_MAX * TAG_BYTES];
	struct judgement judgement = {.reason = BKXDP_DROP_INTERNAL};
	size_t length = insert_tags(frame, packet_build(packet, frame), path);

	(void)check->engine->judge(check->engine, frame, length, 0, &judgement);
	return judgement.reason;
}

static uint8_t kind_of(int family)
{
	return family == AF_INET ? BKXDP_FRAME_IPV4 : BKXDP_FRAME_IPV6;
}

/* ---- answers from the internet ------------------------------------------ */

/*
 * Returns a SYN+ACK: the answer to a connection that this host opens. The addresses are from
 * the documentation ranges.
 */
static struct bkxdp_packet syn_ack_answer(int family)
{
	struct bkxdp_packet packet = {
		.kind = kind_of(family),
		.protocol = IPPROTO_TCP,
		.sport = 443,
		.dport = 40000,
		.tcp_flags = BKXDP_TCP_SYN | BKXDP_TCP_ACK,
		.hop_limit = 64,
	};

	address_parse(family == AF_INET ? "198.51.100.1" : "2001:db8::1", packet.saddr);
	address_parse(family == AF_INET ? "192.0.2.1" : "2001:db8:ffff::2", packet.daddr);
	return packet;
}

/*
 * Is the prefix too large to be a site's own network? That is at least 1/128 of all IPv4
 * addresses, or more IPv6 addresses than the private ones (fc00::/7). `any` is such a prefix,
 * and so are its halves, 2000::/3, and the prefixes in any list of all public addresses.
 */
static bool is_internet_prefix(const struct bkxdp_prefix *prefix, int family)
{
	if (family == AF_INET)
		return prefix_is_ipv4(prefix) && prefix->bits <= 96 + 7;
	return !prefix_is_ipv4(prefix) && prefix->bits <= 6;
}

static const struct bkxdp_prefix *internet_prefix_of(const struct group *group, int family)
{
	for (size_t i = 0; i < group->prefixes.count; i++)
		if (is_internet_prefix(&group->prefixes.prefix[i], family))
			return &group->prefixes.prefix[i];
	return NULL;
}

/* Returns an answer from some internet host that the rule's flow is with. */
static struct bkxdp_packet answer_to_rule(const struct rule *rule,
					  const struct bkxdp_prefix *internet, int family)
{
	struct bkxdp_packet packet = syn_ack_answer(family);

	if (!prefix_contains(internet, packet.saddr)) {
		memcpy(packet.saddr, internet->address, sizeof(packet.saddr));
		packet.saddr[3] |= htonl(1);
	}
	packet.protocol = rule->protocol;
	packet.sport = rule->ports.range[0].low;
	packet.dport = rule->local.high;
	return packet;
}

/*
 * A policy is made for a default route if answers of at least one flow with the internet can
 * come back to this host: whoever wrote that flow knows what else is needed. Flows with some
 * networks only, or which others open, say nothing about the internet.
 */
static enum bkxdp_reason judge_default_route(const struct check *check,
					     const struct link_path *path,
					     const struct requirement *requirement)
{
	const struct policy *policy = check->policy;
	struct bkxdp_packet packet = syn_ack_answer(requirement->family);
	enum bkxdp_reason reason = judge_packet(check, path, &packet);

	for (size_t i = 0; i < policy->n_rules && !bkxdp_reason_passes(reason); i++) {
		const struct rule *rule = &policy->rules[i];
		const struct bkxdp_prefix *internet;

		if (rule->side != SIDE_REPLY || !rule->ports.count)
			continue;
		internet = internet_prefix_of(&policy->groups[rule->group], requirement->family);
		if (!internet)
			continue;
		packet = answer_to_rule(rule, internet, requirement->family);
		reason = judge_packet(check, path, &packet);
	}
	return reason;
}

/* ---- the caller's SSH connection ---------------------------------------- */

static bool is_ipv4(const uint32_t address[4])
{
	return !address[0] && !address[1] && address[2] == BKXDP_MAPPED_WORD;
}

static enum bkxdp_reason judge_ssh(const struct check *check, const struct link_path *path,
				   const struct requirement *requirement)
{
	const struct ssh_connection *ssh = &check->host->ssh;
	struct bkxdp_packet packet = {
		.kind = kind_of(requirement->family),
		.protocol = IPPROTO_TCP,
		.sport = ssh->client.port,
		.dport = ssh->server.port,
		.tcp_flags = BKXDP_TCP_ACK,
		.hop_limit = 64,
	};

	memcpy(packet.saddr, ssh->client.address, sizeof(packet.saddr));
	memcpy(packet.daddr, ssh->server.address, sizeof(packet.daddr));
	return judge_packet(check, path, &packet);
}

static bool has_zone(const struct ssh_end *server, const struct link *link)
{
	char index[16];

	/* a zone may also be the index of the device */
	snprintf(index, sizeof(index), "%d", link->index);
	return !strcmp(server->zone, link->name) || !strcmp(server->zone, index);
}

/*
 * Does this device have the address that the SSH client connected to? A zone says which device
 * has it.
 */
static bool has_server_address(const struct host_network *host, const struct link *link)
{
	const struct ssh_end *server = &host->ssh.server;

	if (*server->zone)
		return has_zone(server, link);
	for (size_t i = 0; i < host->addresses.n_addresses; i++)
		if (host->addresses.addresses[i].device == link->index &&
		    !memcmp(host->addresses.addresses[i].address, server->address,
			    sizeof(server->address)))
			return true;
	return false;
}

/*
 * May packets of the SSH connection come in by this device? The kernel does not tell. They may
 * come in by the device that has the address, and by the one by which the answers leave,
 * because a host accepts packets to any of its addresses on any device (an address on lo, of a
 * VIP or of a router). If these are two devices, both count. So a host with several paths to a
 * client may have to add a line that it does not need; that is better than being cut off.
 */
static bool ssh_may_come_by(const struct host_network *host, const struct link *link)
{
	if (has_server_address(host, link))
		return true;
	return !*host->ssh.server.zone && host->reply_device == link->index;
}

/* ---- refusing ----------------------------------------------------------- */

/* Returns "vlans: [0, 5]": the VLANs that the policy takes now, and one more. */
static char *vlans_with(const struct bkxdp_settings *settings, unsigned int vlan)
{
	AUTO_FREE char *list = NULL;
	struct strbuf ids;

	strbuf_open(&ids);
	for (unsigned int id = 0; id < BKXDP_VLANS; id++)
		if ((settings->vlans[id / 64] >> (id % 64) & 1) || id == vlan)
			fprintf(strbuf_next(&ids, ", "), "%u", id);
	list = strbuf_close(&ids);
	return must_format("vlans: [%s]", list);
}

/* Returns which lines let it in, or NULL if none does. */
static char *lines_to_add(const struct check *check, const struct link_path *path,
			  const struct requirement *requirement, enum bkxdp_reason reason)
{
	struct bkxdp_settings *settings = &check->tables->settings;
	unsigned int vlan = path->n_tags ? path->tags[path->n_tags - 1].id : 0;
	AUTO_FREE char *vlans = NULL, *flow = NULL;

	if (reason == BKXDP_DROP_VLAN) {
		settings->vlans_any = 1;
		reason = requirement->judge(check, path, requirement);
		settings->vlans_any = 0;
		if (reason == BKXDP_DROP_VLAN)
			return NULL;
		vlans = vlans_with(settings, vlan);
	}
	if (!bkxdp_reason_passes(reason))
		flow = must_format("add \"%s\"%s to the interface file's flows", requirement->flow,
				   requirement->remark);
	return must_format("%s%s%s%s%s", vlans ? "write \"" : "", vlans ? vlans : "",
			   vlans ? "\" in the interface file" : "", vlans && flow ? " and " : "",
			   flow ? flow : "");
}

static void refuse(const struct check *check, const struct link_path *path,
		   const struct requirement *requirement, enum bkxdp_reason reason)
{
	AUTO_FREE char *lines = lines_to_add(check, path, requirement, reason);

	diag_at(check->diagnostics, NULL,
		"%s, and this policy would drop %s (reason %s): %s; --force attaches nevertheless, "
		"and cuts it",
		requirement->what, requirement->dropped, reason_word(reason),
		lines ? lines : "no line lets such tags through; attach to another interface");
}

static void refuse_tunnel(const struct check *check, const struct requirement *requirement)
{
	diag_at(check->diagnostics, NULL,
		"%s, which is a tunnel, and only TCP, UDP and ICMP packets pass the filter: attach "
		"to another interface, or use --force if the tunnel runs over UDP and has a flow",
		requirement->what);
}

/*
 * Returns the path on which the packets are dropped, and the reason, or NULL if they pass. If
 * the device has several paths, nobody knows which one its packets take, so it is enough if
 * they pass on one.
 */
static const struct link_path *blocked_path(const struct check *check,
					    const struct requirement *requirement,
					    enum bkxdp_reason *reason)
{
	const struct link_path *blocked = NULL;

	for (size_t i = check->n_paths; i > 0; i--) {
		const struct link_path *path = &check->paths[i - 1];

		if (path->link != requirement->link)
			continue;
		blocked = path;
		if (path->tunneled)
			break;
		*reason = requirement->judge(check, path, requirement);
		if (bkxdp_reason_passes(*reason))
			return NULL;
	}
	return blocked;
}

static int check_requirement(const struct check *check, const struct requirement *requirement)
{
	enum bkxdp_reason reason = BKXDP_DROP_INTERNAL;
	const struct link_path *blocked = blocked_path(check, requirement, &reason);

	if (blocked && blocked->tunneled)
		refuse_tunnel(check, requirement);
	else if (blocked)
		refuse(check, blocked, requirement, reason);
	return blocked ? -1 : 0;
}

/* ---- what this host needs ----------------------------------------------- */

/* Returns the word, or "word-2" and so on if the file already has a flow of that name. */
static char *unused_name(const struct policy *policy, const char *word)
{
	char *name = must_copy(word);

	for (unsigned int next = 2; policy_has_flow(policy, SITE_PROFILE, name); next++) {
		free(name);
		name = must_format("%s-%u", word, next);
	}
	return name;
}

/* Returns " of eth1.5" if the device is above the interface, else "". */
static char *device_suffix(const struct check *check, const struct link *link)
{
	return link == check->paths[0].link ? must_copy("") : must_format(" of %s", link->name);
}

static char *ssh_flow(const struct check *check)
{
	const struct ssh_connection *ssh = &check->host->ssh;
	AUTO_FREE char *name = unused_name(check->policy, "ssh");

	return must_format("- {name: %s, from: [\"%s\"], to: self, tcp: %u}", name,
			   ssh->client.text, (unsigned int)ssh->server.port);
}

static int check_ssh(const struct check *check, const struct link *link)
{
	const struct ssh_connection *ssh = &check->host->ssh;
	AUTO_FREE char *device = device_suffix(check, link);
	AUTO_FREE char *what =
		must_format("your own SSH connection from %s %s by %s%s", ssh->client.text,
			    has_server_address(check->host, link) ? "comes in" : "is answered",
			    check->interface, device);
	AUTO_FREE char *flow = ssh_flow(check);
	struct requirement requirement = {
		.judge = judge_ssh,
		.link = link,
		.family = is_ipv4(ssh->client.address) ? AF_INET : AF_INET6,
		.what = what,
		.dropped = "it",
		.flow = flow,
		.remark = "",
	};

	return check_requirement(check, &requirement);
}

#define BOTH_FAMILIES (-1)

/*
 * BOTH_FAMILIES: one message for both, because they are dropped for the same reason and one
 * line lets both in.
 */
static int check_default_route(const struct check *check, const struct link *link, int family)
{
	AUTO_FREE char *device = device_suffix(check, link);
	AUTO_FREE char *what =
		must_format("%s carries the %s%s", check->interface,
			    family == BOTH_FAMILIES ? "default routes of IPv4 and IPv6"
			    : family == AF_INET     ? "IPv4 default route"
						    : "IPv6 default route",
			    device);
	AUTO_FREE char *name = unused_name(check->policy, "world");
	AUTO_FREE char *flow = must_format(
		"- {name: %s, from: self, to: [any], tcp: [53, 80, 443], udp: [53, 123]}", name);
	struct requirement requirement = {
		.judge = judge_default_route,
		.link = link,
		.family = family == BOTH_FAMILIES ? AF_INET : family,
		.what = what,
		.dropped = "the answers from the internet to this host: DNS, time, updates",
		.flow = flow,
		.remark = " (with the ports that this host needs)",
	};

	return check_requirement(check, &requirement);
}

static bool has_default_route(const struct check *check, const struct link *link, int family)
{
	const struct default_routes *routes = &check->host->routes;

	for (size_t i = 0; i < routes->n_routes; i++)
		if (routes->routes[i].device == link->index && routes->routes[i].family == family)
			return true;
	return false;
}

/* Returns the reason for which answers by this default route are dropped, or a passing one. */
static enum bkxdp_reason default_route_reason(const struct check *check, const struct link *link,
					      int family)
{
	const struct requirement requirement = {
		.judge = judge_default_route, .link = link, .family = family};
	enum bkxdp_reason reason = BKXDP_DROP_INTERNAL;

	return blocked_path(check, &requirement, &reason) ? reason : BKXDP_PASS_FLOW;
}

static int check_default_routes(const struct check *check, const struct link *link)
{
	bool ipv4 = has_default_route(check, link, AF_INET);
	bool ipv6 = has_default_route(check, link, AF_INET6);
	enum bkxdp_reason reason = default_route_reason(check, link, AF_INET);
	int error = 0;

	/* letting a VLAN in may be enough for one of them and not for the other */
	if (ipv4 && ipv6 && reason != BKXDP_DROP_VLAN &&
	    reason == default_route_reason(check, link, AF_INET6))
		return check_default_route(check, link, BOTH_FAMILIES);
	if (ipv4)
		error |= check_default_route(check, link, AF_INET);
	if (ipv6)
		error |= check_default_route(check, link, AF_INET6);
	return error;
}

static int check_device(const struct check *check, const struct link *link)
{
	int error = 0;

	if (check->host->has_ssh && ssh_may_come_by(check->host, link))
		error |= check_ssh(check, link);
	return error | check_default_routes(check, link);
}

static bool is_needed(const struct check *check, const struct link *link)
{
	return (check->host->has_ssh && ssh_may_come_by(check->host, link)) ||
	       has_default_route(check, link, AF_INET) || has_default_route(check, link, AF_INET6);
}

static bool is_first_path(const struct check *check, size_t i)
{
	for (size_t before = 0; before < i; before++)
		if (check->paths[before].link == check->paths[i].link)
			return false;
	return true;
}

static bool is_above(const struct check *check, const struct link *link)
{
	for (size_t i = 0; i < check->n_paths; i++)
		if (check->paths[i].link == link)
			return true;
	return false;
}

/* ---- warnings ----------------------------------------------------------- */

/*
 * Is there no route back to the SSH client? Then the connection may belong to another
 * namespace, or be routed by a mark that only its socket has.
 */
static bool is_ssh_path_unknown(const struct check *check)
{
	const struct host_network *host = check->host;

	if (!host->has_ssh || *host->ssh.server.zone || host->reply_device != -ENETUNREACH)
		return false;
	for (size_t i = 0; i < check->n_paths; i++)
		if (has_server_address(host, check->paths[i].link))
			return false;
	return check->n_paths;
}

static void warn_about_ssh(const struct check *check)
{
	const struct ssh_connection *ssh = &check->host->ssh;
	const struct requirement requirement = {.family = is_ipv4(ssh->client.address) ? AF_INET
										       : AF_INET6};
	AUTO_FREE char *flow = ssh_flow(check);
	enum bkxdp_reason reason = judge_ssh(check, &check->paths[0], &requirement);

	if (!bkxdp_reason_passes(reason))
		diag_add(check->warnings,
			 "this host has no route back to %s, so it is unknown by which interface "
			 "your own SSH connection comes in; if by this one, the policy drops it "
			 "(reason %s): \"%s\" lets it in",
			 ssh->client.text, reason_word(reason), flow);
}

/*
 * Warns about tunnels whose lower device is not known, neither from the link nor from the route
 * to the remote address.
 */
static void warn_about_tunnels(const struct check *check)
{
	for (size_t i = 0; i < check->host->links.n_links; i++) {
		const struct link *link = &check->host->links.links[i];

		if (!link->is_tunnel || link->lower || link->in_other_namespace ||
		    !is_needed(check, link) || is_above(check, link))
			continue;
		diag_add(check->warnings,
			 "%s by %s, which is a tunnel, and it is unknown by which interface its "
			 "packets come in; if by this one, check that the policy lets them in",
			 check->host->has_ssh && ssh_may_come_by(check->host, link)
				 ? "your own SSH connection comes in"
				 : "a default route leads",
			 link->name);
	}
}

/* ---- the whole check ---------------------------------------------------- */

static int check_devices(struct check *check, const struct policy *policy)
{
	int error = 0;

	check->tables = compile(policy, check->diagnostics);
	if (!check->tables)
		return -1;
	/* the packets that are tried have no sockets */
	check->tables->settings.connections = BKXDP_CONNECTIONS_FLAGS;
	check->engine = engine_user(check->tables);
	for (size_t i = 0; i < check->n_paths; i++)
		if (is_first_path(check, i))
			error |= check_device(check, check->paths[i].link);
	if (is_ssh_path_unknown(check))
		warn_about_ssh(check);
	check->engine->close(check->engine);
	tables_free(check->tables);
	return error;
}

static bool is_check_needless(const struct check *check)
{
	for (size_t i = 0; i < check->n_paths; i++)
		if (is_needed(check, check->paths[i].link))
			return false;
	return !is_ssh_path_unknown(check);
}

int guard_judge(const struct host_network *host, const char *interface, int index,
		const struct policy *policy, struct diagnostics *warnings, struct diagnostics *diag)
{
	struct check check = {
		.host = host,
		.interface = interface,
		.policy = policy,
		.warnings = warnings,
		.diagnostics = diag,
	};
	int error = 0;

	check.paths = links_paths(&host->links, index, &check.n_paths);
	if (!is_check_needless(&check))
		error = check_devices(&check, policy);
	warn_about_tunnels(&check);
	free(check.paths);
	return error;
}

/* ---- reading the host --------------------------------------------------- */

static int report_unreadable(struct diagnostics *diag, const char *what, int error,
			     const char *at_risk)
{
	diag_at(diag, NULL,
		"%s could not be read (%s), so it is unknown whether this policy would cut %s: try "
		"again, or use --force",
		what, strerror(-error), at_risk);
	return -1;
}

/*
 * Returns the VRF of the device that has the address which the SSH client connected to, or 0.
 * The kernel looks for the route of the answers in the tables of that VRF.
 */
static int find_server_vrf(const struct host_network *host)
{
	for (size_t i = 0; i < host->links.n_links; i++) {
		const struct link *link = &host->links.links[i];

		if (!has_server_address(host, link))
			continue;
		if (link->is_vrf)
			return link->index;
		for (size_t j = 0; j < host->links.n_links; j++)
			if (host->links.links[j].is_vrf &&
			    host->links.links[j].index == link->master)
				return link->master;
	}
	return 0;
}

/*
 * If there is no route with the source, asks without it: the source may belong to a proxy or to
 * another namespace.
 */
static int lookup_reply_route(const struct host_network *host)
{
	const struct ssh_connection *ssh = &host->ssh;
	struct route_query query = {
		.sport = ssh->server.port,
		.dport = ssh->client.port,
		.vrf = find_server_vrf(host),
	};
	int device;

	memcpy(query.from, ssh->server.address, sizeof(query.from));
	memcpy(query.to, ssh->client.address, sizeof(query.to));
	device = routes_lookup(&query);
	if (device != -ENETUNREACH)
		return device;
	memset(query.from, 0, sizeof(query.from));
	return routes_lookup(&query);
}

/* Refuses the policy if the route can't be read. That there is no route is an answer, too. */
static int read_ssh_route(struct host_network *host, struct diagnostics *diag)
{
	int error = addresses_read(&host->addresses);

	if (error)
		return report_unreadable(diag, "this host's addresses", error,
					 "your own SSH connection");
	host->reply_device = lookup_reply_route(host);
	if (host->reply_device >= 0 || host->reply_device == -ENETUNREACH)
		return 0;
	return report_unreadable(diag, "this host's route to your SSH client", host->reply_device,
				 "your own SSH connection");
}

/*
 * Only warns if the environment is another user's or hidden, because the caller can't change
 * that. Other errors refuse the policy: trying again may help.
 */
static int read_ssh(struct host_network *host, struct diagnostics *warnings,
		    struct diagnostics *diag)
{
	AUTO_FREE char *what = NULL;
	pid_t unreadable = 0;
	int error = ssh_find(&host->ssh, &unreadable);

	host->has_ssh = !error;
	if (!error)
		return read_ssh_route(host, diag);
	if (error == -ENODATA)
		return 0;
	what = must_format("the environment of process %d", (int)unreadable);
	if (error != -EACCES && error != -EPERM && error != -ESRCH)
		return report_unreadable(diag, what, error, "your own SSH connection");
	diag_add(warnings,
		 "%s, an ancestor of this one, could not be read (%s): if you are logged in by "
		 "SSH, check that the policy lets your connection in",
		 what, strerror(-error));
	return 0;
}

/* The lower device of a tunnel is the one by which its packets to the remote address leave. */
static int find_tunnel_devices(struct links *links)
{
	for (size_t i = 0; i < links->n_links; i++) {
		struct link *link = &links->links[i];
		struct route_query query = {};
		int device;

		if (link->lower || !link->has_remote)
			continue;
		memcpy(query.to, link->remote, sizeof(query.to));
		device = routes_lookup(&query);
		if (device < 0 && device != -ENETUNREACH)
			return device;
		if (device > 0)
			link->lower = device;
	}
	return 0;
}

/* Goes on after an error as far as possible, so that all that can be judged is judged. */
static int read_host(struct host_network *host, struct diagnostics *warnings,
		     struct diagnostics *diag)
{
	int error = links_read(&host->links);

	if (error)
		return report_unreadable(diag, "this host's network devices", error,
					 "your own SSH connection or the default route");
	error = find_tunnel_devices(&host->links);
	if (error)
		return report_unreadable(diag, "this host's routes to its tunnels' ends", error,
					 "your own SSH connection or the default route");
	error = routes_read_defaults(&host->routes);
	if (error)
		error = report_unreadable(diag, "this host's routes", error, "the default route");
	return error | read_ssh(host, warnings, diag);
}

int guard_check(const char *interface, const struct policy *policy, struct diagnostics *warnings,
		struct diagnostics *diag)
{
	struct host_network host = {};
	unsigned int index;
	int error;

	if (policy->settings.enforcement == BKXDP_AUDIT)
		return 0;
	index = netdev_index(interface, diag);
	if (!index)
		return -1;
	error = read_host(&host, warnings, diag);
	error |= guard_judge(&host, interface, (int)index, policy, warnings, diag);
	links_free(&host.links);
	routes_free(&host.routes);
	addresses_free(&host.addresses);
	return error;
}
