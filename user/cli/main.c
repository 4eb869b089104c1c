// SPDX-License-Identifier: GPL-2.0-only
/* The table of verbs. Exit status: 0 done, 1 failed or "no", 2 misused. */
#include <stdio.h>
#include <string.h>

#include "base/exit.h"
#include "base/options.h"
#include "base/suggest.h"
#include "cli/cmd.h"
#include "datapath/datapath.h"

static const struct {
	const char *word;
	int (*run)(int argc, char **argv);
	const char *summary;
} verbs[] = {
	{"attach", cmd_attach, "filter an interface, or replace the policy of one"},
	{"detach", cmd_detach, "stop filtering; nothing stays behind"},
	{"reload", cmd_reload, "read the files again and replace the policy atomically"},
	{"status", cmd_status, "what is attached, and what was passed and dropped"},
	{"check", cmd_check, "validate profiles and interface files"},
	{"explain", cmd_explain, "what would happen to a packet, and why"},
	{"replay", cmd_replay, "the verdict of each packet of a capture"},
	{"profiles", cmd_profiles, "list and show the profiles"},
	{"top", cmd_top, "live table of flows, drops and their sources"},
	{"monitor", cmd_monitor, "dropped packets, as they happen"},
	{"metrics", cmd_metrics, "print the counters for Prometheus, once"},
	{"exporter", cmd_exporter, "serve the counters to Prometheus"},
};
#define VERBS (sizeof(verbs) / sizeof(*verbs))

static const struct option_row global[] = {
	{"bpffs", "DIR", "where the BPF file system is mounted (/sys/fs/bpf)",
	 .handle = datapath_set_bpffs},
};

static void usage(FILE *to)
{
	fputs("Usage: bkxdp [OPTION...] COMMAND [OPTION...]\n\n"
	      "Lets a network interface take the backup traffic of the products in use, from the\n"
	      "hosts named, and nothing else.\n\nCommands:\n",
	      to);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(to, "  %-10s %s\n", verbs[i].word, verbs[i].summary);
	fputs("\nGlobal options, before or after the command:\n", to);
	options_print_global(to);
	fputs("\n\"bkxdp COMMAND --help\" tells more of each. Start with \"bkxdp attach IFACE\": "
	      "without\n"
	      "a file it only observes. Files: " BKXDP_CONFIG_DIR "/IFACE.yaml, " BKXDP_CONFIG_DIR
	      "/profiles.\n",
	      to);
}

static int unknown(const char *word)
{
	const char *words[VERBS], *near;

	for (size_t i = 0; i < VERBS; i++)
		words[i] = verbs[i].word;
	near = suggest_nearest(word, words, VERBS);
	fprintf(stderr, "bkxdp: there is no command \"%s\"%s%s%s; \"bkxdp --help\" lists them\n",
		word, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return EXIT_MISUSED;
}

/* A full disk or a closed pipe must not look like success. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		fputs("bkxdp: the output could not be written completely\n", stderr);
		return status ? status : EXIT_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	int status;

	options_global(global, sizeof(global) / sizeof(*global));
	status = options_before_verb(argc, argv);
	if (status >= 0)
		return status;
	if (!argv[1]) {
		usage(stderr);
		return EXIT_MISUSED;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return finish(EXIT_DONE);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("bkxdp " BKXDP_VERSION);
		return finish(EXIT_DONE);
	}
	for (size_t i = 0; i < VERBS; i++)
		if (!strcmp(argv[1], verbs[i].word))
			return finish(verbs[i].run(argc - 1, argv + 1));
	return unknown(argv[1]);
}
