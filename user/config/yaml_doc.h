/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A YAML file as a tree of words, lists and maps, each with its place, and
 * readers that take the tree apart by a table of keys. Whatever is wrong is
 * added to the document's complaints; reading goes on, so that all is found.
 */
#ifndef CONFIG_YAML_DOC_H
#define CONFIG_YAML_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

enum value_type { VALUE_WORD, VALUE_LIST, VALUE_MAP };

struct value {
	const char *text;          /* of a word; "" where nothing is written */
	const struct value *child; /* a list's items; a map's key, value, key, value ... */
	const struct value *next;
	unsigned int line, column;
	uint8_t type; /* enum value_type */
	bool plain;   /* a word without quotes */
};

struct document {
	const char *file;
	struct diagnostics *diagnostics;
	const struct value *root;
	void *owner;         /* what the readers build, for those that must see the whole */
	struct chunk *store; /* of all values and texts */
};

/* 0, or -EINVAL with complaints; the document is to be closed either way. */
int document_open(struct document *document, const char *file, size_t bytes_max,
		  struct diagnostics *diag);
void document_close(struct document *document);

struct place value_place(const struct document *document, const struct value *value);
void diag_value(struct document *document, const struct value *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Complains if the value is of another type. */
bool value_is(struct document *document, const struct value *value, enum value_type type);

/* Reads a value into a field; leaves the field alone if it complains. */
typedef void value_reader(struct document *document, const struct value *value, void *field);

struct key {
	const char *name;
	value_reader *read;
	size_t offset; /* of the field */
	bool needed;
};

/* Keys are read in the table's order, whatever the file's. */
void map_read(struct document *document, const struct value *map, const struct key *key,
	      size_t keys, void *into);
#define MAP_READ(document, map, table, into)                                                       \
	map_read(document, map, table, sizeof(table) / sizeof((table)[0]), into)

/* `each` for a word, or for each word of a list that isn't empty. */
void read_words(struct document *document, const struct value *value, value_reader *each,
		void *field);

value_reader read_text; /* char *, allocated */
value_reader read_name; /* char[BKXDP_NAME_MAX] */
value_reader read_bool; /* bool */

/* The position of the word among the choices; -1 with a complaint. */
int read_choice(struct document *document, const struct value *value, const char *const *choice);
#define CHOICES(...)                                                                               \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

/* Walks over a list's items, or a map's keys with `key->next` as the value. */
#define FOR_ITEMS(item, list)                                                                      \
	for (const struct value *item = (list)->child; item; item = item->next)
#define FOR_KEYS(key, map) for (const struct value *key = (map)->child; key; key = key->next->next)

#endif
