// SPDX-License-Identifier: GPL-2.0-only
#include "net/ssh.h"

#include <bkxdp/layout.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/prefix.h"

#define VARIABLE        "SSH_CONNECTION"
#define GENERATIONS_MAX 64

/* ---- what it says ------------------------------------------------------------ */

/* "fe80::5%eth1", or without a zone. */
static int parse_address(const char *text, struct ssh_end *end)
{
	size_t length = strcspn(text, "%");
	struct ssh_end found = {};

	if (length >= sizeof(found.text) || strlen(text + length) > sizeof(found.zone))
		return -EINVAL;
	memcpy(found.text, text, length);
	if (text[length])
		strcpy(found.zone, text + length + 1);
	if (!address_parse(found.text, found.address))
		return -EINVAL;
	*end = found;
	return 0;
}

static bool is_port(int port)
{
	return port > 0 && port < BKXDP_PORTS;
}

int ssh_parse(const char *text, struct ssh_connection *connection)
{
	struct ssh_connection found = {};
	char client[64], server[64];
	int client_port, server_port;

	if (sscanf(text, "%63s %d %63s %d", client, &client_port, server, &server_port) != 4)
		return -EINVAL;
	if (parse_address(client, &found.client) || parse_address(server, &found.server) ||
	    !is_port(client_port) || !is_port(server_port))
		return -EINVAL;
	found.client.port = (uint16_t)client_port;
	found.server.port = (uint16_t)server_port;
	*connection = found;
	return 0;
}

/* ---- where it stands ---------------------------------------------------------- */

static FILE *open_of(pid_t pid, const char *name, int *error)
{
	AUTO_FREE char *path = must_format("/proc/%d/%s", (int)pid, name);
	FILE *file = fopen(path, "re");

	*error = file ? 0 : -errno;
	/* gone, or hidden, where there is a /proc at all */
	if (*error == -ENOENT && !access("/proc/self", F_OK))
		*error = -ESRCH;
	return file;
}

/* 0, -ENODATA where it has none, or why its environment cannot be read. */
static int from_environment_of(pid_t pid, struct ssh_connection *connection)
{
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	int error;
	AUTO_FCLOSE FILE *file = open_of(pid, "environ", &error);

	if (!file)
		return error;
	while (getdelim(&line, &size, '\0', file) > 0)
		if (!strncmp(line, VARIABLE "=", sizeof(VARIABLE)))
			return ssh_parse(line + sizeof(VARIABLE), connection) ? -ENODATA : 0;
	return ferror(file) ? -errno : -ENODATA;
}

static int parent_of(pid_t pid, pid_t *parent)
{
	char line[256];
	int error;
	AUTO_FCLOSE FILE *file = open_of(pid, "status", &error);

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "PPid: %d", parent) == 1)
			return 0;
	return file ? -ESRCH : error;
}

int ssh_find(struct ssh_connection *connection, pid_t *unread)
{
	const char *own = getenv(VARIABLE);
	pid_t pid = getppid(), who = 0;
	int why = -ENODATA, error = 0;

	if (own && !ssh_parse(own, connection))
		return 0;
	for (int depth = 0; !error && pid > 1 && depth < GENERATIONS_MAX; depth++) {
		error = from_environment_of(pid, connection);
		if (!error)
			return 0;
		if (error != -ENODATA && !who) {
			why = error;
			who = pid;
		}
		error = parent_of(pid, &pid);
	}
	if (error && !who) {
		why = error;
		who = pid;
	}
	if (who)
		*unread = who;
	return why;
}
