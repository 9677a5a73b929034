/* Reading and printing a configuration; config_start.c has the command line. */
#include "common/text/config.h"

#include "common/base/check.h"
#include "common/base/option_words.h"
#include "common/base/units.h"
#include "common/lorawan/dev_addr.h"
#include "common/text/yaml_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Every section that a file may have: a process skips the others' and refuses what is not here. */
static const char *const known_sections[] = {
	"common",       "gateway-bridge", "network-server", "join-server", "application-server",
	"codec-runner", "lamppost",       "lamppost-sim",
};

static bool is_net_id(const char *text)
{
	struct lw_net_id net_id;
	return lw_net_id_parse(text, &net_id);
}

static bool is_prefix(const char *text)
{
	struct lw_dev_addr_prefix prefix;
	return lw_dev_addr_prefix_parse(text, &prefix);
}

const struct option config_common_rows[] = {
	{"common", "state_dir", OPTION_PATH, OPTION_AT(struct config_common, state_dir),
	 .fallback = "/var/lib/lamppost", .min = 1,
	 .help = "Folder of databases and keys, which are open while it runs. LAMPPOST_STATE takes its place "
		 "where it is set."},
	{"common", "run_dir", OPTION_PATH, OPTION_AT(struct config_common, run_dir),
	 .fallback = "/run/lamppost", .min = 1,
	 .help = "Folder of the Unix sockets, which others are connected to. LAMPPOST_RUN takes its place "
		 "where it "
		 "is set."},
	{"common", "log_level", OPTION_CHOICE, OPTION_AT(struct config_common, log_level), .fallback = "info",
	 .choices = "error warn info debug", .reload = true,
	 .help = "Least level of the lines that are logged."},
	{"common", "net_id", OPTION_STRING, OPTION_AT(struct config_common, net_id), .fallback = "000000",
	 .check = is_net_id, .form = "6 hex digits",
	 .help = "NetID of this network, 000000 and 000001 are private. Network server and join server need "
		 "the "
		 "same at any moment."},
	{"common", "dev_addr_prefixes", OPTION_LIST, OPTION_AT(struct config_common, dev_addr_prefixes),
	 .fallback = "00000000/7", .min = 1, .check = is_prefix, .reload = true,
	 .form = "8 hex digits, a slash and 0 to 32 bits, as in 26000000/7",
	 .help = "Blocks that device addresses are drawn from, and by which ours are told from foreign "
		 "ones; devices outside of them are not heard any more until they join again."},
	{"common", "gateway_silent", OPTION_DURATION, OPTION_AT(struct config_common, gateway_silent_us),
	 .fallback = "90s", .min = 2 * US_PER_S, .max = 3600 * US_PER_S, .reload = true,
	 .help = "A gateway of which nothing came for so long is silent: its downlinks go by another one, "
		 "and "
		 "an alarm follows."},
};
const size_t config_common_row_count = ARRAY_SIZE(config_common_rows);

/* --- reading --- */

#define ROWS_MAX 256

struct rows {
	const struct option *rows;
	size_t count;
	void *config;
	unsigned lines[ROWS_MAX]; /* where each stands; 0: it does not yet */
};

/* A group of an entry as a line of words. */
static bool write_words(struct yt *tree, const struct yt_node *group, char line[OPTION_VALUE_MAX])
{
	line[0] = '\0';
	for (const struct yt_node *member = group->first; member; member = member->next) {
		bool good = member->kind != YT_MAP &&
			    option_word_append(line, member->key,
					       member->kind == YT_SCALAR ? member->value : "");
		for (const struct yt_node *item = member->first; item && good; item = item->next)
			good = item->kind == YT_SCALAR && !strchr(item->value, ',') &&
			       option_word_append_item(line, item->value);
		if (!good) {
			yt_fail(tree, member,
				"expected a value without blanks, or a list of them; all of them together at "
				"most %d characters",
				OPTION_VALUE_MAX - 1);
			return false;
		}
	}
	return true;
}

static void read_items(struct yt *tree, const struct option *row, void *config, const struct yt_node *node)
{
	char expect[OPTION_EXPECT_MAX];
	bool is_list = row->type == OPTION_LIST;
	if (node->kind != (is_list ? YT_LIST : YT_MAP)) {
		yt_fail(tree, node, "expected a %s", is_list ? "list" : "map of labels");
		return;
	}
	option_clear(row, config);
	for (const struct yt_node *item = node->first; item && !tree->failed; item = item->next) {
		char line[OPTION_VALUE_MAX];
		bool group = row->words && item->kind == YT_MAP;
		if (group && !write_words(tree, item, line))
			return;
		if (item->kind != YT_SCALAR && !group)
			yt_fail(tree, item, "expected a single value");
		else if (!option_add(row, config, item->key, group ? line : item->value, expect))
			yt_fail(tree, item, "%s", expect);
	}
	if (!tree->failed && !option_finish(row, config, expect))
		yt_fail(tree, node, "%s", expect);
}

static bool is_group(const struct rows *rows, const char *section, const char *key)
{
	size_t length = strlen(key);
	for (size_t i = 0; i < rows->count; i++)
		if (strcmp(rows->rows[i].section, section) == 0 &&
		    strncmp(rows->rows[i].key, key, length) == 0 && rows->rows[i].key[length] == '.')
			return true;
	return false;
}

/* A row `mqtt.host` is found as `host` in the group `mqtt`, and as `mqtt.host` as well; groups may hold groups. In
 * both ways it stands twice. */
static void read_group(struct yt *tree, const struct yt_node *map, const char *section, const char *group,
		       struct rows *rows)
{
	char expect[OPTION_EXPECT_MAX], key[OPTION_LABEL_MAX * 2];
	yt_expect_map(tree, map);
	for (const struct yt_node *node = map->first; node && !tree->failed; node = node->next) {
		snprintf(key, sizeof key, "%s%s%s", group, *group ? "." : "", node->key);
		const struct option *row = options_find(rows->rows, rows->count, section, key);
		unsigned *line = row ? &rows->lines[row - rows->rows] : NULL;
		if (line && *line) {
			yt_fail(tree, node, "stands twice, also in line %u", *line);
			return;
		}
		if (line)
			*line = node->line;
		if (!row && is_group(rows, section, key))
			read_group(tree, node, section, key, rows);
		else if (!row)
			yt_fail(tree, node, "unknown key");
		else if (!option_is_scalar(row))
			read_items(tree, row, rows->config, node);
		else if (node->kind != YT_SCALAR) {
			option_expect(row, expect);
			yt_fail(tree, node, "%s", expect);
		} else if (!option_set(row, rows->config, node->value, expect))
			yt_fail(tree, node, "%s", expect);
	}
}

static void read_section(struct yt *tree, const struct yt_node *section, struct rows *rows)
{
	read_group(tree, section, section->key, "", rows);
}

static bool is_known_section(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_sections); i++)
		if (strcmp(known_sections[i], name) == 0)
			return true;
	return false;
}

static void set_defaults(const struct config_program *program, struct config_common *common)
{
	memset(common, 0, sizeof *common);
	options_set_defaults(config_common_rows, config_common_row_count, common);
	options_set_defaults(program->rows, program->row_count, program->config);
}

bool config_read_text(const struct config_program *program, struct config_common *common, const char *file,
		      const char *text, size_t length, char error[CONFIG_ERROR_MAX])
{
	_Static_assert(CONFIG_ERROR_MAX >= YT_ERROR_MAX, "an error must fit");
	struct rows own = {program->rows, program->row_count, program->config, {0}};
	struct rows shared = {config_common_rows, config_common_row_count, common, {0}};
	ASSERT(own.count <= ROWS_MAX && shared.count <= ROWS_MAX);
	set_defaults(program, common);
	struct yt tree;
	/* An empty file is a file of defaults. */
	if (yt_parse(&tree, file, text, length) && tree.root)
		yt_expect_map(&tree, tree.root);
	const struct yt_node *section = tree.root && !tree.failed ? tree.root->first : NULL;
	for (; section && !tree.failed; section = section->next) {
		if (strcmp(section->key, "common") == 0)
			read_section(&tree, section, &shared);
		else if (strcmp(section->key, program->name) == 0)
			read_section(&tree, section, &own);
		else if (!is_known_section(section->key))
			yt_fail(&tree, section, "unknown section");
	}
	bool read = !tree.failed;
	if (!read)
		memcpy(error, tree.error, sizeof tree.error);
	yt_release(&tree);
	return read;
}

bool config_read_file(const struct config_program *program, struct config_common *common, const char *file,
		      char error[CONFIG_ERROR_MAX])
{
	if (!file) {
		set_defaults(program, common);
		return true;
	}
	FILE *in = fopen(file, "re");
	char *text = in ? malloc(CONFIG_FILE_MAX + 1) : NULL;
	bool read = false;
	if (!in || !text) {
		snprintf(error, CONFIG_ERROR_MAX, "%s: %s", file, strerror(errno));
		goto out;
	}
	size_t length = fread(text, 1, CONFIG_FILE_MAX + 1, in);
	if (ferror(in))
		snprintf(error, CONFIG_ERROR_MAX, "%s: %s", file, strerror(errno));
	else if (length > CONFIG_FILE_MAX)
		snprintf(error, CONFIG_ERROR_MAX, "%s: larger than %d bytes", file, CONFIG_FILE_MAX);
	else
		read = config_read_text(program, common, file, text, length, error);
out:
	free(text);
	if (in)
		fclose(in);
	return read;
}

/* --- printing --- */

/* Quoted so that any text reads back to itself: control characters cannot be in a value. */
static void print_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_items(FILE *out, const struct option *row, const void *config)
{
	const void *value = (const char *)config + row->offset;
	if (row->type == OPTION_LIST) {
		const struct option_list *list = value;
		fprintf(out, "  %s: [", row->key);
		for (size_t i = 0; i < list->count; i++) {
			fputs(i ? ", " : "", out);
			print_quoted(out, list->items[i]);
		}
		fputs("]\n", out);
		return;
	}
	const struct option_map *map = value;
	fprintf(out, map->count ? "  %s:\n" : "  %s: {}\n", row->key);
	for (size_t i = 0; i < map->count; i++) {
		fputs("    ", out);
		print_quoted(out, map->entries[i].label);
		fputs(": ", out);
		print_quoted(out, map->entries[i].value);
		fputc('\n', out);
	}
}

static void print_row(FILE *out, const struct option *row, const void *config)
{
	char expect[OPTION_EXPECT_MAX];
	option_expect(row, expect);
	fprintf(out, "  # %s %c%s%s\n", row->help, expect[0] - 'a' + 'A', expect + 1,
		row->reload ? "; can change while running." : "; needs a restart to change.");
	if (!option_is_scalar(row)) {
		print_items(out, row, config);
		return;
	}
	char text[1024];
	fprintf(out, "  %s: ", row->key);
	option_format(row, config, text, sizeof text);
	if (row->type == OPTION_STRING || row->type == OPTION_PATH)
		print_quoted(out, text);
	else
		fputs(text, out);
	fputc('\n', out);
}

static void print_section(FILE *out, const struct option *rows, size_t count, const void *config)
{
	for (size_t i = 0; i < count; i++) {
		if (i == 0)
			fprintf(out, "%s:\n", rows[0].section);
		print_row(out, &rows[i], config);
	}
}

void config_print(FILE *out, const struct config_program *program, const struct config_common *common)
{
	print_section(out, config_common_rows, config_common_row_count, common);
	print_section(out, program->rows, program->row_count, program->config);
}

/* --- the values of `common` --- */

struct lw_net_id config_net_id(const struct config_common *common)
{
	struct lw_net_id net_id = {0};
	bool parsed = lw_net_id_parse(common->net_id, &net_id);
	ASSERT(parsed);
	return net_id;
}
