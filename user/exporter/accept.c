// SPDX-License-Identifier: GPL-2.0-only
#include "exporter/accept.h"

#include <string.h>
#include <strings.h>

#define SPACE " \t"

struct part {
	const char *text;
	size_t length;
};

/* The next part before `end`, without space around it; false at the end of the text. */
static bool next_part(const char **text, char end, struct part *part)
{
	const char *stop;

	if (!**text)
		return false;
	*text += strspn(*text, SPACE);
	stop = strchrnul(*text, end);
	*part = (struct part){*text, stop - *text};
	while (part->length && strchr(SPACE, part->text[part->length - 1]))
		part->length--;
	*text = *stop ? stop + 1 : stop;
	return true;
}

static bool is(const struct part *part, const char *word)
{
	return part->length == strlen(word) && !strncasecmp(part->text, word, part->length);
}

/* "0", "0.5" or "1.000" in thousandths; what is no weight counts as none. */
static unsigned int weight_of(const char *text, size_t length)
{
	unsigned int weight = 0, unit = 1000;

	for (size_t i = 0; i < length && unit; i++) {
		if (i == 1 && text[i] == '.')
			continue;
		if (i == 1 || text[i] < '0' || text[i] > '9')
			return 0;
		weight += (text[i] - '0') * unit;
		unit /= 10;
	}
	return weight > 1000 ? 1000 : weight;
}

/* One element of the list: what it names, how much it is liked, in which version. */
struct liking {
	struct part name, version;
	unsigned int weight;
};

static void read_parameter(struct liking *liking, struct part parameter)
{
	const char *equals = memchr(parameter.text, '=', parameter.length);
	struct part name = {parameter.text, equals ? equals - parameter.text : 0}, value;

	if (!equals)
		return;
	value = (struct part){equals + 1, parameter.length - name.length - 1};
	if (value.length > 1 && *value.text == '"') {
		value.text++;
		value.length -= 2;
	}
	if (is(&name, "q"))
		liking->weight = weight_of(value.text, value.length);
	else if (is(&name, "version"))
		liking->version = value;
}

static bool next_liking(const char **list, struct liking *liking)
{
	struct part element, part;
	char copy[256];
	const char *rest = copy;

	if (!next_part(list, ',', &element))
		return false;
	*liking = (struct liking){.weight = 1000};
	/* nobody of whom we know is as long */
	if (element.length >= sizeof(copy))
		return true;
	memcpy(copy, element.text, element.length);
	copy[element.length] = '\0';
	if (next_part(&rest, ';', &part))
		liking->name = (struct part){element.text + (part.text - copy), part.length};
	while (next_part(&rest, ';', &part))
		read_parameter(liking,
			       (struct part){element.text + (part.text - copy), part.length});
	return true;
}

enum metrics_format negotiate_format(const char *accept)
{
	unsigned int open = 0, text = 0;
	struct liking liking;

	while (accept && next_liking(&accept, &liking)) {
		unsigned int *best = NULL;

		if (is(&liking.name, "application/openmetrics-text") &&
		    (!liking.version.length || is(&liking.version, "1.0.0")))
			best = &open;
		else if (is(&liking.name, "text/plain") &&
			 (!liking.version.length || is(&liking.version, "0.0.4")))
			best = &text;
		if (best && liking.weight > *best)
			*best = liking.weight;
	}
	return open && open >= text ? METRICS_OPENMETRICS : METRICS_TEXT;
}

bool negotiate_gzip(const char *accept_encoding)
{
	int gzip = -1, any = -1;
	struct liking liking;

	while (accept_encoding && next_liking(&accept_encoding, &liking)) {
		if (is(&liking.name, "gzip"))
			gzip = liking.weight;
		else if (is(&liking.name, "*"))
			any = liking.weight;
	}
	return gzip > 0 || (gzip < 0 && any > 0);
}
