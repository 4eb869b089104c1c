/* SPDX-License-Identifier: GPL-2.0-only */
/* What `top` shows, for programs. */
#ifndef CLI_TOP_JSON_H
#define CLI_TOP_JSON_H

#include <jansson.h>

#include "cli/top_model.h"

json_t *top_json(const struct top *top);

#endif
