// SPDX-License-Identifier: GPL-2.0-only
#include "base/strbuf.h"

#include <stdbool.h>

#include "base/memory.h"

FILE *strbuf_open(struct strbuf *strbuf)
{
	return strbuf->out = must_have(open_memstream(&strbuf->text, &strbuf->length));
}

FILE *strbuf_next(struct strbuf *strbuf, const char *separator)
{
	if (ftell(strbuf->out) > 0)
		fputs(separator, strbuf->out);
	return strbuf->out;
}

char *strbuf_close(struct strbuf *strbuf)
{
	bool failed = ferror(strbuf->out);

	if (fclose(strbuf->out) || failed)
		return must_have(NULL);
	return must_have(strbuf->text);
}
