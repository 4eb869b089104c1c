// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends the packet table's rows of variant "wire" over a real interface, so that an end-to-end
 * test can compare the counters with the table.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/engine.h"
#include "packets.h"
#include "policy/reasons.h"

#define VARIANT    "wire"
#define LENGTH_MIN 14
#define LENGTH_MAX 1514
#define PAUSE_NS   500000 /* a veth device queues 256 frames */

static int usage(void)
{
	fputs("usage: wire --list [--json] [NAME...]\n"
	      "       wire IFACE DST_MAC [NAME...]\n"
	      "Lists or sends the rows of the packet table that an interface with the policy of\n"
	      "tests/wire.yaml can receive: each frame once, in the order of the table.\n",
	      stderr);
	return 2;
}

static size_t steps_of(const struct row *row)
{
	size_t steps = 0;

	while (steps < STEPS_MAX && row->step[steps].reason)
		steps++;
	return steps;
}

/*
 * Returns false for rows of other policies, for those between whose packets time must pass, and
 * for frames that no interface would send.
 */
static bool can_be_sent(const struct row *row)
{
	static uint8_t bytes[BUILD_BYTES_MAX];

	if (strcmp(row->variant, VARIANT))
		return false;
	for (size_t i = 0; i < steps_of(row); i++) {
		size_t length = build(&row->step[i].frame, bytes);

		if (row->step[i].wait || length < LENGTH_MIN || length > LENGTH_MAX)
			return false;
	}
	return true;
}

static bool is_wanted(const struct row *row, char **names, int count)
{
	if (!can_be_sent(row))
		return false;
	for (int i = 0; i < count; i++)
		if (!strcmp(row->name, names[i]))
			return true;
	return !count;
}

static const char *unknown_name(char **names, int count)
{
	for (int i = 0; i < count; i++) {
		bool known = false;

		for (size_t r = 0; r < row_count; r++)
			known |= !strcmp(rows[r].name, names[i]) && can_be_sent(&rows[r]);
		if (!known)
			return names[i];
	}
	return NULL;
}

/* ---- list ------------------------------------------------------------------ */

static void list_step(const struct row *row, size_t number, bool json)
{
	const struct step *step = &row->step[number];
	const char *verdict = bkxdp_reason_passes(step->reason) ? "pass" : "drop";

	if (!json) {
		printf("%-36s %zu %-4s %s%s%s\n", row->name, number + 1, verdict,
		       reason_word(step->reason), step->flow ? " " : "",
		       step->flow ? step->flow : "");
		return;
	}
	printf("{\"name\":\"%s\",\"frame\":%zu,\"variant\":\"%s\",\"verdict\":\"%s\","
	       "\"reason\":\"%s\"",
	       row->name, number + 1, row->variant, verdict, reason_word(step->reason));
	if (step->flow)
		printf(",\"flow\":\"" SITE_PROFILE "/%s\",\"side\":\"%s\"", step->flow,
		       side_word(step->side));
	puts("}");
}

static int list(char **names, int count, bool json)
{
	for (size_t i = 0; i < row_count; i++)
		for (size_t n = 0; is_wanted(&rows[i], names, count) && n < steps_of(&rows[i]); n++)
			list_step(&rows[i], n, json);
	return 0;
}

/* ---- send ------------------------------------------------------------------ */

static int open_socket(const char *interface)
{
	struct sockaddr_ll where = {.sll_family = AF_PACKET};
	int fd = socket(AF_PACKET, SOCK_RAW, 0); /* protocol 0, because it only sends */

	if (fd < 0)
		return -errno;
	where.sll_ifindex = (int)if_nametoindex(interface);
	if (!where.sll_ifindex || bind(fd, (struct sockaddr *)&where, sizeof(where))) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static int send_step(int fd, const struct frame *frame, const struct ether_addr *mac)
{
	static const struct timespec pause = {.tv_nsec = PAUSE_NS};
	static uint8_t bytes[BUILD_BYTES_MAX];
	size_t length = build(frame, bytes);

	if (!frame->mac)
		memcpy(bytes, mac, sizeof(*mac));
	if (send(fd, bytes, length, 0) != (ssize_t)length)
		return -errno;
	nanosleep(&pause, NULL);
	return 0;
}

static int send_row(int fd, const struct row *row, const struct ether_addr *mac)
{
	for (size_t i = 0; i < steps_of(row); i++) {
		int error = send_step(fd, &row->step[i].frame, mac);

		if (!error)
			continue;
		fprintf(stderr, "wire: %s, frame %zu, was not sent: %s\n", row->name, i + 1,
			strerror(-error));
		return 1;
	}
	return 0;
}

static int send_rows(const char *interface, const struct ether_addr *mac, char **names, int count)
{
	int fd = open_socket(interface), failed = 0;
	unsigned int sent = 0;

	if (fd < 0) {
		fprintf(stderr, "wire: %s can't be sent on: %s\n", interface, strerror(-fd));
		return 1;
	}
	for (size_t i = 0; i < row_count; i++) {
		if (!is_wanted(&rows[i], names, count))
			continue;
		failed |= send_row(fd, &rows[i], mac);
		sent++;
	}
	close(fd);
	printf("%u rows sent\n", sent);
	return failed;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"list", no_argument, NULL, 'l'}, {"json", no_argument, NULL, 'j'}, {}};
	bool listing = false, json = false;
	struct ether_addr mac;
	const char *unknown;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return usage();
		listing |= option == 'l';
		json |= option == 'j';
	}
	argv += optind;
	argc -= optind;
	if (!listing && (json || argc < 2))
		return usage();
	unknown = unknown_name(listing ? argv : argv + 2, listing ? argc : argc - 2);
	if (unknown) {
		fprintf(stderr, "wire: no row \"%s\" that can be sent: see wire --list\n", unknown);
		return 2;
	}
	if (listing)
		return list(argv, argc, json);
	if (!ether_aton_r(argv[1], &mac))
		return usage();
	return send_rows(argv[0], &mac, argv + 2, argc - 2);
}
