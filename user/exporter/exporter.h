/* SPDX-License-Identifier: GPL-2.0-only */
/* The exporter, from its options to its end. */
#ifndef EXPORTER_EXPORTER_H
#define EXPORTER_EXPORTER_H

/* The exit status; argv[0] is no option. */
int exporter_run(int argc, char **argv);

#endif
