// SPDX-License-Identifier: GPL-2.0-only
#include "guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "compile.h"
#include "engine.h"
#include "frame.h"
#include "netdev.h"

/* ---- the caller's SSH connection ------------------------------------------- */

/* sudo drops the variable, so the parents are asked too. */
static char *from_environment_of(int pid)
{
	static const char name[] = "SSH_CONNECTION=";
	char path[64], *line = NULL, *found = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	file = fopen(path, "re");
	while (file && !found && getdelim(&line, &size, '\0', file) > 0)
		if (!strncmp(line, name, strlen(name)))
			found = must_copy(line + strlen(name));
	free(line);
	if (file)
		fclose(file);
	return found;
}

static int parent_of(int pid)
{
	char path[64], line[256];
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	if (file)
		fclose(file);
	return parent;
}

struct ssh {
	char client[64], server[64];
	int client_port, server_port;
};

static bool find_ssh(struct ssh *ssh)
{
	for (int pid = getpid(), depth = 0; pid > 1 && depth < 64; pid = parent_of(pid), depth++) {
		AUTO_FREE char *text = from_environment_of(pid);

		if (text && sscanf(text, "%63s %d %63s %d", ssh->client, &ssh->client_port,
				   ssh->server, &ssh->server_port) == 4)
			return true;
	}
	return false;
}

/* ---- judging --------------------------------------------------------------- */

static enum bkxdp_reason judge_words(struct engine *engine, char *words)
{
	uint8_t frame[FRAME_BYTES_MAX];
	struct judgement judgement = {.reason = BKXDP_DROP_INTERNAL};
	struct asked asked;
	char *complaint = NULL;

	if (asked_read(&words, 1, &asked, &complaint)) {
		free(complaint);
		return BKXDP_DROP_INTERNAL;
	}
	(void)engine->judge(engine, frame, frame_build(&asked, frame), 0, &judgement);
	return judgement.reason;
}

static bool is_ipv6(const char *address)
{
	return strchr(address, ':');
}

/* Packets for a bridge, bond or VLAN come in by the devices below it, and are judged there. */
static bool any_above(const char *interface, bool (*is_so)(const char *device, const char *what),
		      const char *what)
{
	size_t count;
	char **device = netdev_stack(interface, &count);
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		found = found || is_so(device[i], what);
		free(device[i]);
	}
	free(device);
	return found;
}

static bool has_default_route(const char *device, const char *unused)
{
	(void)unused;
	return netdev_has_default_route(device);
}

static int check_ssh(const char *interface, const struct ssh *ssh, struct engine *engine,
		     struct complaints *complaints)
{
	AUTO_FREE char *words = must_format(
		is_ipv6(ssh->client) ? "tcp [%s]:%d > [%s]:%d ack" : "tcp %s:%d > %s:%d ack",
		ssh->client, ssh->client_port, ssh->server, ssh->server_port);
	enum bkxdp_reason reason;

	reason = judge_words(engine, words);
	if (bkxdp_reason_passes(reason))
		return 0;
	complain(complaints, NULL,
		 "your own SSH connection from %s comes in by %s, and this policy would drop it "
		 "(%s): "
		 "add \"- {name: ssh, from: [\"%s\"], to: self, tcp: %d}\" to the interface file's "
		 "flows, or use --force",
		 ssh->client, interface, reason_word(reason), ssh->client, ssh->server_port);
	return -1;
}

/* An address of the documentation range stands for any host of the world. */
static int check_default_route(const char *interface, struct engine *engine,
			       struct complaints *complaints)
{
	char words[] = "tcp 198.51.100.1:443 > 192.0.2.1:40000 ack";

	/* a policy that has flows with the world has thought of it */
	if (judge_words(engine, words) != BKXDP_DROP_SOURCE)
		return 0;
	complain(complaints, NULL,
		 "%s carries the default route, and this policy would drop the answers to all that "
		 "this host opens to the world but its backups: add \"- {name: world, from: self, "
		 "to: "
		 "[any], tcp: [53, 80, 443], udp: [53, 123]}\" (what this host needs) to the "
		 "interface "
		 "file's flows, or use --force",
		 interface);
	return -1;
}

int guard_check(const char *interface, const struct policy *policy, struct complaints *complaints)
{
	struct ssh ssh;
	bool by_ssh = find_ssh(&ssh) && any_above(interface, netdev_has_address, ssh.server);
	bool by_default = any_above(interface, has_default_route, NULL);
	struct tables *tables;
	struct engine *engine;
	int error = 0;

	if (policy->settings.enforcement == BKXDP_AUDIT || !(by_ssh || by_default))
		return 0;
	tables = compile(policy, complaints);
	if (!tables)
		return -1;
	/* the packets tried belong to no socket */
	tables->settings.connections = BKXDP_CONNECTIONS_FLAGS;
	engine = engine_user(tables);
	if (by_ssh)
		error = check_ssh(interface, &ssh, engine, complaints);
	if (by_default)
		error |= check_default_route(interface, engine, complaints);
	engine->close(engine);
	tables_free(tables);
	return error;
}
