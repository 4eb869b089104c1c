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

#define VARIABLE      "SSH_CONNECTION"
#define ANCESTORS_MAX 64

/* ---- parsing ------------------------------------------------------------ */

/* Parses "fe80::5%eth1", or an address without a zone. */
static int parse_address(const char *text, struct ssh_end *end)
{
	size_t length = strcspn(text, "%");
	struct ssh_end parsed = {};

	if (length >= sizeof(parsed.text) || strlen(text + length) > sizeof(parsed.zone))
		return -EINVAL;
	memcpy(parsed.text, text, length);
	if (text[length])
		strcpy(parsed.zone, text + length + 1);
	if (!address_parse(parsed.text, parsed.address))
		return -EINVAL;
	*end = parsed;
	return 0;
}

static bool is_port(int port)
{
	return port > 0 && port < BKXDP_PORTS;
}

int ssh_parse(const char *text, struct ssh_connection *connection)
{
	struct ssh_connection parsed = {};
	char client[64], server[64];
	int client_port, server_port;

	if (sscanf(text, "%63s %d %63s %d", client, &client_port, server, &server_port) != 4)
		return -EINVAL;
	if (parse_address(client, &parsed.client) || parse_address(server, &parsed.server) ||
	    !is_port(client_port) || !is_port(server_port))
		return -EINVAL;
	parsed.client.port = (uint16_t)client_port;
	parsed.server.port = (uint16_t)server_port;
	*connection = parsed;
	return 0;
}

/* ---- finding the variable ----------------------------------------------- */

static FILE *open_proc_file(pid_t pid, const char *name, int *error)
{
	AUTO_FREE char *path = must_format("/proc/%d/%s", (int)pid, name);
	FILE *file = fopen(path, "re");

	*error = file ? 0 : -errno;
	/* the process has ended or is hidden, unless there is no /proc */
	if (*error == -ENOENT && !access("/proc/self", F_OK))
		*error = -ESRCH;
	return file;
}

/* Returns 0, -ENODATA if the process has no such variable, or why its environment can't be read. */
static int read_environment_of(pid_t pid, struct ssh_connection *connection)
{
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	int error;
	AUTO_FCLOSE FILE *file = open_proc_file(pid, "environ", &error);

	if (!file)
		return error;
	while (getdelim(&line, &size, '\0', file) > 0)
		if (!strncmp(line, VARIABLE "=", sizeof(VARIABLE)))
			return ssh_parse(line + sizeof(VARIABLE), connection) ? -ENODATA : 0;
	return ferror(file) ? -errno : -ENODATA;
}

static int read_parent_of(pid_t pid, pid_t *parent)
{
	char line[256];
	int error;
	AUTO_FCLOSE FILE *file = open_proc_file(pid, "status", &error);

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "PPid: %d", parent) == 1)
			return 0;
	return file ? -ESRCH : error;
}

int ssh_find(struct ssh_connection *connection, pid_t *unreadable)
{
	const char *own = getenv(VARIABLE);
	pid_t pid = getppid(), first_unreadable = 0;
	int first_error = -ENODATA, error = 0;

	if (own && !ssh_parse(own, connection))
		return 0;
	for (int depth = 0; !error && pid > 1 && depth < ANCESTORS_MAX; depth++) {
		error = read_environment_of(pid, connection);
		if (!error)
			return 0;
		if (error != -ENODATA && !first_unreadable) {
			first_error = error;
			first_unreadable = pid;
		}
		error = read_parent_of(pid, &pid);
	}
	if (error && !first_unreadable) {
		first_error = error;
		first_unreadable = pid;
	}
	if (first_unreadable)
		*unreadable = first_unreadable;
	return first_error;
}
