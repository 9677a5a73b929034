/* Two copies are made of what is in force: one gets the file, the other the rows of it that may change. The second is what
 * the process is asked to take over; when it did, it becomes what is in force. */
#include "common/text/reload.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 160

struct half {
	const struct option *rows;
	size_t count;
	void *force, *file, *wanted;
};

/* --- values for people --- */

static void append(char *text, size_t capacity, const char *more)
{
	size_t used = strlen(text);
	if (used < capacity)
		snprintf(text + used, capacity - used, "%s", more);
}

const char *reload_show(const struct option *row, const void *config, char *text, size_t capacity)
{
	const void *value = (const char *)config + row->offset;
	char scalar[1024];
	text[0] = '\0';
	if (option_is_scalar(row)) {
		append(text, capacity, option_format(row, config, scalar, sizeof scalar));
	} else if (row->type == OPTION_LIST) {
		const struct option_list *list = value;
		for (size_t i = 0; i < list->count; i++) {
			append(text, capacity, i ? ", " : "");
			append(text, capacity, list->items[i]);
		}
	} else {
		const struct option_map *map = value;
		for (size_t i = 0; i < map->count; i++) {
			append(text, capacity, i ? ", " : "");
			append(text, capacity, map->entries[i].label);
			append(text, capacity, ": ");
			append(text, capacity, map->entries[i].value);
		}
	}
	return text;
}

/* "key=section.key from="old" to="new"". */
static void log_row(enum log_level level, const char *event, const struct half *half,
		    const struct option *row)
{
	char from[SHOWN_MAX], to[SHOWN_MAX], quoted_from[SHOWN_MAX + 8], quoted_to[SHOWN_MAX + 8];
	log_write(
		level, event, "key=%s.%s from=%s to=%s", row->section, row->key,
		log_quote(quoted_from, sizeof quoted_from, reload_show(row, half->force, from, sizeof from)),
		log_quote(quoted_to, sizeof quoted_to, reload_show(row, half->file, to, sizeof to)));
}

/* --- reading --- */

void reload_init(struct reload *reload, const struct config_program *program, struct config_common *common,
		 int argc, char **argv,
		 bool (*apply)(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX]),
		 void *ctx)
{
	ASSERT(program->config_size > 0);
	*reload = (struct reload){.program = program,
				  .common = common,
				  .file = config_file_name(argc, argv),
				  .apply = apply,
				  .ctx = ctx};
}

static enum reload_verdict refuse(struct reload *reload)
{
	char quoted[CONFIG_ERROR_MAX];
	reload->refused++;
	LOG_ERROR("configuration_refused", "reason=%s consequence=\"nothing changed\"",
		  log_quote(quoted, sizeof quoted, reload->error));
	return RELOAD_REFUSED;
}

/* Copies what may change from the file's half to the wanted one. */
static void choose(const struct half *half)
{
	for (size_t i = 0; i < half->count; i++) {
		const struct option *row = &half->rows[i];
		if (row->reload && !option_equal(row, half->force, half->file))
			memcpy((char *)half->wanted + row->offset, (const char *)half->file + row->offset,
			       row->size);
	}
}

/* Logs what changes, and notes what waits. Returns how many change. */
static size_t note(struct reload *reload, const struct half *half)
{
	size_t changed = 0;
	for (size_t i = 0; i < half->count; i++) {
		const struct option *row = &half->rows[i];
		if (option_equal(row, half->force, half->file))
			continue;
		if (row->reload) {
			log_row(LOG_LEVEL_INFO, "configuration_changed", half, row);
			changed++;
			continue;
		}
		log_row(LOG_LEVEL_WARN, "restart_needed", half, row);
		ASSERT_CMP(reload->waiting_count, <, RELOAD_WAITING_MAX);
		reload->waiting[reload->waiting_count++] = row;
	}
	return changed;
}

static enum reload_verdict take_over(struct reload *reload, const struct half halves[2])
{
	const struct reload_wanted wanted = {halves[0].wanted, halves[1].wanted, halves[0].file,
					     halves[1].file};
	char problem[CONFIG_ERROR_MAX] = "";
	if (!reload->apply(reload->ctx, &wanted, problem)) {
		snprintf(reload->error, sizeof reload->error, "%s", problem);
		return refuse(reload);
	}
	size_t changed = 0;
	reload->error[0] = '\0';
	reload->waiting_count = 0;
	reload->taken++;
	/* The louder of the two levels, so that the line about the level itself is seen. */
	log_set_threshold(reload->common->log_level > wanted.common->log_level ? reload->common->log_level
									       : wanted.common->log_level);
	for (size_t i = 0; i < 2; i++)
		changed += note(reload, &halves[i]);
	LOG_INFO("configuration_read", "changed=%zu need_restart=%zu", changed, reload->waiting_count);
	memcpy(reload->common, wanted.common, sizeof *reload->common);
	memcpy(reload->program->config, wanted.config, reload->program->config_size);
	log_set_threshold(reload->common->log_level);
	return RELOAD_TAKEN;
}

enum reload_verdict reload_run(struct reload *reload)
{
	size_t size = reload->program->config_size;
	struct config_common *commons = calloc(2, sizeof *commons);
	char *configs = calloc(2, size);
	ASSERT(commons && configs);
	struct config_program program = *reload->program;
	program.config = configs;
	const char *file = reload->file ? reload->file : config_file_name(0, NULL);
	enum reload_verdict verdict;
	if (config_reload(&program, &commons[0], file, reload->error)) {
		commons[1] = *reload->common;
		memcpy(configs + size, reload->program->config, size);
		const struct half halves[2] = {
			{config_common_rows, config_common_row_count, reload->common, &commons[0],
			 &commons[1]},
			{program.rows, program.row_count, reload->program->config, configs, configs + size}};
		choose(&halves[0]);
		choose(&halves[1]);
		verdict = take_over(reload, halves);
	} else {
		verdict = refuse(reload);
	}
	free(commons);
	free(configs);
	return verdict;
}

/* --- /healthz --- */

void reload_append_warnings(const struct reload *reload, char *list, size_t capacity)
{
	if (reload && reload->error[0]) {
		append(list, capacity, list[0] ? "," : "");
		append(list, capacity, "\"configuration_refused\"");
	}
	if (reload && reload->waiting_count > 0) {
		append(list, capacity, list[0] ? "," : "");
		append(list, capacity, "\"restart_needed\"");
	}
}

const char *reload_members(const struct reload *reload, char text[RELOAD_ITEMS_MAX])
{
	char quoted[400];
	text[0] = '\0';
	if (reload && reload->error[0])
		snprintf(text, RELOAD_ITEMS_MAX, ",\"configuration_error\":%s",
			 log_quote(quoted, sizeof quoted, reload->error));
	size_t count = reload ? reload->waiting_count : 0;
	for (size_t i = 0; i < count && strlen(text) < RELOAD_ITEMS_MAX - 100; i++) {
		snprintf(quoted, sizeof quoted, "%s\"%s.%s\"", i ? "," : ",\"restart_needed\":[",
			 reload->waiting[i]->section, reload->waiting[i]->key);
		append(text, RELOAD_ITEMS_MAX, quoted);
	}
	append(text, RELOAD_ITEMS_MAX, count ? "]" : "");
	return text;
}
