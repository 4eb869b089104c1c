// SPDX-License-Identifier: GPL-2.0-only
/* Reads values to fields, with diagnostics for those that are wrong. */
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "config/yaml_doc.h"
#include "config/yaml_fields.h"
#include "policy/names.h"

static const char *type_words(const struct value *value)
{
	static const char *const words[] = {"a single value", "a list", "a map (KEY: VALUE)"};

	if (value->type == VALUE_WORD && value->plain && !*value->text)
		return "nothing";
	return words[value->type];
}

bool value_is(struct document *document, const struct value *value, enum value_type type)
{
	static const char *const words[] = {"a single value", "a list", "a map (KEY: VALUE)"};

	if (value->type == type && (type != VALUE_WORD || !value->plain || *value->text))
		return true;
	diag_value(document, value, "this must be %s, not %s", words[type], type_words(value));
	return false;
}

static char *suggest_key(const char *word, const struct key *keys, size_t n_keys)
{
	AUTO_FREE const char **known = must_alloc(n_keys, sizeof(*known));

	for (size_t i = 0; i < n_keys; i++)
		known[i] = keys[i].name;
	return suggest(word, known, n_keys);
}

static const struct key *find_key(const char *word, const struct key *keys, size_t n_keys)
{
	for (size_t i = 0; i < n_keys; i++)
		if (!strcmp(keys[i].name, word))
			return &keys[i];
	return NULL;
}

static void check_keys_known(struct document *document, const struct value *map,
			     const struct key *keys, size_t n_keys)
{
	FOR_KEYS (given, map) {
		if (find_key(given->text, keys, n_keys))
			continue;
		AUTO_FREE char *suggestion = suggest_key(given->text, keys, n_keys);

		diag_value(document, given, "unknown key \"%.*s\"%s", SHOWN_MAX, given->text,
			   suggestion);
	}
}

static const struct value *find_value(const struct value *map, const char *name)
{
	FOR_KEYS (given, map)
		if (given->type == VALUE_WORD && !strcmp(given->text, name))
			return given->next;
	return NULL;
}

void map_read(struct document *document, const struct value *map, const struct key *keys,
	      size_t n_keys, void *object)
{
	if (!value_is(document, map, VALUE_MAP))
		return;
	check_keys_known(document, map, keys, n_keys);
	for (size_t i = 0; i < n_keys; i++) {
		const struct value *value = find_value(map, keys[i].name);

		if (value)
			keys[i].read(document, value, (char *)object + keys[i].offset);
		else if (keys[i].required)
			diag_value(document, map, "the key \"%s\" is missing", keys[i].name);
	}
}

void read_words(struct document *document, const struct value *value, value_reader *each,
		void *field)
{
	if (value->type != VALUE_LIST) {
		if (value_is(document, value, VALUE_WORD))
			each(document, value, field);
		return;
	}
	if (!value->child)
		diag_value(document, value, "the list is empty");
	FOR_ITEMS (item, value)
		if (value_is(document, item, VALUE_WORD))
			each(document, item, field);
}

void read_text(struct document *document, const struct value *value, void *field)
{
	char **text = field;

	if (!value_is(document, value, VALUE_WORD))
		return;
	for (const char *c = value->text; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f) {
			diag_value(document, value, "the text contains a control character");
			return;
		}
	free(*text);
	*text = must_copy(value->text);
}

void read_name(struct document *document, const struct value *value, void *field)
{
	if (!value_is(document, value, VALUE_WORD))
		return;
	if (!name_is_valid(value->text)) {
		diag_value(document, value,
			   "\"%.*s\" is not a name: 1 to 31 of a-z, 0-9 and hyphen", SHOWN_MAX,
			   value->text);
		return;
	}
	memcpy(field, value->text, strlen(value->text) + 1);
}

void read_bool(struct document *document, const struct value *value, void *field)
{
	bool *flag = field;

	if (!value_is(document, value, VALUE_WORD))
		return;
	if (value->plain && !strcmp(value->text, "true"))
		*flag = true;
	else if (value->plain && !strcmp(value->text, "false"))
		*flag = false;
	else
		diag_value(document, value, "\"%.*s\" is neither true nor false", SHOWN_MAX,
			   value->text);
}

int read_choice(struct document *document, const struct value *value, const char *const *choice)
{
	size_t count = 0;

	if (!value_is(document, value, VALUE_WORD))
		return -1;
	for (; choice[count]; count++)
		if (!strcmp(choice[count], value->text))
			return (int)count;

	AUTO_FREE char *suggestion = suggest(value->text, choice, count);

	diag_value(document, value, "\"%.*s\" is not a valid value%s", SHOWN_MAX, value->text,
		   suggestion);
	return -1;
}
