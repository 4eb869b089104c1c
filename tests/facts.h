/* SPDX-License-Identifier: GPL-2.0-only */
/* Both readers of a packet, fast_parse.h and packet.h, held against each other. */
#ifndef FACTS_H
#define FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL where fast_parse.h says nothing of the frame, or what packet.h says; else what is wrong. */
const char *facts_object(const uint8_t *bytes, size_t length, bool *fast);

#endif
