// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interface files and options: the rules that they compile to, and every diagnostic with its
 * place.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/memory.h"
#include "config/site.h"
#include "policy/compile.h"
#include "policy/policy_json.h"
#include "scratch.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *dirs[1]; /* not in the directory of the interface files */
static const struct site_lookup offline = {dirs, 1, false};
static const struct site_lookup online = {dirs, 1, true};

/* ---- the profiles that the interface files use ---------------------------- */

static void write_profiles(void)
{
	dirs[0] = must_copy(scratch_path("profiles"));
	mkdir(dirs[0], 0700);
	scratch_file("profiles/backup-exec.yaml",
		     "profile: backup-exec\n"
		     "title: Veritas Backup Exec\n"
		     "sources:\n"
		     "  ports: \"Veritas article 100017208\"\n"
		     "roles:\n"
		     "  media-server: {title: Backup Exec server}\n"
		     "  remote-agent: {title: protected server}\n"
		     "  console: {title: Remote Administration Console}\n"
		     "ports:\n"
		     "  control: {default: 10000}\n"
		     "  data: {default: 1025-65535, minimum: 25, note: \"two ports a job\"}\n"
		     "flows:\n"
		     "  - {name: control, from: media-server, to: remote-agent, tcp: control}\n"
		     "  - {name: data, from: media-server, to: remote-agent, tcp: data, "
		     "requires: control, source: ports}\n"
		     "  - {name: advertise, from: remote-agent, to: media-server, tcp: 6101}\n"
		     "  - {name: oracle, from: remote-agent, to: media-server, tcp: 5633, "
		     "optional: true}\n");
	scratch_file("profiles/livevault.yaml",
		     "profile: livevault\n"
		     "roles: {agent: {}, primary-gateway: {}, backup-gateway: {}}\n"
		     "ports: {tunnel: {candidates: [2147, 554, 443]}, pinned: {}}\n"
		     "flows:\n"
		     "- {name: tunnel, from: agent, to: [primary-gateway, backup-gateway], "
		     "tcp: tunnel}\n"
		     "- {name: extra, from: agent, to: [primary-gateway, backup-gateway], "
		     "tcp: pinned, optional: true}\n");
	scratch_file("profiles/vault.yaml",
		     "profile: vault\n"
		     "roles:\n"
		     "  agent: {}\n"
		     "  portal:\n"
		     "    addresses: {recommended: [10.0.0.0/8], minimum: [10.0.82.0/24], "
		     "strict: [10.0.82.12]}\n"
		     "    hosts: [portal.invalid]\n"
		     "  amp: {addresses: {recommended: [10.0.0.0/8], minimum: [10.2.118.0/24]}}\n"
		     "  director: {hosts: [one.invalid, two.invalid]}\n"
		     "  manager: {addresses: [10.9.0.0/16]}\n"
		     "flows:\n"
		     "- {name: portal, from: agent, to: [portal, amp], tcp: [8086, 8087]}\n"
		     "- {name: manage, from: manager, to: agent, tcp: 2548, udp: 2548}\n"
		     "- {name: vault, from: agent, to: director, tcp: 2546, optional: true}\n");
	/* three-way NDMP: the filer sends to the tape server what the dma has told both */
	scratch_file(
		"profiles/ndmp.yaml",
		"profile: ndmp\n"
		"roles: {dma: {}, filer: {}, tape: {}, proxy: {}}\n"
		"flows:\n"
		"- {name: control, from: [dma, proxy], to: [filer, tape], tcp: 10000}\n"
		"- {name: data, from: filer, to: tape, tcp: 20000-20100, udp: 20000, requires: "
		"{flow: control, with: dma}}\n"
		"- {name: report, from: tape, to: dma, tcp: 10001, optional: true}\n"
		"- {name: logs, from: filer, to: tape, tcp: 514, optional: true, requires: "
		"{flow: report, with: dma}}\n");
	scratch_file(
		"profiles/arc.yaml",
		"profile: arc\n"
		"roles: {server: {}, client: {}, other: {}}\n"
		"flows:\n"
		"- {name: ssl, from: client, to: server, tcp: 7099, exclusive: transport}\n"
		"- {name: plain, from: client, to: server, tcp: 2099, exclusive: transport, "
		"optional: true}\n"
		"- {name: odd, from: client, to: server, tcp: 2100, exclusive: transport, "
		"optional: true}\n"
		"- {name: back, from: client, to: server, tcp: 20000-20100, requires: ssl}\n"
		"- {name: peers, from: server, to: server, udp: 5, local-ports: "
		"[700-710, 800], optional: true}\n"
		"- {name: status, from: [client, other], to: server, tcp: 80, optional: true}\n");
}

/* ---- what comes of them --------------------------------------------------- */

static void print_group(FILE *out, const struct group *group)
{
	char text[PREFIX_TEXT_MAX];

	fprintf(out, " %s{", group->roles);
	for (size_t i = 0; i < group->prefixes.count; i++) {
		prefix_text(&group->prefixes.prefix[i], text);
		fprintf(out, "%s%s", i ? " " : "", text);
	}
	fputs("}", out);
}

static void print_rule(FILE *out, const struct policy *policy, const struct rule *rule)
{
	const struct flow *flow = &policy->flows[rule->flow];
	char *ports = port_set_text(&rule->ports);

	fprintf(out, "%s/%s %s %s %s", flow->profile, flow->name, side_word(rule->side),
		rule->protocol == IPPROTO_TCP ? "tcp" : "udp", ports);
	if (rule->side == SIDE_REPLY && (rule->local.low != 1024 || rule->local.high != 65535))
		fprintf(out, " at %u-%u", (unsigned int)rule->local.low,
			(unsigned int)rule->local.high);
	print_group(out, &policy->groups[rule->group]);
	if (flow->required >= 0)
		fprintf(out, " if %s", policy->flows[flow->required].name);
	if (flow->with_role)
		fprintf(out, " with %s:", flow->with_role);
	for (size_t i = 0; i < flow->with.count; i++) {
		char text[PREFIX_TEXT_MAX];

		prefix_text(&flow->with.prefix[i], text);
		fprintf(out, " %s", text);
	}
	fputc('\n', out);
	free(ports);
}

/* Returns rules and notes, or diagnostics; the caller frees the text. */
static char *outcome(struct policy *policy, struct diagnostics *diag)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	check(!policy == !!diag->count, "a policy or a complaint");
	if (!policy) {
		text = scratch_diagnostics(diag);
		diag_free(diag);
		return text;
	}
	out = open_memstream(&text, &size);
	for (size_t i = 0; i < policy->n_rules; i++)
		print_rule(out, policy, &policy->rules[i]);
	for (size_t i = 0; i < policy->n_notes; i++)
		fprintf(out, "# %s\n", policy->notes[i]);
	fclose(out);
	policy_free(policy);
	return text;
}

static char *read_site(const char *text, const struct site_lookup *lookup)
{
	struct diagnostics diag = {};
	struct policy *policy = site_read(scratch_file("eth1.yaml", text), lookup, &diag);

	return outcome(policy, &diag);
}

struct row {
	const char *name, *text, *want;
};

static const struct row good[] = {
	{"the contract's example",
	 "interface: eth1\n"
	 "use:\n"
	 "  - profile: backup-exec\n"
	 "    as: remote-agent\n"
	 "    addresses: {media-server: [10.20.30.5, 10.20.31.0/24, \"2001:db8:20::/64\"]}\n"
	 "    ports: {data: 50000-50100}\n"
	 "    enable: [oracle]\n"
	 "flows:\n"
	 "  - {name: ssh, from: [10.20.0.0/24], to: self, tcp: 22}\n"
	 "mode: auto\nverdict: enforce\nconnections: sockets\nping: peers\nfragments: drop\n"
	 "vlans: any\ndhcp: false\n",
	 "backup-exec/control inbound tcp 10000 media-server{10.20.30.5 10.20.31.0/24 "
	 "2001:db8:20::/64}\n"
	 "backup-exec/data inbound tcp 50000-50100 media-server{10.20.30.5 10.20.31.0/24 "
	 "2001:db8:20::/64} if control\n"
	 "backup-exec/advertise reply tcp 6101 media-server{10.20.30.5 10.20.31.0/24 "
	 "2001:db8:20::/64}\n"
	 "backup-exec/oracle reply tcp 5633 media-server{10.20.30.5 10.20.31.0/24 "
	 "2001:db8:20::/64}\n"
	 "site/ssh inbound tcp 22 10.20.0.0/24{10.20.0.0/24}\n"},
	{"the other side of it",
	 "use: [{profile: backup-exec, as: media-server, addresses: "
	 "{remote-agent: 10.0.0.9}}]\n",
	 "backup-exec/control reply tcp 10000 remote-agent{10.0.0.9}\n"
	 "backup-exec/data reply tcp 1025-65535 remote-agent{10.0.0.9} if control\n"
	 "backup-exec/advertise inbound tcp 6101 remote-agent{10.0.0.9}\n"},
	{"a role in no flow", "use: [{profile: backup-exec, as: console}]\n", ""},
	{"candidates are open until pinned",
	 "use: [{profile: livevault, as: agent, addresses: {primary-gateway: 192.0.2.1, "
	 "backup-gateway: 192.0.2.2}}]\n",
	 "livevault/tunnel reply tcp 443,554,2147 primary-gateway, backup-gateway{192.0.2.1 "
	 "192.0.2.2}\n"
	 "# all 3 candidates for port tunnel of livevault are open: once you know which one is "
	 "used, add \"ports: {tunnel: PORT}\" to this use\n"},
	{"one port for all peers",
	 "use: [{profile: livevault, as: agent, ports: {tunnel: 443}, addresses: "
	 "{primary-gateway: 192.0.2.1, backup-gateway: 192.0.2.2}}]\n",
	 "livevault/tunnel reply tcp 443 primary-gateway, backup-gateway{192.0.2.1 192.0.2.2}\n"},
	{"a port for each peer role",
	 "use: [{profile: livevault, as: agent, ports: {tunnel: {primary-gateway: 2147, "
	 "backup-gateway: 443}}, addresses: {primary-gateway: 192.0.2.1, backup-gateway: "
	 "192.0.2.2}}]\n",
	 "livevault/tunnel reply tcp 2147 primary-gateway{192.0.2.1}\n"
	 "livevault/tunnel reply tcp 443 backup-gateway{192.0.2.2}\n"},
	{"a port for one peer role",
	 "use: [{profile: livevault, as: agent, ports: {tunnel: {backup-gateway: 443}}, "
	 "addresses: {primary-gateway: 192.0.2.1, backup-gateway: 192.0.2.2}}]\n",
	 "livevault/tunnel reply tcp 443,554,2147 primary-gateway{192.0.2.1}\n"
	 "livevault/tunnel reply tcp 443 backup-gateway{192.0.2.2}\n"
	 "# all 3 candidates for port tunnel of livevault are open: once you know which one is "
	 "used, add \"ports: {tunnel: {primary-gateway: PORT}}\" to this use\n"},
	{"ports that only the site knows",
	 "use: [{profile: livevault, as: agent, enable: [extra], ports: {tunnel: 443, pinned: "
	 "[7, 9]}, addresses: {primary-gateway: 192.0.2.1, backup-gateway: 192.0.2.2}}]\n",
	 "livevault/tunnel reply tcp 443 primary-gateway, backup-gateway{192.0.2.1 192.0.2.2}\n"
	 "livevault/extra reply tcp 7,9 primary-gateway, backup-gateway{192.0.2.1 192.0.2.2}\n"},
	{"one of two peer roles without address",
	 "use: [{profile: livevault, as: agent, ports: {tunnel: 443}, addresses: "
	 "{primary-gateway: 192.0.2.1}}]\n",
	 "livevault/tunnel reply tcp 443 primary-gateway{192.0.2.1}\n"
	 "# role backup-gateway of livevault has no address, so flow tunnel is allowed only with "
	 "the other roles\n"},
	{"the gateway's side",
	 "use: [{profile: livevault, as: backup-gateway, ports: {tunnel: {agent: 554}}, "
	 "addresses: {agent: any}}]\n",
	 "livevault/tunnel inbound tcp 554 agent{::/0 0.0.0.0/0}\n"},
	{"documented addresses", "use: [{profile: vault, as: agent}]\n",
	 "vault/portal reply tcp 8086,8087 portal, amp{10.0.0.0/8}\n"
	 "vault/manage inbound tcp 2548 manager{10.9.0.0/16}\n"
	 "vault/manage inbound udp 2548 manager{10.9.0.0/16}\n"
	 "# host name \"portal.invalid\" was not looked up: it adds no address here\n"},
	{"a level", "use: [{profile: vault, as: agent, level: minimum}]\n",
	 "vault/portal reply tcp 8086,8087 portal, amp{10.0.82.0/24 10.2.118.0/24}\n"
	 "vault/manage inbound tcp 2548 manager{10.9.0.0/16}\n"
	 "vault/manage inbound udp 2548 manager{10.9.0.0/16}\n"
	 "# vault is used at level minimum: addresses that the vendor adds later within the "
	 "recommended ones will be dropped\n"
	 "# host name \"portal.invalid\" was not looked up: it adds no address here\n"},
	{"a level that one role doesn't have",
	 "use: [{profile: vault, as: agent, level: strict}]\n",
	 "vault/portal reply tcp 8086,8087 portal, amp{10.0.0.0/8 10.0.82.12}\n"
	 "vault/manage inbound tcp 2548 manager{10.9.0.0/16}\n"
	 "vault/manage inbound udp 2548 manager{10.9.0.0/16}\n"
	 "# vault is used at level strict: addresses that the vendor adds later within the "
	 "recommended ones will be dropped\n"
	 "# role amp of vault has no level strict: its recommended addresses count\n"
	 "# host name \"portal.invalid\" was not looked up: it adds no address here\n"},
	{"the site's addresses replace documented ones",
	 "use: [{profile: vault, as: agent, addresses: {portal: 10.1.1.1, amp: [10.1.1.1]}}]\n",
	 "vault/portal reply tcp 8086,8087 portal, amp{10.1.1.1}\n"
	 "vault/manage inbound tcp 2548 manager{10.9.0.0/16}\n"
	 "vault/manage inbound udp 2548 manager{10.9.0.0/16}\n"},
	{"names count though they are not looked up",
	 "use: [{profile: vault, as: agent, enable: [vault], addresses: {portal: a.invalid, amp: "
	 "10.1.1.1, manager: [b.invalid]}}]\n",
	 "vault/portal reply tcp 8086,8087 portal, amp{10.1.1.1}\n"
	 "vault/manage inbound tcp 2548 manager, director{}\n"
	 "vault/manage inbound udp 2548 manager, director{}\n"
	 "vault/vault reply tcp 2546 manager, director{}\n"
	 "# 4 host names were not looked up, among them \"a.invalid\": they add no address here\n"},
	{"an exclusive flow",
	 "use: [{profile: arc, as: server, enable: [status], addresses: "
	 "{client: 10.0.0.1, other: 10.0.0.2}}]\n",
	 "arc/ssl inbound tcp 7099 client{10.0.0.1}\n"
	 "arc/back inbound tcp 20000-20100 client{10.0.0.1} if ssl\n"
	 "arc/status inbound tcp 80 client, other{10.0.0.1 10.0.0.2}\n"},
	{"both sides of one flow, and local ports",
	 "use: [{profile: arc, as: server, enable: [peers], addresses: {client: 10.0.0.1, server: "
	 "10.0.0.3}}]\n",
	 "arc/ssl inbound tcp 7099 client{10.0.0.1}\n"
	 "arc/back inbound tcp 20000-20100 client{10.0.0.1} if ssl\n"
	 "arc/peers inbound udp 5 server{10.0.0.3}\n"
	 "arc/peers reply udp 5 at 700-710 server{10.0.0.3}\n"
	 "arc/peers reply udp 5 at 800-800 server{10.0.0.3}\n"},
	{"equal addresses are one group",
	 "use:\n- {profile: arc, as: server, addresses: {client: [10.0.0.1, 10.0.0.1]}}\n"
	 "- {profile: backup-exec, as: media-server, addresses: {remote-agent: 10.0.0.1}}\n",
	 "arc/ssl inbound tcp 7099 client, remote-agent{10.0.0.1}\n"
	 "arc/back inbound tcp 20000-20100 client, remote-agent{10.0.0.1} if ssl\n"
	 "backup-exec/control reply tcp 10000 client, remote-agent{10.0.0.1}\n"
	 "backup-exec/data reply tcp 1025-65535 client, remote-agent{10.0.0.1} if control\n"
	 "backup-exec/advertise inbound tcp 6101 client, remote-agent{10.0.0.1}\n"},
	{"one profile in two roles",
	 "use:\n- {profile: arc, as: server, addresses: {client: 10.0.0.1}}\n"
	 "- {profile: arc, as: client, addresses: {server: 10.0.0.2}}\n",
	 "arc/ssl inbound tcp 7099 client{10.0.0.1}\n"
	 "arc/back inbound tcp 20000-20100 client{10.0.0.1} if ssl\n"
	 "arc/ssl reply tcp 7099 server{10.0.0.2}\n"
	 "arc/back reply tcp 20000-20100 server{10.0.0.2} if ssl\n"},
	{"what changes nothing is said",
	 "use: [{profile: backup-exec, as: remote-agent, enable: [control], ports: {data: "
	 "[100-200, 300]}, addresses: {media-server: any, console: 10.0.0.7}},\n"
	 "{profile: livevault, as: agent, ports: {tunnel: 443, pinned: {agent: 7}}, addresses: "
	 "{primary-gateway: 192.0.2.1, backup-gateway: 192.0.2.2}}]\n",
	 "backup-exec/control inbound tcp 10000 media-server{::/0 0.0.0.0/0}\n"
	 "backup-exec/data inbound tcp 100-200,300 media-server{::/0 0.0.0.0/0} if control\n"
	 "backup-exec/advertise reply tcp 6101 media-server{::/0 0.0.0.0/0}\n"
	 "livevault/tunnel reply tcp 443 primary-gateway, backup-gateway{192.0.2.1 192.0.2.2}\n"
	 "# flow backup-exec/control is already on, so enable: changes nothing\n"
	 "# the addresses of role console of backup-exec change nothing: no flow that is on runs "
	 "between it and remote-agent\n"
	 "# the ports of livevault for pinned with agent change nothing: no flow that is on uses "
	 "them\n"},
	{"flows of the site",
	 "use: [{profile: backup-exec, as: remote-agent, addresses: {media-server: 10.0.0.1}}]\n"
	 "flows:\n"
	 "- {name: ntp, from: self, to: [10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5], udp: 123, "
	 "local-ports: 123, note: time}\n"
	 "- {name: more, from: 10.0.0.1, to: self, tcp: [9, 5-6], udp: 7, requires: "
	 "backup-exec/control}\n"
	 "- {name: even-more, from: 10.0.0.1, to: self, tcp: 9, requires: more}\n",
	 "backup-exec/control inbound tcp 10000 media-server, 10.0.0.1{10.0.0.1}\n"
	 "backup-exec/data inbound tcp 1025-65535 media-server, 10.0.0.1{10.0.0.1} if control\n"
	 "backup-exec/advertise reply tcp 6101 media-server, 10.0.0.1{10.0.0.1}\n"
	 "site/ntp reply udp 123 at 123-123 10.0.0.2, 10.0.0.3, 10.0.0.4, ...{10.0.0.2 10.0.0.3 "
	 "10.0.0.4 10.0.0.5}\n"
	 "site/more inbound tcp 5,6,9 media-server, 10.0.0.1{10.0.0.1} if control\n"
	 "site/more inbound udp 7 media-server, 10.0.0.1{10.0.0.1} if control\n"
	 "site/even-more inbound tcp 9 media-server, 10.0.0.1{10.0.0.1} if more\n"},
	{"a requirement that two prefixes meet together",
	 "flows:\n- {name: a, from: [10.0.0.0/25, 10.0.0.128/25, \"2001:db8::/32\"], to: self, "
	 "tcp: 1}\n- {name: b, from: [10.0.0.0/24, \"2001:db8:1::/48\"], to: self, tcp: 2, "
	 "requires: a}\n",
	 "site/a inbound tcp 1 10.0.0.0/25, 10.0.0.128/25, 2001:db8::/32{10.0.0.0/25 "
	 "10.0.0.128/25 2001:db8::/32}\n"
	 "site/b inbound tcp 2 10.0.0.0/24, 2001:db8:1::/48{10.0.0.0/24 2001:db8:1::/48} if a\n"},
	/* later the name may have exactly that address */
	{"a requirement that a name may meet",
	 "flows:\n- {name: a, from: x.invalid, to: self, tcp: 1}\n"
	 "- {name: b, from: 10.0.0.1, to: self, tcp: 2, requires: a}\n",
	 "site/a inbound tcp 1 x.invalid{}\n"
	 "site/b inbound tcp 2 10.0.0.1{10.0.0.1} if a\n"
	 "# host name \"x.invalid\" was not looked up: it adds no address here\n"},
	{"a requirement that two uses meet together",
	 "use:\n- {profile: arc, as: server, addresses: {client: 10.0.0.1}}\n"
	 "- {profile: arc, as: server, addresses: {client: 10.0.0.2}}\n"
	 "flows: [{name: a, from: [10.0.0.1, 10.0.0.2], to: self, tcp: 1, requires: arc/ssl}]\n",
	 "arc/ssl inbound tcp 7099 client{10.0.0.1}\n"
	 "arc/back inbound tcp 20000-20100 client{10.0.0.1} if ssl\n"
	 "arc/ssl inbound tcp 7099 client{10.0.0.2}\n"
	 "arc/back inbound tcp 20000-20100 client{10.0.0.2} if ssl\n"
	 "site/a inbound tcp 1 10.0.0.1, 10.0.0.2{10.0.0.1 10.0.0.2} if ssl\n"},
	{"a requirement of a connection of ours",
	 "flows:\n- {name: a, from: self, to: 10.0.0.1, tcp: 1}\n"
	 "- {name: b, from: self, to: 10.0.0.1, tcp: 2, requires: a}\n",
	 "site/a reply tcp 1 10.0.0.1{10.0.0.1}\n"
	 "site/b reply tcp 2 10.0.0.1{10.0.0.1} if a\n"
	 "# requires: of flow \"b\" changes nothing: only what others open to this host can "
	 "require "
	 "a connection\n"},
	{"a requirement with a role",
	 "use:\n- {profile: ndmp, as: tape, enable: [report, logs], addresses: {dma: [10.0.0.1, "
	 "10.0.1.0/30, 10.0.1.1, \"2001:db8::1\"], proxy: 10.0.0.3, filer: 10.0.2.0/24}}\n",
	 "ndmp/control inbound tcp 10000 dma, proxy{10.0.0.1 10.0.0.3 10.0.1.0/30 10.0.1.1 "
	 "2001:db8::1}\n"
	 "ndmp/data inbound tcp 20000-20100 filer{10.0.2.0/24} if control with dma: 10.0.0.1 "
	 "10.0.1.0 10.0.1.1 10.0.1.2 10.0.1.3 2001:db8::1\n"
	 "ndmp/data inbound udp 20000 filer{10.0.2.0/24} if control with dma: 10.0.0.1 10.0.1.0 "
	 "10.0.1.1 10.0.1.2 10.0.1.3 2001:db8::1\n"
	 "ndmp/report reply tcp 10001 dma{10.0.0.1 10.0.1.0/30 10.0.1.1 2001:db8::1}\n"
	 "ndmp/logs inbound tcp 514 filer{10.0.2.0/24} if report with dma: 10.0.0.1 10.0.1.0 "
	 "10.0.1.1 10.0.1.2 10.0.1.3 2001:db8::1\n"},
	/* who opens the data has no part in the control connection of the other two */
	{"a requirement with a role, on the other side",
	 "use: [{profile: ndmp, as: filer, enable: [logs, report], addresses: {dma: any, proxy: "
	 "any, tape: 10.0.0.9}}]\n",
	 "ndmp/control inbound tcp 10000 dma, proxy{::/0 0.0.0.0/0}\n"
	 "ndmp/data reply tcp 20000-20100 tape{10.0.0.9} if control\n"
	 "ndmp/data reply udp 20000 tape{10.0.0.9} if control\n"
	 "ndmp/logs reply tcp 514 tape{10.0.0.9}\n"},
	{"a requirement with a role whose name is not looked up",
	 "use:\n- {profile: ndmp, as: tape, addresses: {dma: x.invalid, proxy: 10.0.0.3, filer: "
	 "10.0.0.2}}\n",
	 "ndmp/control inbound tcp 10000 dma, proxy{10.0.0.3}\n"
	 "ndmp/data inbound tcp 20000-20100 filer{10.0.0.2} if control with dma:\n"
	 "ndmp/data inbound udp 20000 filer{10.0.0.2} if control with dma:\n"
	 "# host name \"x.invalid\" was not looked up: it adds no address here\n"},
	{"requirements of the site with hosts",
	 "use:\n- {profile: arc, as: server, addresses: {client: [10.0.0.1, 10.0.0.2]}}\n"
	 "- {profile: arc, as: server, addresses: {client: 10.0.0.3}}\n"
	 "flows:\n"
	 "- {name: a, from: self, to: 10.0.0.0/28, tcp: 1}\n"
	 "- {name: b, from: 10.0.9.9, to: self, tcp: 2, requires: {flow: a, with: 10.0.0.0/28}}\n"
	 "- {name: c, from: 10.0.9.9, to: self, tcp: 3, requires: {with: [10.0.0.1, 10.0.0.3], "
	 "flow: "
	 "arc/ssl}}\n"
	 "- {name: d, from: 10.0.9.9, to: self, tcp: 4, requires: {flow: arc/ssl, with: client}}\n",
	 "arc/ssl inbound tcp 7099 client{10.0.0.1 10.0.0.2}\n"
	 "arc/back inbound tcp 20000-20100 client{10.0.0.1 10.0.0.2} if ssl\n"
	 "arc/ssl inbound tcp 7099 client{10.0.0.3}\n"
	 "arc/back inbound tcp 20000-20100 client{10.0.0.3} if ssl\n"
	 "site/a reply tcp 1 10.0.0.0/28{10.0.0.0/28}\n"
	 "site/b inbound tcp 2 10.0.9.9{10.0.9.9} if a with 10.0.0.0/28: 10.0.0.0 10.0.0.1 "
	 "10.0.0.2 "
	 "10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 10.0.0.9 10.0.0.10 10.0.0.11 "
	 "10.0.0.12 10.0.0.13 10.0.0.14 10.0.0.15\n"
	 "site/c inbound tcp 3 10.0.9.9{10.0.9.9} if ssl with 10.0.0.1, 10.0.0.3: 10.0.0.1 "
	 "10.0.0.3\n"
	 "site/d inbound tcp 4 10.0.9.9{10.0.9.9} if ssl with client: 10.0.0.1 10.0.0.2 "
	 "10.0.0.3\n"},
	{"a requirement with a name",
	 "flows:\n- {name: a, from: 10.0.0.1, to: self, tcp: 1}\n"
	 "- {name: b, from: 10.0.9.9, to: self, tcp: 2, requires: {flow: a, with: x.invalid}}\n",
	 "site/a inbound tcp 1 10.0.0.1{10.0.0.1}\n"
	 "site/b inbound tcp 2 10.0.9.9{10.0.9.9} if a with x.invalid:\n"
	 "# host name \"x.invalid\" was not looked up: it adds no address here\n"},
	{"a flow that names come to", "flows: [{name: a, from: x.invalid, to: self, tcp: 1}]\n",
	 "site/a inbound tcp 1 x.invalid{}\n"
	 "# host name \"x.invalid\" was not looked up: it adds no address here\n"},
	{"JSON",
	 "{\"use\":[{\"profile\":\"arc\",\"as\":\"client\",\"addresses\":{\"server\":"
	 "[\"10.0.0.1\"]}}],\n\t\"vlans\":[0,7],\"dhcp\":true}",
	 "arc/ssl reply tcp 7099 server{10.0.0.1}\n"
	 "arc/back reply tcp 20000-20100 server{10.0.0.1} if ssl\n"},
	{"an alias",
	 "use: [{profile: livevault, as: agent, ports: {tunnel: 443}, addresses: "
	 "{primary-gateway: &a [192.0.2.1], backup-gateway: *a}}]\r\n",
	 "livevault/tunnel reply tcp 443 primary-gateway, backup-gateway{192.0.2.1}\n"},
};

#define USE "use: [{profile: arc, as: server, addresses: {client: 10.0.0.1}}]\n"

static const struct row bad[] = {
	/* the file */
	{"empty", "", "eth1.yaml: is empty"},
	{"nothing allowed", "interface: eth1\n",
	 "eth1.yaml:1:1: nothing is allowed: the file has neither use: nor flows:"},
	{"a list", "[]", "eth1.yaml:1:1: this must be a map (KEY: VALUE), not a list"},
	{"unknown key", USE "verdikt: audit\n",
	 "eth1.yaml:2:1: unknown key \"verdikt\": did you mean \"verdict\"?"},
	{"second document", USE "---\n",
	 "eth1.yaml:2:1: a second document begins here, but a file may have only one"},
	{"address with a colon at its end",
	 "flows: [{name: a, to: self, tcp: 1, from: [2001:db8::]}]",
	 "eth1.yaml:1:53: not YAML: found unexpected ':', while scanning a plain scalar that "
	 "begins "
	 "in line 1 (an IPv6 address that begins or ends with :: needs quotes)"},

	/* settings */
	{"interface name", USE "interface: eth0/1\n",
	 "eth1.yaml:2:12: \"eth0/1\" is not an interface name: it must be 1 to 15 bytes without "
	 "spaces, / or :"},
	{"long interface name", USE "interface: abcdefghijklmnop\n",
	 "eth1.yaml:2:12: \"abcdefghijklmnop\" is not an interface name: it must be 1 to 15 bytes "
	 "without spaces, / or :"},
	{"interface ..", USE "interface: ..\n",
	 "eth1.yaml:2:12: \"..\" is not an interface name: it must be 1 to 15 bytes without "
	 "spaces, / or :"},
	{"mode", USE "mode: nativ\n",
	 "eth1.yaml:2:7: \"nativ\" is not a valid value: did you mean \"native\"?"},
	{"verdict", USE "verdict: drop\n",
	 "eth1.yaml:2:10: \"drop\" is not a valid value: there are enforce and audit"},
	{"connections", USE "connections: [flags]\n",
	 "eth1.yaml:2:14: this must be a single value, not a list"},
	{"ping", USE "ping: all\n",
	 "eth1.yaml:2:7: \"all\" is not a valid value: there are none, peers and any"},
	{"fragments", USE "fragments: any\n",
	 "eth1.yaml:2:12: \"any\" is not a valid value: there are drop and peers"},
	{"dhcp", USE "dhcp: on\n", "eth1.yaml:2:7: \"on\" is neither true nor false"},
	{"vlans", USE "vlans: all\n",
	 "eth1.yaml:2:8: \"all\" is not a valid value: there are any and none"},
	{"VLAN ids", USE "vlans: [4095, 4096, 1-2, x, 00]\n",
	 "eth1.yaml:2:15: \"4096\" is not a VLAN id from 0 (untagged) to 4095\n"
	 "eth1.yaml:2:21: \"1-2\" is not a VLAN id from 0 (untagged) to 4095\n"
	 "eth1.yaml:2:26: \"x\" is not a VLAN id from 0 (untagged) to 4095\n"
	 "eth1.yaml:2:29: \"00\" is not a VLAN id from 0 (untagged) to 4095"},
	{"no VLAN", USE "vlans: []\n", "eth1.yaml:2:8: the list is empty"},

	/* uses */
	{"use is a map", "use: {profile: arc}\n",
	 "eth1.yaml:1:6: this must be a list, not a map (KEY: VALUE)"},
	{"use without keys", "use: [{}]\n",
	 "eth1.yaml:1:7: the key \"profile\" is missing\n"
	 "eth1.yaml:1:7: the key \"as\" is missing"},
	{"unknown key of a use", "use: [{profile: arc, as: other, adresses: {}}]\n",
	 "eth1.yaml:1:33: unknown key \"adresses\": did you mean \"addresses\"?"},
	{"unknown profile", "use: [{profile: backup-exex, as: x}]\n",
	 "eth1.yaml:1:17: unknown profile \"backup-exex\": did you mean \"backup-exec\"?"},
	{"unknown role", "use: [{profile: backup-exec, as: remote}]\n",
	 "eth1.yaml:1:34: profile backup-exec has no role \"remote\": did you mean "
	 "\"remote-agent\"?"},
	{"two roles", "use: [{profile: backup-exec, as: [remote-agent]}]\n",
	 "eth1.yaml:1:34: this must be a single value, not a list"},
	{"unknown level", "use: [{profile: vault, as: agent, level: minimal}]\n",
	 "eth1.yaml:1:42: profile vault has no level \"minimal\": did you mean \"minimum\"?"},
	{"level of a profile without", "use: [{profile: arc, as: other, level: strict}]\n",
	 "eth1.yaml:1:40: profile arc has no level \"strict\": there are none"},
	{"empty level", "use: [{profile: vault, as: agent, level: \"\"}]\n",
	 "eth1.yaml:1:42: profile vault has no level \"\": there are recommended, minimum and "
	 "strict"},
	{"unknown flow", "use: [{profile: arc, as: other, enable: [stats]}]\n",
	 "eth1.yaml:1:42: profile arc has no flow \"stats\": did you mean \"status\"?"},
	{"enable is a word", "use: [{profile: arc, as: other, enable: status}]\n",
	 "eth1.yaml:1:41: this must be a list, not a single value"},
	{"two optional flows of a group",
	 "use: [{profile: arc, as: client, enable: [plain, odd], addresses: {server: 10.0.0.1}}]\n",
	 "eth1.yaml:1:50: flows \"plain\" and \"odd\" exclude each other: enable one of them\n"
	 "eth1.yaml:1:7: flow arc/back requires ssl, which is off: enable it, too"},
	{"both flows of a group, by name", "use: [{profile: arc, as: other, enable: [ssl, odd]}]\n",
	 "eth1.yaml:1:47: flows \"ssl\" and \"odd\" exclude each other: enable one of them"},
	{"a required flow that gave way",
	 "use: [{profile: arc, as: client, enable: [plain], addresses: {server: 10.0.0.1}}]\n",
	 "eth1.yaml:1:7: flow arc/back requires ssl, which is off: enable it, too"},

	/* addresses */
	{"no address", "use:\n  - profile: backup-exec\n    as: remote-agent\n",
	 "eth1.yaml:2:5: flow backup-exec/control needs the addresses of role media-server: add "
	 "\"addresses: {media-server: [ADDRESS]}\" to this use"},
	{"no address of two roles",
	 "use:\n- {profile: livevault, as: agent, ports: {tunnel: 443}}\n",
	 "eth1.yaml:2:3: flow livevault/tunnel needs the addresses of role primary-gateway, "
	 "backup-gateway: add \"addresses: {primary-gateway: [ADDRESS]}\" to this use"},
	{"unknown role of addresses",
	 "use:\n- {profile: backup-exec, as: console, addresses: {media-sever: any}}\n",
	 "eth1.yaml:2:51: profile backup-exec has no role \"media-sever\": did you mean "
	 "\"media-server\"?"},
	{"addresses are a list", "use: [{profile: arc, as: other, addresses: [10.0.0.1]}]\n",
	 "eth1.yaml:1:44: this must be a map (KEY: VALUE), not a list"},
	{"no addresses", "use: [{profile: arc, as: client, addresses: {server: []}}]\n",
	 "eth1.yaml:1:54: the list is empty"},
	{"addresses are nothing", "use: [{profile: arc, as: client, addresses: {server: }}]\n",
	 "eth1.yaml:1:54: this must be a single value, not nothing"},
	{"bad addresses",
	 "use:\n- profile: arc\n  as: client\n  addresses:\n    server:\n      - 10.20.31.5/24\n"
	 "      - ::ffff:10.0.0.1\n      - fe80::1%eth0\n      - 10.0.0.300\n      - a_b\n"
	 "      - self\n      - [10.0.0.1]\n",
	 "eth1.yaml:6:9: \"10.20.31.5/24\" has host bits set: write 10.20.31.0/24\n"
	 "eth1.yaml:7:9: \"::ffff:10.0.0.1\" is an IPv4 address in IPv6 form: write 10.0.0.1\n"
	 "eth1.yaml:8:9: \"fe80::1%eth0\" has a zone (%): the file is for one interface, so write "
	 "only the address\n"
	 "eth1.yaml:9:9: \"10.0.0.300\" is not an IPv4 or IPv6 address or prefix\n"
	 "eth1.yaml:10:9: \"a_b\" is not an address, a prefix, a host name or any\n"
	 "eth1.yaml:11:9: \"self\" is this host, but these are the addresses of others\n"
	 "eth1.yaml:12:9: this must be a single value, not a list"},

	/* ports */
	{"unknown ports", "use: [{profile: backup-exec, as: console, ports: {dato: 1}}]\n",
	 "eth1.yaml:1:51: profile backup-exec has no ports \"dato\": did you mean \"data\"?"},
	{"unknown role of ports",
	 "use: [{profile: livevault, as: agent, ports: {tunnel: {gate: 443}}, "
	 "addresses: {primary-gateway: any, backup-gateway: any}}]\n",
	 "eth1.yaml:1:56: profile livevault has no role \"gate\": there are agent, primary-gateway "
	 "and backup-gateway"},
	{"no candidate",
	 "use: [{profile: livevault, as: agent, ports: {tunnel: [443, 80]}, "
	 "addresses: {primary-gateway: any, backup-gateway: any}}]\n",
	 "eth1.yaml:1:47: livevault does not use port 80 for tunnel: its candidates are "
	 "443,554,2147"},
	{"too few ports",
	 "use: [{profile: backup-exec, as: console, ports: {data: 50000-50010}}]\n",
	 "eth1.yaml:1:51: 11 ports for data are too few: the vendor of backup-exec wants at least "
	 "25 (two ports a job)"},
	{"bad ports", "use: [{profile: backup-exec, as: console, ports: {data: [0, 9-5, x]}}]\n",
	 "eth1.yaml:1:58: \"0\" is outside 1-65535\n"
	 "eth1.yaml:1:61: \"9-5\" is a range in reverse order: write 5-9\n"
	 "eth1.yaml:1:66: \"x\" is not a port or a range of ports such as 50000-50100"},
	{"ports that are missing",
	 "use:\n- {profile: livevault, as: agent, enable: [extra], ports: {tunnel: 443}, "
	 "addresses: {primary-gateway: any, backup-gateway: any}}\n",
	 "eth1.yaml:2:3: flow livevault/extra needs the ports \"pinned\", which only the site "
	 "knows: add \"ports: {pinned: PORT}\" to this use"},
	{"ports that are missing for one role",
	 "use:\n- {profile: livevault, as: agent, enable: [extra], ports: {tunnel: 443, pinned: "
	 "{primary-gateway: 7}}, addresses: {primary-gateway: any, backup-gateway: any}}\n",
	 "eth1.yaml:2:3: flow livevault/extra needs the ports \"pinned\", which only the site "
	 "knows: add \"ports: {pinned: {backup-gateway: PORT}}\" to this use"},

	/* the site's flows */
	{"self on neither side", "flows: [{name: a, from: any, to: any, tcp: 1}]\n",
	 "eth1.yaml:1:9: flow \"a\" must have \"self\", this host, in one of from: and to:"},
	{"self on both sides", "flows: [{name: a, from: self, to: self, tcp: 1}]\n",
	 "eth1.yaml:1:9: flow \"a\" must have \"self\", this host, in only one of from: and to:"},
	{"self in a list", "flows: [{name: a, from: any, to: [self], tcp: 1}]\n",
	 "eth1.yaml:1:35: \"self\" is this host, but these are the addresses of others\n"
	 "eth1.yaml:1:9: flow \"a\" must have \"self\", this host, in one of from: and to:"},
	{"from nobody", "flows: [{name: a, from: [], to: self, tcp: 1}]\n",
	 "eth1.yaml:1:25: the list is empty"},
	{"from nothing", "flows: [{name: a, from: , to: self, tcp: 1}]\n",
	 "eth1.yaml:1:25: this must be a single value, not nothing"},
	{"neither tcp nor udp", "flows: [{name: a, from: any, to: self}]\n",
	 "eth1.yaml:1:9: flow \"a\" has neither tcp: nor udp:"},
	{"named ports", "flows: [{name: a, from: any, to: self, tcp: ssh}]\n",
	 "eth1.yaml:1:45: \"ssh\" is not a port: only profiles have named ports"},
	{"a key of profiles", "flows: [{name: a, from: any, to: self, tcp: 1, optional: true}]\n",
	 "eth1.yaml:1:48: unknown key \"optional\": there are name, from, to, tcp, udp, "
	 "local-ports, "
	 "requires and note"},
	{"flow twice",
	 "flows:\n- {name: a, from: any, to: self, tcp: 1}\n"
	 "- {name: a, from: any, to: self, tcp: 2}\n",
	 "eth1.yaml:3:3: flow \"a\" is repeated: the first one is in line 2"},
	{"flow without a name", "flows: [{from: any, to: self, tcp: 1}]\n",
	 "eth1.yaml:1:9: the key \"name\" is missing"},
	{"requires nothing known", "flows: [{name: a, from: any, to: self, tcp: 1, requires: b}]\n",
	 "eth1.yaml:1:58: no flow \"b\" is on: write the name of another flow of this file, or "
	 "PROFILE/FLOW"},
	{"requires a flow that is off",
	 USE "flows: [{name: a, from: any, to: self, tcp: 1, requires: arc/plain}]\n",
	 "eth1.yaml:2:58: flow \"a\" requires \"arc/plain\", which is off: add \"enable: [plain]\" "
	 "to the use in line 1"},
	{"requires a flow that its profile does not have",
	 USE "flows: [{name: a, from: 10.0.0.1, to: self, tcp: 1, requires: arc/sll}]\n",
	 "eth1.yaml:2:63: no flow \"arc/sll\" is on: write the name of another flow of this file, "
	 "or PROFILE/FLOW"},
	{"requires a flow between others",
	 "use:\n- {profile: arc, as: other}\n"
	 "flows: [{name: a, from: 10.0.0.1, to: self, tcp: 1, requires: arc/ssl}]\n",
	 "eth1.yaml:3:63: flow \"a\" requires \"arc/ssl\" (profiles/arc.yaml:4), which runs "
	 "between "
	 "other hosts: role other of the use in line 2 has no part in it; require a flow that this "
	 "host has a part in"},
	{"requires itself", "flows: [{name: a, from: any, to: self, tcp: 1, requires: a}]\n",
	 "eth1.yaml:1:58: flow \"a\" requires itself, directly or through other flows, so nothing "
	 "could open it: take requires: out of one of them"},
	{"requires in a circle",
	 "flows:\n- {name: a, from: any, to: self, tcp: 1, requires: b}\n"
	 "- {name: b, from: any, to: self, tcp: 2, requires: a}\n",
	 "eth1.yaml:3:52: flow \"b\" requires itself, directly or through other flows, so nothing "
	 "could open it: take requires: out of one of them"},
	{"requires the other direction",
	 USE "flows: [{name: a, from: self, to: any, tcp: 1, requires: arc/ssl}]\n",
	 "eth1.yaml:2:58: flow \"a\" requires \"arc/ssl\" (profiles/arc.yaml:4), which does not "
	 "run "
	 "in the same direction: require one that does, or write {flow: arc/ssl, with: HOST} if a "
	 "connection with HOST will do"},
	{"requires a flow of ours",
	 "flows:\n- {name: a, from: self, to: 10.0.0.1, tcp: 1}\n"
	 "- {name: b, from: 10.0.0.1, to: self, tcp: 2, requires: a}\n",
	 "eth1.yaml:3:57: flow \"b\" requires \"a\" (line 2), which does not run in the same "
	 "direction: require one that does, or write {flow: a, with: HOST} if a connection with "
	 "HOST "
	 "will do"},
	{"requires with nobody",
	 "flows:\n- {name: a, from: any, to: self, tcp: 1}\n"
	 "- {name: b, from: any, to: self, tcp: 2, requires: {flow: a}}\n",
	 "eth1.yaml:3:52: the key \"with\" is missing"},
	{"requires with an unknown role",
	 USE "flows: [{name: a, from: any, to: self, tcp: 1, requires: {flow: arc/ssl, with: "
	     "clint}}]\n",
	 "eth1.yaml:2:80: profile arc has no role \"clint\": did you mean \"client\"?"},
	{"requires with a role without addresses",
	 "use: [{profile: ndmp, as: tape, addresses: {proxy: 10.0.0.1, filer: 10.0.0.2}}]\n"
	 "flows: [{name: a, from: any, to: self, tcp: 1}]\n",
	 "eth1.yaml:1:7: flow ndmp/data needs the addresses of role dma: add \"addresses: {dma: "
	 "[ADDRESS]}\" to this use"},
	{"requires of the site with a role without addresses",
	 "use: [{profile: ndmp, as: tape, addresses: {dma: 10.0.0.1, filer: 10.0.0.2}}]\n"
	 "flows: [{name: a, from: any, to: self, tcp: 1, requires: {flow: ndmp/control, with: "
	 "proxy}}]\n",
	 "eth1.yaml:2:85: role proxy has no address with which a connection of \"ndmp/control\" "
	 "could be live: add \"addresses: {proxy: [ADDRESS]}\" to the use of its profile"},
	{"requires with anybody",
	 "use: [{profile: ndmp, as: tape, addresses: {dma: any, proxy: any, filer: 10.0.0.2}}]\n",
	 "eth1.yaml:1:7: flow ndmp/data requires a connection with dma, which is more than 16 "
	 "addresses: name the hosts one by one, or a prefix of so few"},
	{"requires with 17 hosts",
	 "flows:\n- {name: a, from: any, to: self, tcp: 1}\n"
	 "- {name: b, from: any, to: self, tcp: 2, requires: {flow: a, with: [10.0.0.0/28, "
	 "10.0.0.16]}}\n",
	 "eth1.yaml:3:59: flow site/b requires a connection with 10.0.0.0/28, 10.0.0.16, which is "
	 "more than 16 addresses: name the hosts one by one, or a prefix of so few"},
	{"requires with a host that has no such connection",
	 "flows:\n- {name: a, from: 10.0.0.1, to: self, tcp: 1}\n"
	 "- {name: b, from: any, to: self, tcp: 2, requires: {flow: a, with: [10.0.0.1, "
	 "10.0.0.2]}}\n",
	 "eth1.yaml:3:59: flow \"b\" requires a connection with 10.0.0.1, 10.0.0.2, but \"a\" "
	 "(line "
	 "2) allows none with 10.0.0.2: add it to the peers of \"a\", or remove it from with:"},
	{"requires with a role that has no such connection",
	 "use: [{profile: ndmp, as: tape, addresses: {dma: 10.0.0.1, filer: 10.0.0.2}}]\n"
	 "flows: [{name: a, from: any, to: self, tcp: 1, requires: {flow: ndmp/control, with: "
	 "filer}}]\n",
	 "eth1.yaml:2:65: flow \"a\" requires a connection with filer, but \"ndmp/control\" "
	 "(profiles/ndmp.yaml:4) allows none with 10.0.0.2: add it to the peers of "
	 "\"ndmp/control\", or remove it from with:"},
	{"requires a flow without TCP with a host",
	 "flows:\n- {name: a, from: any, to: self, udp: 1}\n"
	 "- {name: b, from: any, to: self, tcp: 2, requires: {flow: a, with: 10.0.0.1}}\n",
	 "eth1.yaml:3:59: flow \"b\" requires \"a\" (line 2), which has no TCP port: only a TCP "
	 "connection can be live; add tcp: to \"a\", or require another flow"},
	{"requires itself with a host",
	 "flows: [{name: a, from: any, to: self, tcp: 1, requires: {flow: a, with: 10.0.0.1}}]\n",
	 "eth1.yaml:1:65: flow \"a\" requires itself, directly or through other flows, so nothing "
	 "could open it: take requires: out of one of them"},
	{"requires a flow without TCP",
	 "flows:\n- {name: a, from: any, to: self, udp: 1}\n"
	 "- {name: b, from: any, to: self, tcp: 2, requires: a}\n",
	 "eth1.yaml:3:52: flow \"b\" requires \"a\" (line 2), which has no TCP port: only a TCP "
	 "connection can be live; add tcp: to \"a\", or require another flow"},
	{"requires a profile's flow without TCP",
	 "use: [{profile: arc, as: server, enable: [peers], addresses: {client: 10.0.0.1, server: "
	 "10.0.0.2}}]\nflows: [{name: a, from: 10.0.0.2, to: self, tcp: 1, requires: "
	 "arc/peers}]\n",
	 "eth1.yaml:2:63: flow \"a\" requires \"arc/peers\" (profiles/arc.yaml:8), which has no "
	 "TCP "
	 "port: only a TCP connection can be live; add tcp: to \"arc/peers\", or require another "
	 "flow"},
	{"requires a flow without TCP that names come to",
	 "flows:\n- {name: a, from: x.invalid, to: self, udp: 1}\n"
	 "- {name: b, from: any, to: self, tcp: 2, requires: a}\n",
	 "eth1.yaml:3:52: flow \"b\" requires \"a\" (line 2), which has no TCP port: only a TCP "
	 "connection can be live; add tcp: to \"a\", or require another flow"},
	{"requires what another peer has",
	 "flows:\n- {name: a, from: [10.0.0.1, 10.0.0.2], to: self, tcp: 1}\n"
	 "- {name: b, from: [10.0.0.2, 10.0.0.3], to: self, tcp: 2, requires: a}\n",
	 "eth1.yaml:3:69: flow \"b\" allows 10.0.0.3, but \"a\" (line 2) allows no connection with "
	 "it, so it could never open \"b\": add it to the peers of \"a\", or remove it from those "
	 "of "
	 "\"b\""},
	{"requires what a part of the peers has",
	 "flows:\n- {name: a, from: [10.0.0.0/25, \"::/0\"], to: self, tcp: 1}\n"
	 "- {name: b, from: 10.0.0.0/24, to: self, tcp: 2, requires: a}\n",
	 "eth1.yaml:3:60: flow \"b\" allows 10.0.0.128/25, but \"a\" (line 2) allows no connection "
	 "with it, so it could never open \"b\": add it to the peers of \"a\", or remove it from "
	 "those of \"b\""},
	{"requires what a part of the peers has, in the middle",
	 "flows:\n- {name: a, from: [10.0.0.0/26, 10.0.0.64/27, 10.0.0.97, 10.0.0.128/25], to: "
	 "self, "
	 "tcp: 1}\n- {name: b, from: 10.0.0.0/24, to: self, tcp: 2, requires: a}\n",
	 "eth1.yaml:3:60: flow \"b\" allows 10.0.0.96, but \"a\" (line 2) allows no connection "
	 "with it, so it could never open \"b\": add it to the peers of \"a\", or remove it from "
	 "those of \"b\""},
	{"requires what a part of the peers has, of IPv6",
	 "flows:\n- {name: a, from: [\"2000::/3\", 0.0.0.0/0], to: self, tcp: 1}\n"
	 "- {name: b, from: any, to: self, tcp: 2, requires: a}\n",
	 "eth1.yaml:3:52: flow \"b\" allows ::/3, but \"a\" (line 2) allows no connection "
	 "with it, so it could never open \"b\": add it to the peers of \"a\", or remove it from "
	 "those of \"b\""},
	{"requires what none of a profile's peers has",
	 USE "flows: [{name: a, from: 192.0.2.1, to: self, tcp: 1, requires: arc/ssl}]\n",
	 "eth1.yaml:2:64: flow \"a\" allows 192.0.2.1, but \"arc/ssl\" (profiles/arc.yaml:4) "
	 "allows "
	 "no connection with it, so it could never open \"a\": add it to the peers of \"arc/ssl\", "
	 "or "
	 "remove it from those of \"a\""},

	{"all mistakes at once",
	 "interface: e e\nuse:\n- {profile: ark, as: x}\n- {profile: arc, as: servr}\n"
	 "- {profile: arc, as: client}\nflows:\n- {name: a, from: 1.2.3, to: self, tcp: 0}\n",
	 "eth1.yaml:1:12: \"e e\" is not an interface name: it must be 1 to 15 bytes without "
	 "spaces, / or :\n"
	 "eth1.yaml:7:19: \"1.2.3\" is not an IPv4 or IPv6 address or prefix\n"
	 "eth1.yaml:7:41: \"0\" is outside 1-65535\n"
	 "eth1.yaml:3:13: unknown profile \"ark\": did you mean \"arc\"?\n"
	 "eth1.yaml:4:22: profile arc has no role \"servr\": did you mean \"server\"?\n"
	 "eth1.yaml:5:3: flow arc/ssl needs the addresses of role server: add \"addresses: "
	 "{server: [ADDRESS]}\" to this use"},
};

static void test_rows(const struct row *row, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *got = read_site(row[i].text, &offline);

		check_text(got, row[i].want, "%s", row[i].name);
		free(got);
	}
}

static void test_profile_names(void)
{
	static const struct row row[] = {
		{"a name that leads elsewhere", "use: [{profile: \"..\", as: x}]",
		 "eth1.yaml:1:17: unknown profile \"..\": there are arc, "},
		{"a path to nothing",
		 "use: [{profile: ./no.yaml, as: x}, {profile: ./no.yaml, as: y}]",
		 "./no.yaml: cannot be read: No such file or directory"},
		{"a path beside the file", "use: [{profile: profiles/arc.yaml, as: other}]", ""},
		{"a file of complaints", "use: [{profile: ./eth1.yaml, as: x}]",
		 "./eth1.yaml:1:1: unknown key \"use\""},
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		char *got = read_site(row[i].text, &offline);

		check(!strncmp(got, row[i].want, strlen(row[i].want)), "%s", row[i].name);
		check(!strstr(got, "No such file or directory\n"), "%s: said once", row[i].name);
		free(got);
	}
}

/* ---- what else a policy holds --------------------------------------------- */

static struct policy *policy_of(const char *text)
{
	struct diagnostics diag = {};
	struct policy *policy = site_read(scratch_file("eth1.yaml", text), &offline, &diag);

	if (!policy)
		diag_print(&diag);
	diag_free(&diag);
	return policy;
}

static void test_settings(void)
{
	struct policy *policy = policy_of(USE);

	if (!check(policy, "defaults"))
		return;
	check_text(policy->interface, "", "no interface");
	check_has(policy->file, "/eth1.yaml", "file");
	check_text(mode_word(policy->mode), "auto", "mode");
	check_text(connections_word(policy->settings.connections), "sockets", "connections");
	check_int(policy->settings.enforcement, BKXDP_ENFORCE, "enforcement");
	check_int(policy->settings.ping, BKXDP_PING_PEERS, "ping");
	check_int(policy->settings.fragments, BKXDP_FRAGMENTS_DROP, "fragments");
	check(policy->settings.vlans_any && !policy->settings.dhcp, "vlans, dhcp");
	policy_free(policy);

	policy =
		policy_of(USE "interface: eth1\nmode: generic\nverdict: audit\nconnections: flags\n"
			      "ping: any\nfragments: peers\nvlans: [0, 64, 4095]\ndhcp: true\n");
	if (!check(policy, "all settings"))
		return;
	check_text(policy->interface, "eth1", "interface");
	check_text(mode_word(policy->mode), "generic", "mode");
	check_text(connections_word(policy->settings.connections), "flags", "connections");
	check_int(policy->settings.enforcement, BKXDP_AUDIT, "enforcement");
	check_int(policy->settings.ping, BKXDP_PING_ANY, "ping");
	check_int(policy->settings.fragments, BKXDP_FRAGMENTS_PEERS, "fragments");
	check(!policy->settings.vlans_any && policy->settings.dhcp, "vlans, dhcp");
	check(policy->settings.vlans[0] == 1 && policy->settings.vlans[1] == 1 &&
		      policy->settings.vlans[63] == 1ull << 63,
	      "VLAN ids");
	policy_free(policy);

	policy = policy_of(USE "vlans: none\n");
	check(policy && !policy->settings.vlans_any && policy->settings.vlans[0] == 1,
	      "vlans: none takes untagged frames");
	policy_free(policy);
}

static void test_flows(void)
{
	struct policy *policy = policy_of(
		"use:\n- {profile: backup-exec, as: remote-agent, addresses: {media-server: any}}\n"
		"flows: [{name: a, from: any, to: self, tcp: 1, note: why}]\n");

	if (!check(policy, "a policy"))
		return;
	check_has(policy->flows[0].place.file, "profiles/backup-exec.yaml", "file of a flow");
	check_int(policy->flows[0].place.line, 13, "line of a flow");
	check_text(policy->flows[1].source, "Veritas article 100017208", "source of a flow");
	check_int(policy->flows[1].required, 0, "required flow");
	check_has(policy->flows[3].place.file, "/eth1.yaml", "file of a site's flow");
	check_text(policy->flows[3].note, "why", "note of a site's flow");
	check_int(policy->n_uses, 1, "uses");
	check_text(policy->uses[0].title, "Veritas Backup Exec", "title of a use");
	check_text(policy->uses[0].role, "remote-agent", "role of a use");
	check_int(policy->groups[0].total, 2, "prefixes of a group");
	policy_free(policy);
}

static uint64_t digest_of(const char *text)
{
	struct policy *policy = policy_of(text);
	uint64_t digest = policy ? policy->digest : 0;

	policy_free(policy);
	return digest;
}

static void test_digest(void)
{
	static const char *const other[] = {
		USE "verdict: audit\n",
		USE "connections: flags\n",
		USE "ping: none\n",
		USE "vlans: [5]\n",
		"use: [{profile: arc, as: server, addresses: {client: 10.0.0.2}}]\n",
		"use: [{profile: arc, as: client, addresses: {server: 10.0.0.1}}]\n",
		"use: [{profile: arc, as: server, enable: [peers], addresses: {client: 10.0.0.1, "
		"server: 10.0.0.1}}]\n",
		USE "flows: [{name: a, from: 10.0.0.1, to: self, tcp: 1}]\n",
		USE "flows: [{name: b, from: 10.0.0.1, to: self, tcp: 1}]\n",
		USE "flows: [{name: a, from: 10.0.0.1, to: self, tcp: 2}]\n",
		USE "flows: [{name: a, from: 10.0.0.1, to: self, udp: 1}]\n",
		USE "flows: [{name: a, from: 10.0.0.1, to: self, tcp: 1, requires: arc/ssl}]\n",
		USE "flows: [{name: a, from: 10.0.0.1, to: self, tcp: 1, requires: {flow: arc/ssl, "
		    "with: 10.0.0.1}}]\n",
		USE "flows: [{name: a, to: 10.0.0.1, from: self, tcp: 1}]\n",
		USE "flows: [{name: a, to: 10.0.0.1, from: self, tcp: 1, local-ports: 5}]\n",
	};
	uint64_t usual = digest_of(USE), seen[COUNT(other)];

	check_int(digest_of("# moved\n\n" USE "interface: eth7\nmode: native\n"), usual,
		  "lines, interface and mode don't change the digest");
	check_int(digest_of("use: [{profile: arc, as: server, addresses: {client: [10.0.0.1/32, "
			    "10.0.0.1]}}]\nflows: []\n"),
		  usual, "the same addresses in other words don't");
	for (size_t i = 0; i < COUNT(other); i++) {
		seen[i] = digest_of(other[i]);
		check(seen[i] && seen[i] != usual, "another digest: %zu", i);
		for (size_t j = 0; j < i; j++)
			check(seen[j] != seen[i], "digests %zu and %zu differ", j, i);
	}
}

/* ---- names ---------------------------------------------------------------- */

static bool localhost_is_known(void)
{
	struct addrinfo *found = NULL;
	bool known = !getaddrinfo("localhost", NULL, NULL, &found);

	if (known)
		freeaddrinfo(found);
	return known;
}

static void test_names(void)
{
	static const struct row row[] = {
		{"a name", "flows: [{name: a, from: [localhost, 10.0.0.1], to: self, tcp: 1}]\n",
		 "127.0.0.1"},
		{"a name that can have no control connection now",
		 "flows:\n- {name: a, from: 10.0.0.1, to: self, tcp: 1}\n"
		 "- {name: b, from: localhost, to: self, tcp: 2, requires: a}\n",
		 ", but as the host names are now, \"a\" (line 2) allows no connection with it, so "
		 "it "
		 "can't open \"b\"\n"},
		{"an address that no name of the control flow has now",
		 "flows:\n- {name: a, from: localhost, to: self, tcp: 1}\n"
		 "- {name: b, from: 10.0.0.1, to: self, tcp: 2, requires: a}\n",
		 "# flow \"b\" allows 10.0.0.1, but as the host names are now, \"a\" (line 2) "
		 "allows no "
		 "connection with it, so it can't open \"b\"\n"},
		{"the site's unknown name",
		 "flows: [{name: a, from: [localhost, no-such.invalid], to: self, tcp: 1}]\n",
		 "eth1.yaml:1:37: \"no-such.invalid\" cannot be looked up: "},
		{"the site's unknown name for a role",
		 "use: [{profile: arc, as: client, addresses: {server: no-such.invalid}}]\n",
		 "eth1.yaml:1:54: \"no-such.invalid\" cannot be looked up: "},
		{"documented names, none known",
		 "use: [{profile: vault, as: agent, enable: [vault]}]\n",
		 "eth1.yaml:1:7: flow vault/vault needs the addresses of role director, because "
		 "none of the documented names can be looked up: add \"addresses: {director: "
		 "[ADDRESS]}\" to this use"},
		{"documented names beside addresses", "use: [{profile: vault, as: agent}]\n",
		 "# 1 of 1 documented host names of role portal of vault cannot be looked up\n"},
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		char *got;

		/* a minimal system has no /etc/hosts */
		if (strstr(row[i].text, "localhost") && !strstr(row[i].text, "invalid") &&
		    !localhost_is_known()) {
			skip_as("localhost cannot be looked up here", "%s", row[i].name);
			continue;
		}
		got = read_site(row[i].text, &online);
		check_has(got, row[i].want, "%s", row[i].name);
		free(got);
	}
}

/* ---- options -------------------------------------------------------------- */

struct strings {
	const char *list[4];
};

static size_t length(const struct strings *strings)
{
	size_t count = 0;

	while (count < 4 && strings->list[count])
		count++;
	return count;
}

static const struct {
	const char *name;
	struct strings use, address, port, enable;
	const char *want;
} options[] = {
	{"the contract's example",
	 {{"backup-exec:remote-agent"}},
	 {{"media-server=10.20.30.5"}},
	 {{"data=50000-50100"}},
	 {{"oracle"}},
	 "backup-exec/control inbound tcp 10000 media-server{10.20.30.5}\n"
	 "backup-exec/data inbound tcp 50000-50100 media-server{10.20.30.5} if control\n"
	 "backup-exec/advertise reply tcp 6101 media-server{10.20.30.5}\n"
	 "backup-exec/oracle reply tcp 5633 media-server{10.20.30.5}\n"},
	{"addresses for two uses",
	 {{"arc:server", "arc:client"}},
	 {{"client=10.0.0.1,10.0.0.2", "server=10.0.0.3", "client=10.0.0.4"}},
	 {{}},
	 {{}},
	 "arc/ssl inbound tcp 7099 client{10.0.0.1 10.0.0.2 10.0.0.4}\n"
	 "arc/back inbound tcp 20000-20100 client{10.0.0.1 10.0.0.2 10.0.0.4} if ssl\n"
	 "arc/ssl reply tcp 7099 server{10.0.0.3}\n"
	 "arc/back reply tcp 20000-20100 server{10.0.0.3} if ssl\n"
	 "# the addresses of role server of arc change nothing: no flow that is on runs between it "
	 "and "
	 "server\n"
	 "# the addresses of role client of arc change nothing: no flow that is on runs between it "
	 "and "
	 "client\n"},
	{"several ports",
	 {{"livevault:agent"}},
	 {{"primary-gateway=any", "backup-gateway=any"}},
	 {{"tunnel=443,554"}},
	 {{}},
	 "livevault/tunnel reply tcp 443,554 primary-gateway, backup-gateway{::/0 0.0.0.0/0}\n"},
	{"no use",
	 {{}},
	 {{"a=b"}},
	 {{}},
	 {{}},
	 "--use: must be given: it says what this host is\n"
	 "--address: no profile of --use has a role \"a\": there are none"},
	{"no role", {{"arc"}}, {{}}, {{}}, {{}}, "--use: \"arc\" is not PROFILE:ROLE"},
	{"empty role", {{"arc:"}}, {{}}, {{}}, {{}}, "--use: \"arc:\" is not PROFILE:ROLE"},
	{"unknown profile",
	 {{"ark:server"}},
	 {{"x=y"}},
	 {{}},
	 {{}},
	 "--use: unknown profile \"ark\": did you mean \"arc\"?"},
	{"unknown role",
	 {{"arc:sever"}},
	 {{}},
	 {{}},
	 {{}},
	 "--use: profile arc has no role \"sever\": did you mean \"server\"?"},
	{"unknown role of an address",
	 {{"arc:other"}},
	 {{"clint=any"}},
	 {{}},
	 {{}},
	 "--address: no profile of --use has a role \"clint\": did you mean \"client\"?"},
	{"no address",
	 {{"arc:other"}},
	 {{"client=", "client"}},
	 {{}},
	 {{}},
	 "--address: \"client=\" is not ROLE=ADDRESS[,ADDRESS...]\n"
	 "--address: \"client\" is not ROLE=ADDRESS[,ADDRESS...]"},
	{"bad address",
	 {{"arc:server"}},
	 {{"client=10.0.0.1,10.0.0.1/8,,"}},
	 {{}},
	 {{}},
	 "--address: \"10.0.0.1/8\" has host bits set: write 10.0.0.0/8\n"
	 "--address: \"\" is not an address, a prefix, a host name or any\n"
	 "--address: \"\" is not an address, a prefix, a host name or any"},
	{"bad ports",
	 {{"backup-exec:console"}},
	 {{}},
	 {{"data=9-5", "dat=1", "data=1-100"}},
	 {{}},
	 "--port: \"9-5\" is a range in reverse order: write 5-9\n"
	 "--port: no profile of --use has a ports \"dat\": did you mean \"data\"?\n"
	 "--port: the ports \"data\" are given twice"},
	{"too few ports",
	 {{"backup-exec:console"}},
	 {{}},
	 {{"data=1025"}},
	 {{}},
	 "--port: 1 ports for data are too few: the vendor of backup-exec wants at least 25 (two "
	 "ports a job)"},
	{"unknown flow",
	 {{"arc:other"}},
	 {{}},
	 {{}},
	 {{"plan"}},
	 "--enable: no profile of --use has a flow \"plan\": did you mean \"plain\"?"},
	{"addresses that are missing",
	 {{"arc:client"}},
	 {{}},
	 {{}},
	 {{}},
	 "--use: flow arc/ssl needs the addresses of role server: add --address server=ADDRESS"},
	{"ports that are missing",
	 {{"livevault:agent"}},
	 {{"primary-gateway=any", "backup-gateway=any"}},
	 {{"tunnel=443"}},
	 {{"extra"}},
	 "--use: flow livevault/extra needs the ports \"pinned\", which only the site knows: add "
	 "--port pinned=PORT"},
};

static void test_options(void)
{
	for (size_t i = 0; i < COUNT(options); i++) {
		const struct site_options given = {
			options[i].use.list,     length(&options[i].use),
			options[i].address.list, length(&options[i].address),
			options[i].port.list,    length(&options[i].port),
			options[i].enable.list,  length(&options[i].enable),
		};
		struct diagnostics diag = {};
		struct policy *policy = site_from_options("eth1", &given, &offline, &diag);
		char *got = outcome(policy, &diag);

		check_text(got, options[i].want, "options: %s", options[i].name);
		free(got);
	}
}

static void test_option_interface(void)
{
	const char *use = "arc:other";
	const struct site_options given = {.uses = &use, .n_uses = 1};
	struct diagnostics diag = {};
	struct policy *policy = site_from_options("a/b", &given, &offline, &diag);
	char *got = outcome(policy, &diag);

	check_text(got,
		   "the interface: \"a/b\" is not an interface name: it must be 1 to 15 bytes "
		   "without spaces, / or :",
		   "options: interface");
	free(got);
}

/* ---- observation ---------------------------------------------------------- */

static void test_observe(void)
{
	struct diagnostics diag = {};
	struct policy *policy = site_observe("eth1", &offline, &diag);
	bool valid = true, extra = false;
	char *got;

	if (!check(policy, "observation") || !policy)
		return;
	check(policy->observes && policy->settings.enforcement == BKXDP_AUDIT, "drops nothing");
	check_text(policy->interface, "eth1", "interface");
	check(!policy->file, "no file");
	for (size_t i = 0; i < policy->n_rules; i++)
		valid &= policy->rules[i].group == 0 && policy->rules[i].ports.count;
	check(valid, "every rule has ports and is for any");
	for (size_t i = 0; i < policy->n_flows; i++)
		extra |= !strcmp(policy->flows[i].name, "extra");
	check(!extra, "a flow without ports is left out");
	got = outcome(policy, &diag);
	check_has(got, "arc/ssl inbound tcp 7099 any{::/0 0.0.0.0/0}\narc/ssl reply tcp 7099 any",
		  "both sides of a flow");
	check_has(got, "arc/plain inbound tcp 2099", "optional flows");
	check_has(got, "arc/back inbound tcp 20000-20100 any{::/0 0.0.0.0/0} if ssl", "requires");
	check_has(got, "ndmp/data inbound tcp 20000-20100 any{::/0 0.0.0.0/0}\n",
		  "a connection with a role is not required");
	check_has(got,
		  "# 1 of the 2 flows of livevault is not observed, because only the site knows "
		  "the ports: write an interface file with use.ports for them\n",
		  "what is left out is said");
	free(got);
}

static void test_observe_bad(void)
{
	struct diagnostics diag = {};
	char *got;

	scratch_file("profiles/broken.yaml", "profile: broken\n");
	got = outcome(site_observe("eth1", &offline, &diag), &diag);
	check_has(got, "broken.yaml:1:1: the key \"roles\" is missing", "a broken profile is said");
	free(got);
	remove(scratch_path("profiles/broken.yaml"));
}

/* ---- limits --------------------------------------------------------------- */

static char *repeat(const char *head, const char *format, unsigned int count)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(head, out);
	for (unsigned int i = 0; i < count; i++)
		for (const char *c = format; *c; c++)
			if (*c == '#')
				fprintf(out, "%u", i);
			else if (*c == '$')
				fprintf(out, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
			else
				fputc(*c, out);
	fclose(out);
	return text;
}

static void test_limits(void)
{
	static const struct {
		const char *name, *head, *format;
		unsigned int count;
		const char *said;
	} row[] = {
		{"64 uses", "use:\n", "- {profile: arc, as: other}\n", 64, NULL},
		{"65 uses", "use:\n", "- {profile: arc, as: other}\n", 65,
		 "eth1.yaml:66:3: more than 64 profiles on one interface"},
		{"4,096 flows", "flows:\n", "- {name: f#, from: any, to: self, tcp: 1}\n", 4096,
		 NULL},
		{"4,097 flows", "flows:\n", "- {name: f#, from: any, to: self, tcp: 1}\n", 4097,
		 "eth1.yaml:4098:3: more than 4096 flows"},
		{"4,097 flows with those of a profile", USE "flows:\n",
		 "- {name: f#, from: any, to: self, tcp: 1}\n", 4095,
		 "eth1.yaml:4097:3: more than 4096 flows on one interface"},
		{"16,386 rules", "flows:\n",
		 "- {name: f#, to: any, from: self, tcp: 1, udp: 1, local-ports: [1, 3, 5]}\n",
		 2731,
		 "eth1.yaml:2732:3: more than 16384 rules (a flow makes one for each side, "
		 "protocol "
		 "and local range) on one interface"},
		{"1,025 host names", "flows:\n- name: a\n  to: self\n  tcp: 1\n  from:\n",
		 "  - h#.invalid\n", 1025,
		 "eth1.yaml:1030:5: more than 1024 host names: write addresses or prefixes"},
		{"aliases of many addresses",
		 "flows:\n- {name: a, to: self, tcp: 1, from: &a [10.0.0.1, 10.0.0.2]}\n",
		 "- {name: f#, to: self, tcp: 1, from: *a}\n", 2000, NULL},
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		char *text = repeat(row[i].head, row[i].format, row[i].count);
		char *got = read_site(text, &offline);

		if (row[i].said)
			check_text(got, row[i].said, "%s", row[i].name);
		else
			check(strncmp(got, "eth1.yaml", 9), "%s", row[i].name);
		free(got);
		free(text);
	}
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_million(void)
{
	char *text = repeat("use:\n- profile: backup-exec\n  as: remote-agent\n  addresses:\n"
			    "    media-server:\n",
			    "    - $\n", 1000000);
	double start = seconds();
	struct policy *policy = policy_of(text);

	if (check(policy, "1,000,000 addresses"))
		check_int(policy->groups[0].total, 1000000, "all are there");
	printf("# read in %.2f s\n", seconds() - start);
	check(seconds() - start < 20, "in a time that is not quadratic");
	policy_free(policy);
	free(text);
}

/* Five different lists of a million addresses: more than the limit. */
static void test_prefixes(void)
{
	char *list = repeat("  from: &a\n", "  - $\n", 1000000);
	char *text = must_format("flows:\n- name: a\n  to: self\n  tcp: 1\n%s", list);
	char *got;

	for (int i = 0; i < 4; i++) {
		char *more = must_format("%s- name: b%d\n  to: self\n  tcp: 1\n%s  - 11.0.0.%d\n",
					 text, i, list, i);

		free(text);
		text = more;
	}
	got = read_site(text, &offline);
	check_has(got, "more than 4194304 addresses and prefixes on one interface",
		  "5,000,004 addresses");
	free(got);
	free(text);
	free(list);
}

/* ---- ids of control flows ---------------------------------------------------- */

struct named {
	uint32_t id;
	unsigned int number;
};

static int by_id(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Finds two names with the same control id, which has 32 bits. */
static bool find_twins(unsigned int number[static 2])
{
	const size_t count = 400000;
	AUTO_FREE struct named *names = must_alloc(count, sizeof(*names));

	for (unsigned int i = 0; i < count; i++) {
		struct flow flow = {.profile = SITE_PROFILE};

		snprintf(flow.name, sizeof(flow.name), "c%u", i);
		names[i] = (struct named){flow_control_id(&flow), i};
	}
	qsort(names, count, sizeof(*names), by_id);
	for (size_t i = 1; i < count; i++) {
		if (names[i - 1].id != names[i].id)
			continue;
		number[0] = names[i - 1].number;
		number[1] = names[i].number;
		return true;
	}
	return false;
}

static void test_control_ids(void)
{
	struct diagnostics diag = {};
	struct policy *policy;
	unsigned int twin[2] = {};
	char *text, *said;

	if (!check(find_twins(twin), "two names with the same id"))
		return;
	text = must_format("flows:\n"
			   "- {name: c%u, from: any, to: self, tcp: 1}\n"
			   "- {name: c%u, from: any, to: self, tcp: 2}\n"
			   "- {name: data, from: any, to: self, tcp: 3, requires: c%u}\n"
			   "- {name: more, from: any, to: self, tcp: 4, requires: c%u}\n",
			   twin[0], twin[1], twin[0], twin[1]);
	policy = policy_of(text);
	check(!compile(policy, &diag), "control flows of one id do not compile");
	said = scratch_diagnostics(&diag);
	check_has(said, "can't be told apart: their names have the same hash", "and it is said");
	free(said);
	free(text);
	diag_free(&diag);
	policy_free(policy);
}

/* Flows d1, d2 ... of which each requires another flow, or c0 with another host. */
static bool compiles_with(unsigned int flows, unsigned int hosts, char **said)
{
	char *text =
		repeat("flows:\n", "- {name: c#, from: 10.0.0.0/16, to: self, tcp: 1}\n", flows);
	char *data = repeat(text,
			    "- {name: d#, from: 10.0.0.0/16, to: self, tcp: 20#, requires: c#}\n"
			    "- {name: e#, from: 10.0.0.0/16, to: self, udp: 20#, requires: c#}\n",
			    flows);
	char *with = repeat(data,
			    "- {name: f#, from: 10.0.0.0/16, to: self, tcp: 3#, requires: {flow: "
			    "c0, with: $}}\n"
			    "- {name: g#, from: self, to: 10.0.0.0/16, tcp: 3, requires: g}\n",
			    hosts);
	char *whole = repeat(with, "- {name: g, from: self, to: 10.0.0.0/16, tcp: 4}\n", 1);
	struct diagnostics diag = {};
	struct policy *policy = policy_of(whole);
	struct tables *tables = policy ? compile(policy, &diag) : NULL;
	bool compiles = tables;

	*said = scratch_diagnostics(&diag);
	diag_free(&diag);
	tables_free(tables);
	policy_free(policy);
	free(whole);
	free(with);
	free(data);
	free(text);
	return compiles;
}

static void test_requirements(void)
{
	char *said;

	check(compiles_with(63, 1, &said), "64 requirements");
	free(said);
	check(!compiles_with(63, 2, &said), "65 requirements are too many");
	check_has(said,
		  "what flow site/f1 requires is the 65th different requirement of one interface; "
		  "there can be 64; let more flows require the same flow",
		  "and it is said");
	free(said);
}

/* What an interface keeps of its policy. */
static void test_json(void)
{
	struct policy *policy =
		policy_of("flows:\n- {name: a, from: 10.0.0.0/24, to: self, tcp: 1}\n"
			  "- {name: b, from: 10.0.9.9, to: self, tcp: 2, requires: {flow: a, with: "
			  "[10.0.0.1, "
			  "10.0.0.2]}}\n");
	struct policy *again;
	char *text, *same;

	if (!check(policy, "a policy"))
		return;
	text = policy_json_write(policy);
	again = policy_json_read(text);
	if (check(again, "its JSON is read")) {
		check(!again->flows[0].with_role && !again->flows[0].with.count,
		      "a flow without `with`");
		check_text(again->flows[1].with_role, "10.0.0.1, 10.0.0.2", "with");
		check_int(again->flows[1].with.count, 2, "its hosts");
		same = policy_json_write(again);
		check_text(same, text, "and written again");
		free(same);
	}
	free(text);
	policy_free(again);
	policy_free(policy);
}

int main(void)
{
	scratch_begin();
	write_profiles();
	test_rows(good, COUNT(good));
	test_rows(bad, COUNT(bad));
	test_profile_names();
	test_settings();
	test_flows();
	test_digest();
	test_names();
	test_options();
	test_option_interface();
	test_observe();
	test_observe_bad();
	test_limits();
	test_million();
	test_prefixes();
	test_control_ids();
	test_requirements();
	test_json();
	free((char *)dirs[0]);
	return tap_done();
}
