#include "cli/record_print.h"

#include "cli/table.h"
#include "common/base/check.h"

#include <stdio.h>

static void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
}

/* Fills the text of a field; of a reference the slug, where the server gave one. */
static void field_text(const struct record_field *field, const json_t *record, char *text, size_t capacity)
{
	char name[48];
	snprintf(name, sizeof name, "%s_slug", field->name);
	const json_t *slug = field->type == RECORD_REFERENCE ? json_object_get(record, name) : NULL;
	record_value_to_text(field, json_is_string(slug) ? slug : json_object_get(record, field->name), text,
			     capacity);
}

static void print_record(const struct record_schema *schema, const json_t *record)
{
	const char *const titles[] = {"field", "value"};
	struct table_text table;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		const json_t *value = json_object_get(record, field->name);
		char text[512];
		if (!value || json_is_null(value) || (field->flags & RECORD_SECRET))
			continue;
		field_text(field, record, text, sizeof text);
		const char *const cells[] = {field->name, text};
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

void record_print_one(const struct record_schema *schema, const json_t *record, bool json)
{
	if (json)
		print_json(record);
	else
		print_record(schema, record);
}

void record_print_list(const struct record_schema *schema, const json_t *items, bool json)
{
	if (json) {
		print_json(items);
		return;
	}
	const char *titles[TABLE_COLUMNS_MAX];
	const struct record_field *columns[TABLE_COLUMNS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < schema->field_count && count < TABLE_COLUMNS_MAX; i++) {
		if (!(schema->fields[i].flags & RECORD_LIST))
			continue;
		columns[count] = &schema->fields[i];
		titles[count++] = schema->fields[i].name;
	}
	struct table_text table;
	table_text_init(&table, count, titles);
	size_t row;
	const json_t *item;
	json_array_foreach(items, row, item)
	{
		char texts[TABLE_COLUMNS_MAX][256];
		const char *cells[TABLE_COLUMNS_MAX];
		for (size_t i = 0; i < count; i++) {
			field_text(columns[i], item, texts[i], sizeof texts[i]);
			cells[i] = texts[i];
		}
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}
