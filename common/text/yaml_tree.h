/* A YAML file as a tree whose every node knows its line, read strictly: no anchors, aliases, tags, nulls,
 * merge keys or second documents, no key twice, bounded size and depth. Readers have a sticky error that names
 * file, line, path and value: read straight down, ask once at the end.
 *
 *	struct yt tree;
 *	if (yt_parse(&tree, "us915.yaml", text, length)) {
 *		region->adr_max_dr = (uint8_t)yt_int(&tree, yt_member(&tree, tree.root, "adr_max_dr"), 0, 15);
 *		yt_done(&tree, tree.root);
 *	}
 *	if (tree.failed) puts(tree.error);
 *	yt_release(&tree);
 *
 * After an error every reader yields zero, an empty text or NULL. */
#ifndef LAMPPOST_TEXT_YAML_TREE_H
#define LAMPPOST_TEXT_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define YT_ERROR_MAX 1024
#define YT_TEXT_MAX  (1024 * 1024)
#define YT_NODES_MAX 50000
#define YT_DEPTH_MAX 8

enum yt_kind { YT_SCALAR, YT_LIST, YT_MAP };

struct yt_node {
	enum yt_kind kind;
	bool quoted; /* a scalar in quotes */
	bool used;   /* some reader asked for it */
	unsigned line;
	size_t index;      /* place in its parent */
	size_t count;      /* children */
	const char *key;   /* in a map; NULL in a list and for the root */
	const char *value; /* a scalar's text */
	struct yt_node *parent;
	struct yt_node *first;
	struct yt_node *last;
	struct yt_node *next;
};

struct yt_block;
struct yt {
	const char *file;        /* borrowed until release */
	struct yt_node *root;    /* NULL for an empty file */
	struct yt_block *blocks; /* owned: nodes and texts */
	size_t nodes;
	bool failed;
	char error[YT_ERROR_MAX];
};

/* Returns whether it could be read. Release in either case. */
bool yt_parse(struct yt *tree, const char *file, const char *text, size_t length);
void yt_release(struct yt *tree);

/* Makes an error stick: "FILE:LINE: PATH: VALUE: MESSAGE". The first one wins. */
void yt_fail(struct yt *tree, const struct yt_node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A member that must be there; NULL with an error otherwise, or after one. */
const struct yt_node *yt_member(struct yt *tree, const struct yt_node *map, const char *key);
/* A member or NULL. */
const struct yt_node *yt_optional(struct yt *tree, const struct yt_node *map, const char *key);
/* First child of a list (NULL when empty); an error when it is not a list or longer than `max`. Then
 * node->next. */
const struct yt_node *yt_items(struct yt *tree, const struct yt_node *list, size_t max);
/* Expects a map. */
void yt_expect_map(struct yt *tree, const struct yt_node *node);
/* Refuses a key that no reader asked for. */
void yt_done(struct yt *tree, const struct yt_node *map);

int64_t yt_int(struct yt *tree, const struct yt_node *node, int64_t min, int64_t max);
/* A number with at most two decimals, in hundredths; bounds as well. */
int64_t yt_hundredths(struct yt *tree, const struct yt_node *node, int64_t min, int64_t max);
/* A finite number. */
double yt_number(struct yt *tree, const struct yt_node *node);
bool yt_bool(struct yt *tree, const struct yt_node *node);
/* Copies a quoted or plain scalar; an error when it does not fit. `capacity` counts the NUL. */
void yt_text(struct yt *tree, const struct yt_node *node, char *text, size_t capacity);
/* Index of a scalar among `count` names. */
size_t yt_choice(struct yt *tree, const struct yt_node *node, const char *const *names, size_t count);

#endif
