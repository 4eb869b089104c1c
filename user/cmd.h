/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs. Each parses its own options and returns an exit status. */
#ifndef CMD_H
#define CMD_H

#define EXIT_DONE    0
#define EXIT_FAILED  1 /* or a verdict of "no" */
#define EXIT_MISUSED 2

int cmd_attach(int argc, char **argv);
int cmd_detach(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_profiles(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_metrics(int argc, char **argv);
int cmd_monitor(int argc, char **argv);
int cmd_exporter(int argc, char **argv);

/* "bkxdp: attach eth1: ..." to standard error; the status of a failure. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for wrong usage, with a pointer to --help. */
int misuse(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
