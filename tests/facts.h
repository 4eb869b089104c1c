/* SPDX-License-Identifier: GPL-2.0-only */
/* Compares the two readers of a packet, fast_parse.h and packet.h. */
#ifndef FACTS_H
#define FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Returns NULL if fast_parse.h leaves the frame to packet.h, or reads the same as packet.h;
 * otherwise a sentence.
 */
const char *facts_object(const uint8_t *bytes, size_t length, bool *fast);

#endif
