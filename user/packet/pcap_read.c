// SPDX-License-Identifier: GPL-2.0-only
#include "packet/pcap_read.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <string.h>

#include "base/memory.h"

struct capture {
	pcap_t *pcap;
	char *path;
	uint64_t number; /* packets read */
	uint64_t now;
	uint8_t *whole; /* room for a packet that was captured in part */
};

/* Link types that people do meet, and the way round them. */
static const struct {
	int type;
	const char *advice;
} advices[] = {
	{DLT_LINUX_SLL, "that is what `-i any` writes; capture on the interface itself"},
	{DLT_LINUX_SLL2, "that is what `-i any` writes; capture on the interface itself"},
	{DLT_RAW, "a tunnel has no Ethernet header; capture on the Ethernet interface below it"},
	{DLT_NULL, "a loopback of BSD or macOS has no Ethernet header"},
	{DLT_NFLOG, "NFLOG has no Ethernet header; capture on the interface itself"},
};

static char *link_problem(const char *path, int type)
{
	const char *name = pcap_datalink_val_to_name(type);
	const char *advice = "capture on an Ethernet interface";

	for (size_t i = 0; i < sizeof(advices) / sizeof(*advices); i++)
		if (advices[i].type == type)
			advice = advices[i].advice;
	return must_format("%s: its link type is %s (%d), and only Ethernet frames can be judged: "
			   "%s",
			   path, name ? name : "unknown", type, advice);
}

/* libpcap's own words for these two are about its reading, not about the file. */
static char *format_diagnostic(const char *path, FILE *file, const char *libpcap)
{
	if (feof(file) && ftell(file) == 0)
		return must_format("%s: the file is empty, not a capture", path);
	return must_format("%s: not a pcap or pcapng capture (%s)", path, libpcap);
}

/* From here on the file is libpcap's to close, or closed. */
static pcap_t *open_file(FILE *file, const char *path, char **problem)
{
	char libpcap[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap =
		pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, libpcap);

	if (!pcap) {
		*problem = format_diagnostic(path, file, libpcap);
		fclose(file);
		return NULL;
	}
	if (pcap_datalink(pcap) != DLT_EN10MB) {
		*problem = link_problem(path, pcap_datalink(pcap));
		pcap_close(pcap);
		return NULL;
	}
	return pcap;
}

struct capture *capture_open(const char *path, char **problem)
{
	bool standard = !strcmp(path, "-");
	FILE *file = standard ? stdin : fopen(path, "re");
	struct capture *capture;
	pcap_t *pcap;

	if (standard)
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
	capture->whole = must_alloc(1, CAPTURE_BYTES_MAX);
	return capture;
}

/* A file's clock may jump back, or far ahead; a wrapped product is as good as any wrong time. */
static uint64_t advance(struct capture *capture, const struct pcap_pkthdr *header)
{
	uint64_t now = (uint64_t)header->ts.tv_sec * 1000000000u + (uint64_t)header->ts.tv_usec;

	if (now > capture->now)
		capture->now = now;
	return capture->now;
}

static uint32_t at_most(uint32_t length, uint32_t limit)
{
	return length < limit ? length : limit;
}

/* A packet's lengths must be right for its verdict, so zeros stand for what is not there. */
static void fill(struct capture *capture, const struct pcap_pkthdr *header, const uint8_t *bytes,
		 struct captured *packet)
{
	uint32_t held = at_most(header->caplen, CAPTURE_BYTES_MAX);

	/* a file can claim that less was sent than was captured */
	packet->wire = header->len > header->caplen ? header->len : header->caplen;
	packet->length = at_most(packet->wire, CAPTURE_BYTES_MAX);
	packet->cut = header->caplen < packet->wire && header->caplen < CAPTURE_HEADERS;
	packet->bytes = bytes;
	packet->now = advance(capture, header);
	if (held == packet->length)
		return;
	memcpy(capture->whole, bytes, held);
	memset(capture->whole + held, 0, packet->length - held);
	packet->bytes = capture->whole;
}

int capture_next(struct capture *capture, struct captured *packet, char **problem)
{
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int found = pcap_next_ex(capture->pcap, &header, &bytes);

	if (found == PCAP_ERROR_BREAK)
		return 0;
	if (found != 1) {
		*problem = must_format("%s: packet %llu is cut off or damaged (%s)", capture->path,
				       (unsigned long long)capture->number + 1,
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
	free(capture->whole);
	free(capture);
}
