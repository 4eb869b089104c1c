// SPDX-License-Identifier: GPL-2.0-only
/* Policies that would cut the administrator off, on made-up hosts. */
#include "engine/guard.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "config/site.h"
#include "scratch.h"
#include "tap.h"

#define MAX 8

enum { ETH1 = 2, ABOVE, FARTHER, ELSEWHERE };

struct host {
	const char *name;
	const char *lines; /* lines of the interface file */
	struct link link[MAX];
	struct default_route route[MAX];
	const char *ssh;
	int reply_device; /* device by which answers to the SSH client leave, or -ENETUNREACH */
	const char *warning;
	const char *refusal[3]; /* a part of each diagnostic; none: the policy is accepted */
};

#define PEERS          "  - {name: peers, from: [10.20.30.5, \"2001:db8:20::5\"], to: self, tcp: 10000}\n"
#define WORLD          "  - {name: world, from: self, to: [any], tcp: 443}\n"
#define FLOWS          "flows:\n" PEERS
#define WORLDLY        FLOWS WORLD
#define IPV4_BY(index) .route = {{.family = AF_INET, .device = (index), .table = 254}}
#define CTAG(number)                                                                               \
	{                                                                                          \
		.protocol = ETH_P_8021Q, .id = (number)                                            \
	}
#define STAG(number)                                                                               \
	{                                                                                          \
		.protocol = ETH_P_8021AD, .id = (number)                                           \
	}
#define ETH1_ALONE                                                                                 \
	{                                                                                          \
		.name = "eth1", .index = ETH1                                                      \
	}

static const struct host hosts[] = {
	{"no default route", FLOWS, .link = {ETH1_ALONE}},
	{"its own default route",
	 FLOWS,
	 {ETH1_ALONE},
	 IPV4_BY(ETH1),
	 .refusal = {"eth1 carries the IPv4 default route, and this policy would drop the answers "
		     "from the internet to this host: DNS, time, updates (reason source): add \"- "
		     "{name: world, from: self, to: [any], tcp: [53, 80, 443], udp: [53, 123]}\" "
		     "(with the ports that this host needs) to the interface file's flows; --force "
		     "attaches nevertheless, and cuts it"}},
	{"and flows with the world", WORLDLY, {ETH1_ALONE}, IPV4_BY(ETH1)},
	{"by UDP",
	 FLOWS "  - {name: dns, from: self, to: [any], udp: 53}\n",
	 {ETH1_ALONE},
	 IPV4_BY(ETH1)},
	{"from ports of ours that are few",
	 FLOWS "  - {name: dns, from: self, to: [any], tcp: 53, local-ports: 2000-2010}\n",
	 {ETH1_ALONE},
	 IPV4_BY(ETH1)},
	{"another's default route",
	 FLOWS,
	 {ETH1_ALONE, {.name = "eth9", .index = ELSEWHERE}},
	 IPV4_BY(ELSEWHERE)},
	{"a VLAN that is taken",
	 "vlans: [7]\n" WORLDLY,
	 {ETH1_ALONE, {.name = "eth1.7", .index = ABOVE, .lower = ETH1, .tag = CTAG(7)}},
	 IPV4_BY(ABOVE)},
	{"a VLAN that is not",
	 "vlans: [0, 5]\n" WORLDLY,
	 {ETH1_ALONE, {.name = "eth1.7", .index = ABOVE, .lower = ETH1, .tag = CTAG(7)}},
	 IPV4_BY(ABOVE),
	 .refusal = {"eth1 carries the IPv4 default route of eth1.7, and this policy would drop "
		     "the answers from the internet to this host: DNS, time, updates (reason "
		     "vlan): write \"vlans: [0, 5, 7]\" in the interface file; --force attaches "
		     "nevertheless, and cuts it"}},
	{"a flow of the name that is proposed",
	 FLOWS "  - {name: world, from: self, to: [10.0.0.0/8], tcp: 443}\n"
	       "  - {name: world-2, from: self, to: [11.0.0.0/8], tcp: 443}\n",
	 {ETH1_ALONE},
	 IPV4_BY(ETH1),
	 .refusal = {"add \"- {name: world-3, "}},
	{"no VLANs at all, and no flow",
	 "vlans: none\n" FLOWS,
	 {ETH1_ALONE, {.name = "eth1.7", .index = ABOVE, .lower = ETH1, .tag = CTAG(7)}},
	 IPV4_BY(ABOVE),
	 .refusal = {"(reason vlan): write \"vlans: [0, 7]\" in the interface file and add \"- "
		     "{name: world"}},
	{"untagged, where only a VLAN is taken",
	 "vlans: [7]\n" WORLDLY,
	 {ETH1_ALONE},
	 IPV4_BY(ETH1),
	 .refusal = {"(reason vlan): write \"vlans: [0, 7]\" in the interface file; --force"}},
	{"a VLAN in a VLAN: the inner one counts",
	 "vlans: [7]\n" WORLDLY,
	 {ETH1_ALONE,
	  {.name = "eth1.100", .index = ABOVE, .lower = ETH1, .tag = STAG(100)},
	  {.name = "eth1.100.7", .index = FARTHER, .lower = ABOVE, .tag = CTAG(7)}},
	 IPV4_BY(FARTHER)},
	{"and is not taken",
	 "vlans: [100]\n" WORLDLY,
	 {ETH1_ALONE,
	  {.name = "eth1.100", .index = ABOVE, .lower = ETH1, .tag = STAG(100)},
	  {.name = "eth1.100.7", .index = FARTHER, .lower = ABOVE, .tag = CTAG(7)}},
	 IPV4_BY(FARTHER),
	 .refusal = {"of eth1.100.7, and this policy would drop the answers from the internet to "
		     "this host: DNS, time, updates (reason vlan): write \"vlans: [7, 100]\""}},
	{"tags that the filter never takes",
	 WORLDLY,
	 {ETH1_ALONE,
	  {.name = "eth1.100", .index = ABOVE, .lower = ETH1, .tag = CTAG(100)},
	  {.name = "eth1.100.7", .index = FARTHER, .lower = ABOVE, .tag = CTAG(7)}},
	 IPV4_BY(FARTHER),
	 .refusal = {"(reason vlan): no line lets such tags through; attach to another interface; "
		     "--force attaches nevertheless, and cuts it"}},
	{"a VLAN on a bond",
	 "vlans: [7]\n" WORLDLY,
	 {{.name = "eth1", .index = ETH1, .master = ABOVE},
	  {.name = "bond0", .index = ABOVE},
	  {.name = "bond0.7", .index = FARTHER, .lower = ABOVE, .tag = CTAG(7)}},
	 IPV4_BY(FARTHER)},
	{"a bond",
	 FLOWS,
	 {{.name = "eth1", .index = ETH1, .master = ABOVE}, {.name = "bond0", .index = ABOVE}},
	 IPV4_BY(ABOVE),
	 .refusal = {"IPv4 default route of bond0, "}},
	{"a bridge that filters VLANs may have tagged it",
	 "vlans: none\n" WORLDLY,
	 {{.name = "eth1", .index = ETH1, .master = ABOVE},
	  {.name = "br0", .index = ABOVE, .filters_vlans = true},
	  {.name = "br0.7", .index = FARTHER, .lower = ABOVE, .tag = CTAG(7)}},
	 IPV4_BY(FARTHER)},
	{"or not",
	 "vlans: [7]\n" WORLDLY,
	 {{.name = "eth1", .index = ETH1, .master = ABOVE},
	  {.name = "br0", .index = ABOVE, .filters_vlans = true},
	  {.name = "br0.7", .index = FARTHER, .lower = ABOVE, .tag = CTAG(7)}},
	 IPV4_BY(FARTHER)},
	{"a bridge that does not filter them has not",
	 "vlans: none\n" WORLDLY,
	 {{.name = "eth1", .index = ETH1, .master = ABOVE},
	  {.name = "br0", .index = ABOVE},
	  {.name = "br0.7", .index = FARTHER, .lower = ABOVE, .tag = CTAG(7)}},
	 IPV4_BY(FARTHER),
	 .refusal = {"of br0.7, and this policy would drop the answers from the internet to this "
		     "host: DNS, time, updates (reason vlan): write \"vlans: [0, 7]\""}},
	{"a tunnel",
	 WORLDLY,
	 {ETH1_ALONE, {.name = "sit1", .index = ABOVE, .lower = ETH1, .is_tunnel = true}},
	 {{.family = AF_INET6, .device = ABOVE, .table = 254}},
	 .refusal = {"eth1 carries the IPv6 default route of sit1, which is a tunnel, and"}},
	{"the other end of a veth pair",
	 FLOWS,
	 {{.name = "eth1", .index = ETH1, .lower = ABOVE},
	  {.name = "peer", .index = ABOVE, .lower = ETH1}},
	 IPV4_BY(ABOVE)},
	{"links that changed while they were read make no circle",
	 FLOWS,
	 {{.name = "eth1", .index = ETH1, .master = ABOVE},
	  {.name = "a", .index = ABOVE, .master = FARTHER, .tag = CTAG(3)},
	  {.name = "b", .index = FARTHER, .master = ABOVE, .tag = CTAG(4)}},
	 IPV4_BY(FARTHER),
	 .refusal = {"IPv4 default route of b"}},
	{"SSH by a VLAN",
	 "vlans: none\n" FLOWS,
	 {ETH1_ALONE, {.name = "eth1.7", .index = ABOVE, .lower = ETH1, .tag = CTAG(7)}},
	 .ssh = "fe80::5%eth1.7 50000 fe80::1%eth1.7 22",
	 .refusal = {"your own SSH connection from fe80::5 comes in by eth1 of eth1.7, and this "
		     "policy would drop it (reason vlan): write \"vlans: [0, 7]\" in the interface "
		     "file and add \"- {name: ssh, from: [\"fe80::5\"], to: self, tcp: 22}\""}},
	{"SSH by a device that has only an index",
	 FLOWS,
	 {ETH1_ALONE},
	 .ssh = "fe80::5%2 50000 fe80::1%2 22",
	 .refusal = {"SSH connection from fe80::5 comes in by eth1, "}},
	{"SSH by another device", FLOWS, {ETH1_ALONE}, .ssh = "fe80::5%eth2 5 fe80::1%eth2 22"},
	{"SSH to an address of the device",
	 FLOWS,
	 {ETH1_ALONE},
	 .ssh = "10.9.9.9 50000 10.20.30.1 22",
	 .refusal =
		 {"SSH connection from 10.9.9.9 comes in by eth1, and this policy would drop it "
		  "(reason source): add \"- {name: ssh, from: [\"10.9.9.9\"], to: self, tcp: 22}\" "
		  "to the interface file's flows; --force attaches nevertheless, and cuts it"}},
	{"SSH to an address elsewhere, answered by this interface",
	 FLOWS,
	 {{.name = "lo", .index = 1}, ETH1_ALONE},
	 .ssh = "10.9.9.9 50000 192.0.2.9 22",
	 .reply_device = ETH1,
	 .refusal = {"your own SSH connection from 10.9.9.9 is answered by eth1, and this policy "
		     "would drop it (reason source): add \"- {name: ssh, from: [\"10.9.9.9\"], to: "
		     "self, "
		     "tcp: 22}\""}},
	{"answered by a VLAN above it",
	 FLOWS,
	 {ETH1_ALONE, {.name = "eth1.7", .index = ABOVE, .lower = ETH1, .tag = CTAG(7)}},
	 .ssh = "10.9.9.9 50000 192.0.2.9 22",
	 .reply_device = ABOVE,
	 .refusal = {"is answered by eth1 of eth1.7, "}},
	{"answered by another device",
	 FLOWS,
	 {ETH1_ALONE, {.name = "eth9", .index = ELSEWHERE}},
	 .ssh = "10.9.9.9 50000 192.0.2.9 22",
	 .reply_device = ELSEWHERE},
	{"answered by another device, to an address of this one",
	 FLOWS,
	 {ETH1_ALONE, {.name = "eth9", .index = ELSEWHERE}},
	 .ssh = "10.9.9.9 50000 10.20.30.1 22",
	 .reply_device = ELSEWHERE,
	 .refusal = {"comes in by eth1, "}},
	{"answered by no device",
	 FLOWS,
	 {ETH1_ALONE},
	 .ssh = "10.9.9.9 50000 192.0.2.9 22",
	 .reply_device = -ENETUNREACH,
	 .warning =
		 "this host has no route back to 10.9.9.9, so it is unknown by which interface "
		 "your own SSH connection comes in; if by this one, the policy drops it (reason "
		 "source): \"- {name: ssh, from: [\"10.9.9.9\"], to: self, tcp: 22}\" lets it in"},
	{"answered by no device, and let in",
	 FLOWS,
	 {ETH1_ALONE},
	 .ssh = "10.20.30.5 50000 192.0.2.9 10000",
	 .reply_device = -ENETUNREACH},
	{"SSH by a tunnel that says of no device",
	 FLOWS,
	 {ETH1_ALONE, {.name = "wg0", .index = ELSEWHERE, .is_tunnel = true}},
	 .ssh = "10.9.9.9 50000 192.0.2.9 22",
	 .reply_device = ELSEWHERE,
	 .warning = "your own SSH connection comes in by wg0, which is a tunnel, and it is unknown "
		    "by which interface its packets come in; if by this one, check that"},
	{"a default route by one",
	 FLOWS,
	 {ETH1_ALONE, {.name = "wg0", .index = ELSEWHERE, .is_tunnel = true}},
	 IPV4_BY(ELSEWHERE),
	 .warning = "a default route leads by wg0, which is a tunnel"},
	{"one whose packets go by another namespace",
	 FLOWS,
	 {ETH1_ALONE,
	  {.name = "vx0", .index = ELSEWHERE, .is_tunnel = true, .in_other_namespace = true}},
	 IPV4_BY(ELSEWHERE)},
	{"one that nothing needs",
	 FLOWS,
	 {ETH1_ALONE, {.name = "wg0", .index = ELSEWHERE, .is_tunnel = true}},
	 .ssh = NULL},
	{"from a peer to a port of a flow",
	 FLOWS,
	 {ETH1_ALONE},
	 .ssh = "10.20.30.5 50000 10.20.30.1 10000"},
	{"all at once",
	 FLOWS,
	 {ETH1_ALONE},
	 {{.family = AF_INET, .device = ETH1, .table = 254},
	  {.family = AF_INET6, .device = ETH1, .table = 1000}},
	 .ssh = "10.9.9.9 50000 10.20.30.1 22",
	 .refusal = {"SSH connection", "eth1 carries the default routes of IPv4 and IPv6, and"}},
	{"both families, one of which is open",
	 "flows: [{name: w, from: self, to: [0.0.0.0/0], tcp: 443}]",
	 {ETH1_ALONE},
	 {{.family = AF_INET, .device = ETH1, .table = 254},
	  {.family = AF_INET6, .device = ETH1, .table = 254}},
	 .refusal = {"eth1 carries the IPv6 default route, and"}},
};

/* eth1 has a single address. */
static struct host_network network_of(const struct host *host)
{
	static struct host_address address = {.device = ETH1};
	struct host_network network = {.has_ssh = host->ssh, .reply_device = host->reply_device};
	struct ssh_connection connection = {};

	if (host->ssh)
		ssh_parse(host->ssh, &network.ssh);
	ssh_parse("10.9.9.9 1 10.20.30.1 22", &connection);
	memcpy(address.address, connection.server.address, sizeof(address.address));
	network.addresses = (struct host_addresses){&address, 1};
	network.links.links = (struct link *)host->link;
	while (network.links.n_links < MAX && host->link[network.links.n_links].index)
		network.links.n_links++;
	network.routes.routes = (struct default_route *)host->route;
	while (network.routes.n_routes < MAX && host->route[network.routes.n_routes].device)
		network.routes.n_routes++;
	return network;
}

static void test_host(const struct host *host)
{
	static const struct site_lookup lookup = {NULL, 0, false};
	AUTO_FREE char *text = must_format("interface: eth1\n%s", host->lines), *said = NULL;
	struct diagnostics diag = {}, warnings = {};
	struct policy *policy = site_read(scratch_file("eth1.yaml", text), &lookup, &diag);
	struct host_network network = network_of(host);
	size_t wanted = 0;
	int error = -2;

	if (policy)
		error = guard_judge(&network, "eth1", ETH1, policy, &warnings, &diag);
	said = scratch_diagnostics(&diag);
	while (wanted < 3 && host->refusal[wanted]) {
		check_has(diag.count > wanted ? diag.text[wanted] : "", host->refusal[wanted],
			  "%s: says why", host->name);
		wanted++;
	}
	if (!check_int(error, wanted ? -1 : 0, "%s: %s", host->name,
		       wanted ? "refused" : "accepted"))
		printf("# %s\n", said);
	check_int(diag.count, wanted, "%s: complaints", host->name);
	check_int(warnings.count, !!host->warning, "%s: doubts", host->name);
	if (host->warning)
		check_has(warnings.count ? warnings.text[0] : "", host->warning,
			  "%s: says what is not known", host->name);
	policy_free(policy);
	diag_free(&diag);
	diag_free(&warnings);
}

static void test_ssh(void)
{
	static const char *const wrong[] = {
		"",
		"UNKNOWN 65535 UNKNOWN 65535",
		"10.20.30.5 50000 10.20.30.1",
		"10.20.30.5 0 10.20.30.1 22",
		"10.20.30.5 50000 10.20.30.1 65536",
		"10.20.30.555 50000 10.20.30.1 22",
		"fe80::5%a-zone-that-is-too-long 50000 fe80::1%eth1 22",
	};
	struct ssh_connection ssh = {};

	check_int(ssh_parse("fe80::5%eth1 50000 fe80::1%eth1 22", &ssh), 0, "with a zone");
	check_text(ssh.client.text, "fe80::5", "the client, without its zone");
	check_text(ssh.server.zone, "eth1", "the zone");
	check_int(ssh.client.port, 50000, "the client's port");
	check_int(ssh.server.port, 22, "ours");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		check_int(ssh_parse(wrong[i], &ssh), -EINVAL, "no connection: \"%s\"", wrong[i]);
	check_text(ssh.client.text, "fe80::5", "what is wrong changes nothing");
}

int main(void)
{
	scratch_begin();
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		test_host(&hosts[i]);
	test_ssh();
	return tap_done();
}
