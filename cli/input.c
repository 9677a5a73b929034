#include "cli/input.h"

#include "cli/problem.h"
#include "common/text/yaml_tree.h"

#include <errno.h>
#include <stdio.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

char *cli_read_file(const char *path, size_t *length)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
	if (!file)
		return NULL;
	(void)setvbuf(file, NULL, _IONBF, 0);
	size_t capacity = 65536, used = 0;
	char *text = malloc(capacity);
	int failure = text ? 0 : ENOMEM;
	while (!failure) {
		used += fread(text + used, 1, capacity - used - 1, file);
		if (used + 1 < capacity) {
			failure = ferror(file) ? EIO : 0;
			break;
		}
		if (capacity >= CLI_INPUT_MAX) {
			failure = EFBIG;
			break;
		}
		capacity *= 2;
		char *grown = malloc(capacity); /* what is read may be keys: no copy is left behind */
		if (!grown) {
			failure = ENOMEM;
		} else {
			memcpy(grown, text, used);
			explicit_bzero(text, used);
			free(text);
			text = grown;
		}
	}
	if (file != stdin)
		(void)fclose(file);
	if (failure) {
		if (text)
			explicit_bzero(text, used);
		free(text);
		errno = failure;
		return NULL;
	}
	text[used] = '\0';
	*length = used;
	return text;
}

char *cli_input_text(const char *what, const char *word)
{
	bool from_file = word[0] == '@' || strcmp(word, "-") == 0;
	if (!from_file) {
		char *copy = strdup(word);
		if (!copy)
			(void)cli_problem(CLI_FAILED, what, NULL, "out of memory");
		return copy;
	}
	const char *path = word[0] == '@' ? word + 1 : word;
	size_t length;
	char *text = cli_read_file(path, &length);
	if (!text) {
		(void)cli_problem(CLI_FAILED, what, NULL, "%s cannot be read: %s", path, strerror(errno));
		return NULL;
	}
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		text[--length] = '\0';
	return text;
}

static void free_wiped(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void cli_json_wipes(void)
{
	json_set_alloc_funcs(malloc, free_wiped);
}

/* A plain scalar of YAML is a number, a truth value or a text by its look; a quoted one is a text. */
static json_t *scalar_json(const struct yt_node *node)
{
	const char *text = node->value;
	if (node->quoted)
		return json_string(text);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(text[0] == 't');
	char *end;
	errno = 0;
	long long whole = strtoll(text, &end, 10);
	if (*text && *end == '\0' && errno == 0)
		return json_integer(whole);
	double number = strtod(text, &end);
	if (*text && *end == '\0' && strpbrk(text, "0123456789"))
		return json_real(number);
	return json_string(text);
}

static json_t *node_json(const struct yt_node *node)
{
	if (node->kind == YT_SCALAR)
		return scalar_json(node);
	json_t *made = node->kind == YT_MAP ? json_object() : json_array();
	for (const struct yt_node *child = node->first; made && child; child = child->next) {
		json_t *value = node_json(child);
		int failed = node->kind == YT_MAP ? json_object_set_new(made, child->key, value)
						  : json_array_append_new(made, value);
		if (failed) {
			json_decref(made);
			return NULL;
		}
	}
	return made;
}

json_t *cli_parse_object(const char *name, const char *text, size_t length, char *error, size_t capacity)
{
	const char *start = text + strspn(text, " \t\r\n");
	json_t *made = NULL;
	if (*start == '{') {
		json_error_t problem;
		made = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
		if (!made)
			snprintf(error, capacity, "%s:%d: %s", name, problem.line, problem.text);
		return made;
	}
	struct yt tree;
	if (!yt_parse(&tree, name, text, length))
		snprintf(error, capacity, "%s", tree.error);
	else if (!tree.root || tree.root->kind != YT_MAP)
		snprintf(error, capacity, "%s: expected an object", name);
	else
		made = node_json(tree.root);
	yt_release(&tree);
	return made;
}
