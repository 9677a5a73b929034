/* Readers of a parsed tree. Each checks the node's kind first, and yields zero, an empty text or NULL once an error
 * sticks. */
#include "common/text/yaml_tree.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool expect_kind(struct yt *tree, const struct yt_node *node, enum yt_kind kind)
{
	static const char *const names[] = {"a single value", "a list", "a map of keys"};
	if (tree->failed || !node)
		return false;
	if (node->kind == kind)
		return true;
	yt_fail(tree, node, "expected %s", names[kind]);
	return false;
}

void yt_expect_map(struct yt *tree, const struct yt_node *node)
{
	if (!node)
		yt_fail(tree, NULL, "empty");
	else
		(void)expect_kind(tree, node, YT_MAP);
}

const struct yt_node *yt_optional(struct yt *tree, const struct yt_node *map, const char *key)
{
	if (!expect_kind(tree, map, YT_MAP))
		return NULL;
	for (struct yt_node *child = map->first; child; child = child->next) {
		if (strcmp(child->key, key) == 0) {
			child->used = true;
			return child;
		}
	}
	return NULL;
}

const struct yt_node *yt_member(struct yt *tree, const struct yt_node *map, const char *key)
{
	const struct yt_node *node = yt_optional(tree, map, key);
	if (!node)
		yt_fail(tree, map, "key %s is missing", key);
	return node;
}

const struct yt_node *yt_items(struct yt *tree, const struct yt_node *list, size_t max)
{
	if (!expect_kind(tree, list, YT_LIST))
		return NULL;
	if (list->count > max) {
		yt_fail(tree, list, "expected at most %zu items, got %zu", max, list->count);
		return NULL;
	}
	return list->first;
}

void yt_done(struct yt *tree, const struct yt_node *map)
{
	if (!expect_kind(tree, map, YT_MAP))
		return;
	for (const struct yt_node *child = map->first; child; child = child->next) {
		if (!child->used) {
			const struct yt_node place = {.kind = YT_MAP,
						      .line = child->line,
						      .key = child->key,
						      .parent = child->parent};
			yt_fail(tree, &place, "unknown key");
		}
	}
}

/* A decimal number without quotes, exponent or plus sign, scaled by 10^decimals. Digits beyond are refused.
 */
static bool parse_fixed(const char *text, unsigned decimals, int64_t *value)
{
	bool negative = *text == '-';
	int64_t number = 0;
	size_t digits = 0, fraction = 0;
	bool in_fraction = false;
	for (const char *at = text + (negative ? 1 : 0); *at; at++) {
		if (*at == '.' && !in_fraction && digits > 0 && decimals > 0) {
			in_fraction = true;
			continue;
		}
		if (*at < '0' || *at > '9' || ++digits > 17 || (in_fraction && ++fraction > decimals))
			return false;
		number = number * 10 + (*at - '0');
	}
	if (digits == 0 || (in_fraction && fraction == 0))
		return false;
	for (; fraction < decimals; fraction++)
		number *= 10;
	*value = negative ? -number : number;
	return true;
}

int64_t yt_int(struct yt *tree, const struct yt_node *node, int64_t min, int64_t max)
{
	int64_t value;
	if (!expect_kind(tree, node, YT_SCALAR))
		return 0;
	if (node->quoted || !parse_fixed(node->value, 0, &value) || value < min || value > max) {
		yt_fail(tree, node, "expected %" PRId64 " to %" PRId64, min, max);
		return 0;
	}
	return value;
}

int64_t yt_hundredths(struct yt *tree, const struct yt_node *node, int64_t min, int64_t max)
{
	int64_t value;
	if (!expect_kind(tree, node, YT_SCALAR))
		return 0;
	if (node->quoted || strlen(node->value) > 12 || !parse_fixed(node->value, 2, &value) || value < min ||
	    value > max) {
		yt_fail(tree, node, "expected %.2f to %.2f, at most two decimals", (double)min / 100,
			(double)max / 100);
		return 0;
	}
	return value;
}

double yt_number(struct yt *tree, const struct yt_node *node)
{
	if (!expect_kind(tree, node, YT_SCALAR))
		return 0;
	char *end;
	double value = strtod(node->value, &end);
	bool decimal = strspn(node->value, "+-.0123456789eE") == strlen(node->value);
	if (node->quoted || !decimal || end == node->value || *end != '\0' || !isfinite(value)) {
		yt_fail(tree, node, "expected a number");
		return 0;
	}
	return value;
}

bool yt_bool(struct yt *tree, const struct yt_node *node)
{
	if (!expect_kind(tree, node, YT_SCALAR))
		return false;
	bool yes = strcmp(node->value, "true") == 0;
	if (node->quoted || (!yes && strcmp(node->value, "false") != 0))
		yt_fail(tree, node, "expected true or false");
	return yes;
}

void yt_text(struct yt *tree, const struct yt_node *node, char *text, size_t capacity)
{
	text[0] = '\0';
	if (!expect_kind(tree, node, YT_SCALAR))
		return;
	size_t length = strlen(node->value);
	if (length >= capacity) {
		yt_fail(tree, node, "expected at most %zu characters", capacity - 1);
		return;
	}
	memcpy(text, node->value, length + 1);
}

size_t yt_choice(struct yt *tree, const struct yt_node *node, const char *const *names, size_t count)
{
	if (!expect_kind(tree, node, YT_SCALAR))
		return 0;
	char expected[256] = "";
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(node->value, names[i]) == 0)
			return i;
		int more = snprintf(expected + used, sizeof expected - used, "%s%s", i ? ", " : "", names[i]);
		used += more > 0 && (size_t)more < sizeof expected - used ? (size_t)more : 0;
	}
	yt_fail(tree, node, "expected one of %s", expected);
	return 0;
}
