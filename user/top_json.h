/* SPDX-License-Identifier: GPL-2.0-only */
/* What `top` shows, for programs. */
#ifndef TOP_JSON_H
#define TOP_JSON_H

#include <jansson.h>

#include "top_model.h"

json_t *top_json(const struct top *top);

#endif
