// SPDX-License-Identifier: GPL-2.0-only
#include "config/yaml_doc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "base/memory.h"
#include "config/yaml_fields.h"

struct place value_place(const struct document *document, const struct value *value)
{
	return (struct place){document->file, value->line, value->column};
}

void diag_value(struct document *document, const struct value *value, const char *format, ...)
{
	struct place place = value_place(document, value);
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	diag_at(document->diagnostics, &place, "%s", text);
}

#define CHUNK_BYTES (1 << 20)
#define DEPTH_MAX   16 /* valid files need at most 7 */
#define ANCHORS_MAX 64 /* they are searched linearly */

/*
 * The limit counts values with aliases expanded, as readers walk over them, because a few bytes
 * of nested anchors can expand to more than any memory.
 */
#define VALUES_MAX (BKXDP_PREFIXES_MAX + (1 << 20))

/* ---- memory that is freed all at once ----------------------------------- */

struct chunk {
	struct chunk *previous;
	size_t used, capacity;
	void *bytes[]; /* aligned for all members of struct value */
};

static void *arena_alloc(struct document *document, size_t size)
{
	struct chunk *chunk = document->arena;
	void *memory;

	size = (size + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
	if (!chunk || chunk->capacity - chunk->used < size) {
		size_t capacity = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		chunk = must_alloc(1, sizeof(*chunk) + capacity);
		chunk->previous = document->arena;
		chunk->capacity = capacity;
		document->arena = chunk;
	}
	memory = (char *)chunk->bytes + chunk->used;
	chunk->used += size;
	return memory;
}

void document_close(struct document *document)
{
	while (document->arena) {
		struct chunk *previous = document->arena->previous;

		free(document->arena);
		document->arena = previous;
	}
}

/* ---- reading the file --------------------------------------------------- */

static const char *kind_word(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	return S_ISFIFO(mode) || S_ISSOCK(mode) ? "a pipe or socket" : "a device";
}

static int refuse_file(struct document *document, const char *text, const char *problem)
{
	struct place whole = {.file = document->file};

	diag_at(document->diagnostics, &whole, "%s%s", text, problem);
	return -EINVAL;
}

static int refuse_size(struct document *document, size_t bytes_max)
{
	struct place whole = {.file = document->file};

	diag_at(document->diagnostics, &whole, "has more than %zu bytes, which is the limit",
		bytes_max);
	return -EINVAL;
}

/* O_NONBLOCK, so that opening a named pipe does not block. */
static int open_regular(struct document *document, size_t bytes_max, size_t *size)
{
	int fd = open(document->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		refuse_file(document, "cannot be read: ", strerror(errno));
	else if (!S_ISREG(status.st_mode))
		refuse_file(document, "is not a file but ", kind_word(status.st_mode));
	else if ((size_t)status.st_size > bytes_max)
		refuse_size(document, bytes_max);
	else {
		*size = (size_t)status.st_size;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -EINVAL;
}

static int read_bytes(struct document *document, size_t bytes_max, unsigned char **bytes,
		      size_t *count)
{
	size_t capacity = 0, total = 0;
	AUTO_CLOSE int fd = open_regular(document, bytes_max, &capacity);
	AUTO_FREE unsigned char *buffer = NULL;
	ssize_t count_read = 1;

	if (fd < 0)
		return -EINVAL;
	buffer = must_alloc(1, capacity);
	while (total < capacity && count_read > 0) {
		count_read = read(fd, buffer + total, capacity - total);
		if (count_read < 0 && errno == EINTR)
			count_read = 1;
		else if (count_read < 0)
			return refuse_file(document, "cannot be read: ", strerror(errno));
		else
			total += (size_t)count_read;
	}
	*bytes = buffer;
	*count = total;
	buffer = NULL;
	return 0;
}

/* ---- loading values ----------------------------------------------------- */

struct anchor {
	char *name;
	const struct value *value;
	size_t weight; /* number of values in it, with aliases expanded */
};

struct loader {
	struct document *document;
	yaml_parser_t parser;
	const unsigned char *bytes;
	size_t count;
	struct anchor anchors[ANCHORS_MAX];
	size_t n_anchors;
	size_t weight;
};

static int refuse_mark(struct loader *loader, const yaml_mark_t *mark, const char *text)
{
	struct place place = {loader->document->file, (unsigned int)mark->line + 1,
			      (unsigned int)mark->column + 1};

	diag_at(loader->document->diagnostics, &place, "%s", text);
	return -EINVAL;
}

/* For a byte that is not UTF-8, libyaml gives only an offset. */
static int refuse_byte(struct loader *loader)
{
	size_t offset = loader->parser.problem_offset;
	yaml_mark_t mark = {};
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < offset && i < loader->count; i++) {
		unsigned char byte = loader->bytes[i];

		mark.column += (byte & 0xc0) != 0x80;
		if (byte == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	text = must_format("this is not UTF-8 text: %s (0x%02x)", loader->parser.problem,
			   (unsigned int)loader->parser.problem_value);
	return refuse_mark(loader, &mark, text);
}

static bool line_has(const struct loader *loader, size_t line, const char *text)
{
	const unsigned char *at = loader->bytes, *end = at + loader->count, *stop;

	for (; line && at; line--) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return false;
	stop = memchr(at, '\n', (size_t)(end - at));
	return memmem(at, (size_t)((stop ? stop : end) - at), text, strlen(text));
}

/* In [...], YAML takes a colon at the end of a word for that of KEY: VALUE. */
static const char *syntax_hint(const struct loader *loader)
{
	if (strstr(loader->parser.problem, "cannot start any token") &&
	    line_has(loader, loader->parser.problem_mark.line, "\t"))
		return " (a tab: lines must be indented with spaces)";
	if (!line_has(loader, loader->parser.problem_mark.line, "::"))
		return "";
	return " (an IPv6 address that begins or ends with :: needs quotes)";
}

static int refuse_syntax(struct loader *loader)
{
	const yaml_parser_t *parser = &loader->parser;
	AUTO_FREE char *text = NULL;

	if (parser->error == YAML_READER_ERROR)
		return refuse_byte(loader);
	if (parser->error == YAML_MEMORY_ERROR)
		return refuse_mark(loader, &parser->mark, "not enough memory to read this file");
	if (parser->context)
		text = must_format("not YAML: %s, %s that begins in line %zu%s", parser->problem,
				   parser->context, parser->context_mark.line + 1,
				   syntax_hint(loader));
	else
		text = must_format("not YAML: %s%s", parser->problem, syntax_hint(loader));
	return refuse_mark(loader, &parser->problem_mark, text);
}

static int next_event(struct loader *loader, yaml_event_t *event)
{
	return yaml_parser_parse(&loader->parser, event) ? 0 : refuse_syntax(loader);
}

static struct value *new_value(struct loader *loader, const yaml_event_t *event,
			       enum value_type type)
{
	struct value *value = arena_alloc(loader->document, sizeof(*value));

	*value = (struct value){.text = "",
				.line = (unsigned int)event->start_mark.line + 1,
				.column = (unsigned int)event->start_mark.column + 1,
				.type = type};
	return value;
}

static int load_value(struct loader *loader, const yaml_event_t *event, unsigned int depth,
		      struct value **value);

static int load_word(struct loader *loader, const yaml_event_t *event, struct value **value)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	char *copy;

	if (memchr(text, '\0', length))
		return refuse_mark(loader, &event->start_mark, "a value contains a NUL byte");
	*value = new_value(loader, event, VALUE_WORD);
	copy = arena_alloc(loader->document, length + 1);
	memcpy(copy, text, length + 1); /* libyaml adds a NUL */
	(*value)->text = copy;
	(*value)->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return 0;
}

/* Loads the items of a list or map, up to its end, as children of `parent`. */
static int load_children(struct loader *loader, struct value *parent, yaml_event_type_t end,
			 unsigned int depth)
{
	const struct value **last = &parent->child;
	int error = 0;

	while (!error) {
		struct value *child = NULL;
		yaml_event_t event;

		error = next_event(loader, &event);
		if (error)
			break;
		if (event.type == end) {
			yaml_event_delete(&event);
			break;
		}
		error = load_value(loader, &event, depth + 1, &child);
		yaml_event_delete(&event);
		if (!error) {
			*last = child;
			last = &child->next;
		}
	}
	return error;
}

/*
 * Keys are sorted to find repeated ones, because a map may have a million keys. A repeated key
 * is reported at its later place.
 */
struct map_key {
	const struct value *value;
	size_t order;
};

static int by_text(const void *a, const void *b)
{
	const struct map_key *left = a, *right = b;
	int order = strcmp(left->value->text, right->value->text);

	return order ? order : (left->order > right->order) - (left->order < right->order);
}

static void check_repeats(struct document *document, const struct map_key *keys, size_t n_keys)
{
	for (size_t i = 1; i < n_keys; i++)
		if (!strcmp(keys[i].value->text, keys[i - 1].value->text))
			diag_value(document, keys[i].value,
				   "the key \"%.*s\" is repeated: the first one is in line %u",
				   SHOWN_MAX, keys[i].value->text, keys[i - 1].value->line);
}

static int check_keys(struct document *document, const struct value *map)
{
	AUTO_FREE struct map_key *keys = NULL;
	size_t n_keys = 0;

	FOR_KEYS (given, map) {
		if (given->type != VALUE_WORD) {
			diag_value(document, given, "a key must be a single word");
			return -EINVAL;
		}

		struct map_key *added = APPEND(keys, n_keys);

		added->value = given;
		added->order = n_keys;
	}
	if (n_keys)
		qsort(keys, n_keys, sizeof(*keys), by_text);
	check_repeats(document, keys, n_keys);
	return 0;
}

static int load_map(struct loader *loader, const yaml_event_t *event, unsigned int depth,
		    struct value **value)
{
	*value = new_value(loader, event, VALUE_MAP);
	if (load_children(loader, *value, YAML_MAPPING_END_EVENT, depth))
		return -EINVAL;
	return check_keys(loader->document, *value);
}

static int load_alias(struct loader *loader, const yaml_event_t *event, struct value **value)
{
	const char *name = (const char *)event->data.alias.anchor;
	AUTO_FREE char *text =
		must_format("there is no complete anchor &%s before this alias", name);

	for (size_t i = loader->n_anchors; i--;)
		if (!strcmp(loader->anchors[i].name, name)) {
			*value = new_value(loader, event, VALUE_WORD);
			(*value)->text = loader->anchors[i].value->text;
			(*value)->child = loader->anchors[i].value->child;
			(*value)->type = loader->anchors[i].value->type;
			(*value)->plain = loader->anchors[i].value->plain;
			loader->weight += loader->anchors[i].weight;
			return 0;
		}
	return refuse_mark(loader, &event->start_mark, text);
}

static int add_anchor(struct loader *loader, const yaml_event_t *event, const yaml_char_t *name,
		      const struct value *value, size_t weight)
{
	if (!name)
		return 0;
	if (loader->n_anchors == ANCHORS_MAX)
		return refuse_mark(loader, &event->start_mark,
				   "there are more than 64 anchors (&NAME)");
	loader->anchors[loader->n_anchors++] =
		(struct anchor){must_copy((const char *)name), value, weight};
	return 0;
}

static const yaml_char_t *event_anchor(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

static const yaml_char_t *event_tag(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.tag;
	default:
		return NULL;
	}
}

static int load_by_type(struct loader *loader, const yaml_event_t *event, unsigned int depth,
			struct value **value)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return load_word(loader, event, value);
	case YAML_SEQUENCE_START_EVENT:
		*value = new_value(loader, event, VALUE_LIST);
		return load_children(loader, *value, YAML_SEQUENCE_END_EVENT, depth);
	case YAML_MAPPING_START_EVENT:
		return load_map(loader, event, depth, value);
	default:
		return load_alias(loader, event, value);
	}
}

static int load_value(struct loader *loader, const yaml_event_t *event, unsigned int depth,
		      struct value **value)
{
	size_t weight_before = loader->weight;

	if (depth > DEPTH_MAX &&
	    (event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT))
		return refuse_mark(loader, &event->start_mark,
				   "lists and maps are nested more than 16 deep");
	if (event_tag(event))
		return refuse_mark(loader, &event->start_mark,
				   "a tag (!...) means nothing here: remove it");
	if (load_by_type(loader, event, depth, value))
		return -EINVAL;
	if (++loader->weight > VALUES_MAX)
		return refuse_mark(
			loader, &event->start_mark,
			"there are more than 5242880 values up to here, with aliases expanded");
	return add_anchor(loader, event, event_anchor(event), *value,
			  loader->weight - weight_before);
}

static int load_root(struct loader *loader)
{
	struct value *root = NULL;
	yaml_event_t event;
	int error = next_event(loader, &event);

	if (error)
		return error;
	if (event.type == YAML_STREAM_END_EVENT)
		return refuse_file(loader->document, "is empty", "");
	yaml_event_delete(&event); /* the start of the document */
	error = next_event(loader, &event);
	if (error)
		return error;
	error = load_value(loader, &event, 0, &root);
	yaml_event_delete(&event);
	loader->document->root = root;
	return error;
}

static int load_end(struct loader *loader)
{
	yaml_event_t event;
	int error = next_event(loader, &event); /* the end of the document */

	if (error)
		return error;
	yaml_event_delete(&event);
	error = next_event(loader, &event);
	if (error)
		return error;
	if (event.type != YAML_STREAM_END_EVENT)
		error = refuse_mark(loader, &event.start_mark,
				    "a second document begins here, but a file may have only one");
	yaml_event_delete(&event);
	return error;
}

static int load(struct loader *loader)
{
	static const unsigned char bom[] = {0xef, 0xbb, 0xbf};
	size_t skip = loader->count >= 3 && !memcmp(loader->bytes, bom, 3) ? 3 : 0;
	yaml_event_t event;
	int error;

	if (!yaml_parser_initialize(&loader->parser))
		return refuse_file(loader->document, "cannot be read: ", strerror(ENOMEM));
	yaml_parser_set_encoding(&loader->parser, YAML_UTF8_ENCODING);
	loader->bytes += skip;
	loader->count -= skip;
	yaml_parser_set_input_string(&loader->parser, loader->bytes, loader->count);
	error = next_event(loader, &event); /* the start of the stream */
	if (!error)
		yaml_event_delete(&event);
	if (!error)
		error = load_root(loader);
	if (!error)
		error = load_end(loader);
	yaml_parser_delete(&loader->parser);
	for (size_t i = 0; i < loader->n_anchors; i++)
		free(loader->anchors[i].name);
	return error;
}

int document_open(struct document *document, const char *file, size_t bytes_max,
		  struct diagnostics *diag)
{
	AUTO_FREE unsigned char *bytes = NULL;
	struct loader loader = {.document = document};

	*document = (struct document){.file = file, .diagnostics = diag};
	if (read_bytes(document, bytes_max, &bytes, &loader.count))
		return -EINVAL;
	loader.bytes = bytes;
	return load(&loader);
}
