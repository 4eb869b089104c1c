// SPDX-License-Identifier: GPL-2.0-only
#include "net/capabilities.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

static const struct {
	int bit;
	const char *name;
} needed[] = {
	{CAP_BPF, "CAP_BPF"},             /* to load programs and maps */
	{CAP_NET_ADMIN, "CAP_NET_ADMIN"}, /* to attach a program */
	{CAP_PERFMON, "CAP_PERFMON"},     /* to extend libxdp's dispatcher */
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, /* to find a program by its id */
};

static uint64_t effective_set(void)
{
	AUTO_FCLOSE FILE *status = fopen("/proc/self/status", "re");
	uint64_t set = 0;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %" SCNx64, &set) == 1)
			break;
	return set;
}

char *capabilities_missing(void)
{
	uint64_t have = effective_set();
	struct strbuf text;

	strbuf_open(&text);
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!(have >> needed[i].bit & 1))
			fputs(needed[i].name, strbuf_next(&text, ", "));
	return strbuf_close(&text);
}
