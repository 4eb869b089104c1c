// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/accept.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"

#define ELEMENT_MAX 255 /* bytes; no known client sends longer ones */

/* Without spaces and quotes around it. */
static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\"");
	for (length = strlen(text); length && strchr(" \t\"", text[length - 1]); length--)
		text[length - 1] = '\0';
	return text;
}

/* How much a list of the header wants this, from 0 to 1; -1: it does not name it. */
static double weight_of(const char *header, const char *name, const char *version)
{
	AUTO_FREE char *copy = must_copy(header ? header : "");
	double most = -1;

	for (char *rest = copy, *element; (element = strsep(&rest, ","));) {
		bool fits = strlen(element) <= ELEMENT_MAX &&
			    !strcasecmp(trim(strsep(&element, ";")), name);
		double weight = 1;

		for (char *value; fits && (value = strsep(&element, ";"));) {
			const char *key = trim(strsep(&value, "="));

			if (value && !strcasecmp(key, "version"))
				fits = !strcmp(trim(value), version);
			/* what is no weight counts as none */
			if (value && !strcasecmp(key, "q") && (value = trim(value)))
				weight = value[strspn(value, "0123456789.")] ? 0
									     : strtod(value, NULL);
		}
		if (fits && weight > most)
			most = weight < 1 ? weight : 1;
	}
	return most;
}

enum metrics_format accept_format(const char *accept)
{
	double openmetrics = weight_of(accept, "application/openmetrics-text", "1.0.0");
	double text = weight_of(accept, "text/plain", "0.0.4");

	return openmetrics > 0 && openmetrics >= text ? METRICS_OPENMETRICS : METRICS_TEXT;
}

bool accept_gzip(const char *accept_encoding)
{
	double gzip = weight_of(accept_encoding, "gzip", ""),
	       any = weight_of(accept_encoding, "*", "");

	return gzip > 0 || (gzip < 0 && any > 0);
}
