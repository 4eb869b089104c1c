/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A YAML file as a tree of words, lists and maps, each with its place; and readers that read
 * the tree by a table of keys. Mistakes are added to the document's diagnostics, and reading
 * goes on, so that all mistakes are found.
 */
#ifndef CONFIG_YAML_DOC_H
#define CONFIG_YAML_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

enum value_type { VALUE_WORD, VALUE_LIST, VALUE_MAP };

struct value {
	const char *text;          /* of a word; "" if nothing is written */
	const struct value *child; /* the items of a list; the keys and values of a map in turn */
	const struct value *next;
	unsigned int line, column;
	uint8_t type; /* enum value_type */
	bool plain;   /* a word without quotes */
};

struct document {
	const char *file;
	struct diagnostics *diagnostics;
	const struct value *root;
	void *owner;         /* what the readers build, for readers that need all of it */
	struct chunk *arena; /* memory of all values and texts */
};

/*
 * Reads the file. Returns 0, or -EINVAL with diagnostics. The document must be closed in either
 * case.
 */
int document_open(struct document *document, const char *file, size_t bytes_max,
		  struct diagnostics *diag);
void document_close(struct document *document);

struct place value_place(const struct document *document, const struct value *value);
void diag_value(struct document *document, const struct value *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Returns false with a diagnostic if the value has another type. */
bool value_is(struct document *document, const struct value *value, enum value_type type);

/* Reads a value to a field. If it is wrong, adds a diagnostic and leaves the field unchanged. */
typedef void value_reader(struct document *document, const struct value *value, void *field);

struct key {
	const char *name;
	value_reader *read;
	size_t offset; /* of the field in the struct */
	bool required;
};

/* Reads a map by a table of keys, in the order of the table. */
void map_read(struct document *document, const struct value *map, const struct key *keys,
	      size_t n_keys, void *object);
#define MAP_READ(document, map, table, object)                                                     \
	map_read(document, map, table, sizeof(table) / sizeof((table)[0]), object)

/* Calls `each` for a single word, or for each word of a list, which must not be empty. */
void read_words(struct document *document, const struct value *value, value_reader *each,
		void *field);

value_reader read_text; /* to a char *, allocated */
value_reader read_name; /* to a char[BKXDP_NAME_MAX] */
value_reader read_bool; /* to a bool */

/* Returns the position of the word among the choices, or -1 with a diagnostic. */
int read_choice(struct document *document, const struct value *value, const char *const *choice);
#define CHOICES(...)                                                                               \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

/* Loops over the items of a list, or over the keys of a map; the value is `key->next`. */
#define FOR_ITEMS(item, list)                                                                      \
	for (const struct value *item = (list)->child; item; item = item->next)
#define FOR_KEYS(key, map) for (const struct value *key = (map)->child; key; key = key->next->next)

#endif
