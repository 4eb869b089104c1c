// SPDX-License-Identifier: GPL-2.0-only
#include "packet/pcap_read.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <string.h>

#include "base/memory.h"

struct capture {
	pcap_t *pcap;
	char *path;
	uint64_t number; /* number of packets read */
	uint64_t now;
	uint8_t *padded; /* buffer for a truncated packet, filled up with zeros */
};

/* Link types that are common, and what to do instead. */
static const struct {
	int type;
	const char *advice;
} link_advices[] = {
	{DLT_LINUX_SLL, "that is what `-i any` writes; capture on the interface itself"},
	{DLT_LINUX_SLL2, "that is what `-i any` writes; capture on the interface itself"},
	{DLT_RAW, "a tunnel has no Ethernet header; capture on the Ethernet interface below it"},
	{DLT_NULL, "a loopback of BSD or macOS has no Ethernet header"},
	{DLT_NFLOG, "NFLOG has no Ethernet header; capture on the interface itself"},
};

static char *explain_link_type(const char *path, int type)
{
	const char *name = pcap_datalink_val_to_name(type);
	const char *advice = "capture on an Ethernet interface";

	for (size_t i = 0; i < sizeof(link_advices) / sizeof(*link_advices); i++)
		if (link_advices[i].type == type)
			advice = link_advices[i].advice;
	return must_format("%s: its link type is %s (%d), and only Ethernet frames can be judged: "
			   "%s",
			   path, name ? name : "unknown", type, advice);
}

/* For an empty file libpcap's message does not say what is wrong. */
static char *explain_open_error(const char *path, FILE *file, const char *libpcap)
{
	if (feof(file) && ftell(file) == 0)
		return must_format("%s: the file is empty, not a capture", path);
	return must_format("%s: not a pcap or pcapng capture (%s)", path, libpcap);
}

/* Takes over the file: libpcap closes it, or it is closed here. */
static pcap_t *open_file(FILE *file, const char *path, char **problem)
{
	char libpcap[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap =
		pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, libpcap);

	if (!pcap) {
		*problem = explain_open_error(path, file, libpcap);
		fclose(file);
		return NULL;
	}
	if (pcap_datalink(pcap) != DLT_EN10MB) {
		*problem = explain_link_type(path, pcap_datalink(pcap));
		pcap_close(pcap);
		return NULL;
	}
	return pcap;
}

struct capture *capture_open(const char *path, char **problem)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	struct capture *capture;
	pcap_t *pcap;

	if (is_stdin)
		path = "standard input";
	if (!file) {
		*problem = must_format("can't open %s: %s", path, strerror(errno));
		return NULL;
	}
	pcap = open_file(file, path, problem);
	if (!pcap)
		return NULL;
	capture = must_alloc(1, sizeof(*capture));
	capture->pcap = pcap;
	capture->path = must_copy(path);
	capture->padded = must_alloc(1, CAPTURE_BYTES_MAX);
	return capture;
}

/*
 * The clock of a capture may jump back or far ahead. If the product wraps, the result is a
 * wrong time like any other, but never goes back.
 */
static uint64_t advance_clock(struct capture *capture, const struct pcap_pkthdr *header)
{
	uint64_t now = (uint64_t)header->ts.tv_sec * 1000000000u + (uint64_t)header->ts.tv_usec;

	if (now > capture->now)
		capture->now = now;
	return capture->now;
}

static uint32_t minimum(uint32_t length, uint32_t limit)
{
	return length < limit ? length : limit;
}

/* The verdict depends on the packet's length, so missing bytes are zeros. */
static void fill(struct capture *capture, const struct pcap_pkthdr *header, const uint8_t *bytes,
		 struct captured_packet *packet)
{
	uint32_t captured = minimum(header->caplen, CAPTURE_BYTES_MAX);

	/* a file may claim that the packet was shorter than what was captured */
	packet->wire_length = header->len > header->caplen ? header->len : header->caplen;
	packet->length = minimum(packet->wire_length, CAPTURE_BYTES_MAX);
	packet->truncated =
		header->caplen < packet->wire_length && header->caplen < CAPTURE_HEADERS;
	packet->bytes = bytes;
	packet->now = advance_clock(capture, header);
	if (captured == packet->length)
		return;
	memcpy(capture->padded, bytes, captured);
	memset(capture->padded + captured, 0, packet->length - captured);
	packet->bytes = capture->padded;
}

int capture_next(struct capture *capture, struct captured_packet *packet, char **problem)
{
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int status = pcap_next_ex(capture->pcap, &header, &bytes);

	if (status == PCAP_ERROR_BREAK)
		return 0;
	if (status != 1) {
		*problem = must_format("%s: packet %llu is truncated or damaged (%s)",
				       capture->path, (unsigned long long)capture->number + 1,
				       pcap_geterr(capture->pcap));
		return -EIO;
	}
	capture->number++;
	fill(capture, header, bytes, packet);
	return 1;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	pcap_close(capture->pcap);
	free(capture->path);
	free(capture->padded);
	free(capture);
}
