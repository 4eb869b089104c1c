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

/* One policy on one interface of one host. */
struct trial {
	const struct surroundings *host;
	const char *interface;
	const struct policy *policy;
	struct tables *tables;
	struct engine *engine;
	struct way *ways; /* of the interface and all above it */
	size_t n_ways;
	struct diagnostics *doubts;
	struct diagnostics *diagnostics;
};

/* What must come in by a device, and what is said if the policy drops it. */
struct need {
	enum bkxdp_reason (*judge)(const struct trial *trial, const struct way *way,
				   const struct need *need);
	const struct link *link;
	int family;
	const char *what;  /* "your own SSH connection ..." */
	const char *lost;  /* what the policy would drop of it */
	const char *flow;  /* the line that lets it through */
	const char *which; /* said of that line, or "" */
};

/* ---- packets ----------------------------------------------------------------- */

/* As its packets are tagged on the wire: after both MAC addresses. */
static size_t put_tags(uint8_t *frame, size_t length, const struct way *way)
{
	for (size_t i = way->n_tags; i > 0; i--) {
		const uint16_t tag[] = {htons(way->tags[i - 1].protocol),
					htons(way->tags[i - 1].id)};

		memmove(frame + 2 * ETH_ALEN + TAG_BYTES, frame + 2 * ETH_ALEN,
			length - 2 * ETH_ALEN);
		memcpy(frame + 2 * ETH_ALEN, tag, TAG_BYTES);
		length += TAG_BYTES;
	}
	return length;
}

static enum bkxdp_reason judge_packet(const struct trial *trial, const struct way *way,
				      const struct bkxdp_packet *packet)
{
	uint8_t frame[PACKET_BUILD_MAX + LINK_TAGS_MAX * TAG_BYTES];
	struct judgement judgement = {.reason = BKXDP_DROP_INTERNAL};
	size_t length = put_tags(frame, packet_build(packet, frame), way);

	(void)trial->engine->judge(trial->engine, frame, length, 0, &judgement);
	return judgement.reason;
}

static uint8_t kind_of(int family)
{
	return family == AF_INET ? BKXDP_FRAME_IPV4 : BKXDP_FRAME_IPV6;
}

/* ---- answers from the world ---------------------------------------------------- */

/* What opens a connection of ours is answered by SYN and ACK; documentation addresses. */
static struct bkxdp_packet answer(int family)
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
 * No site's own network is as large: at least 1/128 of all IPv4 addresses, or of all
 * IPv6 addresses more than the private ones (fc00::/7). `any` is, and so are its halves,
 * 2000::/3, and any list of all that is not private.
 */
static bool is_of_world(const struct bkxdp_prefix *prefix, int family)
{
	if (family == AF_INET)
		return prefix_is_ipv4(prefix) && prefix->bits <= 96 + 7;
	return !prefix_is_ipv4(prefix) && prefix->bits <= 6;
}

static const struct bkxdp_prefix *world_of(const struct group *group, int family)
{
	for (size_t i = 0; i < group->prefixes.count; i++)
		if (is_of_world(&group->prefixes.prefix[i], family))
			return &group->prefixes.prefix[i];
	return NULL;
}

/* From some host of the world that the flow is with. */
static struct bkxdp_packet answer_of_rule(const struct rule *rule, const struct bkxdp_prefix *world,
					  int family)
{
	struct bkxdp_packet packet = answer(family);

	if (!prefix_holds(world, packet.saddr)) {
		memcpy(packet.saddr, world->address, sizeof(packet.saddr));
		packet.saddr[3] |= htonl(1);
	}
	packet.protocol = rule->protocol;
	packet.sport = rule->ports.range[0].low;
	packet.dport = rule->local.high;
	return packet;
}

/*
 * A policy has thought of the default route if answers of one flow with the world
 * come back to this host: who wrote that knows what else is needed. Flows with
 * some networks, or by which only others connect to us, say nothing of the world.
 */
static enum bkxdp_reason judge_answers(const struct trial *trial, const struct way *way,
				       const struct need *need)
{
	const struct policy *policy = trial->policy;
	struct bkxdp_packet packet = answer(need->family);
	enum bkxdp_reason reason = judge_packet(trial, way, &packet);

	for (size_t i = 0; i < policy->n_rules && !bkxdp_reason_passes(reason); i++) {
		const struct rule *rule = &policy->rules[i];
		const struct bkxdp_prefix *world;

		if (rule->side != SIDE_REPLY || !rule->ports.count)
			continue;
		world = world_of(&policy->groups[rule->group], need->family);
		if (!world)
			continue;
		packet = answer_of_rule(rule, world, need->family);
		reason = judge_packet(trial, way, &packet);
	}
	return reason;
}

/* ---- the caller's SSH connection ------------------------------------------------ */

static bool is_ipv4(const uint32_t address[4])
{
	return !address[0] && !address[1] && address[2] == BKXDP_MAPPED_WORD;
}

static enum bkxdp_reason judge_ssh(const struct trial *trial, const struct way *way,
				   const struct need *need)
{
	const struct ssh_connection *ssh = &trial->host->ssh;
	struct bkxdp_packet packet = {
		.kind = kind_of(need->family),
		.protocol = IPPROTO_TCP,
		.sport = ssh->client.port,
		.dport = ssh->server.port,
		.tcp_flags = BKXDP_TCP_ACK,
		.hop_limit = 64,
	};

	memcpy(packet.saddr, ssh->client.address, sizeof(packet.saddr));
	memcpy(packet.daddr, ssh->server.address, sizeof(packet.daddr));
	return judge_packet(trial, way, &packet);
}

static bool has_zone(const struct ssh_end *server, const struct link *link)
{
	char index[16];

	/* a device without a name here is named by its index */
	snprintf(index, sizeof(index), "%d", link->index);
	return !strcmp(server->zone, link->name) || !strcmp(server->zone, index);
}

/* Is the address that the client knows on this device? A zone names its device. */
static bool has_server(const struct surroundings *host, const struct link *link)
{
	const struct ssh_end *server = &host->ssh.server;

	if (*server->zone)
		return has_zone(server, link);
	for (size_t i = 0; i < host->addresses.count; i++)
		if (host->addresses.address[i].device == link->index &&
		    !memcmp(host->addresses.address[i].address, server->address,
			    sizeof(server->address)))
			return true;
	return false;
}

/*
 * The kernel does not tell by which device a connection's packets come in. Taken for it
 * are the device that has the address and the one by which the answers leave: a host
 * takes packets to any of its addresses by any device (an address on lo, of a VIP or a
 * router). Where both differ, either may be it, so a host with several ways to a client
 * may be asked for a line that it could do without: better than to be cut off.
 */
static bool comes_by(const struct surroundings *host, const struct link *link)
{
	if (has_server(host, link))
		return true;
	return !*host->ssh.server.zone && host->answered_by == link->index;
}

/* ---- refusals --------------------------------------------------------------------- */

/* "vlans: [0, 5]": what the policy takes now, and one more. */
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

/* The lines that let it through, as words; NULL where none does. */
static char *remedy(const struct trial *trial, const struct way *way, const struct need *need,
		    enum bkxdp_reason reason)
{
	struct bkxdp_settings *settings = &trial->tables->settings;
	unsigned int vlan = way->n_tags ? way->tags[way->n_tags - 1].id : 0;
	AUTO_FREE char *vlans = NULL, *flow = NULL;

	if (reason == BKXDP_DROP_VLAN) {
		settings->vlans_any = 1;
		reason = need->judge(trial, way, need);
		settings->vlans_any = 0;
		if (reason == BKXDP_DROP_VLAN)
			return NULL;
		vlans = vlans_with(settings, vlan);
	}
	if (!bkxdp_reason_passes(reason))
		flow = must_format("add \"%s\"%s to the interface file's flows", need->flow,
				   need->which);
	return must_format("%s%s%s%s%s", vlans ? "write \"" : "", vlans ? vlans : "",
			   vlans ? "\" in the interface file" : "", vlans && flow ? " and " : "",
			   flow ? flow : "");
}

static void refuse(const struct trial *trial, const struct way *way, const struct need *need,
		   enum bkxdp_reason reason)
{
	AUTO_FREE char *lines = remedy(trial, way, need, reason);

	diag_at(trial->diagnostics, NULL,
		"%s, and this policy would drop %s (reason %s): %s; --force attaches all the "
		"same, and cuts it",
		need->what, need->lost, reason_word(reason),
		lines ? lines : "no line lets such tags through; attach to another interface");
}

static void refuse_tunnel(const struct trial *trial, const struct need *need)
{
	diag_at(trial->diagnostics, NULL,
		"%s, which is a tunnel, and no packets but TCP, UDP and ICMP pass the filter: "
		"attach to another interface, or, where the tunnel runs in UDP and has a flow, use "
		"--force",
		need->what);
}

/*
 * The way by which it is cut, with the reason for it; NULL: by none. Where a device has
 * several ways, nobody knows which its packets take: one must be open.
 */
static const struct way *closed_way(const struct trial *trial, const struct need *need,
				    enum bkxdp_reason *reason)
{
	const struct way *closed = NULL;

	for (size_t i = trial->n_ways; i > 0; i--) {
		const struct way *way = &trial->ways[i - 1];

		if (way->link != need->link)
			continue;
		closed = way;
		if (way->wrapped)
			break;
		*reason = need->judge(trial, way, need);
		if (bkxdp_reason_passes(*reason))
			return NULL;
	}
	return closed;
}

static int check_need(const struct trial *trial, const struct need *need)
{
	enum bkxdp_reason reason = BKXDP_DROP_INTERNAL;
	const struct way *closed = closed_way(trial, need, &reason);

	if (closed && closed->wrapped)
		refuse_tunnel(trial, need);
	else if (closed)
		refuse(trial, closed, need, reason);
	return closed ? -1 : 0;
}

/* ---- what this host needs ---------------------------------------------------------- */

/* The word, or "word-2" and so on: a file names each flow once. */
static char *free_name(const struct policy *policy, const char *word)
{
	char *name = must_copy(word);

	for (unsigned int next = 2; policy_has_flow(policy, SITE_PROFILE, name); next++) {
		free(name);
		name = must_format("%s-%u", word, next);
	}
	return name;
}

/* " of eth1.5", of a device above the interface. */
static char *of_device(const struct trial *trial, const struct link *link)
{
	return link == trial->ways[0].link ? must_copy("") : must_format(" of %s", link->name);
}

static char *ssh_flow(const struct trial *trial)
{
	const struct ssh_connection *ssh = &trial->host->ssh;
	AUTO_FREE char *name = free_name(trial->policy, "ssh");

	return must_format("- {name: %s, from: [\"%s\"], to: self, tcp: %u}", name,
			   ssh->client.text, (unsigned int)ssh->server.port);
}

static int check_ssh(const struct trial *trial, const struct link *link)
{
	const struct ssh_connection *ssh = &trial->host->ssh;
	AUTO_FREE char *device = of_device(trial, link);
	AUTO_FREE char *what =
		must_format("your own SSH connection from %s %s by %s%s", ssh->client.text,
			    has_server(trial->host, link) ? "comes in" : "is answered",
			    trial->interface, device);
	AUTO_FREE char *flow = ssh_flow(trial);
	struct need need = {
		.judge = judge_ssh,
		.link = link,
		.family = is_ipv4(ssh->client.address) ? AF_INET : AF_INET6,
		.what = what,
		.lost = "it",
		.flow = flow,
		.which = "",
	};

	return check_need(trial, &need);
}

#define BOTH_FAMILIES (-1)

/* Of both families: they are cut alike, and one line lets both through. */
static int check_default_route(const struct trial *trial, const struct link *link, int family)
{
	AUTO_FREE char *device = of_device(trial, link);
	AUTO_FREE char *what =
		must_format("%s carries the %s%s", trial->interface,
			    family == BOTH_FAMILIES ? "default routes of IPv4 and IPv6"
			    : family == AF_INET     ? "IPv4 default route"
						    : "IPv6 default route",
			    device);
	AUTO_FREE char *name = free_name(trial->policy, "world");
	AUTO_FREE char *flow = must_format(
		"- {name: %s, from: self, to: [any], tcp: [53, 80, 443], udp: [53, 123]}", name);
	struct need need = {
		.judge = judge_answers,
		.link = link,
		.family = family == BOTH_FAMILIES ? AF_INET : family,
		.what = what,
		.lost = "the answers to what this host opens to the world: DNS, time, updates",
		.flow = flow,
		.which = " (with the ports that this host needs)",
	};

	return check_need(trial, &need);
}

static bool has_default_route(const struct trial *trial, const struct link *link, int family)
{
	const struct default_routes *routes = &trial->host->routes;

	for (size_t i = 0; i < routes->count; i++)
		if (routes->route[i].device == link->index && routes->route[i].family == family)
			return true;
	return false;
}

/* The reason for which one family's default route is cut; one that passes where it is not. */
static enum bkxdp_reason reason_of_route(const struct trial *trial, const struct link *link,
					 int family)
{
	const struct need need = {.judge = judge_answers, .link = link, .family = family};
	enum bkxdp_reason reason = BKXDP_DROP_INTERNAL;

	return closed_way(trial, &need, &reason) ? reason : BKXDP_PASS_FLOW;
}

static int check_default_routes(const struct trial *trial, const struct link *link)
{
	bool ipv4 = has_default_route(trial, link, AF_INET);
	bool ipv6 = has_default_route(trial, link, AF_INET6);
	enum bkxdp_reason reason = reason_of_route(trial, link, AF_INET);
	int error = 0;

	/* a VLAN that is let in may be enough for one of them, and not for the other */
	if (ipv4 && ipv6 && reason != BKXDP_DROP_VLAN &&
	    reason == reason_of_route(trial, link, AF_INET6))
		return check_default_route(trial, link, BOTH_FAMILIES);
	if (ipv4)
		error |= check_default_route(trial, link, AF_INET);
	if (ipv6)
		error |= check_default_route(trial, link, AF_INET6);
	return error;
}

static int check_device(const struct trial *trial, const struct link *link)
{
	int error = 0;

	if (trial->host->by_ssh && comes_by(trial->host, link))
		error |= check_ssh(trial, link);
	return error | check_default_routes(trial, link);
}

static bool is_needed(const struct trial *trial, const struct link *link)
{
	return (trial->host->by_ssh && comes_by(trial->host, link)) ||
	       has_default_route(trial, link, AF_INET) || has_default_route(trial, link, AF_INET6);
}

static bool is_first_way(const struct trial *trial, size_t i)
{
	for (size_t before = 0; before < i; before++)
		if (trial->ways[before].link == trial->ways[i].link)
			return false;
	return true;
}

static bool is_above(const struct trial *trial, const struct link *link)
{
	for (size_t i = 0; i < trial->n_ways; i++)
		if (trial->ways[i].link == link)
			return true;
	return false;
}

/* ---- what nobody knows --------------------------------------------------------------- */

/* No route back: of another namespace, or routed by a mark that only its socket has. */
static bool is_ssh_lost(const struct trial *trial)
{
	const struct surroundings *host = trial->host;

	if (!host->by_ssh || *host->ssh.server.zone || host->answered_by != -ENETUNREACH)
		return false;
	for (size_t i = 0; i < trial->n_ways; i++)
		if (has_server(host, trial->ways[i].link))
			return false;
	return trial->n_ways;
}

static void doubt_ssh(const struct trial *trial)
{
	const struct ssh_connection *ssh = &trial->host->ssh;
	const struct need need = {.family = is_ipv4(ssh->client.address) ? AF_INET : AF_INET6};
	AUTO_FREE char *flow = ssh_flow(trial);
	enum bkxdp_reason reason = judge_ssh(trial, &trial->ways[0], &need);

	if (!bkxdp_reason_passes(reason))
		diag_add(trial->doubts,
			 "this host has no route back to %s, so nobody knows by which interface "
			 "your own SSH connection comes in; if it is this one, the policy drops it "
			 "(reason %s): \"%s\" lets it through",
			 ssh->client.text, reason_word(reason), flow);
}

/* Of a tunnel that names no device; where it names the other end, the route there told it. */
static void doubt_tunnels(const struct trial *trial)
{
	for (size_t i = 0; i < trial->host->links.count; i++) {
		const struct link *link = &trial->host->links.link[i];

		if (!link->is_tunnel || link->lower || link->elsewhere || !is_needed(trial, link) ||
		    is_above(trial, link))
			continue;
		diag_add(trial->doubts,
			 "%s by %s, which is a tunnel, and nobody knows by which interface its "
			 "packets go; if it is this one, see that the policy lets them in",
			 trial->host->by_ssh && comes_by(trial->host, link)
				 ? "your own SSH connection comes in"
				 : "a default route leads",
			 link->name);
	}
}

/* ---- all of it ------------------------------------------------------------------------ */

static int check_devices(struct trial *trial, const struct policy *policy)
{
	int error = 0;

	trial->tables = compile(policy, trial->diagnostics);
	if (!trial->tables)
		return -1;
	/* the packets tried belong to no socket */
	trial->tables->settings.connections = BKXDP_CONNECTIONS_FLAGS;
	trial->engine = engine_user(trial->tables);
	for (size_t i = 0; i < trial->n_ways; i++)
		if (is_first_way(trial, i))
			error |= check_device(trial, trial->ways[i].link);
	if (is_ssh_lost(trial))
		doubt_ssh(trial);
	trial->engine->close(trial->engine);
	tables_free(trial->tables);
	return error;
}

static bool needs_nothing(const struct trial *trial)
{
	for (size_t i = 0; i < trial->n_ways; i++)
		if (is_needed(trial, trial->ways[i].link))
			return false;
	return !is_ssh_lost(trial);
}

int guard_judge(const struct surroundings *host, const char *interface, int index,
		const struct policy *policy, struct diagnostics *doubts, struct diagnostics *diag)
{
	struct trial trial = {
		.host = host,
		.interface = interface,
		.policy = policy,
		.doubts = doubts,
		.diagnostics = diag,
	};
	int error = 0;

	trial.ways = links_above(&host->links, index, &trial.n_ways);
	if (!needs_nothing(&trial))
		error = check_devices(&trial, policy);
	doubt_tunnels(&trial);
	free(trial.ways);
	return error;
}

/* ---- the host ----------------------------------------------------------------------- */

static int report_unread(struct diagnostics *diag, const char *what, int error, const char *unknown)
{
	diag_at(diag, NULL,
		"%s could not be read (%s), so nobody knows whether this policy would cut %s: try "
		"again, or use --force",
		what, strerror(-error), unknown);
	return -1;
}

/* A host with VRFs looks for the answers' route in the tables of the address's one. */
static int vrf_of_server(const struct surroundings *host)
{
	for (size_t i = 0; i < host->links.count; i++) {
		const struct link *link = &host->links.link[i];

		if (!has_server(host, link))
			continue;
		if (link->is_vrf)
			return link->index;
		for (size_t j = 0; j < host->links.count; j++)
			if (host->links.link[j].is_vrf && host->links.link[j].index == link->master)
				return link->master;
	}
	return 0;
}

/* Without the source where it is not this host's: of a proxy, or of another namespace. */
static int ask_for_answers(const struct surroundings *host)
{
	const struct ssh_connection *ssh = &host->ssh;
	struct route_question question = {
		.sport = ssh->server.port,
		.dport = ssh->client.port,
		.vrf = vrf_of_server(host),
	};
	int device;

	memcpy(question.from, ssh->server.address, sizeof(question.from));
	memcpy(question.to, ssh->client.address, sizeof(question.to));
	device = routes_ask(&question);
	if (device != -ENETUNREACH)
		return device;
	memset(question.from, 0, sizeof(question.from));
	return routes_ask(&question);
}

/* What is not known is refused, but that the kernel has no route is known. */
static int look_for_way_of_ssh(struct surroundings *host, struct diagnostics *diag)
{
	int error = addresses_read(&host->addresses);

	if (error)
		return report_unread(diag, "this host's addresses", error,
				     "your own SSH connection");
	host->answered_by = ask_for_answers(host);
	if (host->answered_by >= 0 || host->answered_by == -ENETUNREACH)
		return 0;
	return report_unread(diag, "this host's route to your SSH client", host->answered_by,
			     "your own SSH connection");
}

/* An environment that others may not see is no reason to stay open; all else may be mended. */
static int look_for_ssh(struct surroundings *host, struct diagnostics *doubts,
			struct diagnostics *diag)
{
	AUTO_FREE char *what = NULL;
	pid_t unread = 0;
	int error = ssh_find(&host->ssh, &unread);

	host->by_ssh = !error;
	if (!error)
		return look_for_way_of_ssh(host, diag);
	if (error == -ENODATA)
		return 0;
	what = must_format("the environment of process %d", (int)unread);
	if (error != -EACCES && error != -EPERM && error != -ESRCH)
		return report_unread(diag, what, error, "your own SSH connection");
	diag_add(doubts,
		 "%s, from which this one comes, could not be read (%s): if you are here by SSH, "
		 "see that the policy lets your connection in",
		 what, strerror(-error));
	return 0;
}

/* A tunnel stands on the device by which its packets to the other end leave. */
static int look_below_tunnels(struct links *links)
{
	for (size_t i = 0; i < links->count; i++) {
		struct link *link = &links->link[i];
		struct route_question question = {};
		int device;

		if (link->lower || !link->has_remote)
			continue;
		memcpy(question.to, link->remote, sizeof(question.to));
		device = routes_ask(&question);
		if (device < 0 && device != -ENETUNREACH)
			return device;
		if (device > 0)
			link->lower = device;
	}
	return 0;
}

/* All that can be judged is, even if something else could not be read. */
static int look_around(struct surroundings *host, struct diagnostics *doubts,
		       struct diagnostics *diag)
{
	int error = links_read(&host->links);

	if (error)
		return report_unread(diag, "this host's network devices", error,
				     "your own SSH connection or the default route");
	error = look_below_tunnels(&host->links);
	if (error)
		return report_unread(diag, "this host's routes to its tunnels' ends", error,
				     "your own SSH connection or the default route");
	error = routes_read_defaults(&host->routes);
	if (error)
		error = report_unread(diag, "this host's routes", error, "the default route");
	return error | look_for_ssh(host, doubts, diag);
}

int guard_check(const char *interface, const struct policy *policy, struct diagnostics *doubts,
		struct diagnostics *diag)
{
	struct surroundings host = {};
	unsigned int index;
	int error;

	if (policy->settings.enforcement == BKXDP_AUDIT)
		return 0;
	index = netdev_index(interface, diag);
	if (!index)
		return -1;
	error = look_around(&host, doubts, diag);
	error |= guard_judge(&host, interface, (int)index, policy, doubts, diag);
	links_free(&host.links);
	routes_free(&host.routes);
	addresses_free(&host.addresses);
	return error;
}
