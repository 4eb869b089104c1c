/* SPDX-License-Identifier: GPL-2.0-only */
/* Colour on a terminal only; NO_COLOR (no-color.org) is honoured. */
#ifndef BASE_COLOUR_H
#define BASE_COLOUR_H

#include <stdio.h>

enum colour { PLAIN, BOLD, GREEN, RED, YELLOW };

/* The escape that turns it on, or "" where `to` takes no colour. */
const char *term_colour(FILE *to, enum colour colour);

#endif
