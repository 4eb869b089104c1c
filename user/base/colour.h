/* SPDX-License-Identifier: GPL-2.0-only */
/* Colours, only on a terminal and only if NO_COLOR (no-color.org) is not set. */
#ifndef BASE_COLOUR_H
#define BASE_COLOUR_H

#include <stdio.h>

enum colour { PLAIN, BOLD, GREEN, RED, YELLOW };

/* The escape sequence that turns the colour on, or "" if `to` takes no colours. */
const char *term_colour(FILE *to, enum colour colour);

#endif
