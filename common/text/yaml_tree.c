/* libyaml's events become a tree of nodes. libyaml's own document tree is not used: it resolves aliases
 * silently (so that a small file can stand for a huge or circular one) and accepts a key twice.
 *
 * Nodes and texts live in a chain of blocks that is freed as one, so a half-built tree needs no care. */
#include "common/text/yaml_tree.h"

#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define BLOCK_SIZE  ((size_t)64 * 1024)
#define FOREIGN_MAX 80 /* characters of a foreign text that a message shows */

struct yt_block {
	struct yt_block *next;
	size_t used;
	size_t capacity;
	_Alignas(16) uint8_t memory[];
};

static void *take(struct yt *tree, size_t size)
{
	size = (size + 15) & ~(size_t)15;
	struct yt_block *block = tree->blocks;
	if (!block || block->capacity - block->used < size) {
		size_t capacity = size > BLOCK_SIZE ? size : BLOCK_SIZE;
		block = malloc(sizeof *block + capacity);
		if (!block)
			return NULL;
		*block = (struct yt_block){.next = tree->blocks, .capacity = capacity};
		tree->blocks = block;
	}
	void *taken = block->memory + block->used;
	block->used += size;
	return taken;
}

void yt_release(struct yt *tree)
{
	while (tree->blocks) {
		struct yt_block *next = tree->blocks->next;
		free(tree->blocks);
		tree->blocks = next;
	}
	tree->root = NULL;
}

/* --- errors --- */

struct text {
	char *start;
	size_t used;
	size_t capacity;
};

static void append(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text->start + text->used, text->capacity - text->used, format, arguments);
	va_end(arguments);
	if (length > 0)
		text->used += (size_t)length;
	if (text->used > text->capacity - 1)
		text->used = text->capacity - 1;
}

/* Shows foreign text in a message, shortened. */
static void append_foreign(struct text *text, const char *foreign)
{
	for (size_t shown = 0; shown < FOREIGN_MAX && *foreign; shown++) {
		char character[PRINTABLE_CHARACTER_MAX];
		size_t length = printable_take(character, &foreign);
		append(text, "%.*s", (int)length, character);
	}
	if (*foreign)
		append(text, "...");
}

static void append_path(struct text *text, const struct yt_node *node)
{
	if (!node->parent)
		return;
	append_path(text, node->parent);
	if (!node->key) {
		append(text, "[%zu]", node->index);
		return;
	}
	if (node->parent->parent)
		append(text, ".");
	append_foreign(text, node->key);
}

void yt_fail(struct yt *tree, const struct yt_node *node, const char *format, ...)
{
	if (tree->failed)
		return;
	tree->failed = true;
	struct text text = {tree->error, 0, sizeof tree->error};
	append(&text, "%s:%u: ", tree->file, node ? node->line : 1);
	if (node && node->parent) {
		append_path(&text, node);
		append(&text, ": ");
	}
	if (node && node->kind == YT_SCALAR && node->value) {
		append_foreign(&text, node->value[0] == '\0' ? "\"\"" : node->value);
		append(&text, ": ");
	}
	char message[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	append(&text, "%s", message);
}

static void fail_line(struct yt *tree, size_t line, const char *message)
{
	const struct yt_node place = {.kind = YT_MAP, .line = (unsigned)line};
	yt_fail(tree, &place, "%s", message);
}

/* --- building --- */

static const struct yt_node *find(const struct yt_node *map, const char *key)
{
	for (const struct yt_node *child = map->first; child; child = child->next)
		if (strcmp(child->key, key) == 0)
			return child;
	return NULL;
}

static char *keep_text(struct yt *tree, const yaml_event_t *event)
{
	size_t length = event->data.scalar.length;
	if (memchr(event->data.scalar.value, 0, length)) {
		fail_line(tree, event->start_mark.line + 1, "a NUL character");
		return NULL;
	}
	char *copy = take(tree, length + 1);
	if (!copy) {
		fail_line(tree, event->start_mark.line + 1, "no memory");
		return NULL;
	}
	memcpy(copy, event->data.scalar.value, length);
	copy[length] = '\0';
	return copy;
}

/* A new node under `parent` (NULL: the root), or NULL with the error stuck. */
static struct yt_node *add_node(struct yt *tree, struct yt_node *parent, const char *key, enum yt_kind kind,
				size_t line)
{
	struct yt_node *node = tree->nodes < YT_NODES_MAX ? take(tree, sizeof *node) : NULL;
	if (!node) {
		fail_line(tree, line, "too large");
		return NULL;
	}
	tree->nodes++;
	*node = (struct yt_node){.kind = kind, .line = (unsigned)line, .key = key, .parent = parent};
	if (!parent) {
		tree->root = node;
		return node;
	}
	node->index = parent->count++;
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	return node;
}

static bool is_null(const yaml_event_t *event)
{
	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	for (size_t i = 0; i < ARRAY_SIZE(nulls); i++)
		if (strcmp((const char *)event->data.scalar.value, nulls[i]) == 0)
			return true;
	return false;
}

struct builder {
	struct yt_node *at; /* the open list or map; NULL at the top */
	const char *key;    /* read, its value awaited */
	size_t key_line;
	size_t depth;
	bool has_document;
};

static void on_key(struct yt *tree, struct builder *builder, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;
	if (event->type != YAML_SCALAR_EVENT) {
		fail_line(tree, line, "a key must be a word");
		return;
	}
	builder->key = keep_text(tree, event);
	builder->key_line = line;
	if (!builder->key)
		return;
	if (strcmp(builder->key, "<<") == 0)
		fail_line(tree, line, "merge keys are not supported");
	const struct yt_node *before = find(builder->at, builder->key);
	if (before) {
		struct yt_node again = {
			.kind = YT_MAP, .line = (unsigned)line, .key = builder->key, .parent = builder->at};
		yt_fail(tree, &again, "stands twice, first in line %u", before->line);
	}
}

static void on_value(struct yt *tree, struct builder *builder, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;
	enum yt_kind kind = event->type == YAML_SCALAR_EVENT           ? YT_SCALAR
			    : event->type == YAML_SEQUENCE_START_EVENT ? YT_LIST
								       : YT_MAP;
	/* A block begins on the line after its key: the key's line is the one to name. */
	struct yt_node *node = add_node(tree, builder->at, builder->key, kind,
					builder->key ? builder->key_line : line);
	builder->key = NULL;
	if (!node)
		return;
	if (kind == YT_SCALAR) {
		node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		if (is_null(event))
			yt_fail(tree, node, "expected a value");
		else
			node->value = keep_text(tree, event);
		return;
	}
	if (++builder->depth > YT_DEPTH_MAX)
		yt_fail(tree, node, "nested too deeply");
	builder->at = node;
}

static bool is_decorated(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT: return event->data.scalar.anchor || event->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor || event->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor || event->data.mapping_start.tag;
	default: return event->type == YAML_ALIAS_EVENT;
	}
}

static void on_event(struct yt *tree, struct builder *builder, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;
	if (is_decorated(event)) {
		fail_line(tree, line, "anchors, aliases and tags are not supported");
		return;
	}
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (builder->has_document)
			fail_line(tree, line, "a second document");
		builder->has_document = true;
		return;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		ASSERT(builder->at != NULL); /* libyaml ends only what began */
		builder->at = builder->at->parent;
		builder->depth--;
		return;
	case YAML_SCALAR_EVENT:
		/* A file of nothing but comments is an empty document: no root. */
		if (!builder->at && is_null(event) && event->data.scalar.length == 0)
			return;
		/* fall through */
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		if (builder->at && builder->at->kind == YT_MAP && !builder->key)
			on_key(tree, builder, event);
		else
			on_value(tree, builder, event);
		return;
	default: return;
	}
}

bool yt_parse(struct yt *tree, const char *file, const char *text, size_t length)
{
	*tree = (struct yt){.file = file};
	if (length > YT_TEXT_MAX) {
		fail_line(tree, 1, "too large");
		return false;
	}
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser)) {
		fail_line(tree, 1, "no memory");
		return false;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	struct builder builder = {0};
	bool ended = false;
	while (!ended && !tree->failed) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			fail_line(tree, parser.problem_mark.line + 1,
				  parser.problem ? parser.problem : "not YAML");
			break;
		}
		ended = event.type == YAML_STREAM_END_EVENT;
		on_event(tree, &builder, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return !tree->failed;
}
