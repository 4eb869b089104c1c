// SPDX-License-Identifier: GPL-2.0-only
/* bkxdp-exporter, which "bkxdp exporter" starts. */
#include "exporter/exporter.h"

int main(int argc, char **argv)
{
	return exporter_run(argc, argv);
}
